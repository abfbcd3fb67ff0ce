// What one may ask of a run.

import { SHARDS_CAPACITY, WINDOW_CAPACITY } from '../layout/batch.ts';
import type { Io } from '../shard/decoding.ts';
import { ADDRESS_BITS, type GroupBy } from '../stats/grouping.ts';
import type { Change } from '../stats/what-if.ts';
import { PROFILES } from '../tracker/time-wait.ts';

/** What may tell networks of equal addresses apart. */
export type Scope = 'vlan' | 'vni';

export interface RunOptions {
  /** Name of a profile of SPEC §4; linux where absent. */
  readonly profile?: string;
  /** Length of TIME_WAIT, seconds; the profile's where absent. */
  readonly twoMsl?: number;
  /** Silence after which an unfinished connection's record ends, seconds; never where absent. */
  readonly idleTimeout?: number;
  /** Threads that share the work, 1 to 64; where absent as many as the captures have work for, and the machine processors. */
  readonly workers?: number;
  /** The only capture is still being written: it is read until the run is interrupted. */
  readonly follow?: boolean;
  /** What is a part of a connection's identity beside its 4-tuple: networks of equal addresses are told apart by it. */
  readonly distinguish?: readonly Scope[];
  /** Which segments are looked at, in words of pcap-filter(7); all where absent. */
  readonly filter?: string;
  /** Ephemeral ports of a client towards one server address and port; those of Linux where absent. */
  readonly ports?: number;
  /** Length of a window of capture time, seconds, 0.001 or more; no windows where absent. */
  readonly interval?: number;
  /** What windows are told apart by: a line of its own for each group. */
  readonly per?: GroupBy;
  /** Changes of settings to be compared with what was seen. */
  readonly whatIf?: readonly Change[];
  /** How files are read; as is fastest where absent. */
  readonly io?: Io;
  /** Settings of V8 that are made when a thread starts, as on a command line. They hold for the whole process: none where absent. */
  readonly threadFlags?: string;
  /** Bytes that are decoded together, at most 2 MiB: for tests, no answer depends on it. */
  readonly windowBytes?: number;
}

/** Linux: 32768 to 60999. */
export const EPHEMERAL_PORTS = 28_232;

/** @throws RangeError for an option out of range */
export function checkOptions({ workers, windowBytes = WINDOW_CAPACITY, profile = 'linux', per, interval }: RunOptions): void {
  if (!Object.hasOwn(PROFILES, profile)) throw new RangeError(`no such profile: ${profile}`);
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= SHARDS_CAPACITY)) {
    throw new RangeError(`${workers} workers: not a whole number from 1 to ${SHARDS_CAPACITY}`);
  }
  if (per?.kind === 'subnet' && !(Number.isInteger(per.bits) && per.bits >= 0 && per.bits <= ADDRESS_BITS))
    throw new RangeError(`a prefix of ${per.bits} bits`);
  if (interval !== undefined && !(lengthOf(interval) >= 1)) throw new RangeError(`an interval of ${interval} s`);
  if (per && interval === undefined) throw new RangeError('groups without an interval');
  if (!(Number.isInteger(windowBytes) && windowBytes >= 1 && windowBytes <= WINDOW_CAPACITY))
    throw new RangeError(`window of ${windowBytes} bytes`);
}

/** Length of a window of capture time, ns. `interval` in seconds. */
export function lengthOf(interval: number): number {
  return Math.round(interval * 1e9);
}
