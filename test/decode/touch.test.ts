// Windows whose bytes others have put there: headers are touched before they are decoded, and that changes nothing.

import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { bytes, type CapturedPacket, ethernet, ipv4, pcap, snoop, tcp } from '../support/packets.ts';
import { pcapng } from '../support/pcapng.ts';
import { netmon, netxray } from '../support/ticks.ts';
import { BUILDS, decodeSource, inMemory, type MemorySource } from './decoding.ts';

/** Where in a decoder's window what others put there begins. */
const PLACE = 4096;

/** A capture that lies in a decoder's window already. */
function far(content: Uint8Array): MemorySource {
  return {
    ...inMemory(content),
    placeOf(position, length, window) {
      window.fill(0xa5, 0, PLACE + length + 4096);
      window.set(content.subarray(position, position + length), PLACE);
      return PLACE;
    },
  };
}

const frame = (payload: number, seq: number): Uint8Array => ethernet(ipv4(tcp({ seq, payload: new Uint8Array(payload).fill(seq) })));
const packets = (count: number, payload: (i: number) => number): CapturedPacket[] =>
  Array.from({ length: count }, (_, i) => ({ captured: frame(payload(i), i), seconds: 1_600_000_000 + (i >> 6), fraction: i * 37 }));

/** The same capture with a header of 24 bytes a record. */
function patched(content: Uint8Array): Uint8Array {
  const view = new DataView(content.buffer, content.byteOffset);
  const parts = [content.subarray(0, 24)];
  for (let at = 24, next = at; at < content.length; at = next) {
    next = at + 16 + view.getUint32(at + 8, true);
    parts.push(content.subarray(at, at + 16), new Uint8Array(8), content.subarray(at + 16, next));
  }
  const whole = bytes(...parts);
  new DataView(whole.buffer).setUint32(0, 0xa1b2cd34, true);
  return whole;
}

/** The same capture of version 2.2, in which a record's lengths may have changed places. */
function old(content: Uint8Array): Uint8Array {
  const whole = bytes(content);
  new DataView(whole.buffer).setUint16(6, 2, true);
  return whole;
}

const long = packets(2600, (i) => (i % 3 === 0 ? 0 : 1400));
const short = packets(4000, () => 10);
const CAPTURES: Readonly<Record<string, Uint8Array>> = {
  'long records': pcap(long),
  'records in the other byte order': pcap(long, { bigEndian: true }),
  'records of Kuznetzov': patched(pcap(long)),
  'records of version 2.2': old(pcap(long)),
  'short records': pcap(short),
  'one record': pcap(packets(1, () => 60_000)),
  blocks: pcapng(long),
  'blocks in the other byte order': pcapng(long, { bigEndian: true }),
  snoop: snoop(long),
  'Network Monitor': netmon(long),
  NetXRay: netxray(long),
};

describe.each(BUILDS)('far bytes, $build', ({ decoder }) => {
  it.each(Object.entries(CAPTURES))('are decoded as near ones: %s', (_, content) => {
    for (const windowBytes of [1 << 22, 1 << 20, 100_001]) {
      const near = decodeSource(inMemory(content), windowBytes, decoder);
      expect(near.packets).toBeGreaterThan(0);
      expect(decodeSource(far(content), windowBytes, decoder)).toEqual(near);
    }
  });

  it('are decoded as near ones, whatever they are', () => {
    const errors = fc.array(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 })), { maxLength: 40 });
    const names = Object.keys(CAPTURES);
    fc.assert(
      fc.property(fc.constantFrom(...names), errors, fc.nat(), fc.constantFrom(1 << 22, 300_000), (name, wrong, cut, windowBytes) => {
        const content = CAPTURES[name]!.slice();
        for (const [at, values] of wrong) content.subarray(24 + (at % (content.length - 40))).set(values);
        const damaged = content.subarray(0, content.length - (cut % 3000));
        expect(decodeSource(far(damaged), windowBytes, decoder)).toEqual(decodeSource(inMemory(damaged), windowBytes, decoder));
      }),
      { numRuns: 40 },
    );
  });

  it('are touched once, however often decoding begins again behind damage', () => {
    const content = pcap(short);
    const record = 16 + short[0]!.captured.length;
    for (let i = 0; i < short.length; i += 10) new DataView(content.buffer).setUint32(24 + i * record + 8, 0x7fffffff, true);
    const calls = vi.spyOn(decoder, 'decode');
    const decoded = decodeSource(far(content), 1 << 20, decoder);
    const touched = calls.mock.calls.filter(([, , , , isFar]) => isFar).length;
    calls.mockRestore();
    expect(decoded.faults.length).toBeGreaterThan(300);
    expect(touched).toBe(1);
  });
});
