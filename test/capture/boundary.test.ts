// Where records begin, guessed from the middle of a capture.

import { describe, expect, it } from 'vitest';
import { findBoundary, GUESS, guessBoundary } from '../../src/capture/boundary.ts';
import { openingOf } from '../../src/capture/format.ts';
import { bytes, ethernet, ipv4, pcap, snoop, tcp } from '../support/packets.ts';
import { pcapng } from '../support/pcapng.ts';

const NOON = 1_600_000_000;
/** Seconds apart, and some in whose payload the upper half of the time is found at every second byte. */
const packets = (apart: number, halves: boolean): { seconds: number; captured: Uint8Array<ArrayBuffer> }[] =>
  Array.from({ length: 60 }, (_, i) => {
    const payload = new Uint8Array(150 + 7 * (i % 5));
    if (halves) payload.forEach((_byte, at) => void (payload[at] = ((NOON >>> 16) >>> (at % 2 === 0 ? 8 : 0)) & 0xff));
    return { seconds: NOON + i * apart, captured: ethernet(ipv4(tcp({ payload }))) };
  });

const CAPTURES = [
  { name: 'little-endian', capture: pcap(packets(1, false)) },
  { name: 'big-endian', capture: pcap(packets(1, false), { bigEndian: true }) },
  { name: 'snoop', capture: snoop(packets(1, false)) },
  { name: 'with a payload of times', capture: pcap(packets(1, true)) },
  { name: 'big-endian, with a payload of times', capture: pcap(packets(1, true), { bigEndian: true }) },
  { name: 'over hours', capture: pcap(packets(500, false)) },
];

describe('a guess', () => {
  it.each(CAPTURES)('is the first record, wherever it is looked for: $name', ({ capture }) => {
    const { section } = openingOf('memory', capture);
    const to = capture.length - 1500; // records enough for a guess are behind
    for (let from = 100; from < to; from += 13) {
      const found = findBoundary(capture, from, to, false, section, NOON + 20_000, GUESS);
      expect(guessBoundary(capture, from, to, false, section, NOON + 20_000)).toEqual(found);
    }
  });

  it.each([
    { name: 'little-endian', capture: pcap(packets(70_000, false)) },
    { name: 'big-endian', capture: pcap(packets(70_000, false), { bigEndian: true }) },
    { name: 'snoop', capture: snoop(packets(70_000, false)) },
  ])('may be a later record than one of another day, but is one: $name', ({ capture }) => {
    const { section, start } = openingOf('memory', capture);
    const near = NOON + 8 * 70_000; // findBoundary() believes a week before that
    const guess = guessBoundary(capture, start, capture.length, true, section, near)!;
    expect(guess.offset).toBeGreaterThan(findBoundary(capture, start, capture.length, true, section, near, GUESS)!.offset);
    expect(guess).toEqual(findBoundary(capture, guess.offset - 100, capture.length, true, section, near, GUESS));
  });

  it('is none where no record is', () => {
    const { section } = openingOf('memory', pcap([]));
    const garbage = bytes(new Uint8Array(3000).fill(0xfe));
    expect(guessBoundary(garbage, 0, 3000, true, section, NOON)).toBeUndefined();
  });
});

describe('zeros that are passed over', () => {
  it.each([...CAPTURES, { name: 'pcapng', capture: pcapng(packets(1, false)) }])('hide no record behind them: $name', ({ capture }) => {
    const { section, start } = openingOf('memory', capture);
    const records = capture.subarray(start);
    for (const zeros of [10, 100, 2047, 4095, 4096, 4097, 8191, 8192, 8193, 20_001, 100_000]) {
      const all = bytes(new Uint8Array(zeros), records);
      for (const [from, to] of [
        [0, all.length],
        [5, zeros + 1],
        [zeros - 7, zeros + 1],
      ] as const) {
        const found = findBoundary(all, from, to, true, section, NOON, 2);
        // What pads a block may be the length in front of the next one.
        expect([zeros, from, found?.found, found && found.offset <= zeros && found.offset > zeros - 16]).toEqual([zeros, from, true, true]);
        expect(found).toEqual(findBoundary(all, zeros - 10, to, true, section, NOON, 2));
      }
      expect(findBoundary(all, 0, zeros - 100, true, section, NOON, 2)).toBeUndefined();
      expect(findBoundary(new Uint8Array(zeros), 0, zeros, false, section, NOON, 2)?.found ?? false).toBe(false);
    }
  });
});
