import { ADDRESS_PAIR_BYTES, IPV6 as IPV6_FLAG } from '../layout/segment.ts';
import { FACTS, GENERATION, HAS_RARE, HASH, HIGH, IPV6, LOW, PAIR, PORTS, SLOT_WORDS } from './slot.ts';
import { Rare } from './rare.ts';
import type { Batch, Segment } from './segment.ts';

const FIRST_SLOTS = 1 << 10;

/**
 * The connections that are alive or may still get segments: an open-addressing index over dense slots.
 *
 *   index   hash | slot + 1 | hash | slot + 1 ...      linear probing, at most half full, 0: empty
 *   words   SLOT_WORDS per slot; `times` are the same bytes as doubles, `bytes` as bytes
 *
 * A slot is named by the offset of its first word. Both arrays double when they are full, so views must be read anew
 * from the table after anything that may add a connection.
 */
export class ConnectionTable {
  words = new Int32Array(FIRST_SLOTS * SLOT_WORDS);
  times = new Float64Array(this.words.buffer);
  bytes = new Uint8Array(this.words.buffer);
  index = new Int32Array(FIRST_SLOTS * 4);
  /** Number of index entries less one. */
  mask = FIRST_SLOTS * 2 - 1;
  /** Connections in the table. */
  count = 0;

  #used = 0;
  readonly #free: number[] = [];
  readonly #rare = new Map<number, Rare>();
  #pairs = new Uint8Array(64 * ADDRESS_PAIR_BYTES);
  #pairsUsed = 0;
  readonly #freePairs: number[] = [];

  /** The slot of a segment's 4-tuple, or -1. */
  find(batch: Batch, segment: Segment): number {
    const { index, mask, words } = this;
    for (let at = segment.hash & mask; ; at = (at + 1) & mask) {
      const entry = index[at * 2 + 1]!;
      if (entry === 0) return -1;
      if (index[at * 2] !== segment.hash) continue;
      const slot = entry - 1;
      if (words[slot + LOW] !== segment.low || words[slot + HIGH] !== segment.high || words[slot + PORTS] !== segment.ports) continue;
      if (((words[slot + FACTS]! & IPV6) !== 0) !== ((segment.flags & IPV6_FLAG) !== 0)) continue;
      if (words[slot + PAIR]! >= 0 && !this.samePair(words[slot + PAIR]!, batch, segment.address)) continue;
      return slot;
    }
  }

  /** Whether the pair that a slot refers to is pair number `other` of a batch. */
  samePair(pair: number, batch: Batch, other: number): boolean {
    const ours = pair * ADDRESS_PAIR_BYTES;
    const theirs = other * ADDRESS_PAIR_BYTES;
    for (let i = 0; i < ADDRESS_PAIR_BYTES; i++) if (this.#pairs[ours + i] !== batch.pairs[theirs + i]) return false;
    return true;
  }

  /** The 32 bytes of a slot's IPv6 addresses, low endpoint first. */
  pair(slot: number): Uint8Array {
    const at = this.words[slot + PAIR]! * ADDRESS_PAIR_BYTES;
    return this.#pairs.subarray(at, at + ADDRESS_PAIR_BYTES);
  }

  /** Makes room for a connection of the segment's 4-tuple: a slot of zeros but for its key. */
  add(batch: Batch, segment: Segment): number {
    if (this.count * 4 >= this.mask) this.#growIndex();
    const used = this.#free.pop();
    if (used !== undefined) this.#clear(used);
    const slot = used ?? this.#nextSlot();
    const { words } = this;
    words[slot + LOW] = segment.low;
    words[slot + HIGH] = segment.high;
    words[slot + PORTS] = segment.ports;
    words[slot + HASH] = segment.hash;
    words[slot + PAIR] = -1;
    if ((segment.flags & IPV6_FLAG) !== 0) {
      words[slot + FACTS] = IPV6;
      words[slot + PAIR] = this.#keepPair(batch, segment.address);
    }
    this.#enter(segment.hash, slot);
    this.count++;
    return slot;
  }

  /** Forgets all of a slot but its key: the next incarnation of the same 4-tuple. */
  renew(slot: number): void {
    const { words } = this;
    const key = words.slice(slot, slot + FACTS);
    const pair = words[slot + PAIR]!;
    const family = words[slot + FACTS]! & IPV6;
    this.#clear(slot);
    words.set(key, slot);
    words[slot + PAIR] = pair;
    words[slot + FACTS] = family;
  }

  /** Takes a connection out. */
  remove(slot: number): void {
    const { words } = this;
    this.#leave(words[slot + HASH]!, slot);
    if (words[slot + PAIR]! >= 0) this.#freePairs.push(words[slot + PAIR]!);
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
    this.index.fill(0);
    this.#rare.clear();
    this.count = 0;
  }

  /** All slots in use. */
  slots(): Int32Array {
    const slots = new Int32Array(this.count);
    let found = 0;
    for (let at = 1; at < this.index.length; at += 2) if (this.index[at] !== 0) slots[found++] = this.index[at]! - 1;
    return slots;
  }

  #clear(slot: number): void {
    const generation = this.words[slot + GENERATION]!;
    if ((this.words[slot + FACTS]! & HAS_RARE) !== 0) this.#rare.delete(slot);
    this.words.fill(0, slot, slot + SLOT_WORDS);
    this.words[slot + GENERATION] = (generation + 1) | 0;
  }

  #nextSlot(): number {
    if ((this.#used + 1) * SLOT_WORDS > this.words.length) {
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
      this.times = new Float64Array(words.buffer);
      this.bytes = new Uint8Array(words.buffer);
    }
    return this.#used++ * SLOT_WORDS;
  }

  #enter(hash: number, slot: number): void {
    const { index, mask } = this;
    let at = hash & mask;
    while (index[at * 2 + 1] !== 0) at = (at + 1) & mask;
    index[at * 2] = hash;
    index[at * 2 + 1] = slot + 1;
  }

  /** Deletes by moving later entries of the run up: no tombstones, so probes never grow longer with age. */
  #leave(hash: number, slot: number): void {
    const { index, mask } = this;
    let hole = hash & mask;
    while (index[hole * 2 + 1] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[at * 2 + 1] !== 0; at = (at + 1) & mask) {
      const home = index[at * 2]! & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        index[hole * 2] = index[at * 2]!;
        index[hole * 2 + 1] = index[at * 2 + 1]!;
        hole = at;
      }
    }
    index[hole * 2 + 1] = 0;
  }

  #growIndex(): void {
    const old = this.index;
    this.index = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#enter(old[at]!, old[at + 1]! - 1);
  }

  #keepPair(batch: Batch, address: number): number {
    let pair = this.#freePairs.pop();
    if (pair === undefined) {
      pair = this.#pairsUsed++;
      if (this.#pairsUsed * ADDRESS_PAIR_BYTES > this.#pairs.length) {
        const pairs = new Uint8Array(this.#pairs.length * 2);
        pairs.set(this.#pairs);
        this.#pairs = pairs;
      }
    }
    const from = address * ADDRESS_PAIR_BYTES;
    this.#pairs.set(batch.pairs.subarray(from, from + ADDRESS_PAIR_BYTES), pair * ADDRESS_PAIR_BYTES);
    return pair;
  }
}
