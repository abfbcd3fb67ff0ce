import { createGunzip } from 'node:zlib';
import { CompressionError } from './errors.ts';

/** Bytes that come out at once, at most. */
const CHUNK = 1 << 20;
/**
 * Bytes that go in at once. Where the stream is damaged, zlib hands nothing on of what the damaged piece gave before, so the first
 * pieces are small, and later ones small beside what went before them.
 */
const SMALLEST_PIECE = 256;
const LARGEST_PIECE = 1 << 16;
const SHARE = 64;

/**
 * Decompresses gzip (RFC 1952), of any number of members, in zlib's own thread.
 * @throws CompressionError
 */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = createGunzip({ chunkSize: CHUNK });
  let failure: unknown;
  const fed = feed(chunks, decoder).catch((error: unknown) => {
    failure = error;
    decoder.destroy();
  });
  try {
    for await (const chunk of decoder) yield chunk as Uint8Array;
  } catch (error) {
    throw failure ?? new CompressionError(ruleOf(error as NodeJS.ErrnoException), { cause: error });
  } finally {
    decoder.destroy();
    await fed;
  }
  if (failure !== undefined) throw failure;
}

/** The end is told only after all is through, because what the last piece gave would be lost with a stream that is cut. */
async function feed(chunks: AsyncIterable<Uint8Array>, decoder: ReturnType<typeof createGunzip>): Promise<void> {
  let taken = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const size = Math.min(LARGEST_PIECE, Math.max(SMALLEST_PIECE, Math.floor(taken / SHARE)));
      const piece = chunk.subarray(at, at + size);
      at += piece.length;
      taken += piece.length;
      if (decoder.destroyed) return;
      await new Promise<void>((resolve) => {
        decoder.once('close', resolve);
        decoder.write(piece, () => {
          decoder.off('close', resolve);
          resolve();
        });
      });
    }
  }
  decoder.end();
}

function ruleOf({ code, message }: NodeJS.ErrnoException): string {
  return code === 'Z_BUF_ERROR' ? 'the gzip stream is cut' : `the gzip stream is damaged (${message})`;
}
