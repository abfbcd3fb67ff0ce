// The same connection, wrapped in every link layer and tunnel that is opened: one row a wrapping, and combinations of them.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as links from '../../src/layout/link.ts';
import { FRAGMENT_HEAD } from '../../src/layout/segment.ts';
import { BUILDS, decodeOne, decodePackets, dropOf } from '../decode/decoding.ts';
import { bytes, documentation, ethernet, ipv4, ipv6, LINKS, snap, tcp, vlan } from '../support/packets.ts';
import {
  aggregate,
  capwap,
  erf,
  frameRelay,
  geneve,
  gre,
  gtp,
  juniper,
  type LinkWrapping,
  mpls,
  MORE_LINKS,
  nflog,
  nsh,
  outer,
  pflog,
  ppp,
  pppoe,
  radiotap,
  segments,
  TEREDO,
  TUNNELS,
  udp,
  vxlan,
  wlan,
} from '../support/wrappings.ts';

const segment = tcp({ options: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8], payload: [1, 2, 3] });
const four = ipv4(segment);
const six = ipv6(segment);
const ALL_LINKS: readonly LinkWrapping[] = [...LINKS, ...MORE_LINKS];
const total = (drops: Record<string, number>): number => Object.values(drops).reduce((sum, count) => sum + count, 0);

describe.each(BUILDS)('wrappings, $build', ({ decoder }) => {
  const record = (frame: Uint8Array, linkType: number = links.RAW) => {
    const { link: _, ...rest } = decodeOne(frame, linkType, undefined, decoder);
    return rest;
  };
  const place = (frame: Uint8Array, linkType: number = links.RAW): number => decodeOne(frame, linkType, undefined, decoder).link;
  const drop = (frame: Uint8Array, linkType: number = links.RAW): string => dropOf(frame, linkType, undefined, decoder);
  const reference = [four, six].map((ip) => record(ip));

  it.each(MORE_LINKS)('opens $name', ({ linkType, wrap }) => {
    expect([four, six].map((ip) => record(wrap(ip), linkType))).toEqual(reference);
  });

  it.each(TUNNELS)('opens $name', ({ wrap }) => {
    expect([four, six].map((ip) => record(wrap(ip)))).toEqual(reference);
  });

  it('opens arcnet, which carries ipv4 only', () => {
    expect(record(bytes(1, 2, 0, 0, 212, 0, 0, 1, four), links.ARCNET_LINUX)).toEqual(reference[0]);
    expect(record(bytes(1, 2, 0, 0, 240, four), links.ARCNET_LINUX)).toEqual(reference[0]);
  });

  it('takes every packet of an a-msdu, wherever it lies', () => {
    // The last one's length looks like an EtherType.
    const each = [four, six, ipv4(tcp({ source: 1111, payload: [4] })), ipv4(tcp({ payload: new Uint8Array(2000) }))];
    const frame = aggregate(four, ipv4(tcp(), { protocol: 17 }), ...each.slice(1));
    for (const [captured, linkType] of [
      [frame, links.IEEE802_11],
      [bytes(frame, 1, 2, 3, 4), links.IEEE802_11], // a frame check sequence
      [radiotap(frame), links.IEEE802_11_RADIOTAP],
      [outer(gre(frame, 0x8210), 47), links.RAW],
    ] as const) {
      const decoded = decodePackets([{ captured }, { captured }], { linkType }, decoder);
      const records = [0, 1].flatMap((packet) => each.map((ip) => ({ ...record(ip), packet })));
      expect(decoded.records.map(({ link: _, ...rest }) => rest)).toEqual(records);
      expect(decoded).toMatchObject({ packets: 2, aggregated: 8, segments: 8, drops: { not_tcp: 2 }, regressions: 0 });
    }
  });

  it('takes what was captured of an a-msdu, and of one with more packets than anybody sends, counts the rest', () => {
    const whole = aggregate(four, four, four);
    for (let cut = 0; cut < whole.length; cut++) {
      const { records, drops, aggregated } = decodePackets(
        [{ captured: whole.subarray(0, cut), original: whole.length }],
        { linkType: links.IEEE802_11 },
        decoder,
      );
      const step = (whole.length - 26 + 3) / 3; // the last one lacks 3 bytes of padding
      expect(records.length).toBe([0, 1, 2].filter((i) => cut >= 26 + i * step + 14 + 8 + 20 + 14).length);
      expect(records.length + total(drops)).toBe(1 + aggregated);
    }
    const many = decodePackets(
      [{ captured: aggregate(...Array.from({ length: 150 }, () => four)) }],
      { linkType: links.IEEE802_11 },
      decoder,
    );
    expect([many.packets, many.aggregated, many.segments + many.drops['aggregate']!]).toEqual([1, 149, 150]);
    expect(many.segments).toBeGreaterThan(100);
  });

  it('tells the packets of an a-msdu apart by where they were captured, and their times by that of the frame', () => {
    const decoded = (captured: Uint8Array, fields = {}) =>
      decodePackets([{ captured, ...fields }], { linkType: links.IEEE802_11 }, decoder);
    const frame = aggregate(four, four);
    const [first, second] = decoded(frame, { seconds: 5 }).records;
    expect(second).toEqual(first);
    const elsewhere = frame.slice();
    elsewhere[5]! ^= 1; // another receiver
    expect(decoded(elsewhere).records[0]!.link).not.toBe(first!.link);
  });

  it('opens every tunnel in every other one', () => {
    for (const { wrap, name } of TUNNELS) {
      for (const { wrap: around, name: other } of TUNNELS) {
        expect([`${name} in ${other}`, ...[four, six].map((ip) => record(around(wrap(ip))))]).toEqual([
          `${name} in ${other}`,
          ...reference,
        ]);
      }
    }
  });

  it('opens tunnels within tunnels under every link type', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TUNNELS), { maxLength: 6 }), fc.constantFrom(...ALL_LINKS), (tunnels, { linkType, wrap }) => {
        const wrapped = (ip: Uint8Array) => wrap(tunnels.reduce((inner, tunnel) => tunnel.wrap(inner), ip));
        expect([four, six].map((ip) => record(wrapped(ip), linkType))).toEqual(reference);
      }),
      { numRuns: 300 },
    );
  });

  it('bounds what it opens', () => {
    const inIp = (depth: number): Uint8Array => (depth === 0 ? four : outer(inIp(depth - 1), 4));
    expect(record(inIp(16))).toEqual(reference[0]);
    expect(drop(inIp(17))).toBe('nested');
    expect(record(mpls(four, ...Array(15).fill(20)), links.MPLS)).toMatchObject({ payload: 3 });
    expect(drop(mpls(four, ...Array(16).fill(20)), links.MPLS)).toBe('nested');
  });

  it('takes the payload length from the innermost ip header, or from what is left of the packet', () => {
    const offloaded = ipv4(segment, { totalLength: 0 });
    const whole = udp(vxlan(ethernet(offloaded)), 4789);
    const zero = bytes(whole);
    zero.fill(0, 2, 4);
    expect(record(whole).payload).toBe(3);
    expect(decodeOne(zero, links.RAW, 60_000, decoder).payload).toBe(60_000 - (whole.length - 3));
    expect(record(ethernet(bytes(whole, new Uint8Array(20))), links.EN10MB).payload).toBe(3);
  });

  it('needs no more than the tcp flags of what is captured', () => {
    for (const { wrap } of TUNNELS) {
      const frame = wrap(four);
      const cut = frame.length - 3 - 12 - 6;
      expect(decodeOne(frame.subarray(0, cut), links.RAW, frame.length, decoder)).toMatchObject({ payload: 3, seq: 1000, ack: 9000 });
      expect(dropOf(frame.subarray(0, cut - 1), links.RAW, frame.length, decoder)).toBe('tcp_truncated');
    }
  });

  it('reads nothing beyond what is captured', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TUNNELS),
        fc.constantFrom(...ALL_LINKS),
        fc.constantFrom(four, six),
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
        (tunnel, link, ip, at, errors) => {
          const frame = link.wrap(tunnel.wrap(ip));
          for (const [place, value] of errors) frame[place % frame.length] = value;
          const captured = frame.subarray(0, at % (frame.length + 1));
          const [zeros, ones] = [0, 0xff].map((filling) => {
            decoder.window.fill(filling, 0, 4096);
            return decodePackets([{ captured, original: frame.length }], link, decoder);
          });
          expect(zeros).toEqual(ones);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('says that it is truncated wherever it is cut', () => {
    for (const { name, wrap, linkType, toldBy = 0 } of [...ALL_LINKS, ...TUNNELS.map((tunnel) => ({ ...tunnel, linkType: links.RAW }))]) {
      const frame = wrap(four);
      // Of a frame that is cut before its LLC header nobody knows that hardware decrypted it.
      for (let cut = toldBy; cut < frame.length - 3 - 12 - 6; cut++) {
        const { drops } = decodePackets([{ captured: frame.subarray(0, cut), original: frame.length }], { linkType }, decoder);
        const [reason, more] = Object.keys(drops);
        expect([name, cut, more, reason]).toEqual([name, cut, undefined, expect.stringMatching(/_truncated$|^encrypted$/)]);
      }
    }
  });

  const segmentRouting = (left: number): Uint8Array =>
    ipv6(segments(6, documentation(9), left, segment), { next: 43, destination: left ? documentation(77) : documentation(9) });
  it('takes the last address of a source route for the destination', () => {
    const [, plain] = reference;
    for (const left of [0, 1]) expect({ ...record(segmentRouting(left)), digest: 0 }).toEqual({ ...plain, digest: 0 });
    const route = bytes(6, 4, 0, 2, 0, 0, 0, 0, documentation(5), documentation(9), segment);
    expect({ ...record(ipv6(route, { next: 43, destination: documentation(77) })), digest: 0 }).toEqual({ ...plain, digest: 0 });
    const home = bytes(6, 2, 2, 1, 0, 0, 0, 0, documentation(9), segment);
    expect({ ...record(ipv6(home, { next: 43, destination: documentation(77) })), digest: 0 }).toEqual({ ...plain, digest: 0 });
  });

  it('takes the last address of a source route of IPv4 for the destination', () => {
    const [plain] = reference;
    const routed = (destination: string, ...options: number[]) => {
      while (options.length % 4 !== 0) options.push(0);
      return { ...record(ipv4(segment, { destination, options })), digest: plain?.digest };
    };
    const via = [192, 0, 2, 1];
    const last = [10, 0, 0, 9];
    for (const kind of [131, 137]) {
      expect(routed('192.0.2.7', kind, 7, 4, ...last)).toEqual(plain);
      expect(routed('192.0.2.7', 1, kind, 11, 4, ...via, ...last)).toEqual(plain);
      expect(routed('192.0.2.7', 7, 3, 4, kind, 11, 8, ...via, ...last)).toEqual(plain);
      // It is there; or the route is none.
      expect(routed('10.0.0.9', kind, 11, 12, ...via, ...via)).toEqual(plain);
      expect(routed('10.0.0.9', kind, 3, 4)).toEqual(plain);
      expect(routed('10.0.0.9', kind, 40, 4, ...via)).toEqual(plain);
      expect(routed('10.0.0.9', 0, kind, 7, 4, ...via)).toEqual(plain);
    }
    expect(routed('10.0.0.9', 7, 7, 4, ...via)).toEqual(plain);
  });

  it('takes the home address of who is away for the source', () => {
    const [, plain] = reference;
    const away = (...options: number[]) =>
      ipv6(bytes(6, (options.length - 6) / 8, options, segment), { next: 60, source: documentation(77) });
    for (const before of [[], [0], [1, 0], [1, 6, 0, 0, 0, 0, 0, 0]]) {
      const options = [...before, 0xc9, 16, ...documentation(2)];
      while (options.length % 8 !== 6) options.push(0);
      expect({ ...record(away(...options)), digest: 0 }).toEqual({ ...plain, digest: 0 });
    }
    // One that is none, and one beyond its header.
    for (const options of [
      [0xc9, 15, ...documentation(2), 0, 0, 0, 0],
      [1, 12, ...Array<number>(12).fill(0), 0xc9, 16, 0, 0, 0, 0, 0, 0],
    ]) {
      expect(record(away(...options)).pair?.slice(16)).toEqual(documentation(77));
    }
  });

  it('uses the first fragment of an outer packet and drops the others', () => {
    const whole = gre(four, 0x0800);
    const head = ipv4(whole.subarray(0, 64), { protocol: 47, fragment: 0x2000 });
    expect(record(head)).toMatchObject({ payload: 3, seq: 1000, flags: reference[0]?.flags });
    const teredo = udp(six, 3544).subarray(0, 100);
    teredo.set([0, 100, 0, 1, 0x20], 2);
    expect(record(teredo)).toMatchObject({ payload: 3, seq: 1000, pair: reference[1]?.pair });
    for (const fragment of [8, 0x2008]) {
      expect(drop(ipv4(whole.subarray(8), { protocol: 47, fragment }))).toBe('fragment');
      expect(drop(ipv4(whole.subarray(8), { protocol: 17, fragment }))).toBe('fragment');
      expect(drop(ipv4(whole.subarray(8), { protocol: 51, fragment }))).toBe('fragment');
    }
  });

  it('treats the fragments of an inner packet as those of any other', () => {
    const head = ipv4(segment, { fragment: 0x2000, identification: 55 });
    const tail = ipv4(segment, { fragment: 12, identification: 55 });
    for (const fragment of [head, tail]) {
      const inner = decodePackets([{ captured: fragment }], { linkType: links.RAW }, decoder);
      expect(decodePackets([{ captured: outer(fragment, 4) }], { linkType: links.RAW }, decoder)).toEqual(inner);
    }
    expect(record(outer(head, 4)).flags & FRAGMENT_HEAD).toBe(FRAGMENT_HEAD);
  });

  it('tells tunnels apart by what names them, and by nothing that numbers their packets', () => {
    const tunnelled = (network: number, identification: number) => udp(vxlan(ethernet(outer(four, 4, identification)), network), 4789);
    expect(place(tunnelled(1, 5))).toBe(place(tunnelled(1, 6)));
    expect(place(tunnelled(1, 5))).not.toBe(place(tunnelled(2, 5)));
    const numbered = (sequence: number) => outer(gre(four, 0x0800, 0x1000, [0, 0, 0, sequence]), 47);
    expect(place(numbered(1))).toBe(place(numbered(2)));
    const keyed = (key: number) => outer(gre(four, 0x0800, 0x2000, [0, 0, 0, key]), 47);
    expect(place(keyed(1))).not.toBe(place(keyed(2)));
    const air = (sequence: number) => place(radiotap(wlan(snap(four), { sequence })), links.IEEE802_11_RADIOTAP);
    expect(air(0x10)).toBe(air(0x20));
    const ways = [place(four), place(ethernet(four), links.EN10MB), place(outer(four, 4)), place(tunnelled(1, 5)), air(0x10)];
    expect(new Set(ways).size).toBe(ways.length);
  });

  it.each<[what: string, frame: Uint8Array, linkType: number, reason: string]>([
    ['a protected 802.11 frame', wlan(bytes(1, 2, 3, 0x20, 4, 5, 6, 7, four), { control: [0x08, 0x41] }), links.IEEE802_11, 'encrypted'],
    ['a beacon', wlan(snap(four), { control: [0x80, 0] }), links.IEEE802_11, 'not_ip'],
    ['an 802.11 frame without data', wlan(snap(four), { control: [0x48, 0] }), links.IEEE802_11, 'not_ip'],
    ['a second 802.11 fragment', wlan(four, { sequence: 0x11 }), links.IEEE802_11, 'fragment'],
    [
      'packets of one frame within those of another one',
      aggregate(...[1, 2].map(() => outer(gre(aggregate(four, four), 0x8200), 47))),
      links.IEEE802_11,
      'aggregate',
    ],
    ['radiotap of another version', bytes(1, radiotap(wlan(snap(four))).subarray(1)), links.IEEE802_11_RADIOTAP, 'link_type'],
    ['nflog of another family', nflog(four, undefined, 7), links.NFLOG, 'not_ip'],
    ['an nflog attribute of no length', bytes(2, 0, 0, 0, 0, 0, 9, 0, four), links.NFLOG, 'link_type'],
    ['nflog without a packet', bytes(2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0), links.NFLOG, 'link_truncated'],
    ['ppi with an unknown link type', bytes(0, 0, 8, 0, 147, 0, 0, 0, four), links.PPI, 'link_type'],
    ['ppi in ppi, for ever', bytes(...Array.from({ length: 20 }, () => [0, 0, 8, 0, 192, 0, 0, 0])), links.PPI, 'nested'],
    ['pppoe discovery', ethernet(pppoe(ppp(four), 9), 0x8864), links.EN10MB, 'not_ip'],
    ['ppp control', bytes(0xff, 3, 0xc0, 0x21, new Uint8Array(20)), links.PPP, 'not_ip'],
    ['ppp with compressed tcp', bytes(0xff, 3, 0, 0x2d, new Uint8Array(20)), links.PPP, 'encrypted'],
    ['compressed ppp', bytes(0xff, 3, 0, 0xfd, new Uint8Array(20)), links.PPP, 'encrypted'],
    ['macsec, encrypted', ethernet(bytes(0x2c, 0, new Uint8Array(60)), 0x88e5), links.EN10MB, 'encrypted'],
    ['a label that says nothing', mpls(new Uint8Array(60).fill(0x55), 9), links.MPLS, 'tunnel_payload'],
    ['a label of a channel', mpls(bytes(0x10, 0, 0, 7, 1, 2, 3, 4), 13), links.MPLS, 'tunnel_payload'],
    ['a service header with metadata of its own', ethernet(nsh(four, 99), 0x894f), links.EN10MB, 'tunnel_payload'],
    ['esp', outer(four, 50), links.RAW, 'encrypted'],
    ['ipcomp', outer(four, 108), links.RAW, 'encrypted'],
    ['l2tp version 3', outer(four, 115), links.RAW, 'tunnel_payload'],
    ['an acknowledgement of gre', outer(gre(bytes(), 0x880b, 0x2081, [0, 0, 0, 1, 0, 0, 0, 5]), 47), links.RAW, 'not_tcp'],
    ['source routes in gre', outer(gre(four, 0x0800, 0x4000, [0, 0, 0, 0]), 47), links.RAW, 'tunnel_payload'],
    ['gre version 2', outer(gre(four, 0x0800, 2), 47), links.RAW, 'tunnel_payload'],
    ['gre of something else', outer(gre(four, 0x0806), 47), links.RAW, 'not_ip'],
    ['arp in vxlan', udp(vxlan(ethernet(vlan(new Uint8Array(28), 0x0806), 0x8100)), 4789), links.RAW, 'not_ip'],
    ['a later capwap fragment', udp(capwap(ethernet(four), 0xc0, [], 90), 5247), links.RAW, 'fragment'],
    ['capwap in dtls', udp(bytes(1, 0, 0, 0, 0x16, 0xfe, 0xff, 0, 0, 0, 0), 5247), links.RAW, 'encrypted'],
    ['capwap that keeps itself alive', udp(capwap(bytes(0, 35, 0, 16), 0x08), 5247), links.RAW, 'not_tcp'],
    ['capwap of a later version', udp(capwap(ethernet(four), 0, [], 0, 0x10), 5247), links.RAW, 'not_tcp'],
    ['capwap of another binding', udp(capwap(four, 0x700), 5247), links.RAW, 'tunnel_payload'],
    ['capwap of a header too short', udp(bytes(0, 8, 0, 0, 0, 0, 0, 0, four), 5247), links.RAW, 'not_tcp'],
    ['juniper without a link header', juniper(four, 0x82), links.JUNIPER_ETHER, 'link_type'],
    ['juniper without its magic number', bytes(0, juniper(ethernet(four)).subarray(1)), links.JUNIPER_ETHER, 'link_type'],
    ['juniper extensions cut', juniper(ethernet(four)).subarray(0, 8), links.JUNIPER_ETHER, 'link_truncated'],
    ['a log of pf that is too short', pflog(four, 40), links.PFLOG, 'link_type'],
    ['a log of pf, cut', pflog(four).subarray(0, 60), links.PFLOG, 'link_truncated'],
    ['a record of atm', erf(four, 3), links.ERF, 'not_ip'],
    ['a record, cut in its extensions', erf(four, 22, [[0x83, 0, 0, 0, 0, 0, 0, 0]]).subarray(0, 24), links.ERF, 'link_truncated'],
    ['frame relay without an end of its address', bytes(2, 2, 2, 2, 2, 3, 0xcc, four), links.FRELAY, 'not_ip'],
    ['frame relay of something else', frameRelay(four, 0x81), links.FRELAY, 'not_ip'],
    ['frame relay that bridges something else', frameRelay(four, 0, 0x80, 0, 0x80, 0xc2, 0, 9), links.FRELAY, 'not_ip'],
    ['sunatm signalling', bytes(5, 0, 0, 5, four), links.SUNATM, 'not_ip'],
    ['udp in vxlan', udp(vxlan(ethernet(udp(bytes(1, 2, 3), 53))), 4789), links.RAW, 'not_tcp'],
    ['vxlan without its flag', udp(vxlan(ethernet(four), 42, 0), 4789), links.RAW, 'not_tcp'],
    ['vxlan-gpe of a later version', udp(vxlan(four, 42, 0x1c, 1), 4790), links.RAW, 'not_tcp'],
    ['a short datagram to its port', udp(bytes(8, 0, 0), 4789), links.RAW, 'not_tcp'],
    ['dns from a port that is geneve’s', udp(geneve(ethernet(four), 0x1234), 53, 6081), links.RAW, 'not_tcp'],
    ['gtp signalling', udp(gtp(four, 0x32, [0, 0, 0, 0], 1), 2152), links.RAW, 'not_tcp'],
    ['gtp that carries no ip', udp(gtp(bytes(0xff, 3, 0xc0, 0x21)), 2152), links.RAW, 'tunnel_payload'],
    ['a gtp extension of no length', udp(gtp(four, 0x34, [0, 0, 0, 0x85, 0, 0, 0, 0]), 2152), links.RAW, 'tunnel_payload'],
    ['ordinary udp', udp(vxlan(ethernet(four)), 4788), links.RAW, 'not_tcp'],
    ['ipv6 in udp that nobody calls a tunnel', udp(ipv6(four, { next: 4 }), 32_900), links.RAW, 'not_tcp'],
    ['what only begins as teredo of a relay does', udp(bytes(ipv6(four, { next: 4, source: TEREDO }), 0), 32_900), links.RAW, 'not_tcp'],
    ['quic to teredo’s port', udp(new Uint8Array(60).fill(0x66), 3544), links.RAW, 'not_tcp'],
  ])('drops %s', (_what, frame, linkType, reason) => {
    expect(drop(frame, linkType)).toBe(reason);
  });
});
