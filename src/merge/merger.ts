import type { ConnectionRecord } from '../records/connection.ts';
import type { Delivery } from '../shard/job.ts';
import { COLUMNS, type NoteTaker, precedes as precedesRow } from '../stats/note.ts';

/**
 * Brings what the shards deliver into one order: by the time and packet that ended a record, then by 4-tuple. A window is over when
 * all shards have delivered it; nothing that comes later belongs before it.
 */
export class Merger {
  readonly #shards: number;
  readonly #note: NoteTaker;
  readonly #waiting = new Map<number, Delivery[]>();
  /** The window that comes next. */
  next = 0;

  /** `note`: takes the rows that were noted of ended connections (stats/note.ts), in the same order. */
  constructor(shards: number, note: NoteTaker) {
    this.#shards = shards;
    this.#note = note;
  }

  /** Takes one shard's delivery; answers all that is now in its final place. */
  add(delivery: Delivery): (ConnectionRecord | string)[] {
    const list = this.#waiting.get(delivery.window);
    if (list) list.push(delivery);
    else this.#waiting.set(delivery.window, [delivery]);
    const ready: (ConnectionRecord | string)[] = [];
    for (let window = this.#waiting.get(this.next); window?.length === this.#shards; window = this.#waiting.get(this.next)) {
      this.#waiting.delete(this.next++);
      mergeInto(
        ready,
        window.filter(({ items }) => items.length > 0),
      );
      this.#mergeNotes(window.map(({ notes }) => notes).filter(({ length }) => length > 0));
    }
    return ready;
  }

  #mergeNotes(logs: readonly Float64Array[]): void {
    const heads = logs.map(() => 0);
    for (;;) {
      let first = -1;
      for (let i = 0; i < logs.length; i++) {
        if (heads[i]! < logs[i]!.length && (first < 0 || precedesRow(logs[i]!, heads[i]!, logs[first]!, heads[first]!))) first = i;
      }
      if (first < 0) return;
      this.#note(logs[first]!, heads[first]!);
      heads[first]! += COLUMNS;
    }
  }
}

/** A k-way merge; k is the number of shards, so a scan for the first one beats a heap. */
function mergeInto(merged: (ConnectionRecord | string)[], deliveries: readonly Delivery[]): void {
  const [only] = deliveries;
  if (only && deliveries.length === 1) {
    for (const item of only.items) merged.push(item);
    return;
  }
  const heads = deliveries.map(() => 0);
  for (;;) {
    let first = -1;
    for (let i = 0; i < deliveries.length; i++) {
      if (heads[i]! < deliveries[i]!.items.length && (first < 0 || precedes(deliveries[i]!, heads[i]!, deliveries[first]!, heads[first]!)))
        first = i;
    }
    if (first < 0) return;
    merged.push(deliveries[first]!.items[heads[first]!++]!);
  }
}

function precedes(a: Delivery, i: number, b: Delivery, j: number): boolean {
  if (a.times[i] !== b.times[j]) return a.times[i]! < b.times[j]!;
  if (a.packets[i] !== b.packets[j]) return a.packets[i]! < b.packets[j]!;
  return a.tuples[i]! < b.tuples[j]!;
}
