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

const begins =
  (...magic: number[]) =>
  (bytes: Uint8Array): boolean =>
    magic.every((byte, at) => bytes[at] === byte);
const isZstd = begins(0x28, 0xb5, 0x2f, 0xfd);
const isLz4 = begins(0x04, 0x22, 0x4d, 0x18);
/** `lz4 -l`: the format before frames had ends. */
const isLegacyLz4 = begins(0x02, 0x21, 0x4c, 0x18);
/** A frame that zstd and lz4 both skip: what it is before tells nothing, but pzstd and seekable zstd begin so. */
const isSkippable = (bytes: Uint8Array): boolean => (bytes[0]! & 0xf0) === 0x50 && begins(0x2a, 0x4d, 0x18)(bytes.subarray(1));

/** A decompressor that is loaded when it is used: most captures are not compressed, and some bring a module of their own. */
const later = (load: () => Promise<Decompress>): Decompress =>
  async function* decompressed(chunks, room) {
    const decompress = await load();
    yield* decompress(chunks, room);
  };

const FORMATS: readonly Format[] = [
  { name: 'gzip', matches: begins(0x1f, 0x8b), decompress: later(async () => (await import('./gzip.ts')).gunzip), blocks: false },
  {
    name: 'zstd',
    matches: (bytes) => isZstd(bytes) || isSkippable(bytes),
    decompress: later(async () => (await import('./libzstd.ts')).systemUnzstd() ?? (await import('./zstd.ts')).unzstd),
    blocks: true,
  },
  {
    name: 'lz4',
    matches: (bytes) => isLz4(bytes) || isLegacyLz4(bytes),
    decompress: later(async () => (await import('./lz4.ts')).unlz4),
    blocks: true,
  },
  {
    name: 'xz',
    matches: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
    decompress: later(async () => (await import('./xz.ts')).unxz),
    blocks: true,
  },
];

/** The format of a stream that begins with these bytes: by content, whatever its name is. Undefined: it is not compressed. */
export function formatOf(bytes: Uint8Array): Format | undefined {
  return FORMATS.find(({ matches }) => matches(bytes));
}
