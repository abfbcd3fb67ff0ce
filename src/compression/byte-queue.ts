import { CompressionError } from './errors.ts';

/** Bytes that come in chunks, taken as they are needed. */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #cut: string;
  #position = 0;
  #chunk: Uint8Array = new Uint8Array(0);

  /** `cut`: what is wrong where there are fewer than are needed. */
  constructor(chunks: AsyncIterable<Uint8Array>, cut: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#cut = cut;
  }

  /** Bytes that were taken. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that can be had without waiting. */
  get atHand(): Uint8Array {
    return this.#chunk;
  }

  /** Whether there is another byte. */
  async more(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return false;
      this.#chunk = value;
    }
    return true;
  }

  /** As many bytes as can be had without waiting, `count` at most. */
  take(count: number): Uint8Array {
    const part = this.#chunk.subarray(0, count);
    this.#chunk = this.#chunk.subarray(count);
    this.#position += part.length;
    return part;
  }

  /** @throws CompressionError where there are fewer */
  async bytes(count: number): Promise<Uint8Array> {
    const bytes = await this.upTo(count);
    if (bytes.length < count) throw new CompressionError(this.#cut);
    return bytes;
  }

  /** As many bytes as there are, `count` at most: a part of the chunk that they came in, where that holds all of them. */
  async upTo(count: number): Promise<Uint8Array> {
    if (this.#chunk.length >= count) return this.take(count);
    const bytes = new Uint8Array(count);
    let filled = 0;
    while (filled < count && (await this.more())) {
      const part = this.take(Math.min(count - filled, this.#chunk.length));
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes.subarray(0, filled);
  }

  /** A little-endian number of at most four bytes. */
  async number(count: number): Promise<number> {
    let value = 0;
    for (const [i, byte] of (await this.bytes(count)).entries()) value += byte * 2 ** (8 * i);
    return value;
  }

  /** @throws CompressionError where there are fewer */
  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      if (!(await this.more())) throw new CompressionError(this.#cut);
      left -= this.take(Math.min(left, this.#chunk.length)).length;
    }
  }

  /** All that is left, in the chunks that come. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.more()) yield this.take(this.#chunk.length);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
