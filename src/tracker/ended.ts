import type { Verdict } from './close.ts';
import type { Departed } from './departed.ts';
import type { ConnectionTable } from './table.ts';
import type { TimeWait } from './time-wait.ts';

/** Why a record ended, apart from its close: its time was over, its tuple was used again, it was silent too long, or the capture ended. */
export const ENDINGS = ['expired', 'tuple_reused', 'idle_timeout', 'evicted', 'capture_end'] as const;
export type Ending = (typeof ENDINGS)[number];

/** Whether a connection's time is over, or that of its TIME_WAITs and then, too, that which it may be silent. */
export function isDeparture(ending: Ending, holders: number): boolean {
  return ending === 'expired' || (ending === 'idle_timeout' && holders !== 0);
}

/** Stands for the packet that ended a record where the capture's end let go of a held SYN: after all packets, before the end itself. */
export const RELEASED = Number.MAX_SAFE_INTEGER;

/** A connection whose record ends now. Valid during the call that delivers it: its slot is reused afterwards. */
export interface Ended {
  readonly table: ConnectionTable;
  readonly slot: number;
  readonly verdict: Verdict;
  readonly timeWaits: readonly TimeWait[];
  readonly ending: Ending;
  /** Capture time at which it ended, ns. */
  readonly time: number;
  /** The packet that ended it, counted from the start of the run; -1: a timer did; RELEASED; Infinity: the end of the capture. */
  readonly packet: number;
}

/**
 * Takes connections that end as one of the same shape did before (layout/shape.ts): nothing has to be decided of them again.
 * Those that it does not take are judged, and delivered.
 */
export interface ShapeTaker {
  /** Whether it takes a connection. Times are ns; `over`: capture time up to which its TIME_WAIT can have lasted. */
  takes(table: ConnectionTable, slot: number, ending: Ending, time: number, packet: number, over: number): boolean;
  /**
   * Takes connections that are due up to `clock` and before `until`, ns, out of the table, as many as it can at once; answers whether there
   * were any. `departed` gets those of which something may still come.
   */
  takesExpired(clock: number, until: number, departed: Departed): boolean;
  /**
   * Takes connections that the capture's end ends at `time`: those that TableMemory.order() answered, from place `from` on, as far as it
   * takes them, but none from `to` on; answers the place of the next one.
   */
  takesInOrder(from: number, to: number, time: number): number;
  /** Of the one taken last: the holders of TIME_WAIT, bits 1 and 2, none where the first one's did not run out; and its latest start, ns. */
  readonly holders: number;
  readonly since: number;
}
