import { SEGMENTS_CAPACITY } from '../layout/batch.ts';
import {
  ADDRESS_PAIR_BYTES,
  ADDRESS_WORD,
  FLAGS_WORD,
  HASH_WORD,
  HIGH_WORD,
  LOW_WORD,
  PAIRED,
  PORTS_WORD,
  SEGMENT_WORDS,
} from '../layout/segment.ts';
import { SLOT_BYTES } from '../layout/slot.ts';
import { CONNECTIONS_CAPACITY, MOST_PAGES, TRACKING_WORDS } from '../layout/tracking.ts';

const PAGE = 1 << 16;
/** Slots for which memory is added at least. */
const FIRST_SLOTS = 1 << 12;

/** What the module exports for trackers: assembly/table.ts and walk.ts. Addresses are bytes of its memory. */
export interface TableExports {
  readonly walk: (records: number, pairs: number, from: number, to: number, due: number) => number;
  readonly find: (record: number, pairs: number) => number;
  readonly enter: (slot: number, record: number, pairs: number, pair: number) => void;
  readonly leave: (slot: number) => void;
  readonly forget: () => void;
}

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

/** What names a connection. */
interface Name {
  readonly low: number;
  readonly high: number;
  readonly ports: number;
  readonly hash: number;
  readonly flags: number;
  readonly address: number;
}

/**
 * The part of a decoder's memory that a tracker keeps its connections in, and what WebAssembly does there: the short path of
 * ordinary segments and the index by 4-tuple. One tracker uses it at a time.
 */
export class TableMemory {
  /** Answers of walk() and its counters: layout/tracking.ts. */
  readonly answers: Int32Array;
  /** The slots (layout/slot.ts); `times` and `bytes` are the same bytes. Read them anew after grow(). */
  words: Int32Array;
  times: Float64Array;
  bytes: Uint8Array;
  /** IPv6 addresses of connections, ADDRESS_PAIR_BYTES an entry. */
  readonly pairs: Uint8Array;
  readonly #memory: GrowingMemory;
  readonly #exports: TableExports;
  readonly #constant: (name: string) => number;
  readonly #name: Int32Array;
  readonly #namePair: Uint8Array;
  readonly #nameAt: number;
  readonly #namePairAt: number;
  readonly #staged: Omit<Records, 'count'>;
  // What is staged.
  #records = 0;
  #recordPairs = 0;
  #count = 0;

  constructor(memory: GrowingMemory, exports: TableExports, constant: (name: string) => number) {
    const { buffer } = memory;
    this.#memory = memory;
    this.#exports = exports;
    this.#constant = constant;
    this.answers = new Int32Array(buffer, constant('TRACKING'), TRACKING_WORDS);
    this.pairs = new Uint8Array(buffer, constant('KEPT_PAIRS'), CONNECTIONS_CAPACITY * ADDRESS_PAIR_BYTES);
    this.#nameAt = constant('NAME');
    this.#namePairAt = constant('NAME_PAIR');
    this.#name = new Int32Array(buffer, this.#nameAt, SEGMENT_WORDS);
    this.#namePair = new Uint8Array(buffer, this.#namePairAt, ADDRESS_PAIR_BYTES);
    const stage = constant('STAGE');
    this.#staged = {
      words: new Int32Array(buffer, stage, SEGMENTS_CAPACITY * SEGMENT_WORDS),
      times: new Float64Array(buffer, stage, (SEGMENTS_CAPACITY * SEGMENT_WORDS) / 2),
      pairs: new Uint8Array(buffer, constant('STAGE_PAIRS'), SEGMENTS_CAPACITY * ADDRESS_PAIR_BYTES),
    };
    this.words = new Int32Array(buffer, constant('CONNECTIONS'));
    this.times = new Float64Array(buffer, constant('CONNECTIONS'));
    this.bytes = new Uint8Array(buffer, constant('CONNECTIONS'));
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
      const wanted = Math.max(need, from + FIRST_SLOTS * SLOT_BYTES, Math.min(size + (size - from), MOST_PAGES * PAGE));
      if (slots > CONNECTIONS_CAPACITY) throw new RangeError(`more than ${CONNECTIONS_CAPACITY} connections at a time in one worker`);
      this.#memory.grow(Math.ceil((wanted - size) / PAGE));
    }
    const { buffer } = this.#memory;
    this.words = new Int32Array(buffer, from);
    this.times = new Float64Array(buffer, from);
    this.bytes = new Uint8Array(buffer, from);
  }

  /** Brings records to where walk() can read them, and answers them there: those of another memory are copied. */
  stage(records: Records): Records {
    let here = records;
    if (records.words.buffer !== this.answers.buffer) {
      this.#staged.words.set(records.words.subarray(0, records.count * SEGMENT_WORDS));
      this.#staged.pairs.set(records.pairs);
      here = { ...this.#staged, count: records.count };
    }
    this.#records = here.words.byteOffset;
    this.#recordPairs = here.pairs.byteOffset;
    this.#count = here.count;
    return here;
  }

  /** Takes the records staged last from number `from` on until one has to be decided; answers its number. See assembly/walk.ts. */
  walk(from: number, due: number): number {
    return this.#exports.walk(this.#records, this.#recordPairs, from, this.#count, due);
  }

  /** The slot of a connection, or -1. `pairs`: what `name.address` refers to. */
  find(name: Name, pairs: Uint8Array): number {
    this.#setName(name, pairs);
    return this.#exports.find(this.#nameAt, this.#namePairAt);
  }

  /** Gives a slot to a connection: zeros but for its key. `pair`: where its addresses are kept, or NO_PAIR. */
  enter(slot: number, name: Name, pairs: Uint8Array, pair: number): void {
    this.#setName(name, pairs);
    this.#exports.enter(slot, this.#nameAt, this.#namePairAt, pair);
  }

  /** Takes a slot out of the index. */
  leave(slot: number): void {
    this.#exports.leave(slot);
  }

  #setName({ low, high, ports, hash, flags, address }: Name, pairs: Uint8Array): void {
    const name = this.#name;
    name[LOW_WORD] = low;
    name[HIGH_WORD] = high;
    name[PORTS_WORD] = ports;
    name[HASH_WORD] = hash;
    name[FLAGS_WORD] = flags;
    name[ADDRESS_WORD] = 0;
    if ((flags & PAIRED) !== 0) this.#namePair.set(pairs.subarray(address * ADDRESS_PAIR_BYTES, (address + 1) * ADDRESS_PAIR_BYTES));
  }
}
