// Packets to test with. A test says only what differs from an ordinary one; every builder answers bytes and can be nested:
// ethernet(ipv4(tcp({ flags: SYN }))).

import { EN10MB, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW, RAW_12, RAW_14 } from '../../src/layout/link.ts';
import { ACK } from '../../src/layout/tcp.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export function bytes(...parts: (Uint8Array | readonly number[] | number)[]): Bytes {
  const pieces = parts.map((part) => (typeof part === 'number' ? [part] : part));
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)];

// -- TCP

export interface TcpFields {
  source?: number;
  destination?: number;
  seq?: number;
  ack?: number;
  /** Data offset in words; by default what the options need. */
  offset?: number;
  flags?: number;
  window?: number;
  checksum?: number;
  urgent?: number;
  options?: readonly number[];
  payload?: Uint8Array | readonly number[];
}

/** Padded with End of Option List to a multiple of 4 bytes. */
export function tcp(fields: TcpFields = {}): Bytes {
  const options = [...(fields.options ?? [])];
  while (options.length % 4) options.push(0);
  return bytes(
    be16(fields.source ?? 40000),
    be16(fields.destination ?? 80),
    be32(fields.seq ?? 1000),
    be32(fields.ack ?? 9000),
    (fields.offset ?? 5 + options.length / 4) << 4,
    fields.flags ?? ACK,
    be16(fields.window ?? 500),
    be16(fields.checksum ?? 0xbeef),
    be16(fields.urgent ?? 0),
    options,
    fields.payload ?? [],
  );
}

// -- IP

const ipv4Address = (text: string): number[] => text.split('.').map(Number);

export interface Ipv4Fields {
  source?: string;
  destination?: string;
  version?: number;
  /** Header length in words; by default what the options need. */
  words?: number;
  service?: number;
  totalLength?: number;
  identification?: number;
  /** Bit 0x2000: more fragments; the low bits: offset in units of 8 bytes. */
  fragment?: number;
  ttl?: number;
  protocol?: number;
  checksum?: number;
  options?: readonly number[];
}

export function ipv4(payload: Uint8Array, fields: Ipv4Fields = {}): Bytes {
  const options = fields.options ?? [];
  return bytes(
    ((fields.version ?? 4) << 4) | (fields.words ?? 5 + options.length / 4),
    fields.service ?? 0,
    be16(fields.totalLength ?? 20 + options.length + payload.length),
    be16(fields.identification ?? 7),
    be16(fields.fragment ?? 0),
    fields.ttl ?? 64,
    fields.protocol ?? 6,
    be16(fields.checksum ?? 0xcafe),
    ipv4Address(fields.source ?? '10.0.0.2'),
    ipv4Address(fields.destination ?? '10.0.0.9'),
    options,
    payload,
  );
}

export interface Ipv6Fields {
  /** 16 bytes. */
  source?: readonly number[];
  destination?: readonly number[];
  version?: number;
  flow?: number;
  payloadLength?: number;
  next?: number;
  hopLimit?: number;
}

/** 2001:db8::n */
export const documentation = (last: number): number[] => [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];

export function ipv6(payload: Uint8Array, fields: Ipv6Fields = {}): Bytes {
  return bytes(
    be32((fields.version ?? 6) * 0x10000000 + (fields.flow ?? 0)),
    be16(fields.payloadLength ?? payload.length),
    fields.next ?? 6,
    fields.hopLimit ?? 64,
    fields.source ?? documentation(2),
    fields.destination ?? documentation(9),
    payload,
  );
}

/** An extension header of `length` bytes (a multiple of 8), before what it carries. */
export function extension(next: number, payload: Uint8Array, length = 8): Bytes {
  return bytes(next, length / 8 - 1, new Uint8Array(length - 2), payload);
}

/** An IPv6 fragment header. `place` is the offset in units of 8 bytes. */
export function fragmentHeader(next: number, place: number, more: boolean, identification: number, payload: Uint8Array): Bytes {
  return bytes(next, 0, be16((place << 3) | (more ? 1 : 0)), be32(identification), payload);
}

// -- link layers

const MACS = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] as const;

/** EtherType of an IP packet by its version. */
const etherType = (ip: Uint8Array): number => ((ip[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800);

export function ethernet(payload: Uint8Array, type = etherType(payload)): Bytes {
  return bytes(MACS, be16(type), payload);
}

/** A VLAN's EtherType and what follows it, to be given to ethernet() under the tag's own type. */
export function vlan(payload: Uint8Array, type = etherType(payload)): Bytes {
  return bytes(be16(100), be16(type), payload);
}

/** LLC and SNAP header (RFC 1042). */
export function snap(payload: Uint8Array, type = etherType(payload)): Bytes {
  return bytes(0xaa, 0xaa, 3, 0, 0, 0, be16(type), payload);
}

export function sll(payload: Uint8Array, type = etherType(payload)): Bytes {
  return bytes(be16(0), be16(1), be16(6), MACS.slice(0, 8), be16(type), payload);
}

export function sll2(payload: Uint8Array, type = etherType(payload)): Bytes {
  return bytes(be16(type), be16(0), be32(3), be16(1), 0, 6, MACS.slice(0, 8), payload);
}

/** BSD loopback with a family of 4 bytes. */
export function loopback(payload: Uint8Array, family: number, bigEndian: boolean): Bytes {
  return bytes(bigEndian ? be32(family) : be32(family).toReversed(), payload);
}

/** Every link layer that can carry any IP packet. */
export const LINKS: readonly { name: string; linkType: number; wrap: (ip: Uint8Array) => Bytes }[] = [
  { name: 'ethernet', linkType: EN10MB, wrap: (ip) => ethernet(ip) },
  { name: 'one vlan', linkType: EN10MB, wrap: (ip) => ethernet(vlan(ip), 0x8100) },
  { name: 'stacked vlans', linkType: EN10MB, wrap: (ip) => ethernet(vlan(vlan(vlan(ip), 0x8100), 0x9100), 0x88a8) },
  { name: 'llc/snap', linkType: EN10MB, wrap: (ip) => ethernet(snap(ip), 8 + ip.length) },
  { name: 'linux sll', linkType: LINUX_SLL, wrap: (ip) => sll(ip) },
  { name: 'linux sll, vlan', linkType: LINUX_SLL, wrap: (ip) => sll(vlan(ip), 0x8100) },
  { name: 'linux sll2', linkType: LINUX_SLL2, wrap: (ip) => sll2(ip) },
  { name: 'linux sll2, vlan', linkType: LINUX_SLL2, wrap: (ip) => sll2(vlan(ip), 0x8100) },
  { name: 'null, little-endian', linkType: NULL, wrap: (ip) => loopback(ip, etherType(ip) === 0x86dd ? 30 : 2, false) },
  { name: 'null, big-endian', linkType: NULL, wrap: (ip) => loopback(ip, etherType(ip) === 0x86dd ? 24 : 2, true) },
  { name: 'loop', linkType: LOOP, wrap: (ip) => loopback(ip, etherType(ip) === 0x86dd ? 28 : 2, true) },
  { name: 'raw', linkType: RAW, wrap: (ip) => bytes(ip) },
  { name: 'raw 12', linkType: RAW_12, wrap: (ip) => bytes(ip) },
  { name: 'raw 14', linkType: RAW_14, wrap: (ip) => bytes(ip) },
];

export const IPV4_ONLY = IPV4;
export const IPV6_ONLY = IPV6;

// -- captures

export interface CapturedPacket {
  seconds?: number;
  /** In units of the capture's fraction. */
  fraction?: number;
  /** Bytes on the wire; by default those captured. */
  original?: number;
  captured: Uint8Array;
}

export interface CaptureFields {
  linkType?: number;
  bigEndian?: boolean;
  nanoseconds?: boolean;
  snaplen?: number;
}

/** The 24-byte header of a pcap file. */
export function pcapHeader({ linkType = EN10MB, bigEndian = false, nanoseconds = false, snaplen = 65535 }: CaptureFields = {}): Bytes {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, !bigEndian);
  header.setUint16(4, 2, !bigEndian);
  header.setUint16(6, 4, !bigEndian);
  header.setUint32(16, snaplen, !bigEndian);
  header.setUint32(20, linkType, !bigEndian);
  return new Uint8Array(header.buffer);
}

/** A record's header of 16 bytes, and its packet. */
export function pcapRecord(packet: CapturedPacket, bigEndian = false): Bytes {
  const header = new DataView(new ArrayBuffer(16));
  header.setUint32(0, packet.seconds ?? 1_600_000_000, !bigEndian);
  header.setUint32(4, packet.fraction ?? 0, !bigEndian);
  header.setUint32(8, packet.captured.length, !bigEndian);
  header.setUint32(12, packet.original ?? packet.captured.length, !bigEndian);
  return bytes(new Uint8Array(header.buffer), packet.captured);
}

export function pcap(packets: readonly CapturedPacket[], fields: CaptureFields = {}): Bytes {
  return bytes(pcapHeader(fields), ...packets.map((packet) => pcapRecord(packet, fields.bigEndian)));
}

/** A snoop record (RFC 1761): 24 bytes, and the packet padded to 4. */
export function snoopRecord({ seconds = 1_600_000_000, fraction = 0, captured, original = captured.length }: CapturedPacket): Bytes {
  const padding = (4 - (captured.length % 4)) % 4;
  const header = [original, captured.length, 24 + captured.length + padding, 0, seconds, fraction].flatMap(be32);
  return bytes(header, captured, new Uint8Array(padding));
}

/** The 16-byte header of a snoop file; 4 is Ethernet. */
export function snoopHeader(linkType = 4, version = 2): Bytes {
  return bytes(new TextEncoder().encode('snoop'), [0, 0, 0], be32(version), be32(linkType));
}

export function snoop(packets: readonly CapturedPacket[]): Bytes {
  return bytes(snoopHeader(), ...packets.map(snoopRecord));
}
