import type { Decompress } from './room.ts';

export interface Format {
  readonly name: string;
  /** Whether a stream that begins with these bytes, MAGIC_BYTES or all that there are, is of the format. */
  readonly matches: (bytes: Uint8Array) => boolean;
  readonly decompress: Decompress;
  /** Whether it computes in the thread that asks, which then gets to nothing else. */
  readonly blocks: boolean;
}

/** Bytes that tell a format. */
export const MAGIC_BYTES = 6;
/** Bytes of a skippable frame's header: a magic number, and how many bytes follow. */
const SKIPPABLE_HEADER = 8;

const begins =
  (...magic: number[]) =>
  (bytes: Uint8Array): boolean =>
    magic.every((byte, at) => bytes[at] === byte);
const isZstd = begins(0x28, 0xb5, 0x2f, 0xfd);
const isLz4 = begins(0x04, 0x22, 0x4d, 0x18);
/** `lz4 -l`: the format before frames had ends. */
const isLegacyLz4 = begins(0x02, 0x21, 0x4c, 0x18);
/** A frame that zstd and lz4 both skip, and that a stream of either may begin with: those of pzstd do. */
const isSkippable = (bytes: Uint8Array): boolean => (bytes[0]! & 0xf0) === 0x50 && begins(0x2a, 0x4d, 0x18)(bytes.subarray(1));

/** A decompressor that is loaded when it is used: most captures are not compressed, and some bring a module of their own. */
const later = (load: () => Promise<Decompress>): Decompress =>
  async function* decompressed(chunks, room) {
    const decompress = await load();
    yield* decompress(chunks, room);
  };

const unzstd = later(async () => (await import('./libzstd.ts')).systemUnzstd() ?? (await import('./zstd.ts')).unzstd);
const unlz4 = later(async () => {
  const { unlz4: decompressor } = await import('./lz4.ts');
  return decompressor((await import('./liblz4.ts')).systemLz4() ?? (await import('./lz4-block.ts')).decodeBlock);
});

/** Passes over the frames that a stream begins with and that tell nothing, and takes the rest for what the first other one is. */
const afterSkippable = later(async () => {
  const { ByteQueue } = await import('./byte-queue.ts');
  return async function* decompressed(chunks, room) {
    const input = new ByteQueue(chunks, 'the compressed stream is cut');
    try {
      let head = await input.upTo(MAGIC_BYTES);
      for (; isSkippable(head); head = await input.upTo(MAGIC_BYTES)) {
        const rest = await input.bytes(SKIPPABLE_HEADER - head.length);
        await input.skip(Buffer.concat([head, rest]).readUInt32LE(SKIPPABLE_HEADER - 4));
      }
      const begun = head.slice(); // its memory may be written over
      async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
        yield begun;
        yield* input.rest();
      }
      const decompress = isLz4(begun) || isLegacyLz4(begun) ? unlz4 : unzstd;
      yield* decompress(all(), room);
    } finally {
      await input.close();
    }
  };
});

const FORMATS: readonly Format[] = [
  { name: 'gzip', matches: begins(0x1f, 0x8b), decompress: later(async () => (await import('./gzip.ts')).gunzip), blocks: false },
  { name: 'zstd', matches: isZstd, decompress: unzstd, blocks: true },
  { name: 'lz4', matches: (bytes) => isLz4(bytes) || isLegacyLz4(bytes), decompress: unlz4, blocks: true },
  { name: 'zstd or lz4', matches: isSkippable, decompress: afterSkippable, blocks: true },
  {
    name: 'xz',
    matches: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
    decompress: later(async () => (await import('./liblzma.ts')).systemUnxz() ?? (await import('./xz.ts')).unxz),
    blocks: true,
  },
];

/** The format of a stream that begins with these bytes: by content, whatever its name is. Undefined: it is not compressed. */
export function formatOf(bytes: Uint8Array): Format | undefined {
  return FORMATS.find(({ matches }) => matches(bytes));
}
