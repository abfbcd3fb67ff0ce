// The LZ4 frame format (lz4_Frame_format.md 1.6.4), because no kept package reads it as a stream: frames of independent or of
// linked blocks, skippable and legacy frames, and all checksums, without which damage would go unnoticed.
//
//   magic | flags | block size | [content size] | [dictionary] | header checksum | blocks | 0 | [content checksum]
//   legacy magic | blocks

import xxhash from 'xxhash-wasm';
import { ByteQueue } from './byte-queue.ts';
import { CompressionError } from './errors.ts';
import { type DecodeBlock, decodeCut, HISTORY } from './lz4-block.ts';
import type { Decompress } from './room.ts';

const MAGIC = 0x184d2204;
const LEGACY = 0x184c2102;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;

const VERSION = 0x40;
const VERSION_MASK = 0xc0;
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;

const CUT = 'the lz4 stream is cut';

const UNCOMPRESSED = 0x80000000;
/** Bytes of a legacy frame's block; and as many as it may be compressed to: more is no size, but the magic of the next frame. */
const LEGACY_BLOCK = 8 << 20;
const LEGACY_LARGEST = LEGACY_BLOCK + Math.floor(LEGACY_BLOCK / 255) + 16;

/** Decompresses lz4 frames; what comes out of it throws CompressionError. */
export function unlz4(decodeBlock: DecodeBlock): Decompress {
  return (chunks) => frames(decodeBlock, chunks);
}

async function* frames(decodeBlock: DecodeBlock, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const hashes = await xxhash();
  const input = new ByteQueue(chunks, CUT);
  try {
    for (let magic = await next(input); magic !== undefined; ) {
      if (magic === LEGACY) magic = yield* legacyFrame(decodeBlock, input);
      else {
        if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE) await input.skip(await input.number(4));
        else if (magic === MAGIC) yield* frame(decodeBlock, input, hashes);
        else throw new CompressionError('the lz4 stream is damaged: what follows a frame is none');
        magic = await next(input);
      }
    }
  } finally {
    await input.close();
  }
}

/** The next word; undefined where the stream ends. */
async function next(input: ByteQueue): Promise<number | undefined> {
  return (await input.more()) ? input.number(4) : undefined;
}

async function* frame(
  decodeBlock: DecodeBlock,
  input: ByteQueue,
  hashes: Awaited<ReturnType<typeof xxhash>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const flags = await input.number(1);
  const sizes = await input.number(1);
  if ((flags & VERSION_MASK) !== VERSION) throw new CompressionError('the lz4 stream has an unknown version');
  const optional = await input.bytes((flags & CONTENT_SIZE ? 8 : 0) + (flags & DICTIONARY ? 4 : 0));
  if ((flags & DICTIONARY) !== 0) throw new CompressionError('the lz4 stream needs a dictionary');
  const checked = Uint8Array.of(flags, sizes, ...optional);
  if ((await input.number(1)) !== ((hashes.h32Raw(checked) >>> 8) & 0xff))
    throw new CompressionError('the lz4 stream has a damaged header');
  const largest = 1 << (8 + 2 * ((sizes >> 4) & 7));
  const content = hashes.create32();
  // What was given before stays in front, as far as a match may reach.
  const output = new Uint8Array(HISTORY + largest);
  let history = 0;
  for (let size = await input.number(4); size !== 0; size = await input.number(4)) {
    const length = (size & ~UNCOMPRESSED) >>> 0;
    if (length > largest) throw new CompressionError(`the lz4 stream is damaged: a block of ${length} bytes`);
    const block = await input.upTo(length);
    const whole = block.length === length;
    if (whole && (flags & BLOCK_CHECKSUM) !== 0 && (await input.number(4)) !== hashes.h32Raw(block) >>> 0)
      throw new CompressionError('the lz4 stream is damaged: a checksum is wrong');
    let end = history + block.length;
    if (size >= UNCOMPRESSED) output.set(block, history);
    else end = (whole ? decodeBlock : decodeCut)(block, output, history);
    const part = output.subarray(history, end);
    if ((flags & CONTENT_CHECKSUM) !== 0) content.update(part);
    if (part.length > 0) yield part;
    if (!whole) throw new CompressionError(CUT);
    history = (flags & INDEPENDENT) === 0 ? Math.min(end, HISTORY) : 0;
    output.copyWithin(0, end - history, end);
  }
  if ((flags & CONTENT_CHECKSUM) !== 0 && (await input.number(4)) !== content.digest() >>> 0)
    throw new CompressionError('the lz4 stream is damaged: its checksum is wrong');
}

/** A frame of `lz4 -l`, which has neither an end nor checksums; answers what the one behind it begins with. */
async function* legacyFrame(decodeBlock: DecodeBlock, input: ByteQueue): AsyncGenerator<Uint8Array, number | undefined, undefined> {
  const output = new Uint8Array(LEGACY_BLOCK);
  for (;;) {
    const size = await next(input);
    if (size === undefined || size > LEGACY_LARGEST) return size;
    const block = await input.upTo(size);
    const whole = block.length === size;
    const end = (whole ? decodeBlock : decodeCut)(block, output, 0);
    if (end > 0) yield output.subarray(0, end);
    if (!whole) throw new CompressionError(CUT);
  }
}
