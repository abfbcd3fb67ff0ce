import { LARGEST_UNITS, SEGMENTS_CAPACITY } from '../layout/batch.ts';
import {
  ACK_WORD,
  ADDRESS_PAIR_BYTES,
  ADDRESS_WORD,
  DIGEST_WORD,
  FLAGS_WORD,
  HASH_WORD,
  HIGH_WORD,
  LINK_WORD,
  LOW_WORD,
  PAIRED,
  PAYLOAD_WORD,
  PORTS_WORD,
  SEGMENT_WORDS,
  SEQ_WORD,
  TCP_WORD,
  TIME_WORD,
  TSVAL_WORD,
} from '../layout/segment.ts';
import { SLOT_BYTES, SLOT_WORDS } from '../layout/slot.ts';
import { CONNECTIONS_CAPACITY, MOST_PAGES, TRACKING_WORDS } from '../layout/tracking.ts';
import { copyBytes } from '../platform/copy.ts';

const PAGE = 1 << 16;
/** Slots for which memory is added at least. */
const FIRST_SLOTS = 1 << 12;

/** What the module exports for trackers: assembly/walk.ts, place.ts, observe.ts, table.ts, expiry.ts, order.ts, sequence.ts, finish.ts. Addresses are bytes of its memory. */
export interface TableExports {
  readonly walk: (records: number, pairs: number, from: number, to: number, due: number) => number;
  readonly find: (record: number, pairs: number) => number;
  readonly open: (record: number, pairs: number) => number;
  readonly beginConnection: (slot: number, record: number) => void;
  readonly show: (slot: number, record: number) => void;
  readonly settle: (slot: number) => void;
  readonly renew: (slot: number) => void;
  readonly leave: (slot: number) => void;
  readonly setStay: (length: number) => void;
  readonly expireAfter: (slot: number, time: number) => void;
  readonly nextExpiry: () => number;
  readonly nextExpired: () => number;
  readonly shiftExpiry: () => void;
  readonly order: () => number;
  readonly log: (slot: number, kind: number, endpoint: number) => void;
  readonly noteSilence: (slot: number) => void;
  readonly connections: () => number;
  readonly setRoom: (slots: number) => void;
  readonly forget: () => void;
}

/** What the module calls (assembly/host.ts), by name. */
export type Calls = Readonly<Record<string, (a: number, b: number, c: number, d: number, e: number) => number | void>>;

interface GrowingMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** Records and the address pairs that they refer to. */
interface Records {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly pairs: Uint8Array;
  readonly count: number;
}

/** One segment as its record has it. */
interface Segment {
  readonly time: number;
  readonly seq: number;
  readonly ack: number;
  readonly low: number;
  readonly high: number;
  readonly ports: number;
  readonly hash: number;
  readonly payload: number;
  readonly flags: number;
  readonly window: number;
  readonly tsval: number;
  readonly digest: number;
  readonly link: number;
  readonly tcp: number;
  readonly address: number;
}

/** Hands the module's calls on to whoever has attached to its memory. */
export class Switchboard {
  #calls: Calls = {};
  readonly #names: readonly string[];

  /** `names`: of all calls that there are. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The functions that the module imports. */
  get imports(): Record<string, unknown> {
    return Object.fromEntries(
      this.#names.map((name) => [name, (a: number, b: number, c: number, d: number, e: number) => this.#calls[name]!(a, b, c, d, e)]),
    );
  }

  /** @throws Error where a call would have nobody to answer it */
  attach(calls: Calls): void {
    for (const name of this.#names) if (!(name in calls)) throw new Error(`the tracker does not answer ${name}()`);
    this.#calls = calls;
  }
}

/**
 * The part of a decoder's memory that a tracker keeps its connections in, and what WebAssembly does there: the index by 4-tuple, and
 * the facts that segments show. One tracker uses it at a time.
 */
export class TableMemory {
  /** Answers of walk() and its counters: layout/tracking.ts. */
  readonly answers: Int32Array;
  /** All that lies before the slots: a record's first word is at a quarter of its address. */
  readonly records: { readonly words: Int32Array; readonly times: Float64Array };
  /** The slots (layout/slot.ts); `times` and `bytes` are the same bytes. Read them anew after grow(). */
  words: Int32Array;
  times: Float64Array;
  bytes: Uint8Array;
  readonly #memory: GrowingMemory;
  readonly #exports: TableExports;
  readonly #switchboard: Switchboard;
  readonly #constant: (name: string) => number;
  readonly #pairs: Uint8Array;
  readonly #namePair: Uint8Array;
  readonly #nameAt: number;
  readonly #namePairAt: number;
  readonly #staged: Omit<Records, 'count'>;
  // What is staged.
  #recordsAt = 0;
  #recordPairsAt = 0;
  #count = 0;

  constructor(memory: GrowingMemory, exports: TableExports, switchboard: Switchboard, constant: (name: string) => number) {
    const { buffer } = memory;
    const slots = constant('CONNECTIONS');
    this.#memory = memory;
    this.#exports = exports;
    this.#switchboard = switchboard;
    this.#constant = constant;
    this.answers = new Int32Array(buffer, constant('TRACKING'), TRACKING_WORDS);
    this.records = {
      words: new Int32Array(buffer, 0, slots / Int32Array.BYTES_PER_ELEMENT),
      times: new Float64Array(buffer, 0, slots / Float64Array.BYTES_PER_ELEMENT),
    };
    this.#pairs = new Uint8Array(buffer, constant('KEPT_PAIRS'), CONNECTIONS_CAPACITY * ADDRESS_PAIR_BYTES);
    this.#nameAt = constant('NAME');
    this.#namePairAt = constant('NAME_PAIR');
    this.#namePair = new Uint8Array(buffer, this.#namePairAt, ADDRESS_PAIR_BYTES);
    const stage = constant('STAGE');
    const staged = LARGEST_UNITS * SEGMENTS_CAPACITY;
    this.#staged = {
      words: new Int32Array(buffer, stage, staged * SEGMENT_WORDS),
      times: new Float64Array(buffer, stage, (staged * SEGMENT_WORDS) / 2),
      pairs: new Uint8Array(buffer, constant('STAGE_PAIRS'), staged * ADDRESS_PAIR_BYTES),
    };
    this.words = new Int32Array(buffer, slots);
    this.times = new Float64Array(buffer, slots);
    this.bytes = new Uint8Array(buffer, slots);
  }

  /** Forgets all connections and packets; `calls` are made from now on, and ended connections stay as long as `stay`, ns. */
  attach(calls: Calls, stay: number): void {
    this.#switchboard.attach(calls);
    this.#exports.setStay(stay);
    this.forget();
  }

  /** Forgets all connections and packets. */
  forget(): void {
    this.#exports.forget();
    this.answers.fill(0);
  }

  /**
   * Makes room for as many slots.
   * @throws RangeError where they do not fit into what the module can address
   */
  grow(slots: number): void {
    const from = this.#constant('CONNECTIONS');
    const size = this.#memory.buffer.byteLength;
    const need = from + slots * SLOT_BYTES;
    if (need > size) {
      const wanted = Math.max(need, from + FIRST_SLOTS * SLOT_BYTES, size + (size - from));
      if (slots > CONNECTIONS_CAPACITY) throw new RangeError(`more than ${CONNECTIONS_CAPACITY} connections at a time in one worker`);
      this.#memory.grow(Math.min(Math.ceil(wanted / PAGE), MOST_PAGES) - size / PAGE);
    }
    this.#exports.setRoom(slots);
    const { buffer } = this.#memory;
    this.words = new Int32Array(buffer, from);
    this.times = new Float64Array(buffer, from);
    this.bytes = new Uint8Array(buffer, from);
  }

  /** Brings records to where walk() can read them, and answers them there: those of another memory are copied. */
  stage(records: Records): Records {
    let here = records;
    if (records.words.buffer !== this.answers.buffer) {
      copyBytes(records.words.subarray(0, records.count * SEGMENT_WORDS), this.#staged.words);
      copyBytes(records.pairs, this.#staged.pairs);
      const { words, times, pairs } = this.#staged;
      here = { words, times, pairs, count: records.count };
    }
    this.#recordsAt = here.words.byteOffset;
    this.#recordPairsAt = here.pairs.byteOffset;
    this.#count = here.count;
    return here;
  }

  /** Takes the records staged last from number `from` on until the host has to do something; answers that one's number. See assembly/walk.ts. */
  walk(from: number, due: number): number {
    return this.#exports.walk(this.#recordsAt, this.#recordPairsAt, from, this.#count, due);
  }

  /** An ended connection waits anew: it leaves the table when it has stayed as long as all do, counted from `time`, ns. */
  expireAfter(slot: number, time: number): void {
    this.#exports.expireAfter(slot, time);
  }

  /** When the next of those that wait is due, ns; Infinity where none is. */
  get nextExpiry(): number {
    return this.#exports.nextExpiry();
  }

  /** The slot of that one, which waits no longer. */
  shiftExpired(): number {
    const slot = this.#exports.nextExpired();
    this.#exports.shiftExpiry();
    return slot;
  }

  /** The slot of a segment's connection, or -1. `pairs`: what `segment.address` refers to. */
  find(segment: Segment, pairs: Uint8Array): number {
    this.#write(segment, pairs);
    return this.#exports.find(this.#nameAt, this.#namePairAt);
  }

  /** Opens a connection, whose first segment this is; answers its slot, or -1 where grow() has to make room first. */
  open(segment: Segment, pairs: Uint8Array): number {
    this.#write(segment, pairs);
    return this.#exports.open(this.#nameAt, this.#namePairAt);
  }

  /** Forgets all of a connection but its 4-tuple: the next incarnation, whose first segment this is. */
  renew(slot: number, segment: Segment): void {
    this.#exports.renew(slot);
    this.#write(segment, this.#namePair);
    this.#exports.beginConnection(slot, this.#nameAt);
  }

  /** Shows a segment to its connection; WAS of the answers tells what that was before. */
  show(slot: number, segment: Segment): void {
    this.#write(segment, this.#namePair);
    this.#exports.show(slot, this.#nameAt);
  }

  /** Counts in full what ordinary segments have left for later. */
  settle(slot: number): void {
    this.#exports.settle(slot);
  }

  /** Gives a slot back. */
  leave(slot: number): void {
    this.#exports.leave(slot);
  }

  /** Appends to the log of a close. */
  log(slot: number, kind: number, endpoint: number): void {
    this.#exports.log(slot, kind, endpoint);
  }

  /** Notes what had gone on before a close began. */
  noteSilence(slot: number): void {
    this.#exports.noteSilence(slot);
  }

  /** All slots in use, in the order of their 4-tuples. Valid until it is asked for again. */
  order(): Int32Array {
    return new Int32Array(this.answers.buffer, this.#constant('ORDER'), this.#exports.order());
  }

  /** Connections in the table. */
  get connections(): number {
    return this.#exports.connections();
  }

  /** The addresses of a connection that has an address pair. */
  pair(slot: number): Uint8Array {
    const at = (slot / SLOT_WORDS) * ADDRESS_PAIR_BYTES;
    return this.#pairs.subarray(at, at + ADDRESS_PAIR_BYTES);
  }

  /** Writes a record of the segment to where the module finds it. */
  #write(segment: Segment, pairs: Uint8Array): void {
    const { words, times } = this.records;
    const at = this.#nameAt / Int32Array.BYTES_PER_ELEMENT;
    const { address, flags } = segment;
    times[(at + TIME_WORD) >> 1] = segment.time;
    words[at + SEQ_WORD] = segment.seq;
    words[at + ACK_WORD] = segment.ack;
    words[at + LOW_WORD] = segment.low;
    words[at + HIGH_WORD] = segment.high;
    words[at + PORTS_WORD] = segment.ports;
    words[at + HASH_WORD] = segment.hash;
    words[at + PAYLOAD_WORD] = segment.payload;
    words[at + FLAGS_WORD] = flags | (segment.window << 16);
    words[at + TSVAL_WORD] = segment.tsval;
    words[at + DIGEST_WORD] = segment.digest;
    words[at + LINK_WORD] = segment.link;
    words[at + ADDRESS_WORD] = 0;
    words[at + TCP_WORD] = segment.tcp;
    if ((flags & PAIRED) === 0 || pairs === this.#namePair) return;
    this.#namePair.set(pairs.subarray(address * ADDRESS_PAIR_BYTES, (address + 1) * ADDRESS_PAIR_BYTES));
  }
}
