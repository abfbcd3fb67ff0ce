const FEWEST = 1 << 6;

/**
 * Numbers keys of several 32-bit words in the order in which they first come: 0, 1, 2 ... Keys beyond the limit have no number.
 * Open addressing over dense keys, at most half full; an entry is a hash and a number, so that other keys are not looked at.
 */
export class IndexTable {
  readonly width: number;
  readonly #limit: number;
  /** Nobody who makes captures shall know which keys collide. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  #keys: Float64Array;
  /** Hash of a key, and its number plus 1; 0: empty. */
  #entries: Int32Array;
  count = 0;
  /** Of the key that was asked for last: in rows by 4-tuple the same comes many times in a row. */
  #latest = -1;

  /** `width`: words of a key; `room`: for so many there is room at first. */
  constructor(width: number, limit: number, room = FEWEST) {
    this.width = width;
    this.#limit = limit;
    const keys = 2 ** Math.ceil(Math.log2(Math.max(room, FEWEST) + 1));
    this.#keys = new Float64Array(keys * width);
    this.#entries = new Int32Array(keys * 4);
  }

  /** The number of a key, which gets one where it is new; -1 where there are too many. */
  number(key: Float64Array): number {
    if (this.#latest < 0 || !this.#equals(this.#latest, key)) this.#latest = this.#find(key);
    return this.#latest;
  }

  #find(key: Float64Array): number {
    const entries = this.#entries;
    const mask = entries.length - 1;
    const mixed = hash(this.#seed, key, 0, this.width);
    let at = (mixed << 1) & mask;
    for (; entries[at + 1] !== 0; at = (at + 2) & mask) {
      if (entries[at] === mixed && this.#equals(entries[at + 1]! - 1, key)) return entries[at + 1]! - 1;
    }
    if (this.count === this.#limit) return -1;
    this.#keys.set(key, this.count * this.width);
    entries[at] = mixed;
    entries[at + 1] = ++this.count;
    if (this.count * 4 >= entries.length) this.#grow();
    return this.count - 1;
  }

  key(number: number): Float64Array {
    return this.#keys.subarray(number * this.width, (number + 1) * this.width);
  }

  /** The keys one behind the other, as long as none comes. */
  get words(): Float64Array {
    return this.#keys;
  }

  /** All keys, in the order of their numbers. */
  keys(): Float64Array {
    return this.#keys.slice(0, this.count * this.width);
  }

  #equals(number: number, key: Float64Array): boolean {
    const from = number * this.width;
    for (let i = 0; i < this.width; i++) if (this.#keys[from + i] !== key[i]) return false;
    return true;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    const old = this.#entries;
    const entries = new Int32Array(old.length * 2);
    const mask = entries.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let at = (old[from]! << 1) & mask;
      while (entries[at + 1] !== 0) at = (at + 2) & mask;
      entries[at] = old[from]!;
      entries[at + 1] = old[from + 1]!;
    }
    this.#entries = entries;
  }
}

/** Mixes the words one after the other (the finisher of MurmurHash3); of those that are 0, as most of an IPv4 key are, only that they are there. */
function hash(seed: number, words: Float64Array, from: number, width: number): number {
  let mixed = seed;
  for (let i = from; i < from + width; i++) {
    const word = words[i]! | 0;
    if (word === 0) {
      mixed = (mixed + 0x9e3779b9) | 0;
      continue;
    }
    mixed = Math.imul(mixed ^ word, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return mixed;
}
