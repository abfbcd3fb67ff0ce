// IPv4, IPv6, extension headers and fragments.

import { describe, expect, it } from 'vitest';
import { RAW } from '../../src/layout/link.ts';
import { FRAGMENT_HEAD, FRAGMENT_TAIL, FROM_HIGH, IPV6, NO_IDENTIFICATION, NO_WINDOW_SCALE } from '../../src/layout/segment.ts';
import { ACK } from '../../src/layout/tcp.ts';
import { BUILDS, decodeOne, decodePackets, dropOf } from '../decode/decoding.ts';
import { bytes, documentation, ethernet, extension, fragmentHeader, ipv4, ipv6, tcp } from '../support/packets.ts';

const data = tcp({ payload: new Uint8Array(100).fill(65) });

describe.each(BUILDS)('network layer, $build', ({ decoder }) => {
  const one = (packet: Uint8Array, original?: number) => decodeOne(packet, RAW, original, decoder);

  it.each<[what: string, packet: Uint8Array, payload: number, original?: number]>([
    ['ipv4', ipv4(data), 100],
    ['ipv4 with options', ipv4(data, { options: [7, 7, 4, 0, 0, 0, 0, 0] }), 100],
    ['ipv4 with the longest header', ipv4(data, { options: Array(40).fill(1) }), 100],
    ["ipv4 with don't fragment", ipv4(data, { fragment: 0x4000 }), 100],
    ['ipv4 with the reserved bit', ipv4(data, { fragment: 0x8000 }), 100],
    ['padding after the packet', bytes(ipv4(tcp()), new Uint8Array(6)), 0],
    ['a cut at the headers', ipv4(data).subarray(0, 40), 100, 140],
    ['a cut within the header, after the flags', ipv4(data).subarray(0, 34), 100, 140],
    ['ipv4 length 0 (offload)', ipv4(data, { totalLength: 0 }), 100],
    ['ipv4 length 0, cut', ipv4(data, { totalLength: 0 }).subarray(0, 60), 64_000 - 40, 64_000],
    ['ipv4 length 0, original beyond 31 bits', ipv4(data, { totalLength: 0 }), 0x7fffffff - 40, 0xffffffff],
    ['ipv4 length beyond the packet', ipv4(data, { totalLength: 1000 }), 960],
    ['captured exceeding original', ipv4(data), 100, 10],
    ['ipv6', ipv6(data), 100],
    ['ipv6 length 0 (offload)', ipv6(data, { payloadLength: 0 }).subarray(0, 70), 64_000 - 60, 64_000],
    ['ipv6 length beyond the packet', ipv6(data, { payloadLength: 1000 }), 980],
    ['hop-by-hop', ipv6(extension(6, data), { next: 0 }), 100],
    ['routing', ipv6(extension(6, data, 24), { next: 43 }), 100],
    ['destination', ipv6(extension(6, data, 16), { next: 60 }), 100],
    ['mobility', ipv6(extension(6, data), { next: 135 }), 100],
    ['host identity', ipv6(extension(6, data), { next: 139 }), 100],
    ['shim6', ipv6(extension(6, data), { next: 140 }), 100],
    ['authentication', ipv6(bytes(6, 4, new Uint8Array(22), data), { next: 51 }), 100],
    ['an atomic fragment', ipv6(fragmentHeader(6, 0, false, 77, data), { next: 44 }), 100],
    ['several headers', ipv6(extension(60, extension(43, extension(6, data, 24), 8)), { next: 0 }), 100],
    [
      'twelve headers',
      ipv6(
        Array.from({ length: 11 }).reduce<Uint8Array>((inner) => extension(60, inner), extension(6, data)),
        { next: 60 },
      ),
      100,
    ],
    ['a jumbo payload', ipv6(bytes(6, 0, 0xc2, 4, 0, 2, 0, 0, data), { next: 0, payloadLength: 0 }), 0x20000 - 28],
    [
      'a jumbo payload after padding',
      ipv6(bytes(6, 1, 0, 1, 1, 0, 0xc2, 4, 0, 2, 0, 0, 0, 0, 0, 0, data), { next: 0, payloadLength: 0 }),
      0x20000 - 36,
    ],
    ['length 0 with other hop-by-hop options', ipv6(extension(6, data), { next: 0, payloadLength: 0 }), 100],
  ])('%s', (_what, packet, payload, original) => {
    expect(one(packet, original)).toMatchObject({ payload, seq: 1000, ack: 9000, link: 0 });
  });

  it.each<[what: string, packet: Uint8Array, drop: string, original?: number]>([
    ['an ipv4 header cut', ipv4(data).subarray(0, 19), 'ip_truncated'],
    ['ipv4 options cut', ipv4(data, { options: [1, 1, 1, 1] }).subarray(0, 23), 'ip_truncated'],
    ['a header length of 16', ipv4(data, { words: 4 }), 'ip_length'],
    ['a length below the header', ipv4(data, { totalLength: 19 }), 'ip_length'],
    ['a length below the options', ipv4(data, { options: [1, 1, 1, 1], totalLength: 23 }), 'ip_length'],
    ['length 0 and no original length either', ipv4(data, { totalLength: 0 }), 'ip_length', 0],
    ['udp', ipv4(data, { protocol: 17 }), 'not_tcp'],
    ['icmp fragment', ipv4(data, { protocol: 1, fragment: 100 }), 'not_tcp'],
    ['a middle fragment', ipv4(data, { fragment: 0x2000 | 100 }), 'fragment'],
    ['an ipv6 header cut', ipv6(data).subarray(0, 39), 'ip_truncated'],
    ['ipv6 length 0 and no original length either', ipv6(data, { payloadLength: 0 }), 'ip_length', 0],
    ['ipv6 udp', ipv6(data, { next: 17 }), 'not_tcp'],
    ['esp', ipv6(data, { next: 50 }), 'encrypted'],
    ['no next header', ipv6(data, { next: 59 }), 'not_tcp'],
    ['an extension header cut', ipv6(extension(6, data), { next: 0 }).subarray(0, 47), 'ip_truncated'],
    ['a long extension header cut', ipv6(extension(6, data, 24), { next: 43 }).subarray(0, 60), 'ip_truncated'],
    ['an extension header beyond the length', ipv6(extension(6, data, 24), { next: 43, payloadLength: 16 }), 'ip_length'],
    ['no room for an extension header', ipv6(bytes(6, 0), { next: 60 }), 'ip_length'],
    [
      'thirteen headers',
      ipv6(
        Array.from({ length: 12 }).reduce<Uint8Array>((inner) => extension(60, inner), extension(6, data)),
        { next: 60 },
      ),
      'not_tcp',
    ],
    ['an ipv6 middle fragment', ipv6(fragmentHeader(6, 100, true, 7, data), { next: 44 }), 'fragment'],
    ['an ipv6 udp fragment', ipv6(fragmentHeader(17, 100, true, 7, data), { next: 44 }), 'fragment'],
    ['an ipv6 icmp fragment', ipv6(fragmentHeader(58, 100, true, 7, data), { next: 44 }), 'not_tcp'],
    ['a last fragment that may begin with options', ipv6(fragmentHeader(60, 100, false, 7, data), { next: 44 }), 'fragment'],
  ])('drops %s', (_what, packet, drop, original) => {
    expect(dropOf(packet, RAW, original, decoder)).toBe(drop);
  });

  it('gives a first fragment its own length and the identification', () => {
    expect(one(ipv4(data, { fragment: 0x2000, identification: 0xabcd }))).toMatchObject({
      payload: 100,
      flags: ACK | FRAGMENT_HEAD,
      link: 0xabcd,
    });
    expect(one(ipv6(fragmentHeader(6, 0, true, 0xdeadbeef, data), { next: 44 }))).toMatchObject({
      payload: 100,
      flags: ACK | FRAGMENT_HEAD | IPV6 | NO_IDENTIFICATION,
      link: 0xdeadbeef,
    });
  });

  it.each([
    ['ipv4', ethernet(ipv4(data, { fragment: 150, identification: 0xabcd })), 0xabcd, 0],
    ['ipv6', ethernet(ipv6(fragmentHeader(6, 150, false, 0xdeadbeef, data), { next: 44 })), 0xdeadbeef, IPV6 | NO_IDENTIFICATION],
  ] as const)('gives the last fragment a record that tells the length of the datagram: %s', (_family, captured, link, flags) => {
    const { records, drops, segments } = decodePackets([{ captured }], {}, decoder);
    expect({ segments, drops }).toEqual({ segments: 0, drops: { fragment: 1 } });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      payload: 150 * 8 + data.length,
      link,
      flags: flags | FRAGMENT_TAIL,
      seq: 0,
      ack: 0,
      hash: 0,
      lowPort: 0,
      highPort: 0,
      digest: 0,
      tsval: 0,
      windowScale: NO_WINDOW_SCALE,
    });
  });

  it('says in the last fragment, too, who sent it', () => {
    const tail = { fragment: 150, source: '10.0.0.9', destination: '10.0.0.2' };
    const { records } = decodePackets([{ captured: ethernet(ipv4(data, tail)) }], {}, decoder);
    expect(records[0]).toMatchObject({ low: 0x0a000002, high: 0x0a000009, flags: FROM_HIGH | FRAGMENT_TAIL });
  });

  it('says where equal bytes prove no copy', () => {
    expect(one(ipv4(data, { identification: 0 })).flags & NO_IDENTIFICATION).toBe(NO_IDENTIFICATION);
    expect(one(ipv4(data, { identification: 0x0100 })).flags & NO_IDENTIFICATION).toBe(0);
    expect(one(ipv6(data)).flags & NO_IDENTIFICATION).toBe(NO_IDENTIFICATION);
  });

  it('orders endpoints by address, then by port', () => {
    const ends = (source: string, sourcePort: number, destination: string, destinationPort: number) =>
      one(ipv4(tcp({ source: sourcePort, destination: destinationPort }), { source, destination }));
    expect(ends('10.0.0.2', 40000, '10.0.0.9', 80)).toMatchObject({
      low: 0x0a000002,
      high: 0x0a000009,
      lowPort: 40000,
      highPort: 80,
      flags: ACK,
    });
    expect(ends('200.0.0.1', 1, '10.0.0.9', 80)).toMatchObject({
      low: 0x0a000009,
      high: 0xc8000001,
      lowPort: 80,
      highPort: 1,
      flags: ACK | FROM_HIGH,
    });
    expect(ends('1.1.1.1', 443, '1.1.1.1', 80)).toMatchObject({ lowPort: 80, highPort: 443, flags: ACK | FROM_HIGH });
    expect(ends('1.1.1.1', 80, '1.1.1.1', 80)).toMatchObject({ flags: ACK });
  });

  it('orders IPv6 endpoints by all 16 bytes, then by port', () => {
    const wide = (first: number, last: number) => [first, ...Array(14).fill(0), last];
    const ends = (source: number[], destination: number[], ports = {}) => one(ipv6(tcp(ports), { source, destination }));
    expect(ends(wide(0x20, 2), wide(0xfe, 1))).toMatchObject({ pair: [...wide(0x20, 2), ...wide(0xfe, 1)], lowPort: 40000, highPort: 80 });
    expect(ends(wide(0xfe, 1), wide(0x20, 2))).toMatchObject({ pair: [...wide(0x20, 2), ...wide(0xfe, 1)], lowPort: 80, highPort: 40000 });
    expect(ends(wide(0x20, 9), wide(0x20, 2)).flags & FROM_HIGH).toBe(FROM_HIGH);
    expect(ends(documentation(1), documentation(1), { source: 9, destination: 8 }).flags & FROM_HIGH).toBe(FROM_HIGH);
    const there = ends(wide(0x20, 9), wide(0x20, 2));
    const back = ends(wide(0x20, 2), wide(0x20, 9), { source: 80, destination: 40000 });
    expect([back.low, back.high, back.hash]).toEqual([there.low, there.high, there.hash]);
  });

  it('hashes by the seed', () => {
    const { hash } = one(ipv4(data));
    const [other] = decodePackets([{ captured: ethernet(ipv4(data)) }], {}, decoder, 1).records;
    expect(other?.hash).not.toBe(hash);
  });
});
