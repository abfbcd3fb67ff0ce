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

/**
 * When silent connections are due. Each connection has one entry; when it comes up and the connection was not silent after
 * all, it goes back with its new time. Those times come in no order, so this is a heap.
 */
export class SilenceHeap {
  readonly #entries: { slot: number; generation: number; due: number }[] = [];

  /** When the first entry is due, ns; Infinity where there is none. */
  next = Infinity;

  push(slot: number, generation: number, due: number): void {
    const entries = this.#entries;
    let at = entries.push({ slot, generation, due }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entries[parent]!.due <= entries[at]!.due) break;
      [entries[parent], entries[at]] = [entries[at]!, entries[parent]!];
      at = parent;
    }
    this.next = entries[0]!.due;
  }

  /** Takes the first entry out. */
  shift(): { slot: number; generation: number; due: number } {
    const entries = this.#entries;
    const first = entries[0]!;
    const last = entries.pop()!;
    if (entries.length > 0) entries[0] = last;
    for (let at = 0; entries.length > 0; ) {
      let child = at * 2 + 1;
      if (child + 1 < entries.length && entries[child + 1]!.due < entries[child]!.due) child++;
      if (child >= entries.length || entries[at]!.due <= entries[child]!.due) break;
      [entries[child], entries[at]] = [entries[at]!, entries[child]!];
      at = child;
    }
    this.next = entries[0]?.due ?? Infinity;
    return first;
  }
}
