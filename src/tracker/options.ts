import type { Ended, ShapeTaker } from './ended.ts';
import type { BoundTaker } from './measure.ts';
import type { Profile } from './time-wait.ts';
import type { Watch } from './watch.ts';

/** What a tracker is told, and whom it tells. */
export interface TrackerOptions {
  readonly profile: Profile;
  /** Silence after which a connection that has not closed ends, ns; Infinity: never. */
  readonly idleTimeout: number;
  /** Connections that are followed at a time; CONNECTIONS_CAPACITY where absent. Of more, those that were silent longest are evicted. */
  readonly capacity?: number | undefined;
  /** How far a packet may come behind later ones and still be told to be a copy of one before them, ms; absent: hardly at all. */
  readonly lateness?: number | undefined;
  readonly ended: (connection: Ended) => void;
  /** Whether so much has ended that it is to be sent off before more does; absent where it never is. */
  readonly isFull?: (() => boolean) | undefined;
  /** Gets connections first; absent where each one is to be delivered. */
  readonly shapes?: ShapeTaker | undefined;
  readonly watch?: Watch | undefined;
  /** Takes what packets prove of the length of TIME_WAIT. */
  readonly bound: BoundTaker;
}
