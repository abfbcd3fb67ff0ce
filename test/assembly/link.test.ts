// Link layers: one row for each that is opened, and for each way of not being IP.

import { describe, expect, it } from 'vitest';
import { EN10MB, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW } from '../../src/layout/link.ts';
import { BUILDS, decodeOne, dropOf } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, ipv6, IPV4_ONLY, IPV6_ONLY, LINKS, loopback, sll, sll2, snap, tcp, vlan } from '../support/packets.ts';

const four = ipv4(tcp({ payload: [1, 2, 3] }));
const six = ipv6(tcp({ payload: [1, 2, 3] }));
const nested = (depth: number): Uint8Array => (depth === 0 ? four : vlan(nested(depth - 1), depth === 1 ? 0x0800 : 0x8100));

describe.each(BUILDS)('link layers, $build', ({ decoder }) => {
  const { link: _, ...reference } = decodeOne(four, RAW, undefined, decoder);
  const { link: __, ...reference6 } = decodeOne(six, RAW, undefined, decoder);

  it.each(LINKS)('opens $name', ({ linkType, wrap }) => {
    expect(decodeOne(wrap(four), linkType, undefined, decoder)).toMatchObject(reference);
    expect(decodeOne(wrap(six), linkType, undefined, decoder)).toMatchObject(reference6);
  });

  it.each([2, 10, 24, 28, 30])('knows address family %i', (family) => {
    const packet = family === 2 ? four : six;
    for (const bigEndian of [false, true]) expect(decodeOne(loopback(packet, family, bigEndian), NULL, undefined, decoder).payload).toBe(3);
    expect(decodeOne(loopback(packet, family, true), LOOP, undefined, decoder).payload).toBe(3);
    expect(dropOf(loopback(packet, family, false), LOOP, undefined, decoder)).toBe('not_ip');
  });

  it('opens link types that name one IP version', () => {
    expect(decodeOne(four, IPV4_ONLY, undefined, decoder)).toMatchObject(reference);
    expect(decodeOne(six, IPV6_ONLY, undefined, decoder)).toMatchObject(reference6);
  });

  it.each<[what: string, frame: Uint8Array, linkType: number, drop: string]>([
    ['an unknown link type', ethernet(four), 147, 'link_type'],
    ['an ethernet header cut', ethernet(four).subarray(0, 13), EN10MB, 'link_truncated'],
    ['nothing at all', bytes(), EN10MB, 'link_truncated'],
    ['an sll header cut', sll(four).subarray(0, 15), LINUX_SLL, 'link_truncated'],
    ['an sll2 header cut', sll2(four).subarray(0, 19), LINUX_SLL2, 'link_truncated'],
    ['a loopback family cut', loopback(four, 2, false).subarray(0, 3), NULL, 'link_truncated'],
    ['a vlan tag cut', ethernet(vlan(four), 0x8100).subarray(0, 17), EN10MB, 'link_truncated'],
    ['an llc header cut', ethernet(snap(four), 60).subarray(0, 16), EN10MB, 'link_truncated'],
    ['a snap header cut', ethernet(snap(four), 60).subarray(0, 21), EN10MB, 'link_truncated'],
    ['arp', ethernet(new Uint8Array(28), 0x0806), EN10MB, 'not_ip'],
    ['arp in a vlan', ethernet(vlan(new Uint8Array(28), 0x0806), 0x8100), EN10MB, 'not_ip'],
    ['spanning tree over llc', ethernet(bytes(0x42, 0x42, 3, new Uint8Array(35)), 38), EN10MB, 'not_ip'],
    ['snap of another organisation', ethernet(bytes(0xaa, 0xaa, 3, 0, 0, 12, 8, 0, four), 60), EN10MB, 'not_ip'],
    ['lengths that are no length', ethernet(snap(four), 1501), EN10MB, 'not_ip'],
    ['an unknown family', loopback(four, 7, false), NULL, 'not_ip'],
    ['more vlan tags than anybody has', ethernet(nested(16), 0x8100), EN10MB, 'nested'],
    ['raw bytes that are no ip', bytes(0x50, four.subarray(1)), RAW, 'ip_version'],
    ['a raw packet of no bytes', bytes(), RAW, 'ip_truncated'],
    ['ipv6 where ipv4 is announced', ethernet(six, 0x0800), EN10MB, 'ip_version'],
    ['ipv4 where ipv6 is announced', ethernet(four, 0x86dd), EN10MB, 'ip_version'],
    ['ipv6 under an ipv4 link type', six, IPV4_ONLY, 'ip_version'],
    ['ipv4 under an ipv6 link type', four, IPV6_ONLY, 'ip_version'],
  ])('drops %s', (_what, frame, linkType, drop) => {
    expect(dropOf(frame, linkType, undefined, decoder)).toBe(drop);
  });

  it('opens as many vlan tags as it says', () => {
    expect(decodeOne(ethernet(nested(15), 0x8100), EN10MB, undefined, decoder)).toMatchObject(reference);
  });

  it('tells link headers apart, and nothing else by them', () => {
    const one = decodeOne(ethernet(four), EN10MB, undefined, decoder);
    for (let at = 0; at < 12; at++) {
      const frame = ethernet(four);
      frame[at] = (frame[at] ?? 0) ^ 1;
      const other = decodeOne(frame, EN10MB, undefined, decoder);
      expect(other.link).not.toBe(one.link);
      expect({ ...other, link: one.link }).toEqual(one);
    }
    expect(decodeOne(four, RAW, undefined, decoder).link).toBe(0);
  });

  it.each(LINKS.filter(({ linkType }) => linkType !== RAW && linkType !== 12 && linkType !== 14))(
    'digests every byte of the header: $name',
    ({ linkType, wrap }) => {
      const length = wrap(four).length - four.length;
      const digests = new Set([decodeOne(wrap(four), linkType, undefined, decoder).link]);
      let changed = 0;
      for (let at = 0; at < length; at++) {
        const frame = wrap(four);
        frame[at] = (frame[at] ?? 0) ^ 1;
        try {
          digests.add(decodeOne(frame, linkType, undefined, decoder).link);
          changed++;
        } catch {
          // The byte announced IP.
        }
      }
      expect(digests.size).toBe(1 + changed);
    },
  );
});
