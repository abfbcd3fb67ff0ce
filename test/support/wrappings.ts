// Ways in which an IP packet may be wrapped: link layers that packets.ts does not build, and tunnels. One row a wrapping.

import * as links from '../../src/layout/link.ts';
import { bytes, ethernet, extension, ipv4, ipv6, snap, vlan } from './packets.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)];
const le16 = (value: number): number[] => be16(value).toReversed();
const le32 = (value: number): number[] => be32(value).toReversed();
const zeros = (count: number): Bytes => new Uint8Array(count);
const isIpv6 = (ip: Uint8Array): boolean => (ip[0] ?? 0) >> 4 === 6;
const etherType = (ip: Uint8Array): number => (isIpv6(ip) ? 0x86dd : 0x0800);
/** Protocol number of IP in IP. */
const ipProtocol = (ip: Uint8Array): number => (isIpv6(ip) ? 41 : 4);

// -- layers

export const ppp = (ip: Uint8Array): Bytes => bytes(be16(isIpv6(ip) ? 0x57 : 0x21), ip);
export const pppoe = (frame: Uint8Array, code = 0): Bytes => bytes(0x11, code, be16(77), be16(frame.length), frame);
const hdlc = (ip: Uint8Array): Bytes => bytes(0x0f, 0, be16(etherType(ip)), ip);
/** MPLS labels, the last of which ends the stack. */
export const mpls = (payload: Uint8Array, ...labels: readonly number[]): Bytes =>
  bytes(...labels.map((label, index) => be32(((label << 12) | (index === labels.length - 1 ? 0x100 : 0) | 64) >>> 0)), payload);

export interface WlanFields {
  /** First two bytes: type and subtype, flags. */
  control?: readonly [number, number];
  sequence?: number;
  /** What follows the sequence control: a fourth address, QoS control, HT control, padding. */
  more?: readonly number[];
}
export const wlan = (body: Uint8Array, { control = [0x08, 0x01], sequence = 0x10, more = [] }: WlanFields = {}): Bytes =>
  bytes(control, 0, 0, Array(6).fill(2), Array(6).fill(3), Array(6).fill(4), le16(sequence), more, body);
export const subframe = (body: Uint8Array): Bytes => bytes(Array(12).fill(5), be16(body.length), body);
/** A data frame that holds several packets. */
export const aggregate = (...ips: readonly Uint8Array[]): Bytes => {
  const subframes = ips.map((ip) => subframe(snap(ip)));
  const padded = subframes.map((frame, i) => bytes(frame, zeros(i < ips.length - 1 ? -frame.length & 3 : 0)));
  return wlan(bytes(...padded), { control: [0x88, 1], more: [0x80, 0] });
};
export const radiotap = (frame: Uint8Array, flags = 0): Bytes =>
  // Two bitmaps; TSFT, flags, rate.
  bytes(0, 0, le16(26), le32(0x80000007), le32(0), zeros(4), zeros(8), flags, 2, frame);
const attribute = (type: number, value: Uint8Array, order: (value: number) => number[]): Bytes =>
  bytes(order(4 + value.length), order(type), value, zeros(-value.length & 3));
/** Among its attributes is one that is nested: what connection tracking knows. */
export const nflog = (ip: Uint8Array, order = le16, family = isIpv6(ip) ? 10 : 2, type = 0): Bytes =>
  bytes(
    family,
    0,
    be16(5),
    attribute(1, bytes(be16(type), 3, 0), order),
    attribute(10, bytes(65, 66, 0), order),
    attribute(0x8012, attribute(0x4003, zeros(4), order), order),
    order(4 + ip.length),
    order(9),
    ip,
  );
const ppi = (frame: Uint8Array, linkType: number): Bytes => bytes(0, 0, le16(20), le32(linkType), zeros(12), frame);
const pktap = (frame: Uint8Array, linkType: number): Bytes => bytes(le32(108), le32(1), le32(linkType), zeros(96), frame);
/** Juniper's magic number, flags, extensions: here one that tells the type of the interface. */
export const juniper = (frame: Uint8Array, flags = 0x80): Bytes =>
  bytes(0x4d, 0x47, 0x43, flags, flags & 0x80 ? [...be16(3), 3, 1, 1] : [], frame);
/** The log of pf: its header's length, of which padding is no part, family, action, reason, interface; then the rule and who made it match. */
export const pflog = (ip: Uint8Array, length = 61): Bytes =>
  bytes(length, isIpv6(ip) ? 30 : 2, 1, 0, 0x65, 0x6d, 0x30, zeros(((length + 3) & ~3) - 7), ip);
/** Endace's record: time, type, flags, its length, loss, length on the wire; extension headers. */
export const erf = (frame: Uint8Array, type: number, extensions: readonly (readonly number[])[] = []): Bytes =>
  bytes(zeros(8), type | (extensions.length > 0 ? 0x80 : 0), 4, be16(16 + frame.length), 0, 0, be16(frame.length), ...extensions, frame);
/** A frame with a tag of a switch behind its addresses. */
const behindAddresses = (frame: Uint8Array, tag: readonly number[]): Bytes => bytes(frame.subarray(0, 12), tag, frame.subarray(12));
export const frameRelay = (payload: Uint8Array, ...protocol: readonly number[]): Bytes => bytes(0x18, 0x41, 3, protocol, payload);
const tokenRing = (body: Uint8Array, route: readonly number[] = []): Bytes =>
  bytes(0x10, 0x40, Array(6).fill(2), route.length > 0 ? 0x80 : 0, Array(5).fill(3), route, body);
const pseudowire = (ip: Uint8Array): Bytes => mpls(bytes(zeros(4), ethernet(ip)), 18);
/** A Network Service Header without metadata. */
export const nsh = (payload: Uint8Array, next: number): Bytes => bytes(be16(2), 2, next, be32(0x12345ff), payload);

export interface Wrapping {
  readonly name: string;
  readonly wrap: (ip: Uint8Array) => Bytes;
  /** Bytes without which nobody can tell that it is one. */
  readonly toldBy?: number;
}
export interface LinkWrapping extends Wrapping {
  readonly linkType: number;
}

const onEthernet = (name: string, type: number, wrap: (ip: Uint8Array) => Bytes): LinkWrapping => ({
  name,
  linkType: links.EN10MB,
  wrap: (ip) => ethernet(wrap(ip), type),
});

/** Link layers that can carry any IP packet, beside those of packets.ts. */
export const MORE_LINKS: readonly LinkWrapping[] = [
  onEthernet('pppoe', 0x8864, (ip) => pppoe(ppp(ip))),
  onEthernet('pppoe in a vlan', 0x8100, (ip) => vlan(pppoe(ppp(ip)), 0x8864)),
  onEthernet('one label', 0x8847, (ip) => mpls(ip, 1000)),
  onEthernet('three labels', 0x8848, (ip) => mpls(ip, 1000, 1001, 16)),
  onEthernet('explicit null', 0x8847, (ip) => mpls(ip, isIpv6(ip) ? 2 : 0)),
  onEthernet('pseudowire with control word', 0x8847, pseudowire),
  ...[0x00, 0x18, 0x4c, 0x6c, 0xf8].map((first) =>
    onEthernet(`pseudowire without, address ${first}`, 0x8847, (ip) =>
      mpls(bytes(first, 0x1d, 0x96, 0x5e, 0x2a, 0x71, ethernet(ip).subarray(6)), 18),
    ),
  ),
  onEthernet('pseudowire without, pppoe', 0x8847, (ip) => mpls(bytes(0, ethernet(pppoe(ppp(ip)), 0x8864).subarray(1)), 18)),
  onEthernet('pseudowire without, label', 0x8847, (ip) => mpls(bytes(0, ethernet(mpls(ip, 19), 0x8847).subarray(1)), 18)),
  onEthernet('802.1ah', 0x88e7, (ip) => bytes(be32(0x123456), ethernet(ip))),
  onEthernet('vn-tag between vlans', 0x8100, (ip) => vlan(bytes(be32(0x01020304), be16(0x8100), vlan(ip)), 0x8926)),
  onEthernet('e-tag', 0x893f, (ip) => bytes(be16(1), be32(0x01020304), be16(etherType(ip)), ip)),
  onEthernet('security group tag', 0x8909, (ip) => bytes(1, 1, be16(1), be16(2), be16(etherType(ip)), ip)),
  onEthernet('fabricpath', 0x8903, (ip) => bytes(be16(0x0440), ethernet(ip))),
  onEthernet('macsec, integrity only', 0x88e5, (ip) => bytes(0, 0, be32(9), be16(etherType(ip)), ip)),
  onEthernet('macsec with channel', 0x88e5, (ip) => bytes(0x20, 0, be32(9), zeros(8), be16(etherType(ip)), ip)),
  onEthernet('service header', 0x894f, (ip) => nsh(ip, isIpv6(ip) ? 2 : 1)),
  onEthernet('service header, ethernet', 0x894f, (ip) => nsh(ethernet(ip), 3)),
  onEthernet('service header in another one', 0x894f, (ip) => nsh(nsh(ip, isIpv6(ip) ? 2 : 1), 4)),
  onEthernet('ethernet in ethernet', 0x6558, (ip) => ethernet(ip)),
  onEthernet('centrino', 0x2452, (ip) => wlan(snap(ip))),
  { name: 'ppp', linkType: links.PPP, wrap: ppp },
  { name: 'ppp, hdlc-like', linkType: links.PPP, wrap: (ip) => bytes(0xff, 3, ppp(ip)) },
  { name: 'ppp, short protocol', linkType: links.PPP, wrap: (ip) => bytes(ppp(ip).subarray(1)) },
  { name: 'ppp, labels', linkType: links.PPP, wrap: (ip) => bytes(0xff, 3, be16(0x281), mpls(ip, 20)) },
  { name: 'ppp, cisco', linkType: links.PPP, wrap: hdlc },
  { name: 'ppp, cisco to all', linkType: links.PPP, wrap: (ip) => bytes(0x8f, 0, be16(etherType(ip)), ip) },
  { name: 'ppp_hdlc, ppp', linkType: links.PPP_HDLC, wrap: (ip) => bytes(0xff, 3, ppp(ip)) },
  { name: 'ppp_hdlc, cisco', linkType: links.PPP_HDLC, wrap: hdlc },
  { name: 'ppp_ether', linkType: links.PPP_ETHER, wrap: (ip) => pppoe(ppp(ip)) },
  { name: 'ppp_pppd', linkType: links.PPP_PPPD, wrap: (ip) => bytes(0, 0xff, 3, ppp(ip)) },
  { name: 'ppp_pppd, without an address', linkType: links.PPP_PPPD, wrap: (ip) => bytes(1, 3, ppp(ip)) },
  { name: 'ppp_with_dir', linkType: links.PPP_WITH_DIR, wrap: (ip) => bytes(1, ppp(ip)) },
  { name: 'c_hdlc', linkType: links.C_HDLC, wrap: hdlc },
  { name: 'c_hdlc_with_dir', linkType: links.C_HDLC_WITH_DIR, wrap: (ip) => bytes(1, hdlc(ip)) },
  { name: 'mpls', linkType: links.MPLS, wrap: (ip) => mpls(ip, 30, 31) },
  { name: 'atm_rfc1483', linkType: links.ATM_RFC1483, wrap: (ip) => snap(ip) },
  { name: 'atm_rfc1483 11', linkType: links.ATM_RFC1483_11, wrap: (ip) => snap(ip) },
  { name: 'fddi', linkType: links.FDDI, wrap: (ip) => bytes(0x50, zeros(12), snap(ip)) },
  { name: 'ipoib', linkType: links.IPOIB, wrap: (ip) => bytes(zeros(40), be16(etherType(ip)), 0, 0, ip) },
  { name: '802.11', linkType: links.IEEE802_11, wrap: (ip) => wlan(snap(ip)) },
  { name: '802.11 qos', linkType: links.IEEE802_11, wrap: (ip) => wlan(snap(ip), { control: [0x88, 2], more: [0, 0] }) },
  {
    name: '802.11 qos, four addresses, ht',
    linkType: links.IEEE802_11,
    wrap: (ip) => wlan(snap(ip), { control: [0x88, 0x83], more: [6, 6, 6, 6, 6, 6, 0, 0, 1, 2, 3, 4] }),
  },
  {
    name: '802.11, one packet in an a-msdu',
    linkType: links.IEEE802_11,
    wrap: (ip) => wlan(subframe(snap(ip)), { control: [0x88, 1], more: [0x80, 0] }),
  },
  {
    name: '802.11, decrypted by hardware',
    linkType: links.IEEE802_11,
    wrap: (ip) => wlan(bytes(1, 2, 3, 0, snap(ip)), { control: [0x08, 0x41] }),
  },
  {
    name: '802.11, decrypted by hardware, which left its eight bytes',
    linkType: links.IEEE802_11,
    wrap: (ip) => wlan(bytes(1, 2, 0, 0x20, 5, 6, 7, 8, snap(ip)), { control: [0x08, 0x41] }),
  },
  { name: 'radiotap', linkType: links.IEEE802_11_RADIOTAP, wrap: (ip) => radiotap(wlan(snap(ip))) },
  {
    name: 'radiotap, padded header',
    linkType: links.IEEE802_11_RADIOTAP,
    wrap: (ip) => radiotap(wlan(snap(ip), { control: [0x88, 1], more: [0, 0, 0, 0] }), 0x20),
  },
  { name: 'avs', linkType: links.IEEE802_11_AVS, wrap: (ip) => bytes(be32(0x80211001), be32(64), zeros(56), wlan(snap(ip))) },
  { name: 'prism', linkType: links.PRISM_HEADER, wrap: (ip) => bytes(zeros(144), wlan(snap(ip))) },
  { name: 'avs under prism', linkType: links.PRISM_HEADER, wrap: (ip) => bytes(be32(0x80211001), be32(64), zeros(56), wlan(snap(ip))) },
  { name: 'ppi, 802.11', linkType: links.PPI, wrap: (ip) => ppi(wlan(snap(ip)), links.IEEE802_11) },
  { name: 'ppi, ethernet', linkType: links.PPI, wrap: (ip) => ppi(ethernet(ip), links.EN10MB) },
  { name: 'pktap, ethernet', linkType: links.PKTAP, wrap: (ip) => pktap(ethernet(ip), links.EN10MB) },
  { name: 'pktap, raw', linkType: links.PKTAP, wrap: (ip) => pktap(ip, links.RAW) },
  { name: 'juniper, ethernet', linkType: links.JUNIPER_ETHER, wrap: (ip) => juniper(ethernet(ip)) },
  { name: 'juniper, no extensions', linkType: links.JUNIPER_ETHER, wrap: (ip) => juniper(ethernet(ip), 1) },
  { name: 'juniper, ppp', linkType: links.JUNIPER_PPP, wrap: (ip) => juniper(bytes(0xff, 3, ppp(ip))) },
  { name: 'juniper, cisco', linkType: links.JUNIPER_CHDLC, wrap: (ip) => juniper(hdlc(ip)) },
  { name: 'switch tag, dsa', linkType: links.DSA_TAG_DSA, wrap: (ip) => behindAddresses(ethernet(ip), [0xc0, 0x18, 0, 1]) },
  { name: 'switch tag, dsa in a vlan', linkType: links.DSA_TAG_DSA, wrap: (ip) => behindAddresses(ethernet(ip), [0xe0, 0x18, 0, 7]) },
  {
    name: 'switch tag, edsa',
    linkType: links.DSA_TAG_EDSA,
    wrap: (ip) => behindAddresses(ethernet(ip), [0xda, 0xda, 0, 0, 0xc0, 8, 0, 1]),
  },
  { name: 'switch tag, broadcom', linkType: links.DSA_TAG_BRCM, wrap: (ip) => behindAddresses(ethernet(ip), [0, 0, 0, 2]) },
  { name: 'switch tag in front', linkType: links.DSA_TAG_BRCM_PREPEND, wrap: (ip) => bytes(0, 0, 0, 2, ethernet(ip)) },
  { name: 'frame relay', linkType: links.FRELAY, wrap: (ip) => frameRelay(ip, isIpv6(ip) ? 0x8e : 0xcc) },
  {
    name: 'frame relay, long address',
    linkType: links.FRELAY,
    wrap: (ip) => bytes(0x18, 0x40, 0x20, 0x11, 3, isIpv6(ip) ? 0x8e : 0xcc, ip),
  },
  { name: 'frame relay, snap', linkType: links.FRELAY, wrap: (ip) => frameRelay(ip, 0, 0x80, 0, 0, 0, ...be16(etherType(ip))) },
  { name: 'frame relay, bridged', linkType: links.FRELAY, wrap: (ip) => frameRelay(ethernet(ip), 0, 0x80, 0, 0x80, 0xc2, 0, 7) },
  { name: 'frame relay, ppp', linkType: links.FRELAY, wrap: (ip) => frameRelay(ppp(ip), 0xcf) },
  { name: 'frame relay, cisco', linkType: links.FRELAY, wrap: (ip) => bytes(0x18, 0x41, be16(etherType(ip)), ip) },
  { name: 'frame relay with direction', linkType: links.FRELAY_WITH_DIR, wrap: (ip) => bytes(1, frameRelay(ip, isIpv6(ip) ? 0x8e : 0xcc)) },
  { name: 'token ring', linkType: links.IEEE802_5, wrap: (ip) => tokenRing(snap(ip)) },
  { name: 'token ring, routed', linkType: links.IEEE802_5, wrap: (ip) => tokenRing(snap(ip), [6, 0x30, 0, 0x11, 0, 0x20]) },
  { name: 'fibre channel', linkType: links.IP_OVER_FC, wrap: (ip) => bytes(zeros(16), snap(ip)) },
  { name: 'ieee 1394', linkType: links.APPLE_IP_OVER_IEEE1394, wrap: (ip) => bytes(zeros(16), be16(etherType(ip)), ip) },
  { name: 'sunatm', linkType: links.SUNATM, wrap: (ip) => bytes(0x82, 0, be16(100), snap(ip)) },
  { name: 'sunatm, emulated ethernet', linkType: links.SUNATM, wrap: (ip) => bytes(1, 0, be16(100), 0, 5, ethernet(ip)) },
  { name: 'pflog', linkType: links.PFLOG, wrap: (ip) => pflog(ip) },
  { name: 'pflog, openbsd', linkType: links.PFLOG, wrap: (ip) => pflog(ip, 100) },
  { name: 'enc', linkType: links.ENC, wrap: (ip) => bytes(le32(isIpv6(ip) ? 28 : 2), be32(0x1234), be32(3), ip) },
  { name: 'ipnet', linkType: links.IPNET, wrap: (ip) => bytes(1, isIpv6(ip) ? 26 : 2, 0, 0, be32(ip.length), be32(1), zeros(12), ip) },
  { name: 'erf, ethernet', linkType: links.ERF, wrap: (ip) => erf(bytes(0, 0, ethernet(ip)), 2) },
  {
    name: 'erf, extended',
    linkType: links.ERF,
    wrap: (ip) =>
      erf(bytes(0, 0, ethernet(ip)), 20, [
        [0x83, ...zeros(7)],
        [4, ...zeros(7)],
      ]),
  },
  { name: 'erf, ppp', linkType: links.ERF, wrap: (ip) => erf(bytes(0xff, 3, ppp(ip)), 1) },
  { name: 'erf, ip', linkType: links.ERF, wrap: (ip) => erf(ip, isIpv6(ip) ? 23 : 22) },
  { name: 'nflog', linkType: links.NFLOG, wrap: (ip) => nflog(ip) },
  { name: 'nflog, big-endian', linkType: links.NFLOG, wrap: (ip) => nflog(ip, be16) },
  { name: 'nflog of a bridge', linkType: links.NFLOG, wrap: (ip) => nflog(ip, le16, 7, etherType(ip)) },
];

// -- tunnels: an IP packet within another one

export const outer = (payload: Uint8Array, protocol: number, identification = 99): Bytes =>
  ipv4(payload, { protocol, identification, source: '192.0.2.1', destination: '192.0.2.2' });
export const udp = (payload: Uint8Array, port: number, source = 50_000): Bytes =>
  outer(bytes(be16(source), be16(port), be16(8 + payload.length), 0, 0, payload), 17);
/** A GRE header: flags and version, type, whatever fields the flags announce. */
export const gre = (payload: Uint8Array, type: number, flags = 0, fields: readonly number[] = []): Bytes =>
  bytes(be16(flags), be16(type), fields, payload);
export const vxlan = (frame: Uint8Array, network = 42, flags = 8, next = 0): Bytes => bytes(flags, 0, 0, next, be32(network << 8), frame);
export const geneve = (payload: Uint8Array, type: number, options: readonly number[] = []): Bytes =>
  bytes(options.length / 4, 0, be16(type), be32(42 << 8), options, payload);
export const gtp = (payload: Uint8Array, flags = 0x30, fields: readonly number[] = [], message = 255): Bytes =>
  bytes(flags, message, be16(fields.length + payload.length), be32(7), fields, payload);
/** CAPWAP's header with or without what goes beyond 8 bytes; bits: those from the binding on (RFC 5415 §4.3). */
export const capwap = (frame: Uint8Array, bits = 0, more: readonly number[] = [], fragment = 0, preamble = 0): Bytes =>
  bytes(be32(((preamble << 24) | ((2 + more.length / 4) << 19) | (1 << 14) | bits) >>> 0), be16(77), be16(fragment << 3), more, frame);
/** A frame whose numbers of 16 bits are in network byte order. */
export const swapped = (frame: Uint8Array): Bytes =>
  bytes(frame[1]!, frame[0]!, frame.subarray(2, 22), frame[23]!, frame[22]!, frame.subarray(24));
/** What carries IPv6 only carries IPv4 in IPv6. */
const six = (ip: Uint8Array): Bytes => (isIpv6(ip) ? bytes(ip) : ipv6(ip, { next: 4 }));
/** An address of Teredo's (RFC 4380 §2.6). */
export const TEREDO: readonly number[] = [0x20, 1, 0, 0, ...zeros(12)];
/** A segment routing header (RFC 8754) of two segments, one of them left. */
export const segments = (next: number, last: readonly number[], left: number, payload: Uint8Array): Bytes =>
  bytes(next, 4, 4, left, 1, 0, 0, 0, last, Array(16).fill(0xee), payload);

export const TUNNELS: readonly Wrapping[] = [
  { name: 'ip in ipv4', wrap: (ip) => outer(ip, ipProtocol(ip)) },
  { name: 'ip in ipv6', wrap: (ip) => ipv6(ip, { next: ipProtocol(ip) }) },
  { name: 'ip in ipv4 with options', wrap: (ip) => ipv4(ip, { protocol: ipProtocol(ip), options: [1, 1, 1, 1] }) },
  { name: 'ip in ipv6 with headers', wrap: (ip) => ipv6(extension(60, extension(ipProtocol(ip), ip, 16)), { next: 0 }) },
  { name: 'ip in ipv4, length 0', wrap: (ip) => ipv4(ip, { protocol: ipProtocol(ip), totalLength: 0 }) },
  { name: 'ah in ipv4', wrap: (ip) => outer(bytes(ipProtocol(ip), 4, zeros(22), ip), 51) },
  { name: 'segment routing', wrap: (ip) => ipv6(segments(ipProtocol(ip), Array(16).fill(1), 1, ip), { next: 43 }) },
  { name: 'segment routing, ethernet', wrap: (ip) => ipv6(segments(143, Array(16).fill(1), 0, ethernet(ip)), { next: 43 }) },
  { name: 'etherip', wrap: (ip) => outer(bytes(0x30, 0, ethernet(ip)), 97) },
  { name: 'mpls in ip', wrap: (ip) => outer(mpls(ip, 77), 137) },
  { name: 'gre', wrap: (ip) => outer(gre(ip, etherType(ip)), 47) },
  {
    name: 'gre with checksum, key, sequence',
    wrap: (ip) => outer(gre(ip, etherType(ip), 0xb000, [1, 2, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6]), 47),
  },
  { name: 'gre, ethernet with vlan', wrap: (ip) => outer(gre(ethernet(vlan(ip), 0x8100), 0x6558), 47) },
  { name: 'gre, labels', wrap: (ip) => outer(gre(mpls(ip, 5, 6), 0x8847), 47) },
  { name: 'gre, ppp', wrap: (ip) => outer(gre(ppp(ip), 0x880b, 0x3081, [0, 9, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]), 47) },
  { name: 'gre, eoip', wrap: (ip) => outer(gre(ethernet(ip), 0x6400, 0x2001, [0, 0, 7, 0]), 47) },
  { name: 'gre, wccp', wrap: (ip) => outer(gre(isIpv6(ip) ? outer(ip, 41) : ip, 0x883e), 47) },
  { name: 'gre, wccp version 2', wrap: (ip) => outer(gre(bytes(0, 0, 0, 0, ip), 0x883e), 47) },
  { name: 'gre, 802.11', wrap: (ip) => outer(gre(wlan(snap(ip)), 0x8240), 47) },
  { name: 'erspan', wrap: (ip) => outer(gre(ethernet(ip), 0x88be), 47) },
  { name: 'erspan ii', wrap: (ip) => outer(gre(bytes(be32(0x10640005), zeros(4), ethernet(ip)), 0x88be, 0x1000, [0, 0, 0, 1]), 47) },
  {
    name: 'erspan iii',
    wrap: (ip) => outer(gre(bytes(be32(0x20640005), zeros(8), ethernet(ip)), 0x22eb, 0x1000, [0, 0, 0, 1]), 47),
  },
  {
    name: 'erspan iii, platform header, ip',
    wrap: (ip) => outer(gre(bytes(be32(0x20640005), zeros(6), be16((2 << 10) | 1), zeros(8), ip), 0x22eb, 0x1000, [0, 0, 0, 1]), 47),
  },
  { name: 'vxlan', wrap: (ip) => udp(vxlan(ethernet(ip)), 4789) },
  { name: 'vxlan, group policy', wrap: (ip) => udp(vxlan(ethernet(ip), 42, 0x88), 4789) },
  { name: 'vxlan, reserved bits', wrap: (ip) => udp(bytes(0xff, 1, 0xd1, 0xf2, be32(0x2a01), ethernet(ip)), 4789) },
  { name: 'vxlan of linux', wrap: (ip) => udp(vxlan(ethernet(vlan(ip), 0x8100)), 8472) },
  { name: 'vxlan-gpe, reserved bits', wrap: (ip) => udp(vxlan(ethernet(ip), 42, 0xc8), 4790) },
  { name: 'vxlan from another port that tunnels have', wrap: (ip) => udp(vxlan(ethernet(ip)), 4789, 6081) },
  { name: 'vxlan-gpe, ethernet', wrap: (ip) => udp(vxlan(ethernet(ip)), 4790) },
  { name: 'vxlan-gpe, ip', wrap: (ip) => udp(vxlan(ip, 42, 0x0c, isIpv6(ip) ? 2 : 1), 4790) },
  { name: 'vxlan-gpe, service header', wrap: (ip) => udp(vxlan(nsh(ethernet(ip), 3), 42, 0x0c, 4), 4790) },
  { name: 'geneve, ethernet', wrap: (ip) => udp(geneve(ethernet(ip), 0x6558), 6081) },
  { name: 'geneve with options, ip', wrap: (ip) => udp(geneve(ip, etherType(ip), Array(12).fill(1)), 6081) },
  { name: 'gtp', wrap: (ip) => udp(gtp(ip), 2152, 2152) },
  { name: 'gtp from its port', wrap: (ip) => udp(gtp(ip), 40_000, 2152) },
  { name: 'gtp with a sequence number before what would announce extensions', wrap: (ip) => udp(gtp(ip, 0x32, [0, 1, 0, 0x85]), 2152) },
  { name: 'gtp with sequence', wrap: (ip) => udp(gtp(ip, 0x32, [0, 1, 0, 0]), 2152) },
  {
    name: 'gtp with extensions',
    wrap: (ip) => udp(gtp(ip, 0x34, [0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0]), 2152),
  },
  { name: 'teredo', wrap: (ip) => udp(six(ip), 3544) },
  {
    name: 'teredo, authentication and origin',
    wrap: (ip) => udp(bytes(0, 1, 2, 3, zeros(5), zeros(9), 0, 0, zeros(6), six(ip)), 3544),
  },
  { name: 'teredo of a relay', wrap: (ip) => udp(ipv6(ip, { next: ipProtocol(ip), source: TEREDO }), 32_900), toldBy: 68 },
  { name: 'ayiya', wrap: (ip) => udp(bytes(0x42, 0x52, 0x11, 41, zeros(4), zeros(16), zeros(20), six(ip)), 5072) },
  { name: 'capwap, 802.3', wrap: (ip) => udp(capwap(ethernet(ip)), 5247) },
  { name: 'capwap, 802.3 of a length', wrap: (ip) => udp(capwap(ethernet(snap(ip), snap(ip).length)), 40_000, 5247) },
  { name: 'capwap, 802.11', wrap: (ip) => udp(capwap(wlan(snap(ip)), 0x300), 5247) },
  {
    name: 'capwap, 802.11 in network byte order',
    wrap: (ip) => udp(capwap(swapped(wlan(snap(ip))), 0x320, [4, 1, 2, 3, 4, 0, 0, 0]), 5247),
  },
  { name: 'capwap, first fragment', wrap: (ip) => udp(capwap(ethernet(ip), 0x80), 5247) },
  { name: 'gre in udp', wrap: (ip) => udp(gre(ip, etherType(ip)), 4754) },
  { name: 'mpls in udp', wrap: (ip) => udp(mpls(ip, 9), 6635) },
  { name: 'l2tp without address and control', wrap: (ip) => udp(bytes(be16(2), be16(7), be16(9), ppp(ip)), 1701) },
  { name: 'l2tp', wrap: (ip) => udp(bytes(be16(2), be16(1), be16(2), 0xff, 3, ppp(ip)), 1701) },
  {
    name: 'l2tp with everything',
    wrap: (ip) => udp(bytes(be16(0x4a02), be16(0), be16(1), be16(2), zeros(4), be16(3), zeros(3), ppp(ip)), 1701),
  },
];
