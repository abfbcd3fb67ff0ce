// The file header, and what files that have none seem to be.

import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import { openingOf } from '../../src/capture/format.ts';
import { type Interface, interfacesOf } from '../../src/capture/section.ts';
import { LENGTHS_SWAPPED, PATCHED, SWAPPED } from '../../src/layout/framing.ts';
import { bytes, pcapHeader, snoopHeader } from '../support/packets.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const fault = (content: Uint8Array): CaptureError => {
  try {
    openingOf('x.pcap', content);
  } catch (error) {
    if (error instanceof CaptureError) return error;
  }
  throw new Error('no CaptureError');
};
const only = (header: Uint8Array): Interface => interfacesOf(openingOf('x.pcap', header).section)[0]!;
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
    const { section, start } = openingOf('x.pcap', pcapHeader({ bigEndian, nanoseconds, linkType: 113, snaplen: 96 }));
    expect([section.form, start]).toEqual([bigEndian ? SWAPPED : 0, 24]);
    expect(interfacesOf(section)).toEqual([{ linkType: 113, limit: 262144, snaplen: 96, units: nanoseconds ? 1e9 : 1e6, start: 0 }]);
  });

  it.each([
    ['of version 2.3, whose lengths may be swapped', 4, 0x00030002, LENGTHS_SWAPPED],
    ['of DG/UX', 4, 0x0000021f, LENGTHS_SWAPPED],
    ['of Kuznetzov', 0, 0xa1b2cd34, PATCHED],
  ])('knows the variant %s', (_name, at, word, form) => {
    expect(openingOf('x.pcap', withWord(at, word)).section.form).toBe(form);
  });

  it('reads the link type without the FCS length above it', () => {
    expect(only(withWord(20, 0x54000001)).linkType).toBe(1);
  });

  it.each([
    [1, 0, 262_144],
    [1, 65_535, 262_144],
    [1, 1_000_000, 1_000_000],
    [1, 0xffffffff, 32 << 20],
    [231, 65_535, 32 << 20],
  ])('bounds the records of link type %i with a snapshot length of %i by %i', (linkType, snaplen, limit) => {
    expect(only(pcapHeader({ linkType, snaplen })).limit).toBe(limit);
  });

  it.each<[what: string, content: Uint8Array, offset: number, words: RegExp]>([
    ['an empty file', bytes(), 0, /empty/],
    ['a header cut', pcapHeader().subarray(0, 23), 23, /ends within its header of 24 bytes/],
    ['only a magic', pcapHeader().subarray(0, 4), 4, /ends within its header/],
    ['another version', withWord(4, 0x00040003), 4, /version 3\.4/],
    ['a pcapng section cut', bytes(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28), 8, /ends within its first section header/],
    ['a pcapng section of no byte order', bytes(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 1, 2, 3, 4, 1, 0, 0, 0), 8, /unknown byte order/],
    [
      'a pcapng section of another version',
      bytes(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 2, 0, 0),
      12,
      /version 2\.0/,
    ],
    ['gzip', bytes(0x1f, 0x8b, 8, 0), 0, /gzip/],
    ['zstd', bytes(0x28, 0xb5, 0x2f, 0xfd), 0, /zstd/],
    ['lz4', bytes(0x04, 0x22, 0x4d, 0x18), 0, /lz4/],
    ['xz', bytes(0xfd, text('7zXZ'), 0), 0, /xz/],
    ['bzip2', text('BZh91AY'), 0, /bzip2/],
    ['zip', bytes(text('PK'), 3, 4), 0, /zip/],
    ['snoop cut', snoopHeader().subarray(0, 12), 12, /ends within its header of 16 bytes/],
    ['another snoop', snoopHeader(4, 3), 8, /snoop version 3/],
    ['sniffer', text('TRSNIFF data    '), 0, /Sniffer/],
    ['netmon 1', text('RTSS'), 0, /Network Monitor 1/],
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
});
