import type { Verdict } from './close.ts';
import type { ConnectionTable } from './table.ts';
import type { TimeWait } from './time-wait.ts';

/** Why a record ended, apart from its close: its time was over, its tuple was used again, it was silent too long, or the capture ended. */
export type Ending = 'expired' | 'tuple_reused' | 'idle_timeout' | 'evicted' | 'capture_end';

/** A connection whose record ends now. Valid during the call that delivers it: its slot is reused afterwards. */
export interface Ended {
  readonly table: ConnectionTable;
  readonly slot: number;
  readonly verdict: Verdict;
  readonly timeWaits: readonly TimeWait[];
  readonly ending: Ending;
  /** Capture time at which it ended, ns. */
  readonly time: number;
  /** The packet that ended it, counted from the start of the run; -1: a timer did. */
  readonly packet: number;
}
