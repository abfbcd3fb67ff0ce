// Generic routing encapsulation (RFC 2784, 2890; version 1: RFC 2637) and what only it carries: ERSPAN, EoIP, WCCP.

import { LINK_TRUNCATED, NOT_TCP, TUNNEL_PAYLOAD } from '../src/layout/drops.ts';
import { at, byte, has, long, note, pass, unsteady, word } from './cursor.ts';
import { ETHERNET, IP, WLAN } from './layer.ts';

// Flags, and the bits of the version.
const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGEMENT = 0x0080;
const VERSION = 7;

// Protocol types that are no EtherTypes of anything else.
const ERSPAN = 0x88be;
const ERSPAN_III = 0x22eb;
const EOIP = 0x6400;
const WCCP = 0x883e;

/** Opens a GRE header, and a header that belongs to the protocol which it announces. */
export function gre(): i32 {
  if (!has(4)) return ~LINK_TRUNCATED;
  const flags = word(0);
  const type = word(2);
  const version = flags & VERSION;
  // Source routes (RFC 1701) were never used.
  if (version > 1 || flags & ROUTING) return ~TUNNEL_PAYLOAD;
  let bytes = 4;
  if (flags & CHECKSUM) bytes += 4;
  const key = bytes;
  if (flags & KEY) bytes += 4;
  if (flags & SEQUENCE) bytes += 4;
  if (version == 1 && flags & ACKNOWLEDGEMENT) bytes += 4;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  note(type);
  // Version 1's key is the payload's length and the call.
  if (flags & KEY) note(version == 1 ? load<u16>(at + key, 2) : load<u32>(at + key));
  pass(bytes);
  // Version 1 numbers whatever it carries: without a number, it only acknowledges (RFC 2637 §4.1).
  if (version == 1 && flags & ACKNOWLEDGEMENT && !(flags & SEQUENCE)) return ~NOT_TCP;
  switch (type) {
    case ERSPAN:
      // Type I has no header, and no sequence numbers tell it (draft-foschiano-erspan §4.1).
      return flags & SEQUENCE ? erspan(8) : ETHERNET;
    case ERSPAN_III:
      return erspan3();
    case EOIP:
      return ETHERNET;
    case WCCP:
      return redirected();
    default:
      return isWlan(type) ? WLAN : type;
  }
}

/** ERSPAN type II: version and VLAN, flags and session, index. */
function erspan(bytes: i32): i32 {
  if (!has(bytes)) return ~LINK_TRUNCATED;
  // VLAN and session; not the class of service and the flags between them, which may differ from packet to packet.
  note(long(0) & 0x0fff03ff);
  pass(bytes);
  return ETHERNET;
}

/** ERSPAN type III: a header of 12 bytes and, where its last bit says so, 8 bytes of the platform's. */
function erspan3(): i32 {
  if (!has(12)) return ~LINK_TRUNCATED;
  const trailer = word(10);
  const ip = ((trailer >> 10) & 31) == 2;
  const next = erspan(trailer & 1 ? 20 : 12);
  return next == ETHERNET && ip ? IP : next;
}

/** A packet redirected to a web cache: version 2 has a header of 4 bytes, version 1 none. */
function redirected(): i32 {
  if (!has(1)) return ~LINK_TRUNCATED;
  if (byte(0) >> 4 == 4) return IP;
  if (!has(4)) return ~LINK_TRUNCATED;
  pass(4);
  return IP;
}

/** Aruba's access points send 802.11 frames, under a type for each of their queues. */
function isWlan(type: i32): bool {
  return (type & 0xff0f) == 0x8200 || (type & 0xff8f) == 0x8300;
}
