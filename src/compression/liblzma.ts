// The system's own liblzma (lzma/base.h, lzma/container.h), which decompresses xz twice as fast as xz.ts, and gives all that came before damage.
// It wants a 64-bit system that has the library, and koffi, which is an optional dependency.

import { memoryToRead } from '../platform/copy.ts';
import { functionsIn, type Library } from '../platform/library.ts';
import { CompressionError } from './errors.ts';
import type { Decompress } from './room.ts';
import { TOO_LARGE, UNSUPPORTED } from './xz.ts';

/** What Linux distributions call it: the number is that of its binary interface, which has not changed since 5.0. */
const LIBRARY = 'liblzma.so.5';
/** Bytes that come out at once. */
const OUTPUT = 1 << 20;
/** Memory that a dictionary may take, bytes: `xz -9` has one of 64 MiB. */
const MOST_MEMORY = 1 << 29;
/** Any number of streams, and what pads them. */
const CONCATENATED = 0x08;

// Words of 8 bytes of lzma_stream, which begins as zeros.
const NEXT_IN = 0;
const AVAILABLE_IN = 1;
const NEXT_OUT = 3;
const AVAILABLE_OUT = 4;
const STREAM_WORDS = 17;

// lzma_action and lzma_ret.
const RUN = 0;
const FINISH = 3;
const OK = 0;
const STREAM_END = 1;
const NO_MEMORY = 5;
const MEMORY_LIMIT = 6;
const OPTIONS = 8;
const NO_PROGRESS = 10;

/** What is wrong with a stream that is not damaged, by lzma_ret. */
const RULES: Readonly<Record<number, string>> = {
  [MEMORY_LIMIT]: TOO_LARGE,
  [OPTIONS]: UNSUPPORTED,
  [NO_PROGRESS]: 'the xz stream is cut',
};

interface Functions {
  readonly begin: (stream: number, memory: number, flags: number) => number;
  readonly code: (stream: number, action: number) => number;
  readonly end: (stream: number) => void;
  readonly address: Library['address'];
}

function functionsOf(library: Library): Functions {
  return {
    begin: library.func('int lzma_stream_decoder(uintptr_t stream, uint64_t memory, uint32_t flags)') as Functions['begin'],
    code: library.func('int lzma_code(uintptr_t stream, int action)') as Functions['code'],
    end: library.func('void lzma_end(uintptr_t stream)') as Functions['end'],
    address: (bytes) => library.address(bytes),
  };
}

/**
 * Decompresses xz, of any number of streams, by the system's library; undefined where that cannot be had. What comes out of it
 * throws CompressionError.
 * @param name of the library
 */
export function systemUnxz(name = LIBRARY): Decompress | undefined {
  const library = functionsIn(name, functionsOf);
  return library && ((chunks) => unxz(library, chunks));
}

async function* unxz(library: Functions, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const words = new BigUint64Array(STREAM_WORDS);
  const stream = library.address(words);
  if (library.begin(stream, MOST_MEMORY, CONCATENATED) !== OK) throw new Error('there is no memory to decompress xz');
  const output = memoryToRead(OUTPUT);
  /** What the library reads: it knows no more than where that lies, so it must not be let go of in between. */
  let input: Uint8Array = new Uint8Array(0);
  /** Has the library take what there is, and gives what comes out. */
  function* run(action: number): Generator<Uint8Array, void, undefined> {
    words[NEXT_IN] = BigInt(library.address(input));
    words[AVAILABLE_IN] = BigInt(input.length);
    for (;;) {
      words[NEXT_OUT] = BigInt(library.address(output));
      words[AVAILABLE_OUT] = BigInt(OUTPUT);
      const state = library.code(stream, action);
      const filled = OUTPUT - Number(words[AVAILABLE_OUT]);
      if (filled > 0) yield output.subarray(0, filled);
      if (state === STREAM_END || (state === NO_PROGRESS && action === RUN)) return; // to want more is no error before the end
      if (state === NO_MEMORY) throw new Error('there is no memory to decompress xz');
      if (state !== OK) throw new CompressionError(RULES[state] ?? 'the xz stream is damaged');
      if (filled < OUTPUT && action === RUN) return;
    }
  }
  try {
    for await (const chunk of chunks) {
      input = chunk;
      yield* run(RUN);
    }
    input = new Uint8Array(0);
    yield* run(FINISH);
  } finally {
    library.end(stream);
  }
}
