// From an IP packet to what it carries: IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), fragments.
//
// Each answers the offset of the payload from the IP header, or ~reason where that is neither TCP nor a tunnel. What else was learnt lies in the variables below
// until the next packet.

import { FRAGMENT, IP_LENGTH, IP_TRUNCATED, IP_VERSION, NOT_TCP } from '../src/layout/drops.ts';
import { FRAGMENT_HEAD, FRAGMENT_TAIL } from '../src/layout/segment.ts';
import {
  AUTHENTICATION,
  DESTINATION,
  ESP,
  ETHERIP,
  ETHERNET,
  FRAGMENT_HEADER,
  GRE,
  HIP,
  HOP_BY_HOP,
  IPCOMP,
  IPIP,
  IPV6,
  L2TP,
  MOBILITY,
  MPLS,
  ROUTING,
  SHIM6,
  TCP,
  UDP,
} from './protocol.ts';

/** What the packet carries: TCP or a tunnel's number of protocol.ts. */
export let protocol: i32 = 0;
/** Address of the IPv6 address that the packet is from: that of its sender at home. */
export let source: usize = 0;
/** Address of the IPv6 address that the packet is for in the end. */
export let destination: usize = 0;
/** IP payload from the TCP header on, by the IP length; of a last fragment, that of the whole datagram. */
export let transportBytes: i32 = 0;
/** 0, FRAGMENT_HEAD or FRAGMENT_TAIL. */
export let fragment: i32 = 0;
/** IP identification: 16 bits in IPv4; in IPv6 32 bits, and only fragments have one. */
export let identification: u32 = 0;

/** Extension headers that are passed in one packet; RFC 8200 §4.1 knows no sensible packet with more. */
const EXTENSIONS = 12;
// Source routes of IPv4, loose and strict (RFC 791 §3.1), and the options that have no length.
const LOOSE_ROUTE = 131;
const STRICT_ROUTE = 137;
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
// Types of routing headers: source route (RFC 2460), mobile IPv6 (RFC 6275), segments, the last one first (RFC 8754).
const SOURCE_ROUTE = 0;
const MOBILE = 2;
const SEGMENTS = 4;
/** Hop-by-hop option with a 32-bit payload length (RFC 2675). */
const JUMBO = 0xc2;
/** Destination option of who is away: the connection's address, as its checksum has it (RFC 6275 §6.3), and the counterpart of MOBILE. */
const HOME_ADDRESS = 0xc9;

/**
 * Finds what an IPv4 or IPv6 packet carries.
 * @param captured bytes from `ip` on that were captured
 * @param room bytes from `ip` on in the packet as it was, for packets whose length field says 0 (segmentation offload)
 */
export function networkHeader(ipv6: bool, ip: usize, captured: i32, room: i32): i32 {
  return ipv6 ? ipv6Header(ip, captured, room) : ipv4Header(ip, captured, room);
}

/**
 * IP payload of the packet that nearly all are: IPv4 without options, a whole datagram, TCP. Negative for every other one.
 */
export function plainPayload(ip: usize): i32 {
  const first = load<u64>(ip);
  // Version and header length; offset and MF of the fragment word. A length of 0 is negative here, too.
  if ((first & 0xff3f0000000000ff) != 0x45 || load<u8>(ip, 9) != TCP) return -1;
  return <i32>bswap<u16>(<u16>(first >> 16)) - 20;
}

function ipv4Header(ip: usize, captured: i32, room: i32): i32 {
  if (captured < 20) return captured > 0 && load<u8>(ip) >> 4 != 4 ? ~IP_VERSION : ~IP_TRUNCATED;
  const first: i32 = load<u8>(ip);
  if (first >> 4 != 4) return ~IP_VERSION;
  const header = (first & 15) << 2;
  if (header < 20) return ~IP_LENGTH;
  if (captured < header) return ~IP_TRUNCATED;
  let length: i32 = bswap<u16>(load<u16>(ip, 2));
  if (length == 0) length = room;
  if (length < header) return ~IP_LENGTH;
  protocol = load<u8>(ip, 9);
  identification = bswap<u16>(load<u16>(ip, 4));
  const place: i32 = bswap<u16>(load<u16>(ip, 6)) & 0x3fff;
  if (protocol == AUTHENTICATION) {
    if (place & 0x1fff) return ~FRAGMENT;
    fragment = 0;
    return extensions(ip, captured, AUTHENTICATION, length - header, header);
  }
  if (!isOpened(protocol)) return ~NOT_TCP;
  return fragmented(place, length - header, header);
}

/**
 * Where an IPv4 header, all of which was captured, has the address that the packet is for in the end: as lastAddress() below. Of a source
 * route that is the last one, as long as its pointer is not behind it.
 */
export function ipv4Destination(ip: usize): usize {
  const header = (<i32>load<u8>(ip) & 15) << 2;
  for (let at = 20; at + 2 < header; ) {
    const option: i32 = load<u8>(ip + at);
    if (option == END_OF_OPTIONS) break;
    if (option == NO_OPERATION) {
      at++;
      continue;
    }
    const length: i32 = load<u8>(ip + at, 1);
    if (length < 2 || at + length > header) break;
    if (option == LOOSE_ROUTE || option == STRICT_ROUTE)
      return length >= 7 && <i32>load<u8>(ip + at, 2) <= length - 3 ? ip + at + length - 4 : ip + 16;
    at += length;
  }
  return ip + 16;
}

function ipv6Header(ip: usize, captured: i32, room: i32): i32 {
  if (captured < 40) return captured > 0 && load<u8>(ip) >> 4 != 6 ? ~IP_VERSION : ~IP_TRUNCATED;
  if (load<u8>(ip) >> 4 != 6) return ~IP_VERSION;
  let length: i32 = bswap<u16>(load<u16>(ip, 4));
  let next: i32 = load<u8>(ip, 6);
  identification = 0;
  fragment = 0;
  if (length == 0) {
    length = next == HOP_BY_HOP ? jumboLength(ip + 40, captured - 40) : 0;
    if (length == 0) length = room - 40;
    if (length < 0) return ~IP_LENGTH;
  }
  source = ip + 8;
  destination = ip + 24;
  if (next == TCP) {
    protocol = TCP;
    transportBytes = length;
    return 40;
  }
  return extensions(ip, captured, next, length, 40);
}

/** Passes the extension headers, the first of which is `next`, at `at`; `length` is what follows from there. */
function extensions(ip: usize, captured: i32, next: i32, length: i32, at: i32): i32 {
  for (let count = 0; !isOpened(next); count++) {
    if (count == EXTENSIONS || !isExtension(next)) return ~NOT_TCP;
    if (captured < at + 8) return length < 8 ? ~IP_LENGTH : ~IP_TRUNCATED;
    const header = ip + at;
    const size = extensionBytes(next, load<u8>(header, 1));
    if (length < size) return ~IP_LENGTH;
    if (captured < at + size) return ~IP_TRUNCATED;
    const type = next;
    next = load<u8>(header);
    at += size;
    length -= size;
    if (type == ROUTING) destination = lastAddress(header, size, destination);
    if (type == DESTINATION) {
      const home = optionAt(header, size, HOME_ADDRESS, 16);
      if (home != 0) source = home;
    }
    if (type == FRAGMENT_HEADER) {
      const place: i32 = bswap<u16>(load<u16>(header, 2));
      if (place & 0xfff9) {
        identification = bswap<u32>(load<u32>(header, 4));
        // Where more headers follow, a last fragment does not tell how much of the datagram is TCP: it counts as any other.
        if (next == TCP) {
          protocol = TCP;
          return fragmented(((place & 1) << 13) | (place >> 3), length, at);
        }
        if (place >> 3) return isExtension(next) || isOpened(next) ? ~FRAGMENT : ~NOT_TCP;
      }
    }
  }
  protocol = next;
  transportBytes = length;
  return at;
}

/** TCP and what may hold it. */
function isOpened(type: i32): bool {
  switch (type) {
    case TCP:
    case UDP:
    case IPIP:
    case IPV6:
    case GRE:
    case ESP:
    case ETHERIP:
    case IPCOMP:
    case L2TP:
    case MPLS:
    case ETHERNET:
      return true;
    default:
      return false;
  }
}

/**
 * Where a routing header holds the address that the packet is for in the end: that of the connection, as its checksum has it
 * (RFC 8200 §8.1). `present` is the answer where no segments are left, or the type is not known.
 */
function lastAddress(header: usize, size: i32, present: usize): usize {
  if (size < 24 || load<u8>(header, 3) == 0) return present;
  const type: i32 = load<u8>(header, 2);
  switch (type) {
    case SOURCE_ROUTE:
      return header + size - 16;
    case MOBILE:
    case SEGMENTS:
      return header + 8;
    default:
      return present;
  }
}

function isExtension(type: i32): bool {
  switch (type) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT_HEADER:
    case AUTHENTICATION:
    case DESTINATION:
    case MOBILITY:
    case HIP:
    case SHIM6:
      return true;
    default:
      return false;
  }
}

/** Bytes of an extension header whose length byte is `units`: 8 bytes each, but for AH (RFC 4302 §2.2) and fragments. */
function extensionBytes(type: i32, units: i32): i32 {
  if (type == AUTHENTICATION) return (units + 2) << 2;
  return type == FRAGMENT_HEADER ? 8 : (units + 1) << 3;
}

/** The jumbo payload length, which counts from the end of the fixed header; 0 where the options hold none. */
function jumboLength(options: usize, captured: i32): i32 {
  if (captured < 8) return 0;
  const option = optionAt(options, min(captured, (<i32>load<u8>(options, 1) + 1) << 3), JUMBO, 4);
  return option == 0 ? 0 : <i32>min<u32>(bswap<u32>(load<u32>(option)), i32.MAX_VALUE);
}

/** Address of the value of an option of `bytes` bytes, among those of a header of which `end` bytes were captured; 0: it has none. */
function optionAt(options: usize, end: i32, wanted: i32, bytes: i32): usize {
  for (let at = 2; at + 1 < end; ) {
    const option: i32 = load<u8>(options + at);
    if (option == 0) {
      at++;
      continue;
    }
    const length: i32 = load<u8>(options + at, 1);
    if (option == wanted && length == bytes && at + 2 + bytes <= end) return options + at + 2;
    at += 2 + length;
  }
  return 0;
}

/**
 * @param place bit 13: more fragments follow; bits 0-12: offset in units of 8 bytes
 * @param length IP payload bytes of this fragment
 * @param header offset of what the fragment carries
 */
function fragmented(place: i32, length: i32, header: i32): i32 {
  transportBytes = length;
  fragment = 0;
  if (place == 0) return header;
  const offset = (place & 0x1fff) << 3;
  if (offset == 0) {
    fragment = FRAGMENT_HEAD;
  } else {
    if (place & 0x2000) return ~FRAGMENT;
    fragment = FRAGMENT_TAIL;
    transportBytes = offset + length;
  }
  return header;
}
