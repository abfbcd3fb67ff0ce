// What the headers of Network Monitor's and NetXRay's files say, and what their records do.

import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import type { Fault } from '../../src/capture/fault.ts';
import { OPENING_BYTES, openingOf, recordsEnd } from '../../src/capture/format.ts';
import { RecordReader } from '../../src/capture/records.ts';
import { interfacesOf, type Opening } from '../../src/capture/section.ts';
import { EN10MB, FDDI, RAW } from '../../src/layout/link.ts';
import { decodeSource, inMemory, ORIGIN } from '../decode/decoding.ts';
import { bytes, type CapturedPacket, ethernet, ipv4, sll, tcp } from '../support/packets.ts';
import { netmon, netmonHeader, netxray, netxrayHeader } from '../support/ticks.ts';

const ip = ipv4(tcp({ source: 1000, destination: 80 }));
const packet: CapturedPacket = { seconds: ORIGIN, fraction: 123_456, captured: ethernet(ip) };

const open = (header: Uint8Array): Opening => openingOf('x.cap', header);
const fault = (header: Uint8Array): CaptureError => {
  try {
    open(header);
  } catch (error) {
    if (error instanceof CaptureError) return error;
  }
  throw new Error('no CaptureError');
};
const written = (header: Uint8Array<ArrayBuffer>, at: number, ...content: number[]): Uint8Array => {
  header.set(content, at);
  return header;
};
async function* chunks(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += 100) yield content.slice(at, at + 100);
}
/** What a merger reads of a capture: times and link types of its records. */
async function read(content: Uint8Array): Promise<{ times: [number, number][]; links: number[]; faults: Fault[] }> {
  const faults: Fault[] = [];
  const reader = new RecordReader('x.cap', chunks(content.subarray(0, recordsEnd(content))), (found) => void faults.push(found));
  const times: [number, number][] = [];
  const links: number[] = [];
  while (await reader.next()) {
    times.push([reader.seconds, reader.nanoseconds]);
    links.push(reader.interface!.linkType);
  }
  return { times, links, faults };
}

describe('a Network Monitor header', () => {
  it.each([0, 1, 2, 3])('of version 2.%i tells where records begin and end, how many they are, and when they began', (minor) => {
    const { section, ...rest } = open(netmonHeader({ minor, table: 1000, count: 7 }));
    expect(rest).toEqual({ start: 128, end: 1000, count: 7 });
    const units = minor === 3 ? 1e7 : 1e6;
    expect(interfacesOf(section)).toEqual([{ linkType: EN10MB, limit: 262144, snaplen: 0, units, start: 1_599_999_990.125 * units }]);
  });

  it.each<[string, Uint8Array, number, RegExp]>([
    ['cut', netmonHeader().subarray(0, 100), 100, /ends within its header of 128 bytes/],
    ['cut behind its magic', netmonHeader().subarray(0, 4), 4, /ends within its header/],
    ['of version 2.4', netmonHeader({ minor: 4 }), 4, /Network Monitor version 2\.4 is not known/],
    ['of version 3.0', written(netmonHeader(), 5, 3), 4, /version 3\.0 is not known/],
    ['of a capture that was never finished', netmonHeader({ table: 0 }), 24, /at offset 0/],
    ['whose frame table is within it', netmonHeader({ table: 127 }), 24, /at offset 127/],
    ['of half an entry', written(netmonHeader({ table: 1000 }), 28, 6), 28, /frame table of 6 bytes/],
    ['of more frames than there is room for', netmonHeader({ table: 1000, count: 55 }), 28, /frame table of 220 bytes/],
    ['of no month', written(netmonHeader(), 10, 0), 8, /no date/],
    ['of 31 February', written(netmonHeader(), 10, 2, 0, 0, 0, 31), 8, /no date/],
    ['of 1601', written(netmonHeader(), 8, 0x41, 6), 8, /no date/],
    ['of 2106', written(netmonHeader(), 8, 0x3a, 8), 8, /no date/],
  ])('%s is refused', (_name, header, offset, rule) => {
    expect(fault(header)).toMatchObject({ offset, rule: expect.stringMatching(rule) });
  });

  it('tells the medium of all frames, up to version 2.0', () => {
    const linkTypes = [1, 3, 8, 2].map((medium) => interfacesOf(open(netmonHeader({ medium })).section)[0]!.linkType);
    expect(linkTypes).toEqual([EN10MB, FDDI, RAW, 0x10000]);
    const decoded = decodeSource(inMemory(netmon([{ ...packet, captured: ip }], { medium: 9 })));
    expect([decoded.segments, decoded.drops]).toEqual([1, {}]);
    expect(decodeSource(inMemory(netmon([packet], { medium: 6 }))).drops).toEqual({ link_type: 1 });
  });
});

describe('frames of Network Monitor', () => {
  const cooked = sll(ip);
  const frames = [
    { ...packet, medium: 0 },
    packet,
    { ...packet, captured: ip, medium: 7 },
    { ...packet, captured: ip, medium: 9 },
    { ...packet, captured: cooked, medium: 0xe000 + 113 },
  ];
  const others = [2, 4, 6, 10, 0xe081, 0xe08a, 0xffe0, 0xfffd, 0xffff].map((medium) => Object.assign({ medium }, packet));

  it.each([1, 2, 3])('of version 2.%i have a medium each, and those that hold no packet are counted', async (minor) => {
    const capture = netmon([...frames, ...others], { minor });
    const { segments, drops, faults } = decodeSource(inMemory(capture));
    expect([segments, drops, faults]).toEqual([frames.length, { link_type: others.length }, []]);
    const merged = await read(capture);
    expect(merged.links.slice(0, 5)).toEqual([EN10MB, EN10MB, RAW, RAW, 113]);
    expect(new Set(merged.links.slice(5))).toEqual(new Set([0x10000]));
    expect(merged.faults).toEqual([]);
  });

  it('from before the start have negative ticks, in either way', async () => {
    const early = { ...packet, seconds: ORIGIN - 20, fraction: 5 };
    const capture = netmon([early, packet]);
    const ticks = new DataView(capture.buffer).getBigInt64(128, true);
    expect(ticks).toBeLessThan(0n);
    for (const value of [ticks, BigInt.asUintN(64, ticks * 10n) / 10n]) {
      new DataView(capture.buffer).setBigUint64(128, BigInt.asUintN(64, value), true);
      const times = decodeSource(inMemory(capture)).records.map(({ time }) => time);
      expect(times).toEqual([-20e9 + 5000, 123_456_000]);
      expect((await read(capture)).times).toEqual([
        [ORIGIN - 20, 5000],
        [ORIGIN, 123_456_000],
      ]);
    }
  });

  it('of version 2.3 have their time in UTC, to 100 ns, whatever the local time', async () => {
    const capture = netmon([packet], { minor: 3 });
    const view = new DataView(capture.buffer);
    const at = capture.length - 4 - 9;
    view.setBigUint64(at, view.getBigUint64(at, true) + 7n, true);
    view.setBigUint64(128, view.getBigUint64(128, true) + 7_200_000_000n, true);
    expect(decodeSource(inMemory(capture)).records[0]!.time).toBe(123_456_700);
    expect((await read(capture)).times).toEqual([[ORIGIN, 123_456_700]]);
  });

  it('are read up to the frame table, of which nothing is', () => {
    for (const windowBytes of [7, 100, 1 << 20]) {
      const { packets, faults } = decodeSource(inMemory(bytes(netmon([packet, packet]), new Uint8Array(500).fill(7))), windowBytes);
      expect([packets, faults]).toEqual([2, []]);
    }
  });

  it('begin right behind the tables where Network Monitor 3 wrote them', async () => {
    const older = netmon([packet, packet], { minor: 3 });
    const capture = bytes(older.subarray(0, 72), older.subarray(128));
    const view = new DataView(capture.buffer);
    view.setUint32(24, view.getUint32(24, true) - 56, true);
    const { packets, faults } = decodeSource(inMemory(capture));
    expect([packets, faults]).toEqual([2, []]);
    expect(await read(capture)).toEqual(await read(older));
  });

  it('that are fewer or more than the header counts are told of', async () => {
    const two = netmon([packet, packet], { count: 3 });
    const [found] = (await read(two)).faults;
    expect(found).toMatchObject({ truncated: true, rule: 'the header counts 3 records, and 2 were found' });
    expect((await read(netmon([packet, packet], { count: 1 }))).faults).toMatchObject([{ truncated: false }]);
  });
});

describe('a NetXRay header', () => {
  it('tells where records begin and end, how many they are, and from when their ticks count', () => {
    const { section, ...rest } = open(netxrayHeader({ count: 3, end: 999 }));
    expect(rest).toEqual({ start: 128, end: 999, count: 3 });
    const start = 1_599_999_990_000_000 - 5_000_000_000;
    expect(interfacesOf(section)).toEqual([{ linkType: EN10MB, limit: 65535, snaplen: 0, units: 1e6, start }]);
    expect(OPENING_BYTES).toBe(128);
  });

  it.each<[string, Uint8Array, number, RegExp]>([
    ['cut', netxrayHeader().subarray(0, 127), 127, /ends within its header of 128 bytes/],
    ['of version 1.1', netxrayHeader({ version: '001.100' }), 4, /version "001.100" is not read/],
    ['of an unknown version', netxrayHeader({ version: '002.004' }), 4, /version "002.004"/],
    ['of token ring', written(netxrayHeader(), 44, 1), 44, /medium 1, 0 is not read, only Ethernet/],
    ['of a medium of an unknown kind', written(netxrayHeader(), 44, 0, 3), 44, /medium 0, 3/],
    ['of a pod', written(netxrayHeader(), 84, 2), 84, /a pod has captured \(type 2\)/],
    ['of an unknown time unit', netxrayHeader({ unit: 3 }), 48, /time unit 3 is not known/],
    ['of no ticks', netxrayHeader({ unit: 2, ticks: 0n }), 48, /time unit 2/],
    ['of too many ticks', netxrayHeader({ unit: 2, ticks: 0xffff_ffffn }), 48, /4294967295 ticks in a second/],
    ['of a buffer that has wrapped', netxrayHeader({ count: 3, end: 128 }), 24, /has wrapped/],
    ['of records within it', written(netxrayHeader(), 24, 127), 24, /from offset 127/],
  ])('%s is refused', (_name, header, offset, rule) => {
    expect(fault(header)).toMatchObject({ offset, rule: expect.stringMatching(rule) });
  });

  it('may have the number of Ethernet in either form', () => {
    expect(open(written(netxrayHeader(), 44, 1, 2)).count).toBe(0);
  });
});

describe('records of NetXRay', () => {
  it.each<[number, bigint]>([
    [0, 1_000_000n],
    [1, 1_193_000n],
    [2, 1_193_182n],
    [2, 3_579_545n],
  ])('of time unit %i count %i ticks in a second', async (unit, ticks) => {
    const capture = netxray([packet, { ...packet, seconds: ORIGIN + 86_400 * 30, fraction: 999_999 }], { unit, ticks });
    const exact = [123_456n, 86_400_000_000n * 30n + 999_999n].map((micros) => {
      const sinceBegin = ((micros + 10_000_000n) * ticks) / 1_000_000n;
      const whole = sinceBegin / ticks;
      return (whole - 10n) * 1_000_000_000n + ((sinceBegin % ticks) * 1_000_000_000n) / ticks;
    });
    expect(decodeSource(inMemory(capture)).records.map(({ time }) => BigInt(time))).toEqual(exact);
    const { times, faults } = await read(capture);
    expect(times.map(([seconds, nanoseconds]) => BigInt(seconds - ORIGIN) * 1_000_000_000n + BigInt(nanoseconds))).toEqual(exact);
    expect(faults).toEqual([]);
  });
});
