// From a frame to what it carries: the link layers of src/layout/link.ts.
//
// Each answers `offset of the payload << 16 | EtherType`, or ~reason where there is nothing to open.

import { IP_TRUNCATED, IP_VERSION, LINK_TRUNCATED, LINK_TYPE, NOT_IP } from '../src/layout/drops.ts';
import { EN10MB, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW, RAW_12, RAW_14 } from '../src/layout/link.ts';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Customer, service (IEEE 802.1Q) and pre-standard stacked VLAN tags. */
const VLAN = 0x8100;
const VLAN_SERVICE = 0x88a8;
const VLAN_STACKED = 0x9100;
/** Values up to this are lengths, and an LLC header follows (IEEE 802.3). */
const LARGEST_LENGTH = 1500;
/** VLAN tags and SNAP headers that are opened in one frame. */
const NESTING = 8;

export function linkHeader(linkType: i32, frame: usize, captured: i32): i32 {
  let offset: i32, typeAt: usize;
  if (linkType == EN10MB) {
    offset = 14;
    typeAt = 12;
  } else if (linkType == LINUX_SLL) {
    offset = 16;
    typeAt = 14;
  } else if (linkType == LINUX_SLL2) {
    offset = 20;
    typeAt = 0;
  } else return otherHeader(linkType, frame, captured);
  if (captured < offset) return ~LINK_TRUNCATED;
  const type = load16(frame, typeAt);
  return type == ETHERTYPE_IPV4 ? (offset << 16) | ETHERTYPE_IPV4 : typed(frame, offset, type, captured, 0);
}

/** Link layers without an EtherType. */
function otherHeader(linkType: i32, frame: usize, captured: i32): i32 {
  switch (linkType) {
    case NULL:
    case LOOP:
      return captured < 4 ? ~LINK_TRUNCATED : family(load<u32>(frame), linkType == LOOP);
    case RAW:
    case RAW_12:
    case RAW_14:
      return captured < 1 ? ~IP_TRUNCATED : version(load<u8>(frame) >> 4);
    case IPV4:
      return ETHERTYPE_IPV4;
    case IPV6:
      return ETHERTYPE_IPV6;
    default:
      return ~LINK_TYPE;
  }
}

/** A big-endian number of 16 bits. */
function load16(address: usize, offset: usize): i32 {
  return bswap<u16>(load<u16>(address + offset));
}

/** What an EtherType announces at `offset`, VLAN tags and SNAP headers opened. */
function typed(frame: usize, offset: i32, type: i32, captured: i32, depth: i32): i32 {
  if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6) return (offset << 16) | type;
  if (depth == NESTING) return ~NOT_IP;
  if (type == VLAN || type == VLAN_SERVICE || type == VLAN_STACKED) {
    if (captured < offset + 4) return ~LINK_TRUNCATED;
    return typed(frame, offset + 4, load16(frame, offset + 2), captured, depth + 1);
  }
  if (type > LARGEST_LENGTH) return ~NOT_IP;
  // LLC: only SNAP's unnumbered information with an EtherType (RFC 1042) carries IP.
  if (captured < offset + 3) return ~LINK_TRUNCATED;
  if (load16(frame, offset) != 0xaaaa || load<u8>(frame + offset, 2) != 3) return ~NOT_IP;
  if (captured < offset + 8) return ~LINK_TRUNCATED;
  if (load16(frame, offset + 3) != 0 || load<u8>(frame + offset, 5) != 0) return ~NOT_IP;
  return typed(frame, offset + 8, load16(frame, offset + 6), captured, depth + 1);
}

/** BSD loopback: an address family, of the writer's byte order (NULL) or big-endian (LOOP). AF_INET6 differs by system. */
function family(value: u32, bigEndian: bool): i32 {
  if (bigEndian || value > 0xffff) value = bswap<u32>(value);
  if (value == 2) return (4 << 16) | ETHERTYPE_IPV4;
  if (value == 10 || value == 24 || value == 28 || value == 30) return (4 << 16) | ETHERTYPE_IPV6;
  return ~NOT_IP;
}

/** No link header: the IP header's own version decides. */
function version(nibble: i32): i32 {
  return nibble == 4 ? ETHERTYPE_IPV4 : nibble == 6 ? ETHERTYPE_IPV6 : ~IP_VERSION;
}
