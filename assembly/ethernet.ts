// What is announced by EtherTypes: Ethernet, the tags before its payload, LLC and SNAP, MPLS, NSH.

import { ENCRYPTED, LINK_TRUNCATED, NOT_IP, TUNNEL_PAYLOAD } from '../src/layout/drops.ts';
import { at, byte, has, long, note, pass, room, unsteady, word } from './cursor.ts';
import { ETHERNET, IP, IPV4, IPV6, LLC, MPLS, NSH, PPPOE_SESSION } from './layer.ts';
import { noteTag } from './tags.ts';

/** Values up to this are lengths, and an LLC header follows (IEEE 802.3). */
export const LARGEST_LENGTH = 1500;

/** Of a tag of Marvell's switches: the frame has a VLAN, in the last 12 bits. */
const VLAN_TAGGED = 0x20;

/** Of a packet without a byte in the shortest Ethernet frame. */
const LARGEST_PADDING = 46;

// MPLS labels (RFC 3032 §2.1).
const EXPLICIT_NULL = 0;
const EXPLICIT_NULL_IPV6 = 2;

// Next protocols of the Network Service Header (RFC 8300 §2.2) and of VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe).
const NEXT_IPV4 = 1;
const NEXT_IPV6 = 2;
const NEXT_ETHERNET = 3;
const NEXT_NSH = 4;
const NEXT_MPLS = 5;

/** Destination, source, EtherType. */
export function ethernet(): i32 {
  if (!has(14)) return ~LINK_TRUNCATED;
  note(load<u64>(at));
  note(load<u32>(at, 8));
  return typeAt(12);
}

/**
 * Ethernet whose source is followed by a switch's tag of `bytes` bytes, the last four of which, in Marvell's, tell of the
 * VLAN tag whose place they take (Linux's net/dsa/tag_dsa.c).
 */
export function switched(bytes: i32, marvell: bool): i32 {
  if (!has(14 + bytes)) return ~LINK_TRUNCATED;
  note(load<u64>(at));
  note(load<u32>(at, 8));
  note(load<u32>(at + 8 + bytes));
  if (marvell && (byte(8 + bytes) & VLAN_TAGGED) != 0) noteTag(word(10 + bytes));
  return typeAt(12 + bytes);
}

/** A header that ends with an EtherType at `offset`, where a length may stand instead. */
export function typeAt(offset: i32): i32 {
  const type = word(offset);
  pass(offset + 2);
  return type > LARGEST_LENGTH ? type : LLC;
}

/** A tag of `bytes` bytes, the last two of which are the next EtherType: 802.1Q, VN-Tag, E-Tag (802.1BR). */
export function tag(bytes: i32): i32 {
  if (!has(bytes)) return ~LINK_TRUNCATED;
  note(load<u32>(at));
  return typeAt(bytes - 2);
}

/** Cisco's metadata, of which security groups make use: version, length in words, options, the next EtherType. */
export function metadata(): i32 {
  return has(2) ? tag(4 + (byte(1) << 2)) : ~LINK_TRUNCATED;
}

/** Backbone service instance (802.1ah): flags and identifier, then the customer's frame. */
export function serviceInstance(): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  note(load<u32>(at));
  pass(4);
  return ETHERNET;
}

/** Cisco's FabricPath: in a frame between its switches, a tag with the hops that are left, then the frame that they forward. */
export function fabricPath(): i32 {
  if (!has(2)) return ~LINK_TRUNCATED;
  unsteady();
  pass(2);
  return ETHERNET;
}

/** MACsec (802.1AE §9.3): flags, short length, packet number, and a channel identifier where a flag says so. */
export function macsec(): i32 {
  if (!has(1)) return ~LINK_TRUNCATED;
  const flags = byte(0);
  if (flags & 0x08) return ~ENCRYPTED;
  const bytes = flags & 0x20 ? 14 : 6;
  if (!has(bytes + 2)) return ~LINK_TRUNCATED;
  unsteady();
  return typeAt(bytes);
}

/** LLC: IP itself, or SNAP's unnumbered information with an EtherType (RFC 1042, or 802.1H's bridge tunnel). */
export function llc(): i32 {
  if (!has(3)) return ~LINK_TRUNCATED;
  if (byte(2) != 3) return ~NOT_IP;
  if (word(0) == 0x0606) {
    pass(3);
    return IPV4;
  }
  if (word(0) != 0xaaaa) return ~NOT_IP;
  if (!has(8)) return ~LINK_TRUNCATED;
  if (word(3) != 0 || (byte(5) != 0 && byte(5) != 0xf8)) return ~NOT_IP;
  return typeAt(6);
}

/** One MPLS label (RFC 3032). Nothing says what follows the last one but its own first bytes (RFC 4928 §3). */
export function mpls(): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  const entry = long(0);
  const label = entry >> 12;
  note(label);
  pass(4);
  if ((entry & 0x100) == 0) return MPLS;
  if (label == EXPLICIT_NULL) return IPV4;
  if (label == EXPLICIT_NULL_IPV6) return IPV6;
  if (!has(1)) return ~LINK_TRUNCATED;
  const nibble = byte(0) >> 4;
  const ip = nibble == 4 || nibble == 6;
  if (ip && hasSoundLength()) return IP;
  // Ethernet without a control word: an address may begin with any nibble.
  const expected = has(14) && isExpected(word(12));
  if (nibble != 0) return expected ? ETHERNET : ip ? IP : has(min(room, 14)) ? ~TUNNEL_PAYLOAD : ~LINK_TRUNCATED;
  if (expected && !(has(18) && isExpected(word(16)))) return ETHERNET;
  // With a control word (RFC 4448 §4.6), which numbers frames.
  if (!has(4)) return ~LINK_TRUNCATED;
  unsteady();
  pass(4);
  return ETHERNET;
}

/** Whether what would be the length of an IP packet is 0 (offload), or ends it where the packet ends, padding aside. */
function hasSoundLength(): bool {
  if (!has(6)) return true;
  const ipv6 = byte(0) >> 4 == 6;
  const length = word(ipv6 ? 4 : 2);
  const padding = room - length - (ipv6 ? 40 : 0);
  return length == 0 || (padding >= 0 && padding <= LARGEST_PADDING);
}

/** Whether an EtherType announces IP or what lies before it. */
function isExpected(type: i32): bool {
  return type == IPV4 || type == IPV6 || type == 0x8100 || type == 0x88a8 || type == MPLS || type == PPPOE_SESSION;
}

/** Network Service Header (RFC 8300). */
export function serviceHeader(): i32 {
  if (!has(8)) return ~LINK_TRUNCATED;
  const bytes = (word(0) & 0x3f) << 2;
  if (bytes < 8) return ~TUNNEL_PAYLOAD;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  const next = byte(3);
  note(long(4) >> 8);
  unsteady();
  pass(bytes);
  return nextProtocol(next);
}

/** The layer that NSH or VXLAN-GPE announces. */
export function nextProtocol(next: i32): i32 {
  switch (next) {
    case NEXT_IPV4:
      return IPV4;
    case NEXT_IPV6:
      return IPV6;
    case NEXT_ETHERNET:
      return ETHERNET;
    case NEXT_NSH:
      return NSH;
    case NEXT_MPLS:
      return MPLS;
    default:
      return ~TUNNEL_PAYLOAD;
  }
}
