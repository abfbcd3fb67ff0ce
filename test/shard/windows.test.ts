// Captures in windows, and the ways in which they end.

import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import { faultMessage } from '../../src/capture/fault.ts';
import { RecordReader } from '../../src/capture/records.ts';
import { SEGMENTS_CAPACITY, WINDOW_UNIT } from '../../src/layout/batch.ts';
import { RAW } from '../../src/layout/link.ts';
import { Decoding } from '../../src/shard/decoding.ts';
import { Exchange } from '../../src/shard/exchange.ts';
import { InterfaceLog } from '../../src/shard/interfaces.ts';
import { Plan } from '../../src/shard/plan.ts';
import { decoder, decodeSource, inMemory, type MemorySource, ORIGIN } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';
import { pcapng } from '../support/pcapng.ts';

const packet = { captured: ethernet(ipv4(tcp({ payload: new Uint8Array(50) }))) };
const record = 16 + packet.captured.length;
const five = pcap(Array.from({ length: 5 }, () => packet));

/** How many packets the reader of captures that are merged finds, and where something is wrong. */
async function read(content: Uint8Array): Promise<[packets: number, faults: unknown[]]> {
  const faults: unknown[] = [];
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < content.length; at += 1 << 16) yield content.subarray(at, at + (1 << 16));
  }
  const reader = new RecordReader('a capture', chunks(), ({ offset, resumed }) => void faults.push([offset, resumed]));
  let packets = 0;
  while (await reader.next()) packets++;
  return [packets, faults];
}

describe('windows', () => {
  it('hold each record once, whatever their size', () => {
    const whole = decodeSource(inMemory(five));
    expect(whole.packets).toBe(5);
    for (let windowBytes = 1; windowBytes <= five.length; windowBytes += 7)
      expect(decodeSource(inMemory(five), windowBytes)).toEqual(whole);
  });

  it('has nothing to say of a capture without records', () => {
    expect(decodeSource(inMemory(pcap([])))).toMatchObject({ packets: 0, faults: [] });
  });

  it.each([5, 16, record - 1])('tells of a tail of %i bytes', (tail) => {
    const { faults } = decodeSource(inMemory(five.subarray(0, 24 + tail)));
    const rule = `the file ends within its last record, ${tail} bytes after where that begins`;
    expect(faults).toEqual([{ file: 'memory.pcap', truncated: true, offset: 24, rule }]);
    expect(faultMessage(faults[0]!)).toBe(`memory.pcap: offset 24: ${rule}`);
  });

  it.each([1, 60, 1 << 20])('pass over a broken record, in windows of %i bytes', (windowBytes) => {
    const broken = bytes(five);
    const offset = 24 + 2 * record;
    new DataView(broken.buffer).setUint32(offset + 8, 300_000, true);
    const { faults, packets } = decodeSource(inMemory(broken), windowBytes);
    expect(packets).toBe(4);
    const rule = 'a record claims 300000 captured bytes, more than it may have';
    expect(faults).toEqual([{ file: 'memory.pcap', truncated: false, offset, rule, resumed: offset + record }]);
    expect(faultMessage(faults[0]!)).toBe(`memory.pcap: offset ${offset}: ${rule}; ${record} bytes were passed over`);
  });

  it('find the next record behind garbage that is larger than they are', () => {
    const garbage = new Uint8Array(300_000).fill(0xff);
    const many = Array.from({ length: 9 }, (_, i) => ({ ...packet, fraction: i }));
    const whole = bytes(pcap(many), garbage, pcap(many).subarray(24), garbage, pcap(many).subarray(24));
    for (const windowBytes of [1000, 100_000, 1 << 20]) {
      const { faults, packets } = decodeSource(inMemory(whole), windowBytes);
      expect(packets).toBe(27);
      expect(faults.map(({ offset, resumed }) => resumed! - offset)).toEqual([300_000, 300_000]);
    }
  });

  it.each([0, 40, 24 + record, 24 + 2 * record + 5])(
    'end where the file does that became shorter while it was read: at %i bytes',
    (size) => {
      let reads = 0;
      const source: MemorySource = {
        ...inMemory(five),
        read: (target, position) => inMemory(reads++ < 3 ? five : five.subarray(0, size)).read(target, position),
      };
      const { faults, packets } = decodeSource(source, record);
      expect(packets).toBeGreaterThan(0);
      expect(packets).toBeLessThan(5);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatchObject({ truncated: true, rule: expect.stringContaining('became shorter while it was read') });
    },
  );

  it('end where nothing that follows garbage looks like a record', () => {
    const { faults, packets } = decodeSource(inMemory(bytes(five, new Uint8Array(5000).fill(0xfe))), 1000);
    expect(packets).toBe(5);
    expect(faults).toMatchObject([{ offset: five.length, truncated: false }]);
    expect(faultMessage(faults[0]!)).toMatch(/nothing that could be read follows$/);
  });

  it('reads a record that is larger than its window', () => {
    const large = { captured: bytes(ethernet(ipv4(tcp())), new Uint8Array(200_000)) };
    expect(decodeSource(inMemory(pcap([packet, large, packet])), 1000)).toMatchObject({ packets: 3, segments: 3, faults: [] });
  });

  it.each([0, 100_000, (1 << 23) - 600_000])(
    'reads the largest record, and passes over more garbage than that, in windows of any size: behind %i bytes',
    (before) => {
      const size = 32 << 20;
      const large = { captured: bytes(ethernet(ipv4(tcp())), new Uint8Array(size - 54)) };
      const filler = Array.from({ length: Math.floor(before / 1000) }, () => ({
        captured: bytes(ethernet(ipv4(tcp())), new Uint8Array(930)),
      }));
      const records = pcap([...filler, large, packet], { snaplen: 0xffffffff });
      const garbage = new Uint8Array(43 << 20).fill(0xfe);
      for (const content of [records, bytes(records, garbage, pcap([packet, packet, packet]).subarray(24))]) {
        const units = [1, 3, 4].map((unit) => decodeSource(inMemory(content), unit * WINDOW_UNIT));
        expect(units[0]).toMatchObject({ packets: filler.length + (content === records ? 2 : 5) });
        expect(units[0]!.faults).toHaveLength(content === records ? 0 : 1);
        for (const one of units) expect(one).toEqual(units[0]);
      }
    },
  );

  it('find the same behind a length that claims more than is looked at again, wherever it crosses their end', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({
      captured: ethernet(ipv4(tcp({ seq: i, payload: new Uint8Array((i * 37) % 1400) }))),
      fraction: i,
    }));
    for (const [which, claimed] of [
      [700, 600_000],
      [700, 500_000],
      [100, 1_000_000],
    ] as const) {
      const content = bytes(pcap(many, { snaplen: 0xffffffff }));
      const view = new DataView(content.buffer);
      let at = 24;
      for (let i = 0; i < which; i++) at += 16 + view.getUint32(at + 8, true);
      view.setUint32(at + 8, claimed, true);
      view.setUint32(at + 12, claimed, true);
      const whole = decodeSource(inMemory(content), 1 << 22);
      expect(whole.faults).toHaveLength(1);
      expect(whole.packets).toBeGreaterThan(700);
      expect(await read(content)).toEqual([whole.packets, whole.faults.map(({ offset, resumed }) => [offset, resumed])]);
      for (const windowBytes of [10_001, 100_000, 1 << 19, 1 << 20, 1 << 21])
        expect(decodeSource(inMemory(content), windowBytes)).toEqual(whole);
    }
  });

  it('find what follows a length that claims more than the capture has, although its end is damaged, too', async () => {
    const count = 20_000; // each place's chain of records would be that long
    const small = pcap(
      Array.from({ length: count }, (_, i) => ({ captured: ethernet(ipv4(tcp())), fraction: i })),
      { snaplen: 0xffffffff },
    );
    const size = (small.length - 24) / count;
    const view = new DataView(small.buffer, small.byteOffset);
    const claims = 24 + size * (count / 2);
    view.setUint32(claims + 8, 4_000_000, true);
    view.setUint32(claims + 12, 4_000_000, true);
    const broken = 24 + size * (count - 100);
    view.setUint32(broken + 8, 0x7fffffff, true);
    const whole = decodeSource(inMemory(small), 1 << 22);
    expect(whole.packets).toBe(count - 2);
    expect(whole.faults.map(({ offset }) => offset)).toEqual([claims, broken]);
    expect(await read(small)).toEqual([whole.packets, whole.faults.map(({ offset, resumed }) => [offset, resumed])]);
    for (const windowBytes of [100_000, 1 << 20]) expect(decodeSource(inMemory(small), windowBytes)).toEqual(whole);
  });

  it('leave to the next ones what they have no room for', () => {
    // A block claims 6 MiB, which is found out where it should end: what stands between are 78,000 packets more than begin in that window.
    const small = ethernet(ipv4(tcp()));
    const part = pcapng(Array.from({ length: 1000 }, (_, i) => ({ captured: small, fraction: i })));
    const head = pcapng([]).length;
    const content = bytes(part, ...Array.from({ length: 139 }, () => part.subarray(head)));
    const view = new DataView(content.buffer);
    let at = 0;
    for (let block = 0; block < 1000; block++) at += view.getUint32(at + 4, true);
    view.setUint32(at + 4, 6 << 20, true);
    const whole = decodeSource(inMemory(content), 1 << 23);
    expect(whole).toMatchObject({ packets: 139_999, faults: [{ offset: at, truncated: false }] });
    for (const windowBytes of [100_000, 1 << 20, 1 << 21, 1 << 22]) expect(decodeSource(inMemory(content), windowBytes)).toEqual(whole);
  });

  it('end where lengths are wrong so often that nothing has room for all of them', () => {
    // Records that begin each 28 bytes, each within the one before, and end where nothing is.
    const count = 18_500;
    const nested = new Uint8Array(count * 28 + 100).fill(0xff);
    const view = new DataView(nested.buffer);
    for (let i = 0; i < count; i++) {
      const claimed = (count - i) * 28;
      [ORIGIN, 1, claimed, claimed].forEach((word, place) => view.setUint32(i * 28 + place * 4, word, true));
      nested.set([0x45, 0, 0, 24, i >> 8, i, 0, 1, 64, 6, 0, 0], i * 28 + 16); // a last fragment
    }
    const raw = { captured: ipv4(tcp()) };
    const sound = pcap(Array.from({ length: 9 }, () => raw)).subarray(24);
    const content = bytes(
      pcap([raw, raw, raw], { linkType: RAW, snaplen: 0xffffffff }),
      ...Array.from({ length: 4 }, () => bytes(nested, sound)),
    );
    expect(content.length).toBeLessThan(WINDOW_UNIT);
    const { faults, packets } = decodeSource(inMemory(content), WINDOW_UNIT);
    expect(packets).toBeGreaterThanOrEqual(SEGMENTS_CAPACITY);
    expect(packets).toBeLessThan(4 * count);
    expect(faults.at(-1)).toMatchObject({ truncated: true, rule: expect.stringContaining('lengths are wrong so often') as string });
  });

  it.each([1000, 100_000, 1 << 20])('read on for the record that crosses their end, where %i bytes are one', (windowBytes) => {
    // Of 60,000 and of 60 bytes, as of segmentation offload and its acknowledgements: their ends lie anywhere behind a window's.
    const many = Array.from({ length: 200 }, (_, i) => ({
      captured: ethernet(ipv4(tcp({ payload: new Uint8Array(i % 3 ? i * 300 : 1) }))),
    }));
    const whole = bytes(pcap(many));
    const positions: number[] = [];
    const source: MemorySource = {
      ...inMemory(whole),
      read: (target, position) => {
        positions.push(position);
        return inMemory(whole).read(target, position);
      },
    };
    const { packets, faults } = decodeSource(source, windowBytes);
    expect({ packets, faults }).toEqual({ packets: 200, faults: [] });
    // Where a window and its record begin is read once or twice, not again and again.
    expect(positions.length).toBeLessThanOrEqual(2 * Math.ceil(whole.length / windowBytes) + 2);
  });

  it('take a file that becomes shorter for one whose tail is cut', () => {
    const whole = inMemory(five);
    const left = 24 + 3 * record + 10;
    const shrunk: MemorySource = {
      ...whole,
      size: five.length,
      read: (target, position) => inMemory(five.subarray(0, left)).read(target, position),
    };
    const { faults, packets } = decodeSource(shrunk, record);
    expect(packets).toBe(3);
    expect(faults).toMatchObject([{ truncated: true, offset: 24 + 3 * record }]);
    expect(faults[0]!.rule).toMatch(/became shorter while it was read/);
  });

  it.each([0, 200_000])('end where the device fails, at %i, and keep the windows before', (from) => {
    const whole = inMemory(pcap(Array.from({ length: 3000 }, () => packet)));
    const failing: MemorySource = {
      ...whole,
      read(target, position) {
        if (position + target.length > from) throw new CaptureError('memory.pcap', from, 'the device reports a read error');
        return whole.read(target, position);
      },
    };
    const { faults, packets } = decodeSource(failing, 100_000);
    expect(packets).toBe(from === 0 ? 0 : Math.ceil((100_000 - 24) / record));
    expect(faults).toEqual([{ file: 'memory.pcap', truncated: false, offset: from, rule: 'the device reports a read error' }]);
  });
});

describe('a capture that was emptied before its first window', () => {
  it('has nothing in the windows that are begun before that is known, either', () => {
    const exchange = new Exchange(1, 2);
    const setting = {
      index: 0,
      shards: 1,
      origin: 0,
      seed: 0,
      memories: [decoder.memory],
      windows: new Plan([{ path: 'emptied.pcap', size: 5000 }], 1000),
      open: () => ({ path: 'emptied.pcap', read: () => 0 }),
      exchange,
      interfaces: new InterfaceLog(),
    };
    const decoding = new Decoding(setting, decoder);
    expect(decoding.next()).toBe(true);
    expect(decoding.prove()).toBe(true);
    while (decoding.next() || decoding.prove());
    expect(exchange.proved).toBe(5);
    expect(decoding.counts).toMatchObject({ packets: 0, damages: 1 });
    expect(decoding.counts.troubles.map(({ trouble }) => 'rule' in trouble && trouble.rule)).toEqual(['an empty file is not a capture']);
  });
});
