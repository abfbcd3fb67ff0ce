// The digest tells copies of a packet from different packets.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINUX_SLL, RAW } from '../../src/layout/link.ts';
import { FRAGMENT_TAIL } from '../../src/layout/segment.ts';
import { BUILDS, decodeOne, decodePackets } from '../decode/decoding.ts';
import { bytes, ethernet, extension, ipv4, ipv6, LINKS, sll, tcp, vlan } from '../support/packets.ts';

const payload = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at + 1);
const stamps = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8];
const long = [...stamps, 5, 26, ...Array(24).fill(9), 1, 1];

// Where the hop limit and the checksums stand, and how long the headers are.
const SHAPES: readonly { name: string; packet: Uint8Array; left: readonly number[]; headers: number }[] = [
  { name: 'no options', packet: ipv4(tcp({ payload: payload(40) })), left: [8, 10, 11, 36, 37], headers: 40 },
  { name: 'no payload', packet: ipv4(tcp()), left: [8, 10, 11, 36, 37], headers: 40 },
  { name: 'timestamps', packet: ipv4(tcp({ options: stamps, payload: payload(40) })), left: [8, 10, 11, 36, 37], headers: 52 },
  { name: 'timestamps, no payload', packet: ipv4(tcp({ options: stamps })), left: [8, 10, 11, 36, 37], headers: 52 },
  { name: 'all options', packet: ipv4(tcp({ options: long, payload: payload(40) })), left: [8, 10, 11, 36, 37], headers: 80 },
  { name: 'ip options', packet: ipv4(tcp({ payload: payload(40) }), { options: [1, 1, 1, 1] }), left: [8, 10, 11, 40, 41], headers: 44 },
  {
    name: 'all options of both',
    packet: ipv4(tcp({ options: long, payload: payload(40) }), { options: Array(40).fill(1) }),
    left: [8, 10, 11, 76, 77],
    headers: 120,
  },
  { name: 'ipv6', packet: ipv6(tcp({ options: stamps, payload: payload(40) })), left: [7, 56, 57], headers: 72 },
  {
    name: 'ipv6, long extension headers',
    packet: ipv6(extension(60, extension(6, tcp({ payload: payload(40) }), 24), 1024), { next: 0 }),
    left: [7, 40 + 1048 + 16, 40 + 1048 + 17],
    headers: 40 + 1048 + 20,
  },
];

describe.each(BUILDS)('digest, $build', ({ decoder }) => {
  const digest = (packet: Uint8Array, linkType = RAW) => {
    const { digest, flags } = decodeOne(packet, linkType, undefined, decoder);
    if (flags & FRAGMENT_TAIL) throw new Error('no segment');
    return digest;
  };
  const changed = (packet: Uint8Array, at: number, by: number): Uint8Array => {
    const copy = bytes(packet);
    copy[at] = (copy[at] ?? 0) ^ by;
    return copy;
  };

  it.each(SHAPES)(
    'leaves out hop limit and checksums only, and what lies beyond 32 bytes of payload: $name',
    ({ packet, left, headers }) => {
      const one = digest(packet);
      const seen = new Set([one]);
      let others = 0;
      for (let at = 0; at < packet.length; at++) {
        for (const by of [1, 0x80]) {
          let other: number;
          try {
            other = digest(changed(packet, at, by));
          } catch {
            // Another version, length, protocol or fragment: no segment.
            continue;
          }
          if (left.includes(at) || at >= headers + 32) {
            expect(other).toBe(one);
          } else {
            seen.add(other);
            others++;
          }
        }
      }
      expect(others).toBeGreaterThan(40);
      expect(seen.size).toBe(1 + others);
    },
  );

  it.each(SHAPES)('is the same under every link header: $name', ({ packet }) => {
    for (const { linkType, wrap } of LINKS) expect(digest(wrap(packet), linkType)).toBe(digest(packet));
  });

  it('does not count padding', () => {
    const packet = ethernet(ipv4(tcp({ payload: [1] })));
    expect(digest(bytes(packet, [9, 9, 9, 9, 9]), 1)).toBe(digest(packet, 1));
  });

  it('agrees where the same snapshot length cuts options or the payload behind different link headers', () => {
    const packet = ipv4(tcp({ options: stamps, payload: payload(1000) }));
    // From 18 + 20 + 14 bytes on a tagged one is a segment; of 14 + 20 + 32 + 32 bytes an untagged one is not cut in what counts.
    for (let length = 52; length < 98; length++) {
      const cut = (frame: Uint8Array, linkType: number) => digest(frame.subarray(0, length), linkType);
      expect(cut(sll(packet), LINUX_SLL)).toBe(cut(ethernet(packet), 1));
      expect(cut(ethernet(vlan(packet), 0x8100), 1)).toBe(cut(ethernet(packet), 1));
    }
  });

  it('tells different segments that are cut', () => {
    const segments = [tcp({}), tcp({ seq: 7 }), tcp({ ack: 7 }), tcp({ flags: 0x11 }), tcp({ source: 7 })];
    const cut = segments.map((segment) => digest(ethernet(ipv4(segment)).subarray(0, 50), 1));
    expect(new Set([...cut, digest(ethernet(ipv4(segments[0]!, { identification: 9 })).subarray(0, 50), 1)]).size).toBe(6);
  });

  it('is keyed by the seed', () => {
    const capture = [{ captured: ethernet(ipv4(tcp())) }];
    const [one] = decodePackets(capture, {}, decoder, 1).records;
    const [other] = decodePackets(capture, {}, decoder, 2).records;
    expect(one?.digest).not.toBe(other?.digest);
    expect(one?.hash).not.toBe(other?.hash);
    expect(one?.link).not.toBe(other?.link);
  });

  it('gives every one of many packets its own', () => {
    const seen = new Set<number>();
    const count = 20_000;
    const packets = Array.from({ length: count }, (_, seq) => ({ captured: ethernet(ipv4(tcp({ seq: seq * 1448, options: stamps }))) }));
    for (const { digest: one } of decodePackets(packets, {}, decoder).records) seen.add(one);
    // 20,000 draws out of 2^32 collide 0.05 times on average.
    expect(seen.size).toBeGreaterThan(count - 3);
  });
});

describe.each(BUILDS)('hash, $build', ({ decoder }) => {
  const address = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  const wide = fc.array(fc.nat(255), { minLength: 16, maxLength: 16 });
  const port = fc.nat(65535);

  it('is that of the unordered tuple', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(address, address), fc.tuple(wide, wide)), port, port, ([source, destination], from, to) => {
        const send = (a: number[], p: number, b: number[], q: number) => {
          const segment = tcp({ source: p, destination: q });
          const addresses = { source: a, destination: b };
          return decodeOne(
            a.length === 16 ? ipv6(segment, addresses) : ipv4(segment, { source: a.join('.'), destination: b.join('.') }),
            RAW,
            undefined,
            decoder,
          );
        };
        const there = send(source, from, destination, to);
        const back = send(destination, to, source, from);
        const tuple = ({ low, high, lowPort, highPort, hash, pair }: typeof there) => [low, high, lowPort, highPort, hash, pair];
        expect(tuple(back)).toEqual(tuple(there));
        const same = from === to && source.join() === destination.join();
        expect((there.flags ^ back.flags) & 0x100).toBe(same ? 0 : 0x100);
      }),
    );
  });

  it.each([
    ['high', (hash: number) => hash >>> 24],
    ['low', (hash: number) => hash & 255],
  ] as const)('is even in its %s bits for neighbouring tuples', (_bits, bin) => {
    const count = 256 * 64;
    const packets = Array.from({ length: count }, (_, index) => ({
      captured: ethernet(
        ipv4(tcp({ source: 32768 + (index & 127) }), { source: `10.0.0.${(index >> 7) & 15}`, destination: `10.0.1.${index >> 11}` }),
      ),
    }));
    const bins = new Uint32Array(256);
    for (const { hash } of decodePackets(packets, {}, decoder).records) bins[bin(hash)] = (bins[bin(hash)] ?? 0) + 1;
    // 64 a bin on average, standard deviation 8.
    expect(Math.max(...bins)).toBeLessThan(64 + 6 * 8);
    expect(Math.min(...bins)).toBeGreaterThan(64 - 6 * 8);
  });
});
