// gzip (RFC 1952) member by member: what its headers may hold, and that nothing is lost to what is wrong behind the data.

import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompressionError } from '../../src/compression/errors.ts';
import { gunzip } from '../../src/compression/gzip.ts';
import { bytes } from '../support/packets.ts';

async function* inPieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

/** What comes out, and why it ended. */
async function gunzipped(content: Uint8Array, size: number): Promise<[output: Buffer, rule: string | undefined]> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of gunzip(inPieces(content, size))) chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    return [Buffer.concat(chunks), error.message];
  }
  return [Buffer.concat(chunks), undefined];
}

const text = (length: number, seed = 1): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1).toString(36)).join(' '));
const SIZES = [1, 100, 1 << 20];
const plain = text(700);
const whole = gzipSync(plain);
/** With another byte at `at`, from the end where that is negative. */
function changed(content: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(content);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = copy[index]! ^ 1;
  return copy;
}

const GARBAGE = 'the gzip stream is damaged (neither a member nor zeros follow its end)';
const CHECKSUM = 'the gzip stream is damaged (its checksum is wrong)';
const LENGTH = 'the gzip stream is damaged (its length is wrong)';
const CUT = 'the gzip stream is cut';

describe('a gzip whose data is whole loses nothing', () => {
  it.each([
    ['bytes that are no member', bytes(whole, 1, 2, 3), GARBAGE],
    ['one byte', bytes(whole, 1), GARBAGE],
    ['half a magic number', bytes(whole, 0x1f), CUT],
    ['zeros and a member', bytes(whole, new Uint8Array(5000), whole), GARBAGE],
    ['a wrong checksum', changed(whole, -8), CHECKSUM],
    ['a wrong length', changed(whole, -1), LENGTH],
    ['no checksum', whole.subarray(0, -8), CUT],
    ['half a length', whole.subarray(0, -2), CUT],
  ])('to %s', async (_what, content, rule) => {
    for (const size of SIZES) {
      const [output, told] = await gunzipped(content, size);
      expect([size, output.equals(plain), told]).toEqual([size, true, rule]);
    }
  });
});

/** A member with a header as long as it can be. */
function member(content: Uint8Array, { flags = 0x1f, headerChecksum = 0, method = 8 } = {}): Uint8Array {
  const field = new Uint8Array(300).fill(0x1f);
  const header = bytes(0x1f, 0x8b, method, flags, 1, 2, 3, 4, 0, 3, 300 & 0xff, 300 >> 8, field, Buffer.from('name\0and a comment\0'));
  const checked = (crc32(header) & 0xffff) ^ headerChecksum;
  const trailer = new Uint8Array(Uint32Array.of(crc32(content), content.length).buffer);
  return bytes(header, checked & 0xff, checked >> 8, deflateRawSync(content), trailer);
}

describe('a header', () => {
  it.each(SIZES)('may hold all that there is, in pieces of %i bytes', async (size) => {
    const content = bytes(member(plain), member(new Uint8Array(0)), member(plain));
    const [output, rule] = await gunzipped(content, size);
    expect([output.equals(Buffer.concat([plain, plain])), rule]).toEqual([true, undefined]);
  });

  it.each([
    ['the checksum of a header is wrong', { headerChecksum: 1 }],
    ['a header has flags that mean nothing', { flags: 0x3f }],
    ['a method other than deflate', { method: 7 }],
  ])('is damaged: %s', async (rule, options) => {
    for (const size of SIZES) {
      const [output, told] = await gunzipped(bytes(whole, member(plain, options)), size);
      expect([size, output.equals(plain), told]).toEqual([size, true, `the gzip stream is damaged (${rule})`]);
    }
  });

  it('that is cut anywhere is told of', async () => {
    const content = member(plain);
    for (let cut = 1; cut < 340; cut++) expect((await gunzipped(content.subarray(0, cut), 50))[1]).toBe(CUT);
  });
});

describe('many members', () => {
  const contents = Array.from({ length: 1200 }, (_, i) => text(i % 7, i));
  const compressed = contents.map((content) => gzipSync(content));
  const upTo = (count: number): Buffer => Buffer.concat(contents.slice(0, count));
  const damagedAt = (index: number, damaged: Uint8Array): Uint8Array =>
    bytes(...compressed.slice(0, index), damaged, ...compressed.slice(index + 1));

  it.each([7, 1000, 1 << 18])('in pieces of %i bytes are all read', async (size) => {
    const [output, rule] = await gunzipped(bytes(...compressed), size);
    expect([output.equals(upTo(1200)), rule]).toEqual([true, undefined]);
  });

  it.each([7, 1000, 1 << 18])('in pieces of %i bytes give all up to what is damaged, and that only once', async (size) => {
    for (const [damaged, rule] of [
      [changed(compressed[800]!, -8), CHECKSUM],
      [changed(compressed[800]!, -1), LENGTH],
      [bytes(compressed[800]!, 0, 0), GARBAGE],
      [bytes(compressed[800]!, 7), GARBAGE],
    ] as const) {
      const [output, told] = await gunzipped(damagedAt(800, damaged), size);
      expect([output.equals(upTo(801)), told]).toEqual([true, rule]);
    }
  });

  it('that hold what a member begins with are told from it, wherever a piece ends', async () => {
    const tricky = Buffer.alloc(500, Buffer.of(0x1f, 0x8b, 8, 0));
    const stored = gzipSync(tricky, { level: 0 }); // as it is
    for (let size = 200; size < 1700; size += 29) {
      const [output, rule] = await gunzipped(bytes(whole, stored, stored, stored, whole), size);
      expect([size, output.equals(Buffer.concat([plain, tricky, tricky, tricky, plain])), rule]).toEqual([size, true, undefined]);
    }
  });

  it('give all of those in front of a damaged byte', async () => {
    const ends = compressed.map(
      (
        (end) => (content: Uint8Array) =>
          (end += content.length)
      )(0),
    );
    const all = bytes(...compressed);
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - 1), fc.integer({ min: 1, max: 1 << 16 }), async (at, size) => {
        const before = upTo(ends.findIndex((end) => end > at));
        const [output] = await gunzipped(changed(all, at), size + 200);
        expect(output.subarray(0, before.length).equals(before)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

it('a member of which nobody takes anything is not decompressed any further', async () => {
  const large = gzipSync(new Uint8Array(200 << 20), { level: 1 });
  let taken = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of inPieces(large, 1000)) {
      taken += chunk.length;
      yield chunk;
    }
  }
  const chunks = gunzip(counted());
  expect((await chunks.next()).done).toBe(false);
  const before = taken;
  await new Promise((resolve) => void setTimeout(resolve, 200));
  expect(taken - before).toBeLessThan(large.length / 4);
  await chunks.return(undefined);
});

it('members that have come are given before more is waited for, however many come at once', async () => {
  const given: Buffer[] = [];
  const plains = [text(50, 1), text(50, 2), text(50, 3), text(50, 4), text(50, 5)];
  async function* live(): AsyncGenerator<Uint8Array> {
    yield gzipSync(plains[0]!);
    yield bytes(...plains.slice(1, 4).map((one) => gzipSync(one)));
    // Whoever asks for more has taken all of that.
    expect(Buffer.concat(given).equals(Buffer.concat(plains.slice(0, 4)))).toBe(true);
    yield gzipSync(plains[4]!);
  }
  for await (const chunk of gunzip(live())) given.push(Buffer.from(chunk));
  expect(Buffer.concat(given).equals(Buffer.concat(plains))).toBe(true);
});
