import { ZSTDDecoder } from 'zstddec/stream';
import { CompressionError } from './errors.ts';

/** Calls in a row that neither take nor give anything, before that means damage: each frame that is skipped makes two of them. */
const SILENT = 1000;

/**
 * Decompresses zstd (RFC 8878), of any number of frames.
 * @throws CompressionError
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const source = chunks[Symbol.asyncIterator]();
  const input = new Input();
  const output = new Output(decoder.decodeStreaming(input), input);
  try {
    for (;;) {
      // The decoder asks for input in the midst of a call, where nobody can wait: so it is there before the call.
      if (input.chunk === undefined && !input.ended) await input.fill(source);
      const chunk = output.next();
      if (chunk === undefined) return;
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    // It frees its memory only when it is through, and without further input it is soon.
    input.end();
    output.drain();
    await source.return?.();
  }
}

/** The next piece of input, where the decoder takes it. */
class Input implements Iterable<Uint8Array> {
  chunk: Uint8Array | undefined;
  ended = false;

  async fill(source: AsyncIterator<Uint8Array>): Promise<void> {
    do {
      const { value, done } = await source.next();
      if (done) return this.end();
      this.chunk = value;
    } while (this.chunk?.length === 0);
  }

  end(): void {
    this.chunk = undefined;
    this.ended = true;
  }

  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    for (let { chunk } = this; chunk; { chunk } = this) {
      this.chunk = undefined;
      yield chunk;
    }
  }
}

/** What the decoder gives. On damaged input it neither fails nor advances, so whoever asks has to notice. */
class Output {
  readonly #chunks: Generator<Uint8Array>;
  readonly #input: Input;
  #over = false;

  constructor(chunks: Generator<Uint8Array>, input: Input) {
    this.#chunks = chunks;
    this.#input = input;
  }

  /** The next chunk, which may be empty while more input is wanted; undefined: that was all. */
  next(): Uint8Array | undefined {
    if (this.#over) return undefined;
    for (let tries = 0; tries < SILENT; tries++) {
      const before = this.#input.chunk;
      const chunk = this.#step();
      if (chunk === undefined || chunk.length > 0 || this.#input.chunk !== before) return chunk;
      if (before === undefined && !this.#input.ended) return chunk;
    }
    this.#over = true;
    throw new CompressionError('the zstd stream is damaged');
  }

  #step(): Uint8Array | undefined {
    try {
      const { value, done } = this.#chunks.next();
      if (!done) return value;
    } catch (error) {
      this.#over = true;
      throw new CompressionError('the zstd stream is cut', { cause: error });
    }
    this.#over = true;
    return undefined;
  }

  /** Takes what is left, which nobody wants any more. */
  drain(): void {
    try {
      while (this.next() !== undefined);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error; // it has been told of, or was to be expected
    }
  }
}
