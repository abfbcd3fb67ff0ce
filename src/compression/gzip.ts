// gzip (RFC 1952): members, each a header, a deflate stream, and a checksum and the length of what that held. zlib could read
// all of it, but hands nothing on of the piece in which an end, or what follows it, is wrong.

import { crc32 } from 'node:zlib';
import { ahead } from './ahead.ts';
import { ByteQueue } from './byte-queue.ts';
import { CompressionError } from './errors.ts';
import { inflate } from './inflate.ts';
import { isZlibs, type Refused, wholeMembers } from './members.ts';

const MAGIC = [0x1f, 0x8b];
const DEFLATE = 8;
/** Of the header: the method, flags, a time, and of what and where it was made. */
const FIXED = 8;

const HEADER_CHECKSUM = 0x02;
const EXTRA = 0x04;
const NAME = 0x08;
const COMMENT = 0x10;
const RESERVED = 0xe0;

const CUT = 'the gzip stream is cut';
const damaged = (what: string, cause?: Error): CompressionError => new CompressionError(`the gzip stream is damaged (${what})`, { cause });

/** Compressed bytes of a member behind which others are supposed to be at hand, too: half of what there is at once. */
const SMALL = 1 << 17;

/**
 * Decompresses gzip, of any number of members, in zlib's own thread.
 * @throws CompressionError
 */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteQueue(chunks, CUT);
  let refused: Refused = { end: 0, given: 0 };
  let isSmall = false;
  try {
    while (await memberFollows(input)) {
      if (isSmall && input.position >= refused.end) refused = yield* wholeMembers(input);
      const start = input.position;
      for await (const chunk of member(input)) {
        const fresh = chunk.subarray(refused.given);
        refused.given -= chunk.length - fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      isSmall = input.position - start < SMALL;
    }
  } finally {
    await input.close();
  }
}

/** Decompresses one member, the next part of it while one is looked at. All that it holds comes before anything that is wrong with it. */
async function* member(input: ByteQueue): AsyncGenerator<Uint8Array, void, undefined> {
  await skipHeader(input);
  let checksum = 0;
  let length = 0;
  for await (const chunk of ahead(content(input))) {
    checksum = crc32(chunk, checksum);
    length += chunk.length;
    yield chunk;
  }
  if ((await input.number(4)) !== checksum) throw damaged('its checksum is wrong');
  if ((await input.number(4)) !== length % 2 ** 32) throw damaged('its length is wrong');
}

async function* content(input: ByteQueue): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (!(yield* inflate(input))) throw new CompressionError(CUT);
  } catch (error) {
    throw isZlibs(error) ? damaged(error.message, error) : error;
  }
}

/** Files are padded with zeros, behind which nothing else may come. */
async function memberFollows(input: ByteQueue): Promise<boolean> {
  if (!(await input.more())) return false;
  if (input.atHand[0] !== 0) return true;
  for await (const padding of input.rest()) if (padding.some((byte) => byte !== 0)) throw isNone();
  return false;
}

function isNone(): CompressionError {
  return damaged('neither a member nor zeros follow its end');
}

async function skipHeader(input: ByteQueue): Promise<void> {
  const magic = await input.upTo(MAGIC.length);
  if (magic.some((byte, i) => byte !== MAGIC[i])) throw isNone();
  let checksum = crc32(magic);
  const next = async (count: number): Promise<Uint8Array> => {
    const bytes = await input.bytes(count);
    checksum = crc32(bytes, checksum);
    return bytes;
  };
  const [method, flags] = (await next(FIXED)) as unknown as [number, number];
  if (method !== DEFLATE) throw damaged('a method other than deflate');
  if ((flags & RESERVED) !== 0) throw damaged('a header has flags that mean nothing');
  if ((flags & EXTRA) !== 0) {
    const [low, high] = (await next(2)) as unknown as [number, number];
    await next(low + high * 256);
  }
  for (const text of [NAME, COMMENT]) if ((flags & text) !== 0) while ((await next(1))[0] !== 0);
  const checked = checksum & 0xffff;
  if ((flags & HEADER_CHECKSUM) !== 0 && (await input.number(2)) !== checked) throw damaged('the checksum of a header is wrong');
}
