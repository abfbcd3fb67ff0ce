// The LZ4 block format (lz4_Block_format.md): sequences of literals and of matches, which repeat what is up to 64 KiB before.

import { CompressionError } from './errors.ts';

/** Bytes that a match may reach back. */
export const HISTORY = 1 << 16;
const SMALLEST_MATCH = 4;

/**
 * Decodes a block behind its history, which output[0..start) is; answers where its output ends.
 * @throws CompressionError where it is damaged, or there is no room for it
 */
export type DecodeBlock = (block: Uint8Array, output: Uint8Array, start: number) => number;

export const decodeBlock: DecodeBlock = (block, output, start) => decode(block, true, output, start);

/** The same of what there is of a block that is cut. */
export const decodeCut: DecodeBlock = (block, output, start) => decode(block, false, output, start);

function damaged(): never {
  throw new CompressionError('the lz4 stream is damaged: a block does not decode');
}

function decode(block: Uint8Array, whole: boolean, output: Uint8Array, start: number): number {
  let from = 0;
  let to = start;
  const extended = (length: number): number => {
    if (length !== 15) return length;
    for (let byte = 255; byte === 255 && from < block.length; length += byte) byte = block[from++]!;
    if (from === block.length && whole) damaged();
    return length;
  };
  while (from < block.length) {
    const token = block[from++]!;
    const literals = extended(token >> 4);
    const there = Math.min(literals, block.length - from);
    if ((there < literals && whole) || to + there > output.length) damaged();
    if (there < 32) for (const end = from + there; from < end; ) output[to++] = block[from++]!;
    else {
      output.set(block.subarray(from, from + there), to);
      from += there;
      to += there;
    }
    if (from === block.length) return to;
    if (from + 2 > block.length) break;
    const distance = block[from]! | (block[from + 1]! << 8);
    from += 2;
    const length = extended(token & 15) + SMALLEST_MATCH;
    if (distance === 0 || distance > to || to + length > output.length) damaged();
    if (distance >= length) {
      output.copyWithin(to, to - distance, to - distance + length);
      to += length;
    } else for (const end = to + length; to < end; to++) output[to] = output[to - distance]!;
  }
  return whole ? damaged() : to;
}
