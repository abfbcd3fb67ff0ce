/** Chunks that may be there at once: the two that a reader may hold, and some ahead of it. */
const SLOTS = 6;
/** Bytes of one. */
export const SLOT_BYTES = 1 << 20;

// Words of the control block.
const FREED = 0;
const STOPPED = 1;
const WORDS = 2;

/**
 * Memory through which one thread hands chunks to another: a ring of slots. The writer waits for a slot to be free; that one was
 * filled is told otherwise.
 */
export class Slots {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(WORDS * 4 + SLOTS * SLOT_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, WORDS);
  }

  /** The memory of a chunk, by its number. */
  slot(number: number): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.buffer, WORDS * 4 + (number % SLOTS) * SLOT_BYTES, SLOT_BYTES);
  }

  /** Resolves when a chunk's slot may be written; false: nobody wants any more. */
  async wait(number: number): Promise<boolean> {
    for (;;) {
      const freed = Atomics.load(this.#words, FREED);
      if (Atomics.load(this.#words, STOPPED) === 1) return false;
      if (number - freed < SLOTS) return true;
      await Atomics.waitAsync(this.#words, FREED, freed).value;
    }
  }

  /** The chunks below a number have been read. */
  free(number: number): void {
    Atomics.store(this.#words, FREED, number);
    Atomics.notify(this.#words, FREED);
  }

  /** No chunk is wanted any more. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    Atomics.add(this.#words, FREED, 1); // a change, so that nobody goes on waiting
    Atomics.notify(this.#words, FREED);
  }
}
