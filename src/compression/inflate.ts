import { createInflateRaw } from 'node:zlib';
import type { ByteQueue } from './byte-queue.ts';
import { pieceLength } from './pieces.ts';

/** Bytes that come out at once, at most. */
const CHUNK = 1 << 20;

/**
 * Decompresses one deflate stream (RFC 1951) in zlib's own thread, and takes nothing behind its end. Answers whether that is there.
 * @throws what zlib says of damage
 */
export async function* inflate(input: ByteQueue): AsyncGenerator<Uint8Array, boolean, undefined> {
  const decoder = createInflateRaw({ chunkSize: CHUNK });
  const news = new News();
  decoder.on('readable', news.come).on('error', news.come);
  try {
    while (await input.more()) {
      const piece = input.atHand.subarray(0, pieceLength(input.position));
      const before = decoder.bytesWritten;
      let isThrough = false;
      decoder.write(piece, () => {
        isThrough = true;
        news.come();
      });
      for (;;) {
        const chunk = decoder.read() as Uint8Array | null;
        if (chunk) yield chunk;
        else if (decoder.errored) throw decoder.errored;
        else if (isThrough) break;
        else await news.wait();
      }
      const taken = decoder.bytesWritten - before;
      await input.skip(taken);
      if (taken < piece.length) return true;
    }
    return false;
  } finally {
    decoder.destroy();
  }
}

/** Lets one wait until something has happened since. */
class News {
  #come: (() => void) | undefined;

  readonly come = (): void => this.#come?.();

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#come = resolve;
    });
  }
}
