import { wordsText } from '../records/address.ts';
import { GroupLog, ROWS } from './group-log.ts';
import { IndexTable } from './index-table.ts';
import { ADDRESS, ADDRESS_WORDS, FACTS, HELD_UNTIL, IPV6, REUSE, START, WAIT_END, WAIT_FROM, WAIT_TO } from '../layout/note.ts';
import { clientOf, portOf } from './note.ts';
import { PortSet } from './port-set.ts';
import { highestPeaks } from './ranking.ts';
import { Population, type PopulationFigures } from './population.ts';

/** Groups that are told apart; what comes later is counted together. */
const GROUPS = 1 << 16;
/** Groups of which many ports are remembered: 8 KiB each. */
const LARGE_SETS = 1 << 12;
/** Events that all groups together keep, and one of them, before they are folded (population.ts). */
const PENDING = 1 << 23;
const PENDING_OF_ONE = 1 << 19;
/** Share of the ports above which it becomes tight. */
export const TIGHT = 0.8;

/** What is kept of one connection: held from, until, TIME_WAIT of the client from, to, port, whether it was reused. */
const SINGLE = 6;
const FIRST_SINGLES = 64;
/** Tells IPv6 from IPv4 in the last word of a key, above the port. */
const FAMILY = 0x10000;

/** The ports that one client address uses towards one server address and port. */
class Group {
  /** TIME_WAITs of the client that a connection from the same port ended. */
  reused = 0;
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
}

/**
 * Port pressure (SPEC §4): for each client address, server address and server port, how many ports of the client are taken by open
 * connections and TIME_WAIT. Rows must come in the order of precedes(), so that limits meet the same groups in every run.
 */
export class PortPressure {
  readonly #threshold: number;
  readonly #table = new IndexTable(2 * ADDRESS_WORDS + 1, GROUPS);
  /** Of a group with one connection taken so far there is only that one's interval: in a large network most never have another. */
  readonly #groups: (Group | undefined)[] = [];
  /** Groups of which intervals were taken. */
  #begun = 0;
  #single = new Float64Array(FIRST_SINGLES * SINGLE);
  /** Connections of groups beyond the limit. */
  #beyond = 0;
  readonly #key = new Float64Array(2 * ADDRESS_WORDS + 1);
  /** What was not brought together yet: whole groups of it are, when somebody asks for them. */
  readonly #log: GroupLog;
  /** Connections of each group. */
  readonly #connections: number[] = [];
  #largeSets = 0;
  #pending = 0;

  /** `range`: ephemeral ports of a client; `rows`: connections that are kept one by one. */
  constructor(range: number, rows = ROWS) {
    this.#log = new GroupLog(SINGLE, rows);
    this.#threshold = range * TIGHT;
  }

  add(rows: Float64Array, at: number): void {
    const client = clientOf(rows, at);
    const key = this.#key;
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      key[word] = rows[at + ADDRESS + client * ADDRESS_WORDS + word]!;
      key[ADDRESS_WORDS + word] = rows[at + ADDRESS + (1 - client) * ADDRESS_WORDS + word]!;
    }
    key[2 * ADDRESS_WORDS] = portOf(rows, at, 1 - client) + ((rows[at + FACTS]! & IPV6) === 0 ? 0 : FAMILY);
    const number = this.#table.number(key);
    if (number < 0) {
      this.#beyond++;
      return;
    }
    if (number === this.#connections.length) this.#connections.push(0);
    this.#connections[number]!++;
    const place = this.#log.add(number);
    writeInterval(rows, at, client, this.#log.rows, place);
    if (this.#log.isFull) this.#log.drain((group, interval) => this.#take(group, interval));
  }

  /** Lets a group have an interval of the log. */
  #take(number: number, at: number): void {
    if (number === this.#begun) this.#begin(number, at);
    else this.#count(this.#group(number), this.#log.rows, at);
  }

  #begin(number: number, at: number): void {
    if ((number + 1) * SINGLE > this.#single.length) {
      const single = new Float64Array(this.#single.length * 2);
      single.set(this.#single);
      this.#single = single;
    }
    this.#single.set(this.#log.rows.subarray(at, at + SINGLE), number * SINGLE);
    this.#begun++;
  }

  /** A group with what was taken of it. */
  #group(number: number): Group {
    const known = this.#groups[number];
    if (known) return known;
    const group = new Group(this.#threshold);
    if (number < this.#begun) this.#count(group, this.#single, number * SINGLE);
    this.#groups[number] = group;
    return group;
  }

  /** A group with all that is known of it. */
  #whole(number: number): Group {
    const group = this.#group(number);
    for (const at of this.#log.take(number)) this.#count(group, this.#log.rows, at);
    return group;
  }

  #count(group: Group, intervals: Float64Array, at: number): void {
    const start = intervals[at]!;
    const from = intervals[at + 2]!;
    if (start < group.firstStart) group.firstStart = start;
    if (start > group.lastStart) group.lastStart = start;
    group.held.add(start, intervals[at + 1]!);
    this.#pending += 2;
    if (!Number.isNaN(from)) {
      group.waiting.add(from, intervals[at + 3]!);
      this.#pending += 2;
      group.reused += intervals[at + 5]!;
    }
    const set = group.ports;
    if (set !== undefined) {
      const large = set.isLarge;
      if (!set.add(intervals[at + 4]!, this.#largeSets < LARGE_SETS)) group.ports = undefined;
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

  /**
   * The `top` groups with the highest peaks over [from, to]; how many groups there are, and how many connections lie beyond the limit.
   */
  snapshot(from: number, to: number, top: number): { worst: GroupFigures[]; groups: number; beyond: number } {
    const connections = this.#connections;
    this.#log.index(connections.length);
    const peakOf = (number: number): { peak: number } =>
      connections[number] === 1 ? { peak: 1 } : this.#whole(number).held.snapshot(from, to);
    const worst = highestPeaks(connections, top, peakOf).map(({ number }) => this.#figures(number, from, to));
    return { worst, groups: connections.length, beyond: this.#beyond };
  }

  #figures(number: number, from: number, to: number): GroupFigures {
    const key = this.#table.key(number);
    const ipv6 = key[2 * ADDRESS_WORDS]! >= FAMILY;
    const { reused, firstStart, lastStart, held, waiting, ports } = this.#whole(number);
    return {
      client: wordsText(key, 0, ipv6),
      server: wordsText(key, ADDRESS_WORDS, ipv6),
      port: key[2 * ADDRESS_WORDS]! % FAMILY,
      connections: this.#connections[number]!,
      reused,
      firstStart,
      lastStart,
      held: held.snapshot(from, to),
      waiting: waiting.snapshot(from, to),
      entered: waiting.entered,
      used: ports && { count: ports.count, lowest: ports.lowest, highest: ports.highest },
      late: held.late,
    };
  }
}

/** Writes what is kept of a row. */
function writeInterval(rows: Float64Array, at: number, client: 0 | 1, into: Float64Array, place: number): void {
  into[place] = rows[at + START]!;
  into[place + 1] = rows[at + HELD_UNTIL]!;
  into[place + 2] = rows[at + WAIT_FROM + client]!;
  into[place + 3] = rows[at + WAIT_TO + client]!;
  into[place + 4] = portOf(rows, at, client);
  into[place + 5] = rows[at + WAIT_END + client] === REUSE ? 1 : 0;
}
