// What holds for any bytes, and for the same packets in any wrapping.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/compile.ts';
import { RAW } from '../../src/layout/link.ts';
import { FRAGMENT_TAIL } from '../../src/layout/segment.ts';
import {
  bytes,
  type CapturedPacket,
  ethernet,
  extension,
  fragmentHeader,
  ipv4,
  ipv6,
  LINKS,
  pcap,
  snoop,
  tcp,
} from '../support/packets.ts';
import { netmon, netxray } from '../support/ticks.ts';
import { MORE_LINKS, TUNNELS } from '../support/wrappings.ts';
import { BUILDS, type Decoded, decodePackets, decodeSource, inMemory, SEED } from './decoding.ts';

const ALL_LINKS = [...LINKS, ...MORE_LINKS];

const total = (drops: Record<string, number>): number => Object.values(drops).reduce((sum, count) => sum + count, 0);

const options = fc.oneof(
  fc.constant([]),
  fc.constant([1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]),
  fc.constant([2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7]),
  fc.array(fc.nat(255), { maxLength: 40 }),
);
const segment = fc
  .record({
    options,
    flags: fc.nat(255),
    seq: fc.nat(),
    ack: fc.nat(),
    payload: fc.uint8Array({ maxLength: 80 }),
    offset: fc.constantFrom(undefined, undefined, undefined, 4, 15),
  })
  .map(({ offset, ...fields }) => tcp(offset === undefined ? fields : { ...fields, offset }));
const packet = fc.oneof(
  segment.map((payload) => ipv4(payload)),
  segment.map((payload) => ipv4(payload, { options: [7, 4, 0, 0] })),
  fc.tuple(segment, fc.constantFrom(0x2000, 100, 0x2064)).map(([payload, fragment]) => ipv4(payload, { fragment })),
  segment.map((payload) => ipv6(payload)),
  segment.map((payload) => ipv6(extension(6, payload, 24), { next: 60 })),
  segment.map((payload) => ipv6(fragmentHeader(6, 0, true, 9, payload), { next: 44 })),
  segment.map((payload) => ipv4(payload, { protocol: 17 })),
  fc.tuple(segment, fc.constantFrom(...TUNNELS)).map(([payload, { wrap }]) => wrap(ipv4(payload))),
);
const packets = fc.array(packet, { minLength: 1, maxLength: 12 });

const accounted = (decoded: Decoded): void => {
  const tails = decoded.records.filter(({ flags }) => flags & FRAGMENT_TAIL).length;
  expect(decoded.packets + decoded.aggregated).toBe(decoded.segments + total(decoded.drops));
  expect(decoded.records.length).toBe(decoded.segments + tails);
};

describe.each(BUILDS)('any bytes, $build', ({ decoder }) => {
  it('are a segment or a counted drop, whatever they are', () => {
    const soup = fc.record({
      linkType: fc.constantFrom(...new Set(ALL_LINKS.map(({ linkType }) => linkType)), 228, 229, 999),
      frames: fc.array(fc.uint8Array({ maxLength: 120 })),
      original: fc.nat(),
    });
    fc.assert(
      fc.property(soup, ({ linkType, frames, original }) => {
        const decoded = decodePackets(
          frames.map((captured) => ({ captured, original })),
          { linkType },
          decoder,
        );
        expect(decoded.packets).toBe(frames.length);
        accounted(decoded);
      }),
      { numRuns: 500 },
    );
  });

  it('may stand in the place of any byte of a packet', () => {
    fc.assert(
      fc.property(
        packet,
        fc.constantFrom(...ALL_LINKS),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (ip, link, errors, cut) => {
          const frame = link.wrap(ip);
          for (const [at, value] of errors) frame[at % frame.length] = value;
          accounted(decodePackets([{ captured: frame.subarray(0, cut % (frame.length + 1)), original: frame.length }], link, decoder));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are the same segments where a filter looks at them, for which each frame is opened layer by layer', () => {
    const everything = compileFilter('tcp');
    const often = fc.oneof({ weight: 3, arbitrary: segment.map((payload) => ipv4(payload)) }, { weight: 1, arbitrary: packet });
    fc.assert(
      fc.property(
        often,
        fc.constantFrom(...LINKS.slice(0, 8)),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
        fc.oneof(fc.constant(0), fc.nat(60)),
        (ip, link, errors, cut) => {
          const frame = link.wrap(ip);
          for (const [at, value] of errors) frame[at % frame.length] = value;
          const captured = [{ captured: frame.subarray(0, Math.max(0, frame.length - cut)), original: frame.length }];
          expect(decodePackets(captured, link, decoder)).toEqual(decodePackets(captured, link, decoder, SEED, everything));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('may follow the file header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 64 }), (soup, windowBytes) => {
        const decoded = decodeSource(inMemory(bytes(pcap([]), soup)), windowBytes, decoder);
        accounted(decoded);
        // Whole records to the end, or a fault that says where they end.
        for (const { offset, resumed = offset } of decoded.faults) expect(offset <= resumed && resumed <= 24 + soup.length).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

// Fragments have no link digest, and link headers may.
const apart = ({ records }: Decoded) => records.map(({ link, flags, ...rest }) => ({ ...rest, flags, link: flags & 0x3000 ? link : 0 }));

describe.each(BUILDS)('the same packets, $build', ({ decoder }) => {
  it('give the same records under every link type', () => {
    fc.assert(
      fc.property(packets, (ips) => {
        const reference = decodePackets(
          ips.map((captured) => ({ captured })),
          { linkType: RAW },
          decoder,
        );
        for (const { linkType, wrap } of ALL_LINKS) {
          const decoded = decodePackets(
            ips.map((ip) => ({ captured: wrap(ip) })),
            { linkType },
            decoder,
          );
          expect(apart(decoded)).toEqual(apart(reference));
          expect(decoded.drops).toEqual(reference.drops);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('give the same records under every magic', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.nat(999_999), { minLength: 12, maxLength: 12 }), (ips, fractions) => {
        const under = (bigEndian: boolean, nanoseconds: boolean) =>
          decodePackets(
            ips.map((captured, index) => ({ captured, fraction: (fractions[index] ?? 0) * (nanoseconds ? 1000 : 1) })),
            { linkType: RAW, bigEndian, nanoseconds },
            decoder,
          );
        const reference = under(false, false);
        expect(under(true, false)).toEqual(reference);
        expect(under(false, true)).toEqual(reference);
        expect(under(true, true)).toEqual(reference);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, (packets: readonly CapturedPacket[]) => Uint8Array]>([
    ['snoop', snoop],
    ...[0, 1, 2, 3].map((minor): [string, (packets: readonly CapturedPacket[]) => Uint8Array] => [
      `Network Monitor 2.${minor}`,
      (list) => netmon(list, { minor }),
    ]),
    ['NetXRay', netxray],
  ])('give the same records as %s, in windows of any size', (_name, make) => {
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 400 }), (ips, windowBytes) => {
        const list = ips.map((ip, fraction) => ({ captured: ethernet(ip, ip[0]! >> 4 === 6 ? 0x86dd : 0x0800), fraction }));
        expect(decodeSource(inMemory(make(list)), windowBytes, decoder)).toEqual(decodeSource(inMemory(pcap(list)), 1 << 20, decoder));
      }),
      { numRuns: 50 },
    );
  });

  it('give the same records in windows of any size', () => {
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 400 }), (ips, windowBytes) => {
        const capture = inMemory(
          pcap(
            ips.map((captured, fraction) => ({ captured, fraction })),
            { linkType: RAW },
          ),
        );
        expect(decodeSource(capture, windowBytes, decoder)).toEqual(decodeSource(capture, 1 << 20, decoder));
      }),
      { numRuns: 100 },
    );
  });

  it('give the records that come before the cut, wherever the capture is cut', () => {
    const ips = [
      ipv4(tcp({ payload: [1, 2, 3] })),
      ipv6(tcp()),
      ipv4(tcp(), { protocol: 17 }),
      ipv4(tcp({ options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] })),
    ];
    const parts = ips.map((captured, fraction) => ({ captured, fraction }));
    const whole = pcap(parts, { linkType: RAW });
    for (let cut = 24; cut <= whole.length; cut++) {
      let end = 24;
      const kept = parts.filter(({ captured }) => (end += 16 + captured.length) <= cut);
      const { faults, ...decoded } = decodeSource(inMemory(whole.subarray(0, cut)), 64, decoder);
      const { faults: none, ...expected } = decodePackets(kept, { linkType: RAW }, decoder);
      expect(decoded).toEqual(expected);
      const boundary = pcap(kept).length;
      expect(none).toEqual([]);
      expect(faults.map(({ truncated, offset }) => [truncated, offset])).toEqual(boundary === cut ? [] : [[true, boundary]]);
    }
  });

  it('give the same payload, numbers and options, however much of the payload is captured', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), options, fc.nat(200), (payload, list, cut) => {
        const ip = ipv4(tcp({ payload, options: list }));
        const headers = ip.length - payload.length;
        const [whole] = decodePackets([{ captured: ip }], { linkType: RAW }, decoder).records;
        const [part] = decodePackets(
          [{ captured: ip.subarray(0, headers + (cut % payload.length)), original: ip.length }],
          { linkType: RAW },
          decoder,
        ).records;
        expect({ ...part, digest: 0 }).toEqual({ ...whole, digest: 0 });
      }),
    );
  });
});
