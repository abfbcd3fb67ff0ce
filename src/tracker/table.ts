import { BYTES, FACTS, FINS, HAS_RARE, LAST, PAIRED, SEGMENTS, SYNS } from '../layout/slot.ts';
import { CONNECTIONS_CAPACITY } from '../layout/tracking.ts';
import type { TableMemory } from './memory.ts';
import { type HeldSyn, Rare } from './rare.ts';
import type { Batch, Segment } from './segment.ts';

/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;
/** Slots for which there is room at first; twice as many whenever they are used up. */
const FIRST_SLOTS = 1 << 12;
/** Connections of which the latest segments tell how long others were silent. */
const SAMPLES = 1 << 12;

/**
 * The connections that are alive or may still get segments: dense slots in the decoder's memory, where WebAssembly finds them by
 * their 4-tuple (assembly/table.ts) and writes facts to them. This reads them, and keeps what few connections have beside them.
 *
 * A slot is named by the offset of its first word. `times` and `bytes` are the same bytes as `words`. These views must be
 * read anew from the table after anything that may add a connection.
 */
export class ConnectionTable {
  words: Int32Array;
  times: Float64Array;
  bytes: Uint8Array;

  readonly #memory: TableMemory;
  readonly #capacity: number;
  #room: number;
  readonly #rare = new Map<number, Rare>();

  /** `capacity`: connections that there may be at a time. */
  constructor(memory: TableMemory, capacity = CONNECTIONS_CAPACITY) {
    this.#capacity = capacity;
    this.#room = Math.min(FIRST_SLOTS, capacity);
    memory.grow(this.#room);
    this.#memory = memory;
    ({ words: this.words, times: this.times, bytes: this.bytes } = memory);
  }

  /** Connections in the table. */
  get count(): number {
    return this.#memory.connections;
  }

  /** The slot of a segment's 4-tuple, or -1. */
  find(batch: Batch, segment: Segment): number {
    return this.#memory.find(segment, batch.pairs);
  }

  /** The address pair of a slot that has one: 32 bytes of IPv6 addresses, low endpoint first, and 8 bytes of scope. */
  pair(slot: number): Uint8Array {
    return this.#memory.pair(slot);
  }

  /** Within which VLANs or virtual network a connection is: see ADDRESS_PAIR_BYTES. 0: that does not count. */
  scope(slot: number): bigint {
    return (this.words[slot + FACTS]! & PAIRED) === 0 ? 0n : Buffer.from(this.pair(slot)).readBigUInt64LE(SCOPE_AT);
  }

  /** Opens a connection of the segment's 4-tuple, whose first segment it is. Answers its slot, or -1 where there are as many as may be. */
  open(batch: Batch, segment: Segment): number {
    const slot = this.#memory.open(segment, batch.pairs);
    if (slot >= 0 || this.#room === this.#capacity) return slot;
    this.#room = Math.min(this.#room * 2, this.#capacity);
    this.#memory.grow(this.#room);
    ({ words: this.words, times: this.times, bytes: this.bytes } = this.#memory);
    return this.#memory.open(segment, batch.pairs);
  }

  /** The slots of those that were silent longest, in the order of 4-tuples: about a quarter, half of them at most. */
  silentLongest(): Int32Array {
    const { times } = this;
    const all = this.#memory.order();
    const latest = (place: number): number => times[(all[place]! >> 1) + LAST]!;
    const sample = Float64Array.from({ length: SAMPLES }, (_, i) => latest(Math.floor((i * all.length) / SAMPLES))).sort();
    const silent = all.filter((slot) => times[(slot >> 1) + LAST]! <= sample[SAMPLES / 4]!);
    return silent.subarray(0, Math.ceil(all.length / 2));
  }

  /** Counts segments that were held, and the FINs among them, with their connection. */
  countHeld(slot: number, { segment, last }: HeldSyn, segments: number, fins: number): void {
    const { words, times } = this;
    words[slot + SEGMENTS + segment.sender]! += segments;
    words[slot + SYNS + segment.sender]! += segments;
    words[slot + FINS + segment.sender]! += fins;
    times[(slot >> 1) + LAST] = Math.max(times[(slot >> 1) + LAST]!, last);
  }

  /** Whether an endpoint, in the handshake, sent neither payload nor a FIN. (Later, BYTES may be behind: see settle().) */
  isBare(slot: number, endpoint: number): boolean {
    return this.times[(slot >> 1) + BYTES + endpoint] === 0 && this.words[slot + FINS + endpoint] === 0;
  }

  /** Forgets all of a slot but its key: the next incarnation of the same 4-tuple, whose first segment this is. */
  renew(slot: number, segment: Segment): void {
    this.#forgetRare(slot);
    this.#memory.renew(slot, segment);
  }

  /** Shows a segment to its connection. */
  show(slot: number, segment: Segment): void {
    this.#memory.show(slot, segment);
  }

  /** Counts in full what ordinary segments have left for later: BYTES, Zeek's history, completeness. */
  settle(slot: number): void {
    this.#memory.settle(slot);
  }

  /** Appends a token to the log of a close (layout/slot.ts). */
  log(slot: number, kind: number, endpoint: number): void {
    this.#memory.log(slot, kind, endpoint);
  }

  /** Notes what had gone on before a close began: keep-alive probes, or a window of zero. */
  noteSilence(slot: number): void {
    this.#memory.noteSilence(slot);
  }

  /** Takes a connection out. */
  remove(slot: number): void {
    this.#forgetRare(slot);
    this.#memory.leave(slot);
  }

  /** What few connections have; made at the first call. */
  rare(slot: number): Rare {
    let rare = this.#rare.get(slot);
    if (!rare) {
      this.#rare.set(slot, (rare = new Rare()));
      this.words[slot + FACTS]! |= HAS_RARE;
    }
    return rare;
  }

  /** Time of the latest segment of a connection, or of the SYN that is held for the next one, ns. */
  latest(slot: number): number {
    return Math.max(this.times[(slot >> 1) + LAST]!, this.peekRare(slot)?.held?.last ?? 0);
  }

  /** The same, or undefined where there is none. */
  peekRare(slot: number): Rare | undefined {
    return (this.words[slot + FACTS]! & HAS_RARE) === 0 ? undefined : this.#rare.get(slot);
  }

  /** Slots of connections that a SYN is held for, in no order. */
  held(): number[] {
    return [...this.#rare].filter(([, { held }]) => held).map(([slot]) => slot);
  }

  /** The same of those that an RST is doubtful of. */
  doubted(): number[] {
    return [...this.#rare].filter(([, { doubtful }]) => doubtful).map(([slot]) => slot);
  }

  /** Takes all connections out. */
  clear(): void {
    this.#memory.forget();
    this.#rare.clear();
  }

  #forgetRare(slot: number): void {
    if ((this.words[slot + FACTS]! & HAS_RARE) !== 0) this.#rare.delete(slot);
  }
}
