const FIRST_ENTRIES = 1 << 10;

/**
 * When ended connections leave the table. All wait equally long (2MSL) and capture time never runs backwards, so entries
 * come in the order in which they are due: a ring, not a heap. One whose connection got another due time meanwhile has a
 * younger entry, and the old one is passed over.
 *
 *   head                       tail
 *    |  slot generation due     |
 */
export class ExpiryQueue {
  #slots = new Int32Array(FIRST_ENTRIES);
  #generations = new Int32Array(FIRST_ENTRIES);
  #due = new Float64Array(FIRST_ENTRIES);
  #head = 0;
  #length = 0;
  /** When the first entry is due, ns; Infinity where there is none. */
  next = Infinity;

  get slot(): number {
    return this.#slots[this.#head]!;
  }

  get generation(): number {
    return this.#generations[this.#head]!;
  }

  push(slot: number, generation: number, due: number): void {
    if (this.#length === this.#slots.length) this.#grow();
    const at = (this.#head + this.#length++) & (this.#slots.length - 1);
    this.#slots[at] = slot;
    this.#generations[at] = generation;
    this.#due[at] = due;
    if (this.#length === 1) this.next = due;
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.next = --this.#length === 0 ? Infinity : this.#due[this.#head]!;
  }

  #grow(): void {
    const size = this.#slots.length;
    const turn = <T extends Int32Array | Float64Array>(old: T, fresh: T): T => {
      fresh.set(old.subarray(this.#head));
      fresh.set(old.subarray(0, this.#head), size - this.#head);
      return fresh;
    };
    this.#slots = turn(this.#slots, new Int32Array(size * 2));
    this.#generations = turn(this.#generations, new Int32Array(size * 2));
    this.#due = turn(this.#due, new Float64Array(size * 2));
    this.#head = 0;
  }
}
