// The file header, and what files that have none seem to be.

import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import { firstSecond, parsePcapHeader } from '../../src/capture/pcap.ts';
import { inMemory } from '../decode/decoding.ts';
import { bytes, pcap, pcapHeader } from '../support/packets.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const fault = (content: Uint8Array): CaptureError => {
  try {
    parsePcapHeader('x.pcap', content);
  } catch (error) {
    if (error instanceof CaptureError) return error;
  }
  throw new Error('no CaptureError');
};
const withWord = (at: number, value: number): Uint8Array => {
  const header = pcapHeader();
  new DataView(header.buffer).setUint32(at, value, true);
  return header;
};

describe('pcap header', () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('is read in every byte order and resolution (big-endian %s, nanoseconds %s)', (bigEndian, nanoseconds) => {
    expect(parsePcapHeader('x.pcap', pcapHeader({ bigEndian, nanoseconds, linkType: 113, snaplen: 96 }))).toEqual({
      linkType: 113,
      swapped: bigEndian,
      fractionNs: nanoseconds ? 1 : 1000,
      snaplen: 96,
      limit: 262144,
      headerBytes: 24,
    });
  });

  it('reads the link type without the FCS length above it', () => {
    expect(parsePcapHeader('x.pcap', withWord(20, 0x54000001)).linkType).toBe(1);
  });

  it.each([
    [1, 0, 262_144],
    [1, 65_535, 262_144],
    [1, 1_000_000, 1_000_000],
    [1, 0xffffffff, 32 << 20],
    [231, 65_535, 32 << 20],
  ])('bounds the records of link type %i with a snapshot length of %i by %i', (linkType, snaplen, limit) => {
    expect(parsePcapHeader('x.pcap', pcapHeader({ linkType, snaplen })).limit).toBe(limit);
  });

  it.each<[what: string, content: Uint8Array, offset: number, words: RegExp]>([
    ['an empty file', bytes(), 0, /empty/],
    ['a header cut', pcapHeader().subarray(0, 23), 23, /ends within its header of 24 bytes/],
    ['only a magic', pcapHeader().subarray(0, 4), 4, /ends within its header/],
    ['another version', withWord(4, 0x00040003), 4, /version 3\.4/],
    ['pcapng', bytes(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28), 0, /pcapng/],
    ['gzip', bytes(0x1f, 0x8b, 8, 0), 0, /gzip/],
    ['zstd', bytes(0x28, 0xb5, 0x2f, 0xfd), 0, /zstd/],
    ['lz4', bytes(0x04, 0x22, 0x4d, 0x18), 0, /lz4/],
    ['xz', bytes(0xfd, text('7zXZ'), 0), 0, /xz/],
    ['bzip2', text('BZh91AY'), 0, /bzip2/],
    ['zip', bytes(text('PK'), 3, 4), 0, /zip/],
    ['snoop', bytes(text('snoop'), 0, 0, 0, 0, 0, 0, 2), 0, /snoop/],
    ['netmon', text('GMBU'), 0, /Network Monitor/],
    ['text', text('No. Time Source Destination\n'), 0, /text/],
    ['a little text', text('a'), 0, /text/],
    ['noise', bytes(1, 2, 3, 4, 5), 0, /begins with the bytes 01 02 03 04/],
    ['one byte', bytes(0xd4), 0, /begins with the bytes d4/],
  ])('names %s', (_what, content, offset, words) => {
    const error = fault(content);
    expect(error.rule).toMatch(words);
    expect([error.file, error.offset]).toEqual(['x.pcap', offset]);
    expect(error.message).toBe(`x.pcap: offset ${offset}: ${error.rule}`);
  });

  it.each([false, true])('finds the first second (big-endian %s)', (bigEndian) => {
    const capture = pcap([{ seconds: 0xfedcba98, captured: bytes(1) }], { bigEndian });
    const header = parsePcapHeader('x.pcap', capture);
    expect(firstSecond(inMemory(capture), header)).toBe(0xfedcba98);
    expect(firstSecond(inMemory(pcapHeader({ bigEndian })), header)).toBe(0);
  });
});
