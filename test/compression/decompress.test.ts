// The same capture, compressed by the formats' own tools: whole, in several members, cut and damaged anywhere.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompressBeside } from '#lib/shard/decompression.js';
import { formatOf, MAGIC_BYTES } from '../../src/compression/decompress.ts';
import { CompressionError } from '../../src/compression/errors.ts';
import { gunzip } from '../../src/compression/gzip.ts';
import { systemLz4 } from '../../src/compression/liblz4.ts';
import { systemUnxz } from '../../src/compression/liblzma.ts';
import { systemUnzstd } from '../../src/compression/libzstd.ts';
import { decodeBlock } from '../../src/compression/lz4-block.ts';
import { unlz4 } from '../../src/compression/lz4.ts';
import type { Decompress, Room } from '../../src/compression/room.ts';
import { unxz } from '../../src/compression/xz.ts';
import { unzstd } from '../../src/compression/zstd.ts';
import { openLibrary } from '../../src/platform/library.ts';
import { processors } from '../../src/shard/parallelism.ts';
import { bytes } from '../support/packets.ts';

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../captures/${name}`, import.meta.url)));
const plain = read('all_eth.pcap');
const SKIPPABLE = bytes(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

async function* inPieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

/** What comes out, and why it ended. */
async function decompressed(
  content: Uint8Array,
  size = 1000,
  decompress = formatOf(content.subarray(0, MAGIC_BYTES))?.decompress,
): Promise<{ output: Buffer; rule: string | undefined }> {
  const chunks: Uint8Array[] = [];
  if (!decompress) throw new Error('not compressed');
  try {
    for await (const chunk of decompress(inPieces(content, size))) chunks.push(chunk.slice());
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    return { output: Buffer.concat(chunks), rule: error.message };
  }
  return { output: Buffer.concat(chunks), rule: undefined };
}

async function* beside(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const rule = yield* decompressBeside(chunks);
  if (rule !== undefined) throw new CompressionError(rule);
}

const system = systemUnzstd();
const systemBlocks = systemLz4();
const systemXz = systemUnxz();

/** A ring that others give, now a large part and now a small one of it, and where what is put behind its end belongs to its beginning. */
class Ring implements Room {
  readonly kept: number;
  /** How often room was given. */
  turns = 0;
  readonly #length: number;
  readonly #memory: Uint8Array;

  constructor(length: number) {
    this.#length = length;
    this.kept = length - (1 << 19);
    this.#memory = new Uint8Array(new SharedArrayBuffer(length + (1 << 17)));
  }

  async room(position: number, least: number): Promise<Uint8Array> {
    const at = position % this.#length;
    return this.#memory.subarray(at, at + [least, least + 1, 1 << 19][this.turns++ % 3]!);
  }
}

const intoRoom: Decompress = (chunks) => system!(chunks, new Ring(1 << 20));

/** Of zstd.h, ZSTD_cParameter: windowLog and checksumFlag. */
const WINDOW_LOG = 100 + 1;
const CHECKSUM_FLAG = 200 + 1;

/** Bytes as one frame of zstd with a checksum and a window of 2^`windowLog`, as the system's library makes it. */
function frame(content: Uint8Array, windowLog: number): Uint8Array {
  const library = openLibrary('libzstd.so.1')!;
  const create = library.func('uintptr_t ZSTD_createCCtx()') as () => number;
  const free = library.func('size_t ZSTD_freeCCtx(uintptr_t context)') as (context: number) => void;
  const set = library.func('size_t ZSTD_CCtx_setParameter(uintptr_t context, int parameter, int value)') as (...of: number[]) => number;
  const compress = library.func(
    'size_t ZSTD_compress2(uintptr_t context, uintptr_t output, size_t room, uintptr_t input, size_t bytes)',
  ) as (...of: (number | bigint)[]) => number;
  const output = new Uint8Array(content.length * 2 + 1000);
  const context = create();
  set(context, WINDOW_LOG, windowLog);
  set(context, CHECKSUM_FLAG, 1);
  const length = compress(context, library.address(output), output.length, library.address(content), content.length);
  free(context);
  return output.slice(0, length);
}

/** Zstd by the system's library, where it is to be had, and without; and in another thread, as the program does it. */
const WAYS: [name: string, suffix: string, way?: Decompress][] = [
  ['gz', 'gz'],
  ...(system ? [['zst by the library', 'zst', system] satisfies [string, string, Decompress]] : []),
  ...(system ? [['zst by the library, into room', 'zst', intoRoom] satisfies [string, string, Decompress]] : []),
  ['zst by WebAssembly', 'zst', unzstd],
  ...(systemBlocks ? [['lz4 by the library', 'lz4', unlz4(systemBlocks)] satisfies [string, string, Decompress]] : []),
  ['lz4 without it', 'lz4', unlz4(decodeBlock)],
  ...(systemXz ? [['xz by the library', 'xz', systemXz] satisfies [string, string, Decompress]] : []),
  ['xz by WebAssembly', 'xz', unxz],
  ...['zst', 'lz4', 'xz'].map((suffix): [string, string, Decompress] => [`${suffix} in a thread`, suffix, beside]),
];

describe('a small gzip that is cut', () => {
  it('gives all that came before, also where nobody takes it for a while', async () => {
    const numbers = Array.from({ length: 3000 }, (_, i) => Math.imul(i, 0x9e3779b1).toString(36)).join(' ');
    const content = gzipSync(numbers);
    const cut = content.subarray(0, content.length - 2000);
    const chunks: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      for await (const chunk of gunzip(inPieces(cut, cut.length))) {
        chunks.push(chunk.slice());
        if (chunks.length === 1) await setTimeout(200);
      }
    };
    await expect(reading()).rejects.toThrow('the gzip stream is cut');
    const output = Buffer.concat(chunks).toString();
    expect(numbers.startsWith(output)).toBe(true);
    expect(output.length).toBe(inflated(cut));
  });
});

describe.skipIf(!system)('a zstd that the library does not read as it is (skipped without libzstd)', () => {
  const MAGIC = bytes(0x28, 0xb5, 0x2f, 0xfd);
  const BLOCK = bytes(0x09, 0x00, 0x00, 0x61);
  it.each([
    // RFC 8878 §3.1.1.1: the descriptor, the window's exponent above 10, the dictionary's number.
    ['a window of 2 GiB', bytes(MAGIC, 0x00, (31 - 10) << 3, BLOCK), 'has a larger window than is supported'],
    ['a dictionary', bytes(MAGIC, 0x01, 0x00, 7, BLOCK), 'needs a dictionary'],
  ])('because of %s is not called damaged', async (_what, content, rule) => {
    const { rule: told } = await decompressed(content, 1000, system);
    expect(told).toContain(rule);
  });
});

it('a library that lacks what is called, or that there is not, is done without', () => {
  for (const name of ['libc.so.6', 'libnone.so.1'])
    expect([name, systemUnzstd(name), systemLz4(name), systemUnxz(name)]).toEqual([name, undefined, undefined, undefined]);
});

describe.skipIf(!system)('a zstd that repeats what is far back (skipped without libzstd)', () => {
  /** Random bytes, behind which are parts of them from anywhere before. */
  const content = new Uint8Array(5_000_011);
  let random = 1;
  const next = (): number => (random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0);
  for (let at = 0; at < content.length; ) {
    const length = Math.min(content.length - at, 1 + (next() % 3000));
    if (at < 300_000 || next() % 8 === 0) for (const end = at + length; at < end; ) content[at++] = next() >>> 24;
    else {
      const from = next() % (at - length);
      content.copyWithin(at, from, from + length);
      at += length;
    }
  }
  const far = [17, 18, 19, 22].map((windowLog) => [windowLog, frame(content, windowLog)] as const);

  it.each(far)('as far as in a window of 2^%i bytes', async (_windowLog, zstd) => {
    expect(zstd.length).toBeLessThan(content.length * 0.9); // much of it is repeated
    for (const size of [1000, zstd.length])
      for (const way of [system!, intoRoom]) {
        const { output, rule } = await decompressed(zstd, size, way);
        expect([size, rule, output.equals(content)]).toEqual([size, undefined, true]);
      }
  });

  it('into a ring, if that keeps enough for each frame, and wherever it begins anew', async () => {
    // A frame, of which too much is repeated, between others: it goes into memory of its own.
    const frames = far.flatMap(([windowLog, zstd], i) => [zstd, frame(content.subarray(0, 100_000 + i * 12_345), windowLog), SKIPPABLE]);
    const ring = new Ring(1 << 20);
    const parts = far.flatMap((_, i) => [content, content.subarray(0, 100_000 + i * 12_345)]);
    const { output, rule } = await decompressed(bytes(...frames), 50_000, (chunks) => system!(chunks, ring));
    expect([rule, output.equals(Buffer.concat(parts))]).toEqual([undefined, true]);
    expect(ring.turns).toBeGreaterThan(30);
  });

  it('and ends as soon as nobody wants any more', async () => {
    let turns = 0;
    const room: Room = { kept: 1 << 30, room: async (_, least) => (turns++ < 3 ? new Uint8Array(least) : undefined) };
    const { output, rule } = await decompressed(frame(content, 17), 1000, (chunks) => system!(chunks, room));
    expect([rule, output.equals(content.subarray(0, 3 << 17))]).toEqual([undefined, true]);
  });
});

describe('a gzip that is padded with zeros', () => {
  const content = gzipSync(plain);

  it.each([100, 1000, 1 << 20])('in pieces of %i bytes is read up to them, and anything behind them is told of', async (size) => {
    for (const zeros of [1, 512, 100_000]) {
      const padded = bytes(content, new Uint8Array(zeros));
      const whole = await decompressed(padded, size);
      expect([zeros, whole.rule, whole.output.equals(plain)]).toEqual([zeros, undefined, true]);
      const more = await decompressed(bytes(padded, content), size);
      expect([zeros, more.rule, more.output.equals(plain)]).toEqual([zeros, expect.stringContaining('the gzip stream is damaged'), true]);
    }
  });
});

/** Bytes that zlib makes of a stream that is cut. */
const inflated = (content: Uint8Array): number => gunzipSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).length;

describe.each(WAYS)('%s', (_name, suffix, way) => {
  const content = read(`all_eth.pcap.${suffix}`);

  it.each([1, 7, 1000, 1 << 20])('is decompressed in pieces of %i bytes', async (size) => {
    const { output, rule } = await decompressed(content, size, way);
    expect(rule).toBeUndefined();
    expect(output.equals(plain)).toBe(true);
  });

  it('may have several members', async () => {
    const { output, rule } = await decompressed(bytes(content, content, content), 1000, way);
    expect(rule).toBeUndefined();
    expect(output.equals(Buffer.concat([plain, plain, plain]))).toBe(true);
  });

  it('gives what comes before a cut, and tells of it', async () => {
    let longest = 0;
    for (let cut = MAGIC_BYTES; cut < content.length; cut += 61) {
      const { output, rule } = await decompressed(content.subarray(0, cut), 1000, way);
      expect(rule).toMatch(/cut/);
      expect(output.equals(plain.subarray(0, output.length))).toBe(true);
      longest = Math.max(longest, output.length);
    }
    // Blocks come out as a whole, and this capture is one; gzip and xz give what they have.
    if (suffix === 'gz' || suffix === 'xz') expect(longest).toBeGreaterThan(plain.length / 2);
  });

  it('gives what comes before the second member, where that is damaged', async () => {
    const second = content.slice();
    second.fill(0xff, Math.floor(second.length / 2));
    const { output, rule } = await decompressed(bytes(content, second), 100, way);
    expect(rule).toMatch(/damaged|cut/);
    expect(output.subarray(0, plain.length).equals(plain)).toBe(true);
  });

  it('ends, whatever is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (errors) => {
        const damaged = content.slice();
        for (const [at, value] of errors) damaged[MAGIC_BYTES + (at % (damaged.length - MAGIC_BYTES))] = value;
        await decompressed(damaged, 1000, way);
      }),
      { numRuns: 200 },
    );
  });

  it('may be left in the midst', async () => {
    const decompress = way ?? formatOf(content)!.decompress;
    for (let i = 0; i < 50; i++) {
      for await (const chunk of decompress(inPieces(bytes(content, content), 500))) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
  });

  it('hands on what its source throws', async () => {
    const decompress = way ?? formatOf(content)!.decompress;
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, 500);
      throw new RangeError('the disk has gone');
    }
    const all = async (): Promise<void> => {
      for await (const _ of decompress(failing()));
    };
    await expect(all()).rejects.toThrow('the disk has gone');
  });
});

const number = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

describe('an lz4 block that claims more than its frame allows', () => {
  it.each(WAYS.filter(([, suffix]) => suffix === 'lz4'))(
    'is damage, also where it is stored as it is, by %s',
    async (_name, _suffix, way) => {
      const largest = Buffer.alloc(1 << 16, plain);
      const stored = (length: number): Uint8Array => number((0x80000000 | length) >>> 0);
      // Linked blocks of 64 KB, of which the first is history for the second.
      const header = Uint8Array.of(0x40, 0x40, 0xc0);
      const first = bytes(number(0x184d2204), header, stored(largest.length), largest);
      const damaged = bytes(first, stored(largest.length + 8), largest, new Uint8Array(8));
      const { output, rule } = await decompressed(damaged, 1000, way);
      expect(rule).toMatch(/damaged: a block of/);
      expect(output.equals(largest)).toBe(true);
    },
  );
});

describe('an lz4 block that is cut', () => {
  const content = read('all_eth.pcap.lz4');

  it.each(WAYS.filter(([, suffix]) => suffix === 'lz4'))('gives what there is of it, by %s', async (_name, _suffix, way) => {
    let longest = 0;
    for (let length = 16; length < content.length - 8; length += 1009) {
      const { output, rule } = await decompressed(content.subarray(0, length), 1000, way);
      expect(rule).toMatch(/cut/);
      expect(output.equals(plain.subarray(0, output.length))).toBe(true);
      expect(output.length).toBeGreaterThanOrEqual(longest);
      longest = output.length;
    }
    expect(longest).toBeGreaterThan(plain.length * 0.8);
  });
});

/** A block of a legacy frame that says its content as it is. */
const legacyBlock = (literals: Uint8Array): Uint8Array => {
  const rest = literals.length - 15;
  const encoded = bytes(Uint8Array.of(0xf0), new Uint8Array(Math.floor(rest / 255)).fill(255), Uint8Array.of(rest % 255), literals);
  return bytes(number(encoded.length), encoded);
};

describe('an lz4 of the legacy format', () => {
  const content = read('all_eth.pcap.legacy'); // lz4 -l
  it.each(WAYS.filter(([, suffix]) => suffix === 'lz4'))('is read, also with other frames, by %s', async (_name, _suffix, way) => {
    expect((await decompressed(content, 100, way)).output.equals(plain)).toBe(true);
    const { output, rule } = await decompressed(bytes(content, content, SKIPPABLE, read('all_eth.pcap.lz4'), content), 1000, way);
    expect([output.equals(bytes(plain, plain, plain, plain)), rule]).toEqual([true, undefined]);
  });

  it('is read in all of its blocks, which end with the stream', async () => {
    const large = new Uint8Array(8 << 20).map((_, at) => at * 7 + (at >> 9));
    const { output, rule } = await decompressed(bytes(content.subarray(0, 4), legacyBlock(large), legacyBlock(plain)), 100_000);
    expect([output.equals(bytes(large, plain)), rule]).toEqual([true, undefined]);
  });

  it('gives what there is of it where it is cut', async () => {
    let longest = 0;
    for (let length = 5; length < content.length; length += 501) {
      const { output, rule } = await decompressed(content.subarray(0, length));
      expect(rule).toMatch(/cut/);
      expect(output.equals(plain.subarray(0, output.length))).toBe(true);
      expect(output.length).toBeGreaterThanOrEqual(longest);
      longest = output.length;
    }
    expect(longest).toBeGreaterThan(plain.length * 0.8);
  });

  it('is damaged where a block has more than it may, or nothing decodes', async () => {
    for (const wrong of [legacyBlock(new Uint8Array((8 << 20) + 1)), bytes(number(3), Uint8Array.of(0x01, 0xff, 0xff))]) {
      const { output, rule } = await decompressed(bytes(content, wrong), 1 << 20);
      expect([output.equals(plain), rule]).toEqual([true, expect.stringMatching(/damaged/)]);
    }
  });
});

/** Bytes of the same length whose last one is another. */
const lastChanged = (content: Uint8Array): Uint8Array => content.map((byte, at) => (at === content.length - 1 ? byte ^ 1 : byte));

/** The WebAssembly that decompresses zstd hands nothing on of a block that something wrong follows. */
const ofBlocks = WAYS.filter(([name, suffix]) => suffix !== 'gz' && (suffix !== 'zst' || (system && name !== 'zst by WebAssembly')));

describe('what is wrong behind the last block', () => {
  it.each(ofBlocks.filter(([, suffix]) => suffix !== 'xz'))('costs nothing before it: a checksum, by %s', async (_name, suffix, way) => {
    const { output, rule } = await decompressed(lastChanged(read(`all_eth.pcap.${suffix}`)), 1 << 20, way);
    expect(rule).toMatch(/checksum/);
    expect(output.equals(plain)).toBe(true);
  });

  it.each(ofBlocks)('costs nothing before it: other bytes, by %s', async (_name, suffix, way) => {
    const { output, rule } = await decompressed(bytes(read(`all_eth.pcap.${suffix}`), new Uint8Array(100).fill(7)), 1 << 20, way);
    expect(rule).toMatch(/damaged/);
    expect(output.equals(plain)).toBe(true);
  });
});

describe('skippable frames', () => {
  it.each(WAYS.filter(([, suffix]) => ['zst', 'lz4'].includes(suffix)))('are skipped by %s', async (_name, suffix, way) => {
    const content = read(`all_eth.pcap.${suffix}`);
    const { output, rule } = await decompressed(bytes(content, SKIPPABLE, content), 1000, way);
    expect(rule).toBeUndefined();
    expect(output.length).toBe(2 * plain.length);
  });

  it.each(['zst', 'lz4'])('may come first, as those of pzstd do, of %s', async (suffix) => {
    const content = bytes(SKIPPABLE, SKIPPABLE.subarray(0, 4), new Uint8Array(4), read(`all_eth.pcap.${suffix}`));
    for (const size of [1, 7, content.length]) {
      const { output, rule } = await decompressed(content, size);
      expect([size, rule, output.equals(plain)]).toEqual([size, undefined, true]);
    }
  });

  it('may be all that there is, and are told of where they are cut', async () => {
    expect(await decompressed(SKIPPABLE)).toEqual({ output: Buffer.alloc(0), rule: undefined });
    for (const length of [6, 7, SKIPPABLE.length - 1]) expect((await decompressed(SKIPPABLE.subarray(0, length))).rule).toContain('is cut');
    expect((await decompressed(bytes(SKIPPABLE, 1, 2, 3, 4, 5, 6))).rule).toContain('damaged');
  });
});

it.skipIf(!systemXz)('what the library of xz reads is kept while it is read, whoever lets go of it', () => {
  // In a process whose code is optimized at once: only then is memory let go of as early as it may be.
  const script = `
    import { readFileSync } from 'node:fs';
    import { systemUnxz } from '${new URL('../../lib/compression/liblzma.js', import.meta.url).href}';
    const content = readFileSync('${new URL('../captures/long.pcap.xz', import.meta.url).pathname}');
    const PIECE = 20 * content.length;
    async function* pieces() {
      for (let i = 0; i < 10; i++) yield Uint8Array.from(Buffer.concat(Array(20).fill(content)));
    }
    let bytes = 0;
    for await (const chunk of systemUnxz()(pieces())) {
      bytes += chunk.length;
      gc();
      Array.from({ length: 20 }, () => new Uint8Array(PIECE).fill(0xff)); // where it was, if it is gone
    }
    console.log(bytes);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--always-turbofan', '--expose-gc', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect([stdout, stderr]).toEqual([`${200 * 441_514}\n`, '']);
});

describe('xz that is not of the usual kind', () => {
  // Of one byte: xz --check=sha256, --x86 --lzma2, --delta --lzma2, and --lzma2=dict=1GiB.
  it.each([
    [
      'a check or a filter',
      'fd377a585a00000ae1fb0ca10200210116000000742fe5a30100006100000000ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb000131010f82dc91189b4b9a01000000000a595a',
    ],
    [
      'a check or a filter',
      'fd377a585a000004e6d6b44602010400210116000d86351f0100006100000000052b652e7784023300011901a52c81cc1fb6f37d010000000004595a',
    ],
    [
      'a check or a filter',
      'fd377a585a000004e6d6b44602010301002101167920c4ee0100006100000000052b652e7784023300011901a52c81cc1fb6f37d010000000004595a',
    ],
    ['a larger dictionary', 'fd377a585a000000ff12d94102002101240000005e1fc7f9010000610000000000011101ada6580406729e7a010000000000595a'],
  ])(
    'because of %s is told as such by WebAssembly, and what reads it; the library reads it, if there is memory for it',
    async (what, hex) => {
      const content = Buffer.from(hex, 'hex');
      const { rule } = await decompressed(content, 1000, unxz);
      expect(rule).toMatch(new RegExp(`has ${what} .*supported \\(xz -dc reads it\\)$`));
      if (!systemXz) return;
      const byLibrary = await decompressed(content, 1000, systemXz);
      if (what === 'a larger dictionary') expect(byLibrary.rule).toBe(rule);
      else expect(byLibrary).toEqual({ output: Buffer.from('a'), rule: undefined });
    },
  );
});

it('streams that are open at once need no more threads than there are processors, in whatever order they are read', async () => {
  let threads = 0;
  let most = 0;
  const count = (worker: Worker): void => {
    most = Math.max(most, ++threads);
    worker.once('exit', () => threads--);
  };
  process.on('worker', count);
  // More than a thread may have ahead of its reader.
  const repeats = Math.ceil((8 << 20) / plain.length);
  const contents = ['zst', 'lz4', 'xz'].map((suffix) => bytes(...Array.from({ length: repeats }, () => read(`all_eth.pcap.${suffix}`))));
  const streams = [...contents, ...contents, ...contents, ...contents].map((content) => beside(inPieces(content, 1 << 16)));
  const lengths = [];
  for (const stream of streams) lengths.push((await stream.next()).value?.length ?? 0);
  for (let i = streams.length - 1; i >= 0; i--) for await (const chunk of streams[i]!) lengths[i]! += chunk.length;
  process.off('worker', count);
  expect(lengths).toEqual(streams.map(() => repeats * plain.length));
  expect(most).toBeLessThanOrEqual(processors());
});

it('what is not compressed is left alone', () => {
  for (const content of [plain, bytes(), bytes(0x1f), bytes(0x28, 0xb5)])
    expect(formatOf(content.subarray(0, MAGIC_BYTES))).toBeUndefined();
});
