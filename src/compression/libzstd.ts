// The system's own libzstd, called in place (zstd.h, "Streaming decompression"): as fast as the zstd tool. It wants a 64-bit system
// that has the library, and koffi, which is an optional dependency.

import { openLibrary } from '../platform/library.ts';
import { CompressionError } from './errors.ts';
import type { Decompress, Room } from './room.ts';

/** What Linux distributions call it: the number is that of its binary interface, which has not changed since 1.0. */
const LIBRARY = 'libzstd.so.1';
/** Bytes that come out at once: a block is no larger (RFC 8878 §3.1.1.2), and so few stay in the cache until they are copied. */
const CHUNK = 1 << 17;
/** The same where nobody has to copy them. */
const AT_ONCE = 1 << 21;
const NOTHING = new Uint8Array(0);
/** Bytes that a frame is begun with: no header is shorter. */
const HEADER = 5;

/** What is wrong with a stream that is not damaged, by the library's name of the error (zstd_errors.h). */
const RULES: Readonly<Record<string, string>> = {
  'Frame requires too much memory for decoding': 'the zstd stream has a larger window than is supported (zstd -d --long=31 reads it)',
  'Dictionary mismatch': 'the zstd stream needs a dictionary (zstd -d -D FILE reads it)',
};

// Words of the two structures that say where bytes come from and go to, ZSTD_outBuffer and ZSTD_inBuffer: each an address, a size and a position.
const OUTPUT = 0;
const INPUT = 3;
const WORDS = 6;
const WORD_BYTES = 8;
// Halves of words.
const OUTPUT_SIZE = (OUTPUT + 1) * 2;
const OUTPUT_POSITION = (OUTPUT + 2) * 2;
const INPUT_SIZE = (INPUT + 1) * 2;
const INPUT_POSITION = (INPUT + 2) * 2;

/** What functions that answer a size answer instead where they fail. */
type Size = number | bigint;

interface Functions {
  readonly create: () => Size;
  readonly free: (stream: Size) => Size;
  /** Answers how many more bytes the frame wants, as far as it is known; 0: it is through. */
  readonly decompress: (stream: Size, output: bigint, input: bigint) => Size;
  readonly isError: (size: Size) => number;
  readonly errorName: (size: Size) => string;
  readonly address: (bytes: Uint8Array | BigUint64Array) => bigint;
}

/** Undefined: something that it takes is not there, and zstd.ts does without. */
function loadLibrary(): Functions | undefined {
  const library = openLibrary(LIBRARY);
  return (
    library && {
      create: library.func('uintptr_t ZSTD_createDStream()') as Functions['create'],
      free: library.func('size_t ZSTD_freeDStream(uintptr_t stream)') as Functions['free'],
      decompress: library.func(
        'size_t ZSTD_decompressStream(uintptr_t stream, uintptr_t output, uintptr_t input)',
      ) as Functions['decompress'],
      isError: library.func('unsigned int ZSTD_isError(size_t size)') as Functions['isError'],
      errorName: library.func('const char *ZSTD_getErrorName(size_t size)') as Functions['errorName'],
      address: (bytes) => library.address(bytes),
    }
  );
}

/** Decompresses zstd (RFC 8878), of any number of frames, by the system's library; undefined where that cannot be had. */
export function systemUnzstd(): Decompress | undefined {
  const library = loadLibrary();
  return library && ((chunks, room) => unzstd(library, chunks, room ?? new Chunk()));
}

/** The same memory again and again. */
class Chunk implements Room {
  readonly #bytes = new Uint8Array(CHUNK);

  async room(): Promise<Uint8Array> {
    return this.#bytes;
  }
}

async function* unzstd(library: Functions, chunks: AsyncIterable<Uint8Array>, room: Room): AsyncGenerator<Uint8Array, void, undefined> {
  let output: Uint8Array = NOTHING;
  let filled = 0;
  const words = new BigUint64Array(new ArrayBuffer(WORDS * WORD_BYTES));
  // Sizes are less than what 32 bits hold, of which the lower ones come first; without big integers it takes half the time.
  const halves = new Uint32Array(words.buffer);
  const at = library.address(words);
  const inputAt = at + BigInt(INPUT * WORD_BYTES);
  const stream = library.create();
  if (Number(stream) === 0) throw new Error('there is no memory to decompress zstd');
  let wanted: Size = 0;
  try {
    for await (const chunk of chunks) {
      words[INPUT] = library.address(chunk);
      halves[INPUT_POSITION] = 0;
      // What the frame still holds comes out without further input.
      for (let taken = 0; taken < chunk.length || (filled === output.length && wanted !== 0); taken = halves[INPUT_POSITION]!) {
        if (filled === output.length) {
          if (filled > 0) yield output;
          const next = await room.room(AT_ONCE);
          if (!next) return;
          output = next;
          filled = 0;
          words[OUTPUT] = library.address(output);
          halves[OUTPUT_SIZE] = output.length;
        }
        // No more than one block: where it is damaged, or the checksum behind it is wrong, what the same call gave before is not told of.
        halves[INPUT_SIZE] = Math.min(chunk.length, taken + (Number(wanted) || HEADER));
        halves[OUTPUT_POSITION] = filled;
        wanted = library.decompress(stream, at, inputAt);
        if (library.isError(wanted) !== 0) {
          if (filled > 0) yield output.subarray(0, filled);
          const name = library.errorName(wanted);
          throw new CompressionError(RULES[name] ?? `the zstd stream is damaged (${name})`);
        }
        filled = halves[OUTPUT_POSITION]!;
      }
      if (filled === 0) continue;
      yield output.subarray(0, filled);
      output = NOTHING;
      filled = 0;
    }
    if (wanted !== 0) throw new CompressionError('the zstd stream is cut');
  } finally {
    library.free(stream);
  }
}
