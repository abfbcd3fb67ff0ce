// Headers that no network carries: what the capturing system puts before a packet in place of a link header, or before one.

import { LINK_TRUNCATED, LINK_TYPE, NOT_IP } from '../src/layout/drops.ts';
import * as links from '../src/layout/link.ts';
import { at, byte, has, left, long, note, pass, unsteady, word } from './cursor.ts';
import { ETHERNET, IP, IPV4, IPV6, LINK } from './layer.ts';

const AF_INET = 2;
const AF_INET6_LINUX = 10;
/** NFULA_PACKET_HDR: the attribute that begins with the packet's EtherType; NFULA_PAYLOAD: the one that is the packet. */
const NFLOG_HEADER = 1;
const NFLOG_PAYLOAD = 9;
/** Of an attribute's type; the bits above say that its value is nested, or in network byte order (linux/netlink.h). */
const NFLOG_TYPE = 0x3fff;
/** PTH_TYPE_PACKET: what follows is one. */
const PKTAP_PACKET = 1;
/** Bytes up to the rule's number, which all systems have. */
const PFLOG_LEAST = 45;
/** MGC */
const JUNIPER_MAGIC = 0x4d4743;
const JUNIPER_NO_LINK = 0x02;
const JUNIPER_EXTENSIONS = 0x80;

// Endace's records: types, and whether another header follows.
const ERF_HDLC_POS = 1;
const ERF_ETH = 2;
const ERF_COLOR_HDLC_POS = 10;
const ERF_COLOR_ETH = 11;
const ERF_DSM_COLOR_HDLC_POS = 15;
const ERF_DSM_COLOR_ETH = 16;
const ERF_COLOR_HASH_POS = 19;
const ERF_COLOR_HASH_ETH = 20;
const ERF_IPV4 = 22;
const ERF_IPV6 = 23;
const ERF_MORE = 0x80;
const ERF_INTERFACE = 3;

/** BSD loopback: an address family, of the writer's byte order (NULL) or big-endian (LOOP). AF_INET6 differs by system. */
export function family(bigEndian: bool): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  let value = load<u32>(at);
  if (bigEndian || value > 0xffff) value = bswap<u32>(value);
  pass(4);
  if (value == AF_INET) return IPV4;
  return value == AF_INET6_LINUX || value == 24 || value == 28 || value == 30 ? IPV6 : ~NOT_IP;
}

/**
 * Linux netfilter's log (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html): family, version 0, resource, and attributes
 * of a length, a type (of the writer's byte order, and all below 256 but for two flags) and a value, each padded to 4 bytes.
 */
export function nflog(): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  const family = byte(0);
  if (byte(1) != 0) return ~LINK_TYPE;
  // Bridges and devices log packets of any kind, and say of which.
  let layer = family == AF_INET ? IPV4 : family == AF_INET6_LINUX ? IPV6 : 0;
  unsteady();
  pass(4);
  while (has(4)) {
    let bytes: i32 = load<u16>(at);
    let type: i32 = load<u16>(at, 2);
    if (type & NFLOG_TYPE & 0xff00) {
      bytes = bswap<u16>(<u16>bytes);
      type = bswap<u16>(<u16>type);
    }
    if (bytes < 4) return ~LINK_TYPE;
    if ((type & NFLOG_TYPE) == NFLOG_PAYLOAD) {
      pass(4);
      return layer == 0 ? ~NOT_IP : layer;
    }
    if ((type & NFLOG_TYPE) == NFLOG_HEADER && bytes >= 6 && layer == 0 && has(6)) layer = word(4);
    pass(min((bytes + 3) & ~3, left));
  }
  return ~LINK_TRUNCATED;
}

/** Per-packet information: version, flags, length, link type (little-endian), fields; then the packet under that type. */
export function ppi(): i32 {
  if (!has(8)) return ~LINK_TRUNCATED;
  if (byte(0) != 0) return ~LINK_TYPE;
  return under(load<u32>(at, 4), load<u16>(at, 2), 8);
}

/** Apple's packet tap: length, type of record, link type (little-endian), interface, process; then the packet. */
export function pktap(): i32 {
  if (!has(12)) return ~LINK_TRUNCATED;
  if (load<u32>(at, 4) != PKTAP_PACKET) return ~NOT_IP;
  return under(load<u32>(at, 8), load<u32>(at), 12);
}

/**
 * What Juniper's systems put before a frame: their magic number, flags, and extensions of so many bytes where a flag says so.
 * A packet without its link header is not opened: nothing public says what it has instead.
 */
export function juniper(layer: i32): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  const header = long(0);
  if (header >> 8 != JUNIPER_MAGIC || header & JUNIPER_NO_LINK) return ~LINK_TYPE;
  let bytes = 4;
  if (header & JUNIPER_EXTENSIONS) {
    if (!has(6)) return ~LINK_TRUNCATED;
    bytes = 6 + word(4);
  }
  if (!has(bytes)) return ~LINK_TRUNCATED;
  pass(bytes);
  return layer;
}

/** The log of pf (net/if_pflog.h): its length without padding, family, action, reason, interface, rule; then the packet. */
export function pflog(): i32 {
  if (!has(PFLOG_LEAST)) return ~LINK_TRUNCATED;
  const bytes = (byte(0) + 3) & ~3;
  if (bytes < PFLOG_LEAST) return ~LINK_TYPE;
  note(load<u64>(at, 4));
  return behind(bytes, IP);
}

/** Endace's record: time, type, flags with the interface, lengths, colour; headers of 8 bytes more where bits say so; then the frame. */
export function erf(): i32 {
  if (!has(16)) return ~LINK_TRUNCATED;
  const type = byte(8) & ~ERF_MORE;
  note(byte(9) & ERF_INTERFACE);
  let bytes = 16;
  for (let more = byte(8) & ERF_MORE; more != 0; bytes += 8) {
    if (!has(bytes + 8)) return ~LINK_TRUNCATED;
    more = byte(bytes) & ERF_MORE;
  }
  switch (type) {
    case ERF_ETH:
    case ERF_COLOR_ETH:
    case ERF_DSM_COLOR_ETH:
    case ERF_COLOR_HASH_ETH:
      return behind(bytes + 2, ETHERNET);
    case ERF_HDLC_POS:
    case ERF_COLOR_HDLC_POS:
    case ERF_DSM_COLOR_HDLC_POS:
    case ERF_COLOR_HASH_POS:
      return behind(bytes, LINK + links.PPP_HDLC);
    case ERF_IPV4:
      return behind(bytes, IPV4);
    case ERF_IPV6:
      return behind(bytes, IPV6);
    default:
      return ~NOT_IP;
  }
}

/** What follows `bytes` bytes that tell of the packet, and not only of a place. */
function behind(bytes: i32, layer: i32): i32 {
  if (!has(bytes)) return ~LINK_TRUNCATED;
  unsteady();
  pass(bytes);
  return layer;
}

/** A packet under a link type of its own, behind a header of `bytes` bytes, `least` or more. */
function under(linkType: u32, bytes: u32, least: u32): i32 {
  if (linkType > 0xffff || bytes < least || bytes > 0xffff) return ~LINK_TYPE;
  return behind(bytes, LINK + linkType);
}
