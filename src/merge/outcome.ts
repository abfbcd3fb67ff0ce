import type { Fault } from '../capture/fault.ts';
import type { Clock } from '../records/time.ts';
import type { Answers } from '../stats/answers.ts';
import type { Statistics } from '../stats/statistics.ts';
import type { Oddities } from '../tracker/oddities.ts';
import type { Profile } from '../tracker/time-wait.ts';

/** What a run has counted, all shards together. */
export interface Outcome {
  readonly files: number;
  readonly names: readonly string[];
  /** Files of folders that are no captures, each with the reason. */
  readonly passedOver: readonly string[];
  /** Bytes of all captures, and of their link types the numbers. */
  readonly bytes: number;
  readonly linkTypes: readonly number[];
  readonly clock: Clock;
  readonly profile: Profile;
  readonly packets: number;
  readonly segments: number;
  readonly duplicates: number;
  readonly timeRegressions: number;
  /** Packets without a segment, by the words of layout/drops.ts. */
  readonly drops: Float64Array;
  readonly oddities: Oddities;
  readonly statistics: Statistics;
  readonly answers: Answers;
  /** Ephemeral ports that a client has towards one server address and port. */
  readonly ports: number;
  /** What could not be read: all before it was analysed, and where reading went on, all behind. */
  readonly faults: readonly Fault[];
  /** How many faults there are: not all of many are listed. */
  readonly damages: number;
  /** Capture time of the first and of the last packet, ns; undefined where there is none. */
  readonly firstTime: number | undefined;
  readonly lastTime: number;
  /** A signal ended the run before its input did. */
  readonly interrupted: boolean;
}
