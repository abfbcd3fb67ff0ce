import { createRequire } from 'node:module';
import { ReadableStream } from 'node:stream/web';
import type xz from 'xz-decompress';
import { CompressionError } from './errors.ts';
import { inPieces } from './pieces.ts';

const LIBRARY = 'xz-decompress';
type Library = typeof xz;

export const TOO_LARGE = 'the xz stream has a larger dictionary than is supported (xz -dc reads it)';
export const UNSUPPORTED = 'the xz stream has a check or a filter that is not supported (xz -dc reads it)';
/** What is wrong with a stream that is neither damaged nor cut, by the code that ends the library's message (xz.h of XZ Embedded: xz_ret). */
const RULES: Readonly<Record<string, string>> = { 4: TOO_LARGE, 6: UNSUPPORTED };

/** Those that no stream uses: one has a single stream open at a time, and lets a second one wait for it for ever. */
const idle: Library[] = [];

/** The library once more, with a memory of its own. */
function load(): Library {
  const require = createRequire(import.meta.url);
  delete require.cache[require.resolve(LIBRARY)];
  return require(LIBRARY) as Library;
}

/**
 * Decompresses xz, of any number of streams.
 * @throws CompressionError
 */
export async function* unxz(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: unknown;
  async function* guarded(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* inPieces(chunks);
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const library = idle.pop() ?? load();
  const output = new library.XzReadableStream(ReadableStream.from(guarded())) as unknown as ReadableStream<Uint8Array>;
  let begun = false;
  try {
    for await (const chunk of output) {
      begun = true;
      yield chunk;
    }
  } catch (error) {
    throw failure ?? new CompressionError(ruleOf(error as Error), { cause: error });
  } finally {
    if (begun) idle.push(library); // else it may still be about to begin
  }
}

function ruleOf({ message }: Error): string {
  return RULES[/\d+$/.exec(message)?.[0] ?? ''] ?? 'the xz stream is damaged or cut';
}
