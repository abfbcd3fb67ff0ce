// PPP (RFC 1661) in its framings, Cisco HDLC, and L2TP, which carries PPP.

import { ENCRYPTED, LINK_TRUNCATED, NOT_IP, NOT_TCP, TUNNEL_PAYLOAD } from '../src/layout/drops.ts';
import { at, byte, has, note, pass, unsteady, word } from './cursor.ts';
import { IPV4, IPV6, MPLS, MPLS_UPSTREAM, PPP } from './layer.ts';
import { typeAt } from './ethernet.ts';

/** All stations, unnumbered information (RFC 1662 §3.1); left out where both ends agreed. */
const ADDRESS_AND_CONTROL = 0xff03;
const UNNUMBERED = 3;

// Protocols (https://www.iana.org/assignments/ppp-numbers)
const PPP_IPV4 = 0x21;
const PPP_COMPRESSED_TCP = 0x2d;
const PPP_IPV6 = 0x57;
const PPP_ENCRYPTED = 0x53;
const PPP_COMPRESSED = 0xfd;
const PPP_MPLS = 0x281;
const PPP_MPLS_UPSTREAM = 0x283;

/** A PPP frame, with or without address and control, its protocol of one byte or of two (RFC 1661 §2). */
export function ppp(): i32 {
  if (!has(2)) return ~LINK_TRUNCATED;
  if (word(0) == ADDRESS_AND_CONTROL) pass(2);
  if (!has(1)) return ~LINK_TRUNCATED;
  let protocol = byte(0);
  if (protocol & 1) {
    pass(1);
  } else {
    if (!has(2)) return ~LINK_TRUNCATED;
    protocol = word(0);
    pass(2);
  }
  switch (protocol) {
    case PPP_IPV4:
      return IPV4;
    case PPP_IPV6:
      return IPV6;
    case PPP_MPLS:
      return MPLS;
    case PPP_MPLS_UPSTREAM:
      return MPLS_UPSTREAM;
    case PPP_ENCRYPTED:
    case PPP_COMPRESSED:
    case PPP_COMPRESSED_TCP:
      return ~ENCRYPTED;
    default:
      return ~NOT_IP;
  }
}

/** PPP or Cisco HDLC, told by the address byte (15 or 143 is HDLC's). */
export function pppOrHdlc(): i32 {
  return has(1) && (byte(0) & 0x7f) == 0x0f ? hdlc() : ppp();
}

/** Cisco HDLC: address, control, EtherType. */
export function hdlc(): i32 {
  return has(4) ? typeAt(2) : ~LINK_TRUNCATED;
}

/** A byte before the frame that says who sent it. */
export function direction(): bool {
  if (!has(1)) return false;
  note(byte(0));
  pass(1);
  return true;
}

/** What pppd sees: who sent the frame, in the place of its address (libpcap's dlt.h); or before all of it. */
export function pppd(): i32 {
  if (!direction()) return ~LINK_TRUNCATED;
  if (has(1) && byte(0) == UNNUMBERED) pass(1);
  return ppp();
}

/** A PPPoE session (RFC 2516 §4): version and type, code 0, session, length. */
export function pppoe(): i32 {
  if (!has(6)) return ~LINK_TRUNCATED;
  if (word(0) != 0x1100) return ~NOT_IP;
  note(word(2));
  pass(6);
  return PPP;
}

/**
 * L2TP over UDP (RFC 2661 §3.1), version 2: flags, length if any, tunnel and session, sequence numbers if any, padding if any.
 * Version 3 (RFC 3931 §4.1.2) does not say how long its cookie is, nor what it carries.
 */
export function l2tp(): i32 {
  if (!has(2)) return ~LINK_TRUNCATED;
  const flags = word(0);
  const version = flags & 15;
  if (version == 3) return flags & 0x8000 ? ~NOT_TCP : ~TUNNEL_PAYLOAD;
  // Control messages, reserved bits.
  if (version != 2 || (flags & 0xb4f0) != 0) return ~NOT_TCP;
  const session = flags & 0x4000 ? 4 : 2;
  let bytes = session + 4 + (flags & 0x0800 ? 4 : 0);
  if (flags & 0x0200) {
    if (!has(bytes + 2)) return ~LINK_TRUNCATED;
    bytes += 2 + word(bytes);
  }
  if (!has(bytes)) return ~LINK_TRUNCATED;
  note(load<u32>(at + session));
  unsteady();
  pass(bytes);
  return PPP;
}
