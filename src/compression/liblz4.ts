// The system's own liblz4 (lz4.h), for whole blocks. As its tool does, it takes zeros for a match that repeats nothing, which is damage: where a stream has no
// checksums, that goes unnoticed, as most other damage to it does. It wants a system that has the library, and koffi, which is an optional dependency.

import { functionsIn, type Library } from '../platform/library.ts';
import { type DecodeBlock, decodeBlock } from './lz4-block.ts';

/** What Linux distributions call it: the number is that of its binary interface, which has not changed since 1.7. */
const LIBRARY = 'liblz4.so.1';

type Decode = (input: number, output: number, bytes: number, room: number, history: number, historyBytes: number) => number;

/**
 * Decodes blocks by the system's library; undefined where that cannot be had.
 * @param name of the library
 */
export function systemLz4(name = LIBRARY): DecodeBlock | undefined {
  return functionsIn(name, decoderOf);
}

function decoderOf(library: Library): DecodeBlock {
  const decode = library.func(
    'int LZ4_decompress_safe_usingDict(uintptr_t input, uintptr_t output, int bytes, int room, uintptr_t history, int historyBytes)',
  ) as Decode;
  return (block, output, start) => {
    const history = library.address(output);
    const came = decode(library.address(block), history + start, block.length, output.length - start, history, start);
    return came < 0 ? decodeBlock(block, output, start) : start + came; // what is wrong with it is said in the same words everywhere
  };
}
