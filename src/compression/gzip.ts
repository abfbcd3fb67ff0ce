import { createGunzip } from 'node:zlib';
import { CompressionError } from './errors.ts';
import { inPieces } from './pieces.ts';

/** Bytes that come out at once, at most. */
const CHUNK = 1 << 20;

/**
 * Decompresses gzip (RFC 1952), of any number of members, in zlib's own thread.
 * @throws CompressionError
 */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = createGunzip({ chunkSize: CHUNK });
  let failure: unknown;
  let taken: (() => void) | undefined;
  const takes = (): Promise<void> => new Promise((resolve) => void (taken = resolve));
  const fed = feed(chunks, decoder, takes).catch((error: unknown) => {
    failure = error;
    decoder.destroy();
  });
  try {
    for await (const chunk of decoder) {
      yield chunk as Uint8Array;
      taken?.();
    }
  } catch (error) {
    throw failure ?? new CompressionError(ruleOf(error as NodeJS.ErrnoException), { cause: error });
  } finally {
    decoder.destroy();
    taken?.();
    await fed;
  }
  if (failure !== undefined) throw failure;
}

/**
 * Each piece, and the end, come only when all that the one before gave is taken, because what waits is lost with a stream that is cut or
 * damaged. `takes` resolves when some of it is taken, or nothing more will be.
 */
async function feed(
  chunks: AsyncIterable<Uint8Array>,
  decoder: ReturnType<typeof createGunzip>,
  takes: () => Promise<void>,
): Promise<void> {
  const through = async (): Promise<void> => {
    while (decoder.readableLength > 0 && !decoder.destroyed) await takes();
  };
  let given = 0;
  for await (const piece of inPieces(chunks)) {
    await through();
    if (decoder.destroyed && !decoder.readableEnded) return;
    // It takes nothing more, and says nothing, once zeros follow a member: files are padded with them.
    if (decoder.bytesWritten === given) {
      await new Promise<void>((resolve) => {
        decoder.once('close', resolve);
        decoder.write(piece, () => {
          decoder.off('close', resolve);
          resolve();
        });
      });
      if (decoder.errored) return;
    }
    given += piece.length;
    if (piece.subarray(-(given - decoder.bytesWritten) || piece.length).some((byte) => byte !== 0))
      throw new CompressionError('the gzip stream is damaged (neither a member nor zeros follow its end)');
  }
  if (decoder.bytesWritten < given) return;
  await through();
  decoder.end();
}

function ruleOf({ code, message }: NodeJS.ErrnoException): string {
  return code === 'Z_BUF_ERROR' ? 'the gzip stream is cut' : `the gzip stream is damaged (${message})`;
}
