// Connections told as stories, in the domain's words, and what the tracker makes of them. A test says only what differs from
// an ordinary connection:
//
//   const { client, server, record } = timeWait();     // the client closed first and holds TIME_WAIT
//   server.again(server.lastFin);                      // the server repeats its FIN
//   expect(record().time_wait).toMatchObject([{ restarts: 1 }]);
//
// Numbers are relative to the initial sequence numbers (a SYN has number 0, the first byte 1); an acknowledgement is by
// default what its sender has received. Everything arrives at once, unless it is said to be lost, unseen or crossing.

import { Decoder } from '../../src/decode/decoder.ts';
import { LedgerMemory } from '../../src/decode/ledger-memory.ts';
import { COLUMNS } from '../../src/layout/note.ts';
import * as L from '../../src/layout/segment.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/layout/tcp.ts';
import { type ConnectionRecord, connectionRecord } from '../../src/records/connection.ts';
import { Lines } from '../../src/records/line.ts';
import { Clock } from '../../src/records/time.ts';
import { Answers } from '../../src/stats/answers.ts';
import { NoteLog } from '../../src/stats/note.ts';
import { Shapes } from '../../src/stats/shapes.ts';
import { Statistics } from '../../src/stats/statistics.ts';
import type { Batch } from '../../src/tracker/segment.ts';
import { PROFILES } from '../../src/tracker/time-wait.ts';
import type { Ending } from '../../src/tracker/ended.ts';
import { Tracker } from '../../src/tracker/tracker.ts';

/** What stands behind the addresses of a pair: no VLAN or tunnel counts. */
const SCOPELESS = [0, 0, 0, 0, 0, 0, 0, 0];

export const ORIGIN = 1_600_000_000;
export const MILLISECOND = 1e6;
export const SECOND = 1e9;

/** One captured TCP segment, before it becomes a record. Endpoints are 0 (the one that its connection calls client) and 1. */
export interface Told {
  /** ns since ORIGIN. */
  time: number;
  hosts: readonly [Host, Host];
  from: 0 | 1;
  /** TCP flags below, the decoder's own above (layout/segment.ts); FROM_HIGH and IPV6 are put in by encode(). */
  flags: number;
  /** Absolute, any integer modulo 2^32. */
  seq: number;
  ack: number;
  payload: number;
  window: number;
  tsval: number;
  scale: number;
  /** Words of the TCP header. */
  words: number;
  digest: number;
  link: number;
  lag: number;
}

/** An endpoint's address and port: 4 or 16 bytes. */
export interface Host {
  readonly address: readonly number[];
  readonly port: number;
  /** What stands for an IPv6 address in the records: given here where two of them are to collide. */
  readonly digest?: number;
}

export const ipv4 = (text: string, port: number): Host => ({ address: text.split('.').map(Number), port });
/** 2001:db8::last */
export const ipv6 = (last: number, port: number): Host => ({ address: [0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0), last], port });

export interface StoryOptions {
  client?: Host;
  server?: Host;
  /** Initial sequence numbers. */
  clientIsn?: number;
  serverIsn?: number;
  /** Between segments, ns. */
  step?: number;
}

export interface Retelling {
  profile?: string;
  /** Seconds. */
  twoMsl?: number;
  /** Ephemeral ports of a client. */
  ports?: number;
  idleTimeout?: number;
  /** Connections at a time. */
  capacity?: number;
  /** Asked, between those that end, whether the tracker is to stop. */
  isFull?: () => boolean;
  /** Records in a batch. */
  batch?: number;
  seed?: number;
  /** Connections whose like has ended before are taken by their shape. */
  byShape?: boolean;
  /** Whether lines are written; without them, many connections are taken at once. */
  lines?: boolean;
  /** How times become text; nine digits from ORIGIN on by default. */
  clock?: Clock;
  /** When the capture ends, ns; by default where the story's clock stands. */
  until?: number;
}

export interface Outcome {
  records: ConnectionRecord[];
  /** Packet and reason of each record's end. */
  endings: { packet: number; ending: Ending; time: number }[];
  tracker: Tracker;
  statistics: Statistics;
  answers: Answers;
  /** What was noted, in order, and the lines that were written. */
  rows: number[][];
  lines: string[];
}

/** What may differ from an ordinary segment. */
export interface Different {
  /** Relative to the sender's ISN. */
  seq?: number;
  /** Relative to the receiver's ISN. */
  ack?: number;
  payload?: number;
  window?: number;
  flags?: number;
  tsval?: number;
  scale?: number;
  /** Words of the TCP header, of which the capture may lack the options. */
  words?: number;
  link?: number;
  /** In the capture, but it never arrives. */
  lost?: boolean;
  /** It arrives, but is not in the capture. */
  unseen?: boolean;
}

/** Whose segments they are: remembers what it has sent and received. */
export class Endpoint {
  readonly story: Story;
  readonly from: 0 | 1;
  readonly hosts: readonly [Host, Host];
  readonly isn: number;
  /** Set by the connection. */
  peer!: Endpoint;
  /** Next sequence number to send. */
  next = 0;
  /** Next sequence number expected; undefined before the peer's SYN came. */
  received: number | undefined;
  window = 500;
  tsval: number | undefined;
  lastFin: Told | undefined;
  readonly #early: [number, number][] = [];

  constructor(teller: Story, from: 0 | 1, hosts: readonly [Host, Host], isn: number) {
    this.story = teller;
    this.from = from;
    this.hosts = hosts;
    this.isn = isn;
  }

  syn(different: Different = {}): Told {
    return this.send(SYN, { ack: 0, ...different });
  }

  synAck(different: Different = {}): Told {
    return this.send(SYN | ACK, different);
  }

  ack(different: Different = {}): Told {
    return this.send(ACK, different);
  }

  data(payload: number, different: Different = {}): Told {
    return this.send(ACK | PSH, { payload, ...different });
  }

  fin(different: Different = {}): Told {
    const told = this.send(FIN | ACK, different);
    this.lastFin ??= told;
    return told;
  }

  rst(different: Different = {}): Told {
    return this.send(RST | ACK, different);
  }

  /** A keep-alive probe: the byte below the next one, or nothing at its place. */
  keepAlive(different: Different = {}): Told {
    return this.send(ACK, { seq: this.next - 1, ...different });
  }

  /** The same segment once more, with today's acknowledgement. */
  again(told: Told | undefined, different: Different = {}): Told {
    if (!told) throw new Error('there is nothing to repeat');
    return this.send(told.flags, { seq: (told.seq - this.isn) | 0, payload: told.payload, ...different });
  }

  send(flags: number, different: Different = {}): Told {
    const { payload = 0, lost = false, unseen = false } = different;
    const seq = different.seq ?? this.next;
    const acknowledges = ((different.flags ?? flags) & ACK) !== 0;
    const ack = different.ack ?? this.received ?? 0;
    const tsval = different.tsval ?? this.tsval;
    const told: Told = {
      time: this.story.tick(),
      hosts: this.hosts,
      from: this.from,
      flags: (different.flags ?? flags) | (tsval === undefined ? 0 : L.HAS_TIMESTAMP),
      seq: (this.isn + seq) | 0,
      ack: acknowledges ? (this.peer.isn + ack) | 0 : (flags & ACK) === 0 && different.ack !== undefined ? different.ack | 0 : 0,
      payload,
      window: different.window ?? this.window,
      tsval: tsval ?? 0,
      scale: different.scale ?? L.NO_WINDOW_SCALE,
      words: different.words ?? 5,
      digest: this.story.digest(),
      link: different.link ?? 1,
      lag: 0,
    };
    if (!unseen) this.story.told.push(told);
    const length = payload + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0);
    if ((flags & RST) === 0) {
      this.next = Math.max(this.next, seq + length);
      if (!lost) this.story.arrive(() => this.peer.receive(seq, seq + length));
    }
    return told;
  }

  receive(from: number, to: number): void {
    if (this.received === undefined && (from > 0 || to === 0)) return; // a probe has the SYN's number, too
    this.#early.push([from, to]);
    this.#early.sort(([a], [b]) => a - b);
    this.received ??= 0;
    for (const [start, end] of this.#early) if (start <= this.received) this.received = Math.max(this.received, end);
  }
}

/** What was captured, in capture order, and the clock. */
export class Story {
  readonly told: Told[] = [];
  readonly step: number;
  clock = 0;
  client: Endpoint;
  server: Endpoint;
  #digest = 0;
  #crossing: (() => void)[] | undefined;

  constructor({
    client = ipv4('10.0.0.2', 40000),
    server = ipv4('10.0.0.9', 80),
    clientIsn = 1000,
    serverIsn = 2_000_000,
    step = 10 * MILLISECOND,
  }: StoryOptions = {}) {
    this.step = step;
    [this.client, this.server] = this.connection(client, server, clientIsn, serverIsn);
  }

  /** Another connection in the same capture. */
  connection(client: Host, server: Host, clientIsn = 5000, serverIsn = 7000): [Endpoint, Endpoint] {
    const hosts = [client, server] as const;
    const pair: [Endpoint, Endpoint] = [new Endpoint(this, 0, hosts, clientIsn), new Endpoint(this, 1, hosts, serverIsn)];
    pair[0].peer = pair[1];
    pair[1].peer = pair[0];
    return pair;
  }

  /** Another incarnation of the same 4-tuple. `swapped`: this time the server opens it. */
  incarnation(clientIsn = 500_000, serverIsn = 9_000_000): [Endpoint, Endpoint] {
    const [client, server] = this.client.hosts;
    return this.connection(client, server, clientIsn, serverIsn);
  }

  tick(): number {
    this.clock += this.step;
    return this.clock;
  }

  wait(seconds: number): this {
    this.clock += seconds * SECOND;
    return this;
  }

  digest(): number {
    return Math.imul(++this.#digest, 0x9e3779b1);
  }

  arrive(arrival: () => void): void {
    if (this.#crossing) this.#crossing.push(arrival);
    else arrival();
  }

  /** What is sent meanwhile arrives only when all of it was sent. */
  crossing(sending: () => void): this {
    this.#crossing = [];
    sending();
    const arrivals = this.#crossing;
    this.#crossing = undefined;
    for (const arrival of arrivals) arrival();
    return this;
  }

  /** The capture holds the last segment `places` places earlier than it was sent. */
  captureEarlier(places = 1): this {
    const last = this.told.length - 1;
    const times = this.told.slice(last - places).map(({ time }) => time);
    this.told.splice(last - places, 0, ...this.told.splice(last, 1));
    times.forEach((time, i) => {
      this.told.at(last - places + i)!.time = time;
    });
    return this;
  }

  /** The same packet is captured again, `after` ns later. */
  copy(after: number, different: Partial<Told> = {}): Told {
    this.clock += after;
    const told = { ...this.told.at(-1)!, time: this.clock, ...different };
    this.told.push(told);
    return told;
  }

  outcome = (retelling: Retelling = {}): Outcome => retell(this.told, { until: this.clock, ...retelling });

  records = (retelling: Retelling = {}): ConnectionRecord[] => this.outcome(retelling).records;

  /** The only connection's record. */
  record = (retelling: Retelling = {}): ConnectionRecord => {
    const { records } = this.outcome(retelling);
    const [record] = records;
    if (!record || records.length !== 1)
      throw new Error(`${records.length} connections instead of one: ${records.map(inBrief).join('; ')}`);
    return record;
  };

  /** The state names that both endpoints went through. */
  states = (retelling: Retelling = {}): { client: string; server: string } => {
    const { client, server } = this.record(retelling);
    return { client: stateNames(client.states), server: stateNames(server.states) };
  };
}

export const stateNames = (states: readonly [string, number][] | undefined): string => (states ?? []).map(([name]) => name).join(' ');

export const inBrief = (record: ConnectionRecord): string =>
  `${record.client.ip}:${record.client.port}>${record.server.ip}:${record.server.port} ${record.open} ${record.close.class} [${record.close.sequence}] ${record.end_reason}`;

// -- from segments to records of the tracker

const compare = (a: Host, b: Host): number => {
  const order = Buffer.compare(Uint8Array.from(a.address), Uint8Array.from(b.address));
  return order === 0 ? a.port - b.port : order;
};

const mix = (hash: number, value: number): number => {
  const mixed = Math.imul(hash ^ value, 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
};

const digestOf = ({ address, digest }: Host): number =>
  address.length === 4
    ? address.reduce((number, byte) => (number << 8) | byte, 0)
    : (digest ?? address.reduce((hash, byte) => mix(hash, byte), 0x1234567));

/** The batch that the decoder would have made of these segments. */
export function encode(segments: readonly Told[], seed = 0): Batch {
  const words = new Int32Array(segments.length * L.SEGMENT_WORDS);
  const times = new Float64Array(words.buffer);
  const pairs: number[] = [];
  segments.forEach((told, index) => {
    const at = index * L.SEGMENT_WORDS;
    const [client, server] = told.hosts;
    const clientIsHigh = compare(client, server) > 0;
    const [low, high] = clientIsHigh ? [server, client] : [client, server];
    const fromHigh = (told.from === 0) === clientIsHigh;
    const isIpv6 = low.address.length === 16;
    const tail = (told.flags & L.FRAGMENT_TAIL) !== 0;
    times[at >> 1] = told.time;
    words[at + L.SEQ_WORD] = told.seq;
    words[at + L.ACK_WORD] = (told.flags & ACK) === 0 ? 0 : told.ack;
    words[at + L.LOW_WORD] = digestOf(low);
    words[at + L.HIGH_WORD] = digestOf(high);
    words[at + L.PORTS_WORD] = tail ? 0 : (low.port << 16) | high.port;
    words[at + L.HASH_WORD] = tail
      ? 0
      : [...low.address, low.port, ...high.address, high.port].reduce((hash, value) => mix(hash, value), seed);
    words[at + L.PAYLOAD_WORD] = told.payload;
    words[at + L.FLAGS_WORD] = told.flags | (fromHigh ? L.FROM_HIGH : 0) | (isIpv6 ? L.IPV6 : 0) | (told.window << 16);
    words[at + L.TSVAL_WORD] = told.tsval;
    words[at + L.DIGEST_WORD] = tail ? 0 : told.digest;
    words[at + L.LINK_WORD] = told.link;
    words[at + L.PACKET_WORD] = index;
    words[at + L.ADDRESS_WORD] = isIpv6 ? pairs.length / L.ADDRESS_PAIR_BYTES : 0;
    if (isIpv6) pairs.push(...low.address, ...high.address, ...SCOPELESS);
    words[at + L.TCP_WORD] = told.scale | (told.words << 4) | (told.lag << 16);
  });
  return { words, times, pairs: Uint8Array.from(pairs), count: segments.length };
}

/** Its memory serves one tracker after the other. */
const decoder = new Decoder(Decoder.compile(), Decoder.memory());

/** Lets a tracker read the segments, batch by batch, to the end of the capture. */
export function retell(segments: readonly Told[], retelling: Retelling = {}): Outcome {
  const {
    profile = 'linux',
    twoMsl,
    ports = 28_232,
    idleTimeout = Infinity,
    capacity,
    isFull,
    batch = 1000,
    seed = 0,
    byShape = false,
    lines: written = true,
    clock = new Clock(ORIGIN, 9),
    until = 0,
  } = retelling;
  const known = PROFILES[profile];
  if (!known) throw new Error(`no such profile: ${profile}`);
  const rows: number[][] = [];
  const notes = new NoteLog((taken) => {
    for (let at = 0; at < taken.length; at += COLUMNS) rows.push(Array.from(taken.subarray(at, at + COLUMNS)));
  });
  const outcome: Omit<Outcome, 'tracker' | 'answers'> = { records: [], endings: [], statistics: new Statistics(), rows, lines: [] };
  const lines = new Lines(clock, false, byShape ? decoder.shapes.lines : new Uint8Array(1 << 16));
  const shapes = byShape
    ? new Shapes(
        decoder.shapes,
        notes,
        (twoMsl ?? known.twoMsl / SECOND) * SECOND,
        clock,
        written ? { lines, written: () => {} } : undefined,
      )
    : undefined;
  const tracker = new Tracker(
    {
      profile: twoMsl === undefined ? known : { ...known, twoMsl: twoMsl * SECOND },
      idleTimeout: idleTimeout * SECOND,
      capacity,
      isFull,
      bound: (host, bound) => outcome.statistics.measured.add(host, bound),
      shapes,
      ended: (connection) => {
        shapes?.flush();
        outcome.records.push(connectionRecord(connection, clock, true));
        outcome.endings.push({ packet: connection.packet, ending: connection.ending, time: connection.time });
        outcome.statistics.add(connection);
        notes.add(connection);
        lines.add(connection);
        shapes?.learn(connection);
      },
    },
    decoder.table,
  );
  for (let from = 0; from < segments.length; from += batch)
    for (const _ of tracker.track(encode(segments.slice(from, from + batch), seed), from));
  for (const _ of tracker.finish(Math.max(until, segments.at(-1)?.time ?? 0)));
  shapes?.flush();
  shapes?.addTo(outcome.statistics);
  notes.take();
  outcome.lines = Buffer.from(lines.take()).toString('latin1').split('\n').slice(0, -1);
  let answers: Answers | undefined;
  return {
    ...outcome,
    tracker,
    // Made when a test asks for them: a ledger takes more memory than all the rest.
    get answers() {
      if (answers) return answers;
      answers = new Answers(ports, (twoMsl ?? known.twoMsl / SECOND) * SECOND, () => new LedgerMemory());
      answers.add(Float64Array.from(rows.flat()));
      return answers;
    },
  };
}

/** The time of a record, in ns since ORIGIN. */
export function timeOf(text: string | undefined): number {
  const [, whole, fraction = ''] = /^(.*)\.(\d+)Z$/.exec(text ?? '') ?? [];
  return (Date.parse(`${whole}Z`) / 1000 - ORIGIN) * SECOND + Number(fraction.padEnd(9, '0'));
}

// -- connections that have come so far, the client going first

export function story(options: StoryOptions = {}): Story {
  return new Story(options);
}

/** The client has sent its SYN. */
export function synSent(options: StoryOptions = {}): Story {
  const told = new Story(options);
  told.client.syn();
  return told;
}

/** The server has answered it. */
export function synReceived(options: StoryOptions = {}): Story {
  const told = synSent(options);
  told.server.synAck();
  return told;
}

export function established(options: StoryOptions = {}): Story {
  const told = synReceived(options);
  told.client.ack();
  return told;
}

/** A capture that begins in the middle: neither endpoint's SYN is in it. */
export function midstream(options: StoryOptions = {}): Story {
  const told = new Story(options);
  for (const endpoint of [told.client, told.server]) endpoint.next = endpoint.received = 1;
  return told;
}

/** The client's FIN is on its way. */
export function finWait1(options: StoryOptions = {}): Story {
  const told = established(options);
  told.client.fin();
  return told;
}

/** The server, in CLOSE_WAIT, has acknowledged it. */
export function finWait2(options: StoryOptions = {}): Story {
  const told = finWait1(options);
  told.server.ack();
  return told;
}

/** The server, in LAST_ACK, has sent its own FIN. */
export function lastAck(options: StoryOptions = {}): Story {
  const told = finWait2(options);
  told.server.fin();
  return told;
}

/** The FINs have crossed. */
export function closing(options: StoryOptions = {}): Story {
  const told = established(options);
  return told.crossing(() => {
    told.client.fin();
    told.server.fin();
  });
}

/** Four waves are over: the client holds TIME_WAIT, the server is CLOSED. */
export function timeWait(options: StoryOptions = {}): Story {
  const told = lastAck(options);
  told.client.ack();
  return told;
}

/** As timeWait(), but the server closed first and holds TIME_WAIT. */
export function serverTimeWait(options: StoryOptions = {}): Story {
  const told = established(options);
  told.server.fin();
  told.client.ack();
  told.client.fin();
  told.server.ack();
  return told;
}
