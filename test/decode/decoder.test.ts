// Framing, time and counters, as the host sees them.

import { describe, expect, it } from 'vitest';
import { interfaceEntry } from '../../src/capture/section.ts';
import { DROP_NAMES, namedDrops } from '../../src/decode/drops.ts';
import * as drops from '../../src/layout/drops.ts';
import { slotsOf } from '../../src/decode/decoder.ts';
import { LARGEST_UNITS, SEGMENTS_CAPACITY, SLOTS_CAPACITY } from '../../src/layout/batch.ts';
import { BATCH_FULL, BROKEN_CAPTURED, PACKETS, RECORDS, SEGMENTS, STOPPED, WANTS_BYTES } from '../../src/layout/framing.ts';
import { EN10MB } from '../../src/layout/link.ts';
import { ADDRESS_PAIR_BYTES, SEGMENT_WORDS } from '../../src/layout/segment.ts';
import { bytes, ethernet, ipv4, ipv6, pcapRecord, tcp } from '../support/packets.ts';
import { BUILDS, decodePackets, ORIGIN, SEED } from './decoding.ts';

const packet = ethernet(ipv4(tcp()));
const setting = { origin: ORIGIN, seed: SEED, shards: 1 };
const framing = {
  form: 0,
  interfaces: interfaceEntry({ linkType: EN10MB, limit: 262144, snaplen: 0, units: 1e6, start: 0 }),
};

describe('drop reasons', () => {
  it('have names in the order of their numbers', () => {
    const { DROP_REASONS, ...reasons } = drops;
    expect(DROP_NAMES).toHaveLength(DROP_REASONS);
    for (const [name, number] of Object.entries(reasons)) expect(DROP_NAMES[number]).toBe(name.toLowerCase());
  });

  it('are counted by name', () => {
    expect(namedDrops(Array.from({ length: drops.DROP_REASONS }, (_, reason) => reason))).toMatchObject({
      link_type: 0,
      not_ip: 2,
      tcp_offset: 9,
      aggregate: 13,
    });
    expect(() => namedDrops([1])).toThrow(RangeError);
  });
});

describe.each(BUILDS)('decoder, $build', ({ decoder }) => {
  const put = (...records: Uint8Array[]): number => {
    const window = bytes(...records);
    decoder.window.set(window);
    decoder.begin(setting, framing);
    return window.length;
  };
  const times = (...stamps: [seconds: number, fraction: number][]) =>
    decodePackets(
      stamps.map(([seconds, fraction]) => ({ seconds, fraction, captured: packet })),
      {},
      decoder,
    );

  it('stops at the last record boundary', () => {
    const length = put(pcapRecord({ captured: packet }), pcapRecord({ captured: packet }));
    for (let to = 0; to <= length; to++) {
      const whole = Math.floor(to / (length / 2));
      decoder.begin(setting, framing);
      expect(decoder.decode(0, to)).toBe((whole * length) / 2);
      expect([decoder.state[PACKETS], decoder.state[SEGMENTS], decoder.state[STOPPED]]).toEqual([whole, whole, WANTS_BYTES]);
    }
  });

  it('starts where it is told', () => {
    const length = put(pcapRecord({ captured: packet }), pcapRecord({ captured: packet }));
    expect(decoder.decode(length / 2, length)).toBe(length);
    expect(decoder.state[PACKETS]).toBe(1);
    expect(() => decoder.decode(2, 1)).toThrow(RangeError);
    expect(() => decoder.decode(0, decoder.window.length + 1)).toThrow(RangeError);
    expect(() => decoder.decode(-1, 1)).toThrow(RangeError);
    expect(() => decoder.decode(0, 1, 2)).toThrow(RangeError);
    expect(() => decoder.begin(setting, framing, SLOTS_CAPACITY)).toThrow(RangeError);
  });

  it('goes on where the batch was full, in another one', () => {
    const record = pcapRecord({ captured: ethernet(ipv6(tcp())) });
    const count = SEGMENTS_CAPACITY + 5;
    put(...Array.from({ length: count }, () => record));
    const end = count * record.length;
    const stop = decoder.decode(0, end);
    expect(stop).toBe(SEGMENTS_CAPACITY * record.length);
    expect([decoder.state[STOPPED], decoder.state[RECORDS]]).toEqual([BATCH_FULL, SEGMENTS_CAPACITY]);
    decoder.begin(setting, framing, 0, decoder.clock);
    expect(decoder.decode(stop, end)).toBe(end);
    expect([decoder.state[STOPPED], decoder.state[RECORDS], decoder.state[PACKETS]]).toEqual([WANTS_BYTES, 5, 5]);
  });

  it('has as much more room for larger windows, in the last slot, too, and for each shard', () => {
    const record = pcapRecord({ captured: ethernet(ipv6(tcp())) });
    const count = LARGEST_UNITS * SEGMENTS_CAPACITY;
    const block = bytes(...Array.from({ length: 1024 }, () => record));
    put(...Array.from({ length: count / 1024 }, () => block));
    const large = { ...setting, shards: 9, units: LARGEST_UNITS };
    const last = slotsOf(9, LARGEST_UNITS) - 1;
    expect(() => decoder.begin(large, framing, last + 1)).toThrow(RangeError);
    const kept = Buffer.from(decoder.window.subarray(0, 1 << 16));
    for (const slot of [0, last]) {
      decoder.begin(large, framing, slot);
      expect(decoder.decode(0, count * record.length)).toBe(count * record.length);
      expect(decoder.state[RECORDS]).toBe(count);
    }
    expect(kept.equals(decoder.window.subarray(0, 1 << 16))).toBe(true);
    const batches = [0, last].flatMap((slot) => Array.from({ length: 9 }, (_, shard) => decoder.batch(decoder.memory, slot, large, shard)));
    const full = batches.filter(({ count: records }) => records > 0);
    expect(full.map(({ count: records }) => records)).toEqual([count, count]);
    for (const { words, pairs } of full) {
      expect(words.subarray(0, SEGMENT_WORDS - 2)).toEqual(full[0]!.words.subarray(0, SEGMENT_WORDS - 2));
      expect(pairs).toHaveLength(count * ADDRESS_PAIR_BYTES);
    }
  });

  it('refuses a record that claims more than the limit, and decodes what is before it', () => {
    const first = pcapRecord({ captured: packet });
    const broken = pcapRecord({ captured: packet });
    new DataView(broken.buffer).setUint32(8, 262145, true);
    const length = put(first, broken, first);
    expect(decoder.decode(0, length)).toBe(first.length);
    expect([decoder.state[PACKETS], decoder.state[STOPPED]]).toEqual([1, BROKEN_CAPTURED]);
    new DataView(broken.buffer).setUint32(8, 262144, true);
    put(first, broken);
    decoder.decode(0, length);
    expect(decoder.state[STOPPED]).toBe(WANTS_BYTES);
    new DataView(broken.buffer).setUint32(8, 0xffffffff, true);
    put(first, broken);
    decoder.decode(0, length);
    expect(decoder.state[STOPPED]).toBe(BROKEN_CAPTURED);
  });

  it('reads times from the origin on', () => {
    const { records, regressions } = times([ORIGIN, 5], [ORIGIN + 1, 0], [ORIGIN + 1, 999_999], [ORIGIN + 2, 3_000_000]);
    // A fraction of three seconds is data, and added as it is.
    expect(records.map(({ time }) => time)).toEqual([5000, 1e9, 1_999_999_000, 5e9]);
    expect(regressions).toBe(0);
  });

  it('reads seconds as unsigned', () => {
    expect(times([0xffffffff, 0]).records[0]?.time).toBe((0xffffffff - ORIGIN) * 1e9);
    expect(times([0, 0]).records[0]?.time).toBe(-ORIGIN * 1e9);
  });

  it('never lets its clock run backwards, and says by how much a packet lags', () => {
    const { records, regressions } = times(
      [ORIGIN, 500_000],
      [ORIGIN, 500_000 - 160],
      [ORIGIN - 100, 0],
      [ORIGIN, 499_999],
      [ORIGIN, 500_001],
    );
    expect(records.map(({ time }) => time)).toEqual([5e8, 5e8, 5e8, 5e8, 500_001_000]);
    expect(records.map(({ lag }) => lag)).toEqual([0, 10, 65535, 0, 0]);
    expect(regressions).toBe(3);
  });

  it('counts a time far from that of all others, which it does not take', () => {
    for (const wrong of [ORIGIN - 200_000, ORIGIN + 200_000]) {
      const { records, regressions } = times([ORIGIN, 1000], [wrong, 0], [ORIGIN, 2000]);
      expect(records.map(({ time }) => time)).toEqual([1e6, 1e6, 2e6]);
      expect(regressions).toBe(1);
    }
  });

  it('lets packets without a segment set the clock, too', () => {
    const arp = ethernet(new Uint8Array(28), 0x0806);
    const { records, regressions } = decodePackets(
      [
        { seconds: ORIGIN + 9, captured: arp },
        { seconds: ORIGIN, captured: packet },
        { seconds: ORIGIN, captured: arp },
      ],
      {},
      decoder,
    );
    expect(records.map(({ time, packet: index }) => [time, index])).toEqual([[9e9, 1]]);
    expect(regressions).toBe(2);
  });

  it('carries its clock from call to call, and takes one', () => {
    const length = put(pcapRecord({ captured: packet, fraction: 7 }));
    expect(decoder.clock).toBe(-Infinity);
    decoder.decode(0, length);
    expect(decoder.clock).toBe(7000);
    decoder.begin(setting, framing, 0, 9000);
    decoder.decode(0, length);
    expect([decoder.clock, decoder.batch(decoder.memory, 0).times[0]]).toEqual([9000, 9000]);
  });
});
