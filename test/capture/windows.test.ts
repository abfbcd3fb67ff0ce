// Files in windows, and the ways in which they end.

import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import { CaptureFile } from '../../src/capture/file.ts';
import { readPcapHeader } from '../../src/capture/pcap.ts';
import { type Batch, WindowWalk } from '../../src/capture/windows.ts';
import { PACKETS } from '../../src/layout/framing.ts';
import { decoder, decodeSource, inMemory, ORIGIN, SEED } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const written = (name: string, content: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const packet = { captured: ethernet(ipv4(tcp({ payload: new Uint8Array(50) }))) };
const record = 16 + packet.captured.length;
const five = pcap(Array.from({ length: 5 }, () => packet));

const walk = (source: CaptureFile, windowBytes: number) => {
  const header = readPcapHeader(source);
  decoder.begin({ ...header, origin: ORIGIN, seed: SEED });
  return new WindowWalk(source, header, decoder, { windowBytes });
};

describe('capture file', () => {
  it('is decoded as the same bytes in memory are', () => {
    const file = new CaptureFile(written('five.pcap', five));
    expect(file.size).toBe(five.length);
    expect(decodeSource(file, 200)).toEqual(decodeSource(inMemory(five)));
    file.close();
    file.close();
  });

  it('reads at positions, and no further than the file goes', () => {
    const file = new CaptureFile(written('ten.bin', bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)));
    const target = new Uint8Array(4);
    expect(file.read(target, 7)).toBe(3);
    expect([...target]).toEqual([7, 8, 9, 0]);
    expect(file.read(target, 10)).toBe(0);
    file.close();
    expect(() => file.read(target, 0)).toThrow(CaptureError);
  });

  it.each([
    ['nothing.pcap', /nothing\.pcap: offset 0: no such file/],
    ['.', /: offset 0: a directory is not a capture/],
    ['five.pcap/x', /: offset 0: a part of the path is not a directory/],
  ])('says why it cannot be opened: %s', (name, message) => {
    written('five.pcap', five);
    expect(() => new CaptureFile(join(folder, name))).toThrow(message);
    expect(() => new CaptureFile(join(folder, name))).toThrow(CaptureError);
  });

  it('does not wait for a writer where there is a device', () => {
    expect(() => new CaptureFile('/dev/null')).toThrow(/not a regular file/);
  });

  it('may have a folder beside it', () => {
    mkdirSync(join(folder, 'sub'));
    expect(() => new CaptureFile(join(folder, 'sub'))).toThrow(/directory/);
  });
});

describe('walk', () => {
  it('yields batches that follow one another to the end', () => {
    const file = new CaptureFile(written('batches.pcap', five));
    for (let windowBytes = 1; windowBytes <= five.length; windowBytes += 7) {
      const batches: Batch[] = [];
      let packets = 0;
      const steps = walk(file, windowBytes);
      for (const batch of steps) {
        expect(batch.end - batch.offset).toBe((decoder.state[PACKETS] ?? 0) * record);
        packets += decoder.state[PACKETS] ?? 0;
        batches.push(batch);
      }
      expect([packets, steps.position, steps.fault]).toEqual([5, five.length, undefined]);
      expect(batches.map(({ offset }) => offset)).toEqual([24, ...batches.slice(0, -1).map(({ end }) => end)]);
      if (windowBytes < 2 * record) expect(batches).toHaveLength(5);
    }
    file.close();
  });

  it('begins at any record boundary', () => {
    const source = inMemory(five);
    const header = readPcapHeader(source);
    decoder.begin({ ...header, origin: ORIGIN, seed: SEED });
    const batches = [...new WindowWalk(source, header, decoder, { from: 24 + 3 * record })];
    expect(batches).toEqual([{ offset: 24 + 3 * record, end: five.length }]);
  });

  it('has nothing to say of a capture without records', () => {
    const { fault, packets } = decodeSource(inMemory(pcap([])));
    expect([fault, packets]).toEqual([undefined, 0]);
  });

  it.each([
    [5, /offset 24: the file ends within a record header/],
    [16, /offset 24: the file ends \d+ bytes before its last record does/],
    [record - 1, /offset 24: the file ends 1 bytes before/],
  ])('tells of a tail of %i bytes', (tail, message) => {
    const { fault } = decodeSource(inMemory(five.subarray(0, 24 + tail)));
    expect(fault).toMatchObject({ file: 'memory.pcap', truncated: true, offset: 24 });
    expect(fault?.message).toMatch(message);
    expect(fault?.message).toBe(`memory.pcap: offset 24: ${fault?.rule}`);
  });

  it.each([1, 60, 1 << 20])('stops at a broken record, in windows of %i bytes', (windowBytes) => {
    const broken = bytes(five);
    new DataView(broken.buffer).setUint32(24 + 2 * record + 8, 300_000, true);
    const { fault, packets } = decodeSource(inMemory(broken), windowBytes);
    expect(packets).toBe(2);
    expect(fault).toMatchObject({ truncated: false, offset: 24 + 2 * record });
    expect(fault?.rule).toBe('a record claims 300000 captured bytes, more than the 262144 it may have');
  });

  it('reads a record that is larger than its window', () => {
    const large = { captured: bytes(ethernet(ipv4(tcp())), new Uint8Array(200_000)) };
    expect(decodeSource(inMemory(pcap([packet, large, packet])), 1000)).toMatchObject({ packets: 3, segments: 3, fault: undefined });
  });

  it('takes a file that becomes shorter for one whose tail is cut', () => {
    const file = new CaptureFile(written('shrinks.pcap', five));
    const steps = walk(file, record);
    let packets = 0;
    for (const _ of steps) {
      packets += decoder.state[PACKETS] ?? 0;
      if (packets === 2) truncateSync(file.path, 24 + 3 * record + 10);
    }
    expect(packets).toBe(3);
    expect(steps.fault).toMatchObject({ truncated: true, offset: 24 + 3 * record });
    expect(steps.fault?.rule).toMatch(/became shorter while it was read/);
    file.close();
  });

  it('does not read beyond the size that the file had', () => {
    const file = new CaptureFile(written('grows.pcap', five));
    const steps = walk(file, record);
    let packets = 0;
    for (const _ of steps) {
      packets += decoder.state[PACKETS] ?? 0;
      if (packets === 1) writeFileSync(file.path, bytes(five, five.subarray(24)));
    }
    expect([packets, steps.fault]).toEqual([5, undefined]);
    file.close();
  });

  it('refuses a window that there is no room for', () => {
    const source = inMemory(five);
    for (const windowBytes of [0, -1, Number.NaN, decoder.window.length + 1]) {
      expect(() => new WindowWalk(source, readPcapHeader(source), decoder, { windowBytes })).toThrow(RangeError);
    }
  });
});
