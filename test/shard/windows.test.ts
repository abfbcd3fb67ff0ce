// Captures in windows, and the ways in which they end.

import { describe, expect, it } from 'vitest';
import type { Source } from '../../src/capture/file.ts';
import { decodeSource, inMemory } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const packet = { captured: ethernet(ipv4(tcp({ payload: new Uint8Array(50) }))) };
const record = 16 + packet.captured.length;
const five = pcap(Array.from({ length: 5 }, () => packet));

describe('windows', () => {
  it('hold each record once, whatever their size', () => {
    const whole = decodeSource(inMemory(five));
    expect(whole.packets).toBe(5);
    for (let windowBytes = 1; windowBytes <= five.length; windowBytes += 7)
      expect(decodeSource(inMemory(five), windowBytes)).toEqual(whole);
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

  it('take a file that becomes shorter for one whose tail is cut', () => {
    const whole = inMemory(five);
    const left = 24 + 3 * record + 10;
    const shrunk: Source = {
      ...whole,
      size: five.length,
      read: (target, position) => inMemory(five.subarray(0, left)).read(target, position),
    };
    const { fault, packets } = decodeSource(shrunk, record);
    expect(packets).toBe(3);
    expect(fault).toMatchObject({ truncated: true, offset: 24 + 3 * record });
    expect(fault?.rule).toMatch(/became shorter while it was read/);
  });
});
