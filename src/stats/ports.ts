import { wordsText } from '../records/address.ts';
import { FAMILY_SHIFT, GROUP_COLUMNS, GROUP_WORDS, HELD_FROM, HELD_TO, PORT, PORT_WAIT_FROM, PORT_WAIT_TO } from '../layout/ledger.ts';
import { ADDRESS_WORDS } from '../layout/note.ts';
import { GroupLog } from './group-log.ts';
import type { Account, Ledger } from './ledger.ts';
import { PortSet } from './port-set.ts';
import { Population, type PopulationFigures } from './population.ts';
import { highestPeaks } from './ranking.ts';

/** Groups of which many ports are remembered: 8 KiB each. */
const LARGE_SETS = 1 << 12;
/** Events that all groups together keep, and one of them, before they are folded (population.ts). */
const PENDING = 1 << 23;
const PENDING_OF_ONE = 1 << 19;
/** Share of the ports above which it becomes tight. */
export const TIGHT = 0.8;

/** Used ports from which on it is no accident that all of them are taken. */
const FEWEST = 8;
/** Of the ports that are left as many are to be used up before anybody says when all will be, as a share: a burst tells nothing. */
const EVIDENCE = 0.1;

const FIRST_SINGLES = 64;

/** The ports that one client address uses towards one server address and port. */
class Group {
  firstStart = Infinity;
  lastStart = -Infinity;
  readonly held: Population;
  readonly waiting = new Population(PENDING_OF_ONE);
  /** Undefined where they were too many to remember. */
  ports: PortSet | undefined = new PortSet();

  constructor(threshold: number) {
    this.held = new Population(PENDING_OF_ONE, threshold);
  }
}

/** What is known of the ports of one client address towards one server address and port. Times are ns. */
export interface GroupFigures {
  client: string;
  server: string;
  port: number;
  connections: number;
  reused: number;
  firstStart: number;
  lastStart: number;
  /** Ports in use by open connections, or in TIME_WAIT at the client. */
  held: PopulationFigures;
  waiting: PopulationFigures;
  /** TIME_WAITs that the client entered. */
  entered: number;
  /** Different ports that it used, the lowest, the highest; undefined where they are not remembered. */
  used: { count: number; lowest: number; highest: number } | undefined;
  /** Intervals that came too late for the peak: it may be higher by as many. */
  late: number;
  /** All ports that the client ever used were taken at the peak, and it had to take some out of TIME_WAIT: its own range is that small. */
  exhausted: boolean;
  /** When all of the range will be held if it goes on like this; undefined: never, or too little was seen. */
  forecast: number | undefined;
}

export interface PortsSnapshot {
  /** By their peaks. */
  highest: GroupFigures[];
  /** Each of these in one list, by their peaks: those that ran out of ports, held TIGHT of the range or more, or will run out. The same objects as in `highest`. */
  exhausted: GroupFigures[];
  tight: GroupFigures[];
  growing: GroupFigures[];
  /** How many groups there are, and how many connections lie beyond the limit. */
  groups: number;
  beyond: number;
}

/**
 * Port pressure (SPEC §4): for each client address, server address and server port, how many ports of the client are taken by open
 * connections and TIME_WAIT.
 */
export class PortPressure {
  readonly #range: number;
  readonly #twoMsl: number;
  /** Ports of the range from which on it is tight. */
  readonly #tight: number;
  readonly #account: Account;
  readonly #reuses: Int32Array;
  readonly #log: GroupLog;
  /** Of a group with one connection taken so far there is only that one's interval: in a large network most never have another. */
  readonly #groups: (Group | undefined)[] = [];
  /** Groups of which intervals were taken. */
  #begun = 0;
  #single = new Float64Array(FIRST_SINGLES * GROUP_COLUMNS);
  #largeSets = 0;
  #pending = 0;

  /** `range`: ephemeral ports of a client; `twoMsl`: length of TIME_WAIT, ns. */
  constructor(range: number, twoMsl: number, { groups, reuses }: Pick<Ledger, 'groups' | 'reuses'>) {
    this.#range = range;
    this.#twoMsl = twoMsl;
    this.#tight = range * TIGHT;
    this.#account = groups;
    this.#reuses = reuses;
    this.#log = new GroupLog(groups);
  }

  /** Takes all rows, so that the log has room again. */
  drain(): void {
    this.#log.drain((group, at) => this.#take(group, at));
  }

  /** Lets a group have an interval of the log. */
  #take(number: number, at: number): void {
    if (number === this.#begun) this.#begin(number, at);
    else this.#count(this.#group(number), this.#account.rows, at);
  }

  #begin(number: number, at: number): void {
    if ((number + 1) * GROUP_COLUMNS > this.#single.length) {
      const single = new Float64Array(this.#single.length * 2);
      single.set(this.#single);
      this.#single = single;
    }
    this.#single.set(this.#account.rows.subarray(at, at + GROUP_COLUMNS), number * GROUP_COLUMNS);
    this.#begun++;
  }

  /** A group with what was taken of it. */
  #group(number: number): Group {
    const known = this.#groups[number];
    if (known) return known;
    const group = new Group(this.#tight);
    if (number < this.#begun) this.#count(group, this.#single, number * GROUP_COLUMNS);
    this.#groups[number] = group;
    return group;
  }

  /** A group with all that is known of it. */
  #whole(number: number): Group {
    const group = this.#group(number);
    for (const at of this.#log.take(number)) this.#count(group, this.#account.rows, at);
    return group;
  }

  #count(group: Group, intervals: Float64Array, at: number): void {
    const start = intervals[at + HELD_FROM]!;
    const from = intervals[at + PORT_WAIT_FROM]!;
    if (start < group.firstStart) group.firstStart = start;
    if (start > group.lastStart) group.lastStart = start;
    group.held.add(start, intervals[at + HELD_TO]!);
    this.#pending += 2;
    if (!Number.isNaN(from)) {
      group.waiting.add(from, intervals[at + PORT_WAIT_TO]!);
      this.#pending += 2;
    }
    const set = group.ports;
    if (set !== undefined) {
      const large = set.isLarge;
      if (!set.add(intervals[at + PORT]!, this.#largeSets < LARGE_SETS)) group.ports = undefined;
      else if (!large && set.isLarge) this.#largeSets++;
    }
    if (this.#pending >= PENDING) this.#fold();
  }

  /** What is pending would be too much memory: everyone folds the older half. */
  #fold(): void {
    this.#pending = 0;
    for (const group of this.#groups) {
      if (!group) continue;
      for (const population of [group.held, group.waiting]) {
        population.fold();
        this.#pending += population.pending;
      }
    }
  }

  /** What is known over [from, to], once all rows have come; of the groups with the highest peaks the first `top`. */
  snapshot(from: number, to: number, top: number): PortsSnapshot {
    this.#log.index();
    const connections = this.#account.members;
    // They come first, because only so many groups have all of their ports remembered.
    const known = new Map([...this.#suspects(to)].map((number) => [number, this.#figures(number, from, to)]));
    const suspects = [...known.values()].sort(byPeak);
    const isTight = ({ held }: GroupFigures): boolean => held.peak >= this.#tight;
    const exhausted = suspects.filter((one) => one.exhausted);
    const tight = suspects.filter((one) => !one.exhausted && isTight(one));
    const growing = suspects.filter((one) => !one.exhausted && !isTight(one) && one.forecast !== undefined);
    const peakOf = (number: number): { peak: number } =>
      known.get(number)?.held ?? (connections[number] === 1 ? { peak: this.#holds(number) } : this.#whole(number).held.snapshot(from, to));
    const highest = highestPeaks(connections, top, peakOf).map(({ number }) => known.get(number) ?? this.#figures(number, from, to));
    return { highest, exhausted, tight, growing, groups: connections.length, beyond: this.#account.beyond };
  }

  /**
   * Groups that may have run out of ports, and those that may be close to that, or come to it: nobody else can, by the number of their
   * connections, and how fast they came.
   */
  #suspects(to: number): Set<number> {
    const { members } = this.#account;
    const suspects = new Set<number>();
    const many: number[] = [];
    for (let number = 0; number < members.length; number++) {
      const connections = members[number]!;
      if (connections > FEWEST && this.#reuses[number]! > 0) suspects.add(number);
      if (connections * (1 + EVIDENCE) >= this.#range * EVIDENCE) many.push(number);
    }
    for (const number of many) {
      const connections = members[number]!;
      const most = connections + (connections / (to - this.#since(number))) * this.#twoMsl;
      if (connections >= this.#tight || most > this.#range) suspects.add(number);
    }
    return suspects;
  }

  /** How many ports a group with one connection ever held: none for a moment, as a SYN does that nobody answered. */
  #holds(number: number): number {
    const [rows, at] = number < this.#begun ? [this.#single, number * GROUP_COLUMNS] : [this.#account.rows, this.#log.rowsOf(number)[0]!];
    return rows[at + HELD_TO]! > rows[at + HELD_FROM]! ? 1 : 0;
  }

  /** When a group first held a port. */
  #since(number: number): number {
    const { rows } = this.#account;
    const first = number < this.#begun ? this.#single[number * GROUP_COLUMNS + HELD_FROM]! : Infinity;
    return this.#log
      .rowsOf(number)
      .reduce((since, at) => Math.min(since, rows[at + HELD_FROM]!), this.#groups[number]?.firstStart ?? first);
  }

  #figures(number: number, from: number, to: number): GroupFigures {
    const key = this.#account.key(number);
    const last = key[GROUP_WORDS - 1]!;
    const ipv6 = last >>> FAMILY_SHIFT !== 0;
    const { firstStart, lastStart, held, waiting, ports } = this.#whole(number);
    const connections = this.#account.members[number]!;
    const reused = this.#reuses[number]!;
    const holds = held.snapshot(from, to);
    const waits = waiting.snapshot(from, to);
    return {
      client: wordsText(key, 0, ipv6),
      server: wordsText(key, ADDRESS_WORDS, ipv6),
      port: last & 0xffff,
      connections,
      reused,
      firstStart,
      lastStart,
      held: holds,
      waiting: waits,
      entered: waiting.entered,
      used: ports && { count: ports.count, lowest: ports.lowest, highest: ports.highest },
      late: held.late,
      exhausted: ports !== undefined && reused > 0 && ports.count >= FEWEST && holds.peak === ports.count && connections > ports.count,
      forecast: this.#forecast(holds.now, waits.now, waiting.entered, firstStart, to),
    };
  }

  /** Until the first TIME_WAIT runs out, nothing is given back, and the ports fill at the rate at which it is entered. */
  #forecast(held: number, waiting: number, entered: number, since: number, to: number): number | undefined {
    const left = this.#range - held;
    const span = to - since;
    if (left <= 0 || span <= 0 || span >= this.#twoMsl || entered < left * EVIDENCE) return undefined;
    const rate = entered / span;
    return held - waiting + rate * this.#twoMsl > this.#range ? to + left / rate : undefined;
  }
}

/** The order of lists of groups: by peaks, then by the number of connections. */
export const byPeak = (a: GroupFigures, b: GroupFigures): number => b.held.peak - a.held.peak || b.connections - a.connections;
