// What one may ask of a run.

import type { Fault } from '../capture/fault.ts';
import { slotsOf } from '../decode/decoder.ts';
import { LARGEST_UNITS, SHARDS_CAPACITY, WINDOW_UNIT } from '../layout/batch.ts';
import type { Io } from '../shard/reading.ts';
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
  /** Is told what is wrong with a capture that is followed, when that is met. */
  readonly onFault?: (fault: Fault) => void;
  /** What is a part of a connection's identity beside its 4-tuple: networks of equal addresses are told apart by it. */
  readonly distinguish?: readonly Scope[];
  /** Which segments are looked at, in words of pcap-filter(7); all where absent. */
  readonly filter?: string;
  /** Ephemeral ports of a client towards one server address and port; those of Linux where absent. */
  readonly ports?: number;
  /** Length of a window of capture time, seconds, 0.001 or more; no windows where absent, or Infinity. */
  readonly interval?: number;
  /** What windows are told apart by: a line of its own for each group. */
  readonly per?: GroupBy;
  /** Changes of settings to be compared with what was seen. */
  readonly whatIf?: readonly Change[];
  /**
   * How files are read: copied (`read`, also where absent), mapped (`map`), or whichever is faster (`auto`). Who opens a mapped file for writing waits until
   * the run has looked at what it is looking at, or for a tenth of a second; but for 45 s, as a rule, where that is the program itself, which keeps the run from
   * going on meanwhile.
   */
  readonly io?: Io;
  /** Settings of V8 that are made when a thread starts, as on a command line. They hold for the whole process: none where absent. */
  readonly threadFlags?: string;
  /** Bytes that are decoded together, at most 2 MiB, or 8 MiB where 18 workers or fewer are asked for: for tests, no answer depends on it. */
  readonly windowBytes?: number;
}

/** Linux: 32768 to 60999. */
export const EPHEMERAL_PORTS = 28_232;

const GROUPS: readonly string[] = ['host', 'service', 'pair', 'subnet'] satisfies GroupBy['kind'][];
const SCOPES: readonly string[] = ['vlan', 'vni'] satisfies Scope[];
const IOS: readonly string[] = ['auto', 'map', 'read'] satisfies Io[];
/** Times that options may have: 32 years, in s and in ns. */
const LONGEST = 1e9;
const LONGEST_NS = LONGEST * 1e9;
const PORTS = 65_535;

/** Programs hand options over as they are, also such as a command line cannot have. @throws RangeError for one out of range */
export function checkOptions(options: RunOptions): void {
  const { workers = 1, windowBytes = 1, profile = 'linux', twoMsl = 1, idleTimeout = 1, ports = 1 } = options;
  const { interval = 1, per, whatIf = [], distinguish = [], io = 'read' } = options;
  demand(Object.hasOwn(PROFILES, profile), `no such profile: ${profile}`);
  demand(isWhole(workers, 1, SHARDS_CAPACITY), `${workers} workers: not a whole number from 1 to ${SHARDS_CAPACITY}`);
  const largest = WINDOW_UNIT * (slotsOf(options.workers ?? SHARDS_CAPACITY, LARGEST_UNITS) > 1 ? LARGEST_UNITS : 1);
  demand(isWhole(windowBytes, 1, largest), `window of ${windowBytes} bytes`);
  demand(isWhole(ports, 1, PORTS), `${ports} ports: not a whole number from 1 to ${PORTS}`);
  demand(isWithin(twoMsl, LONGEST), `twoMsl of ${twoMsl} s: not a number above 0, up to ${LONGEST}`);
  demand(isWithin(idleTimeout, Infinity), `idleTimeout of ${idleTimeout} s: not a number above 0`);
  demand(
    interval === Infinity || (isWithin(interval, LONGEST) && interval >= 0.001),
    `an interval of ${interval} s: not from 0.001 to ${LONGEST}`,
  );
  for (const { name, twoMsl: changed = 1, ports: range = 1 } of whatIf)
    demand(isWithin(changed, LONGEST_NS) && isWhole(range, 1, PORTS), `what if ${name}: ports or twoMsl out of range`);
  demand(Array.isArray(distinguish), `networks are told apart by a list, not by ${String(distinguish)}`);
  for (const scope of distinguish) demand(SCOPES.includes(scope), `networks are not told apart by ${scope}`);
  demand(IOS.includes(io), `files are not read by ${io}`);
  if (!per) return;
  demand(GROUPS.includes(per.kind), `windows are of each { kind: '${GROUPS.join("', '")}' }, not of ${per.kind ?? String(per)}`);
  demand(
    per.kind !== 'subnet' || isWhole(per.bits, 0, ADDRESS_BITS),
    'bits' in per ? `a prefix of ${per.bits} bits` : 'a prefix of no length',
  );
  demand(options.interval !== undefined, 'groups without an interval');
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message);
}

const isWhole = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most;
/** NaN is not. */
const isWithin = (value: number, most: number): boolean => typeof value === 'number' && value > 0 && value <= most;

/** Length of a window of capture time, ns. `interval` in seconds. */
export function lengthOf(interval: number): number {
  return Math.round(interval * 1e9);
}
