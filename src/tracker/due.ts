import { GENERATION } from '../layout/slot.ts';
import type { TableMemory } from './memory.ts';
import { compareTuples } from './order.ts';
import type { ConnectionTable } from './table.ts';
import type { SilenceHeap } from './timers.ts';

/** A connection whose time is over: its silence, or its TIME_WAIT. */
export interface DueConnection {
  readonly slot: number;
  readonly generation: number;
  readonly silence: boolean;
}

/**
 * Whatever is over at one instant. Times that are over at the same instant, of whatever kind, go by 4-tuple: the merger brings those of
 * several shards into that order.
 */
export class Due {
  /** The instant, ns. */
  time = 0;
  /** The first one last. */
  readonly #connections: DueConnection[] = [];

  get isEmpty(): boolean {
    return this.#connections.length === 0;
  }

  /** Takes those that are over at `time` from where they wait; all before have gone. */
  collect(table: ConnectionTable, memory: TableMemory, silences: SilenceHeap, time: number): void {
    const due = this.#connections;
    this.time = time;
    while (memory.nextExpiry === time) {
      const slot = memory.shiftExpired();
      due.push({ slot, generation: table.words[slot + GENERATION]!, silence: false });
    }
    while (silences.next === time) {
      const { slot, generation } = silences.shift();
      due.push({ slot, generation, silence: true });
    }
    if (due.length > 1) due.sort((a, b) => compareTuples(table, b.slot, a.slot));
  }

  /** Takes the first one; undefined: that was all. */
  next(): DueConnection | undefined {
    return this.#connections.pop();
  }
}
