// Tunnels over UDP, told by their ports (Teredo's relays, which have none, by addresses) and by what their headers must hold, so that
// ordinary datagrams which happen to have such a port are not misread.

import { ENCRYPTED, FRAGMENT, LINK_TRUNCATED, NOT_TCP, TUNNEL_PAYLOAD } from '../src/layout/drops.ts';
import { FRAGMENT_HEAD } from '../src/layout/segment.ts';
import { at, byte, has, left, long, note, pass, room, word } from './cursor.ts';
import { nextProtocol } from './ethernet.ts';
import { gre } from './gre.ts';
import { ETHERNET, IP, IPV4, IPV6, MPLS, MPLS_UPSTREAM, NSH, TRANSPARENT_ETHERNET } from './layer.ts';
import { l2tp } from './ppp.ts';
import { fragment } from './network.ts';
import { noteNetwork } from './tags.ts';
import { tunnelled } from './wlan.ts';

// https://www.iana.org/assignments/service-names-port-numbers
const L2TP = 1701;
const GTP_USER = 2152;
const TEREDO = 3544;
const GRE_IN_UDP = 4754;
const VXLAN = 4789;
const VXLAN_GPE = 4790;
const AYIYA = 5072;
const CAPWAP_DATA = 5247;
const GENEVE = 6081;
const MPLS_IN_UDP = 6635;
/** VXLAN before it had a number, and still Linux's default. */
const VXLAN_LINUX = 8472;

/** GTPv1 message that carries a user's packet (3GPP TS 29.281 §6.1). */
const GTP_PACKET = 255;

/** 2001::/32 (RFC 4380 §2.6). */
const TEREDO_PREFIX: u32 = 0x20010000;

// CAPWAP: the other type of preamble, flags, the binding that is one to 802.11 (RFC 5415 §4.2, §4.3).
const CAPWAP_DTLS = 1;
const NATIVE = 0x100;
const IN_FRAGMENTS = 0x80;
const KEEP_ALIVE = 0x08;
const BINDING_802_11 = 1;

/** Opens a UDP header and the tunnel's own: the layer that follows, ~NOT_TCP for what is no tunnel. */
export function udp(): i32 {
  if (!has(8)) return short(8);
  const source = word(0);
  const destination = word(2);
  const port = isTunnel(destination) ? destination : source;
  if (!isTunnel(port)) return relayed();
  pass(8);
  switch (port) {
    case VXLAN:
    case VXLAN_LINUX:
      return vxlan();
    case VXLAN_GPE:
      return vxlanGpe();
    case GENEVE:
      return geneve();
    case GTP_USER:
      return gtp();
    case TEREDO:
      return teredo();
    case GRE_IN_UDP:
      return greInUdp();
    case MPLS_IN_UDP:
      return MPLS;
    case AYIYA:
      return ayiya();
    case CAPWAP_DATA:
      return capwap();
    default:
      return has(8) ? l2tp() : short(8);
  }
}

function isTunnel(port: i32): bool {
  if (port < L2TP || port > VXLAN_LINUX) return false;
  switch (port) {
    case L2TP:
    case GTP_USER:
    case TEREDO:
    case GRE_IN_UDP:
    case VXLAN:
    case VXLAN_GPE:
    case AYIYA:
    case CAPWAP_DATA:
    case GENEVE:
    case MPLS_IN_UDP:
    case VXLAN_LINUX:
      return true;
    default:
      return false;
  }
}

/** Why `bytes` bytes are not there: they were not captured, or the datagram is too short to be a tunnel's. */
function short(bytes: i32): i32 {
  return room < bytes ? ~NOT_TCP : ~LINK_TRUNCATED;
}

/** VXLAN (RFC 7348 §5): flags, of which I must be set; the network. What is reserved is ignored: some extension may use it. */
function vxlan(): i32 {
  if (!has(8)) return short(8);
  if ((byte(0) & 0x08) == 0) return ~NOT_TCP;
  return network(ETHERNET);
}

/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3.1): version 0, the I flag; the P flag tells that the fourth byte is the next protocol. */
function vxlanGpe(): i32 {
  if (!has(8)) return short(8);
  const flags = byte(0);
  if ((flags & 0x38) != 0x08 || byte(7) != 0) return ~NOT_TCP;
  return network(flags & 0x04 ? nextProtocol(byte(3)) : ETHERNET);
}

/** Passes the 8 bytes of a header that has its network identifier before the last of them. */
function network(layer: i32): i32 {
  note(long(4) >> 8);
  noteNetwork(long(4) >> 8);
  pass(8);
  return layer;
}

/** GENEVE (RFC 8926 §3.4): version 0, options, EtherType, network. */
function geneve(): i32 {
  if (!has(8)) return short(8);
  const first = byte(0);
  const type = word(2);
  if (first >> 6 != 0 || (byte(1) & 0x3f) != 0 || byte(7) != 0 || !isCarried(type)) return ~NOT_TCP;
  const options = (first & 0x3f) << 2;
  if (!has(8 + options)) return short(8 + options);
  network(type);
  pass(options);
  return type;
}

/** Whether an EtherType is one that tunnels announce. */
function isCarried(type: i32): bool {
  switch (type) {
    case IPV4:
    case IPV6:
    case TRANSPARENT_ETHERNET:
    case MPLS:
    case MPLS_UPSTREAM:
    case NSH:
      return true;
    default:
      return false;
  }
}

/** GTPv1-U (3GPP TS 29.281 §5): flags, message, length, tunnel; then number and next extension header where a flag says so. */
function gtp(): i32 {
  if (!has(8)) return short(8);
  const flags = byte(0);
  if (flags >> 4 != 3 || byte(1) != GTP_PACKET) return ~NOT_TCP;
  note(load<u32>(at, 4));
  pass(8);
  if (flags & 7) {
    if (!has(4)) return ~LINK_TRUNCATED;
    let next = flags & 4 ? byte(3) : 0;
    pass(4);
    while (next != 0) {
      if (!has(1)) return ~LINK_TRUNCATED;
      const bytes = byte(0) << 2;
      if (bytes == 0) return ~TUNNEL_PAYLOAD;
      if (!has(bytes)) return ~LINK_TRUNCATED;
      next = byte(bytes - 1);
      pass(bytes);
    }
  }
  if (!has(1)) return ~LINK_TRUNCATED;
  const version = byte(0) >> 4;
  return version == 4 || version == 6 ? IP : ~TUNNEL_PAYLOAD;
}

/**
 * Teredo between clients and relays, whose ports nobody assigned: an IPv6 packet as long as the datagram, one end of which has a Teredo
 * address (RFC 4380 §4).
 */
function relayed(): i32 {
  if (!has(48) || byte(8) >> 4 != 6 || word(12) + 48 != word(4)) return ~NOT_TCP;
  if (long(16) != TEREDO_PREFIX && long(32) != TEREDO_PREFIX) return ~NOT_TCP;
  pass(8);
  return IPV6;
}

/** Teredo (RFC 4380 §5.1.1): authentication, origin, both optional; an IPv6 packet. */
function teredo(): i32 {
  if (!has(4)) return short(4);
  if (word(0) == 0x0001) {
    // Lengths of client identifier and authentication value, both, a nonce of 8 bytes, a confirmation.
    const bytes = 13 + byte(2) + byte(3);
    if (!has(bytes + 2)) return short(bytes + 2);
    pass(bytes);
  }
  if (!has(2)) return short(2);
  if (word(0) == 0) {
    if (!has(8)) return short(8);
    pass(8);
  }
  if (!has(6)) return short(6);
  return byte(0) >> 4 == 6 && (word(4) + 40 <= room || fragment == FRAGMENT_HEAD) ? IPV6 : ~NOT_TCP;
}

/** AYIYA (draft-massar-v6ops-ayiya §3): an identity of 2^n bytes, a signature of n words, a forwarded IPv6 packet. */
function ayiya(): i32 {
  if (!has(8)) return short(8);
  const identity = 1 << (byte(0) >> 4);
  const signature = (byte(1) >> 4) << 2;
  if ((byte(2) & 15) != 1 || byte(3) != 41) return ~NOT_TCP;
  const bytes = 8 + identity + signature;
  if (!has(bytes + 1)) return short(bytes + 1);
  pass(bytes);
  return byte(0) >> 4 == 6 ? IPV6 : ~NOT_TCP;
}

/**
 * CAPWAP's data channel (RFC 5415 §4.3): preamble, length of the header, radio and binding, flags; fragment, its offset; whatever
 * the header has beyond that; a frame of 802.3, or as the binding has it.
 */
function capwap(): i32 {
  if (!has(8)) return short(8);
  const header = long(0);
  const bytes = (<i32>((header >> 19) & 31)) << 2;
  if (header >> 24 == CAPWAP_DTLS) return (header & 0xffffff) == 0 ? ~ENCRYPTED : ~NOT_TCP;
  if (header >> 24 != 0 || header & 7 || bytes < 8 || word(6) & 7 || header & KEEP_ALIVE) return ~NOT_TCP;
  if (!has(bytes)) return short(bytes);
  if (header & IN_FRAGMENTS && word(6) != 0) return ~FRAGMENT;
  // The radio; not the fragment's number, nor what was measured of the frame.
  note((header >> 14) & 31);
  pass(bytes);
  if ((header & NATIVE) == 0) return ETHERNET;
  return ((header >> 9) & 31) == BINDING_802_11 ? tunnelled() : ~TUNNEL_PAYLOAD;
}

/** GRE in UDP (RFC 8086): a GRE header of version 0, its reserved bits unset. */
function greInUdp(): i32 {
  if (!has(4)) return short(4);
  return (word(0) & 0x4fff) == 0 && isCarried(word(2)) ? gre() : ~NOT_TCP;
}
