// Small members of gzip, as bgzip makes them for each 64 KiB, many at once: a way to zlib's thread and back for each takes nearly as long as what it does there.

import { constants, createGunzip } from 'node:zlib';
import type { ByteQueue } from './byte-queue.ts';

/** Bytes that come out at once, at most: mostly all that the members at hand hold. */
const CHUNK = 1 << 21;
/** What a member begins with: its magic number and method. */
const HEADER = Buffer.of(0x1f, 0x8b, 8);

/** Of members that are not what they seemed to be: where they end, and how many bytes were given of them all the same. */
export interface Refused {
  readonly end: number;
  given: number;
}

/** Decompresses the members that are at hand as a whole, but the last, which may go on behind that. What is wrong in some is not told. */
export async function* wholeMembers(input: ByteQueue): AsyncGenerator<Uint8Array, Refused, undefined> {
  const { buffer, byteOffset, length } = input.atHand;
  const end = Buffer.from(buffer, byteOffset, length).lastIndexOf(HEADER);
  if (end <= 0) return { end: 0, given: 0 };
  const given = yield* unzipped(input.atHand.subarray(0, end));
  if (given !== undefined) return { end: input.position + end, given };
  await input.skip(end);
  return { end: 0, given: 0 };
}

/** Decompresses members; answers how many bytes it gave where they are not whole, or not all; undefined: they are. */
async function* unzipped(members: Uint8Array): AsyncGenerator<Uint8Array, number | undefined, undefined> {
  const decoder = createGunzip({ chunkSize: CHUNK });
  let given = 0;
  decoder.end(members);
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
      given += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (!isZlibs(error)) throw error;
    return given;
  }
  return decoder.bytesWritten < members.length ? given : undefined;
}

/** Whether it is zlib that complains. */
export function isZlibs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code) in constants;
}
