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
