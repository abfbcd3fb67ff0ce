import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import xz from 'xz-decompress';
import { CompressionError } from './errors.ts';

/**
 * Decompresses xz, of any number of streams.
 * @throws CompressionError
 */
export async function* unxz(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: unknown;
  async function* guarded(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* chunks;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const output = new xz.XzReadableStream(Readable.toWeb(Readable.from(guarded())) as never) as unknown as ReadableStream<Uint8Array>;
  try {
    yield* output;
  } catch (error) {
    throw failure ?? new CompressionError('the xz stream is damaged or cut', { cause: error });
  }
}
