import { ADDRESS_PAIR_BYTES, PAIRED } from '../layout/segment.ts';
import { FACTS, FREE, GENERATION, HAS_RARE, IPV6, NO_PAIR, PAIR, SLOT_WORDS } from '../layout/slot.ts';
import type { TableMemory } from './memory.ts';
import { Rare } from './rare.ts';
import type { Batch, Segment } from './segment.ts';

/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;
/** Slots for which there is room at first; twice as many whenever they are used up. */
const FIRST_SLOTS = 1 << 12;

/**
 * The connections that are alive or may still get segments: dense slots in the decoder's memory, where the short path finds
 * them by their 4-tuple (assembly/table.ts). This says which slots are free, and keeps what few connections have beside them.
 *
 * A slot is named by the offset of its first word. `times` and `bytes` are the same bytes as `words`. These views must be
 * read anew from the table after anything that may add a connection.
 */
export class ConnectionTable {
  words: Int32Array;
  times: Float64Array;
  bytes: Uint8Array;
  /** Connections in the table. */
  count = 0;

  readonly #memory: TableMemory;
  #room = FIRST_SLOTS;
  #used = 0;
  readonly #free: number[] = [];
  readonly #rare = new Map<number, Rare>();
  #pairsUsed = 0;
  readonly #freePairs: number[] = [];

  constructor(memory: TableMemory) {
    memory.forget();
    memory.grow(FIRST_SLOTS);
    this.#memory = memory;
    ({ words: this.words, times: this.times, bytes: this.bytes } = memory);
  }

  /** The slot of a segment's 4-tuple, or -1. */
  find(batch: Batch, segment: Segment): number {
    return this.#memory.find(segment, batch.pairs);
  }

  /** The address pair of a slot that has one: 32 bytes of IPv6 addresses, low endpoint first, and 8 bytes of scope. */
  pair(slot: number): Uint8Array {
    const at = this.words[slot + PAIR]! * ADDRESS_PAIR_BYTES;
    return this.#memory.pairs.subarray(at, at + ADDRESS_PAIR_BYTES);
  }

  /** Within which VLANs or virtual network a connection is: see ADDRESS_PAIR_BYTES. 0: that does not count. */
  scope(slot: number): bigint {
    return this.words[slot + PAIR] === NO_PAIR ? 0n : Buffer.from(this.pair(slot)).readBigUInt64LE(SCOPE_AT);
  }

  /** Makes room for a connection of the segment's 4-tuple: a slot of zeros but for its key. */
  add(batch: Batch, segment: Segment): number {
    const slot = this.#free.pop() ?? this.#nextSlot();
    const pair = (segment.flags & PAIRED) === 0 ? NO_PAIR : (this.#freePairs.pop() ?? this.#pairsUsed++);
    this.#memory.enter(slot, segment, batch.pairs, pair);
    this.count++;
    return slot;
  }

  /** Forgets all of a slot but its key: the next incarnation of the same 4-tuple. */
  renew(slot: number): void {
    const { words } = this;
    const key = words.slice(slot, slot + FACTS);
    const pair = words[slot + PAIR]!;
    const generation = words[slot + GENERATION]!;
    const family = words[slot + FACTS]! & IPV6;
    if ((words[slot + FACTS]! & HAS_RARE) !== 0) this.#rare.delete(slot);
    words.fill(0, slot, slot + SLOT_WORDS);
    words.set(key, slot);
    words[slot + PAIR] = pair;
    words[slot + GENERATION] = (generation + 1) | 0;
    words[slot + FACTS] = family;
  }

  /** Takes a connection out. */
  remove(slot: number): void {
    const { words } = this;
    this.#memory.leave(slot);
    if (words[slot + PAIR]! !== NO_PAIR) this.#freePairs.push(words[slot + PAIR]!);
    words[slot + PAIR] = FREE;
    if ((words[slot + FACTS]! & HAS_RARE) !== 0) this.#rare.delete(slot);
    words[slot + GENERATION] = (words[slot + GENERATION]! + 1) | 0;
    this.#free.push(slot);
    this.count--;
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

  /** The same, or undefined where there is none. */
  peekRare(slot: number): Rare | undefined {
    return (this.words[slot + FACTS]! & HAS_RARE) === 0 ? undefined : this.#rare.get(slot);
  }

  /** Takes all connections out. */
  clear(): void {
    this.#memory.forget();
    this.#rare.clear();
    this.#free.length = 0;
    this.#freePairs.length = 0;
    this.#used = 0;
    this.#pairsUsed = 0;
    this.count = 0;
  }

  /** All slots in use. */
  slots(): Int32Array {
    const slots = new Int32Array(this.count);
    let found = 0;
    for (let slot = 0; found < slots.length; slot += SLOT_WORDS) if (this.words[slot + PAIR] !== FREE) slots[found++] = slot;
    return slots;
  }

  #nextSlot(): number {
    if (this.#used === this.#room) {
      this.#room *= 2;
      this.#memory.grow(this.#room);
      ({ words: this.words, times: this.times, bytes: this.bytes } = this.#memory);
    }
    return this.#used++ * SLOT_WORDS;
  }
}
