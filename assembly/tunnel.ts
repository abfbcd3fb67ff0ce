// From an IP packet that does not carry TCP to the innermost one that does: what IP protocols announce.
//
// An outer packet's fragments: the first one holds the inner headers and is used as any packet whose end was not captured;
// the others are dropped.

import { ENCRYPTED, FRAGMENT, LINK_TRUNCATED, NESTED, NOT_TCP, TUNNEL_PAYLOAD } from '../src/layout/drops.ts';
import { FRAGMENT_TAIL } from '../src/layout/segment.ts';
import { at, begin, byte, endAfter, has, left, note, pass, room } from './cursor.ts';
import { gre } from './gre.ts';
import { ETHERNET, IPV4, IPV6, MPLS, NESTING } from './layer.ts';
import { openLayers } from './link.ts';
import { fragment, networkHeader, protocol, transportBytes } from './network.ts';
import * as protocols from './protocol.ts';
import { udp } from './udp.ts';

/**
 * Opens tunnels until an IP packet carries TCP: the cursor is at that packet's IP header then.
 * @param network bytes of headers of the outermost IP packet, which networkHeader() has just read
 * @param path what is known already of the place of capture
 * @returns the offset of the TCP header from the innermost IP header, or ~reason
 */
export function innermost(ipv6: bool, ip: usize, captured: i32, original: i32, network: i32, path: u64): i32 {
  begin(ip, captured, original, path);
  for (let count = 0; count < NESTING; count++) {
    if (fragment == FRAGMENT_TAIL) return ~FRAGMENT;
    const outer = at;
    pass(network);
    endAfter(transportBytes);
    const carried = payload();
    if (carried < 0) return carried;
    noteEnds(outer, ipv6);
    const inner = openLayers(carried, 0);
    if (inner < 0) return inner;
    ipv6 = inner == IPV6;
    network = networkHeader(ipv6, at, left, room);
    if (network < 0 || protocol == protocols.TCP) return network;
  }
  return ~NESTED;
}

/** A tunnel's two ends. */
function noteEnds(ip: usize, ipv6: bool): void {
  note(protocol);
  if (ipv6) {
    for (let offset: usize = 8; offset < 40; offset += 8) note(load<u64>(ip + offset));
  } else {
    note(load<u64>(ip, 12));
  }
}

/** Opens what an IP packet carries: the layer that follows, or ~reason. */
function payload(): i32 {
  switch (protocol) {
    case protocols.UDP:
      return udp();
    case protocols.IPIP:
      return IPV4;
    case protocols.IPV6:
      return IPV6;
    case protocols.GRE:
      return gre();
    case protocols.ETHERNET:
      return ETHERNET;
    case protocols.MPLS:
      return MPLS;
    case protocols.ETHERIP:
      return etherip();
    case protocols.ESP:
    case protocols.IPCOMP:
      return ~ENCRYPTED;
    case protocols.L2TP:
      return ~TUNNEL_PAYLOAD;
    default:
      return ~NOT_TCP;
  }
}

/** Ethernet within IP (RFC 3378): version 3, 12 reserved bits. */
function etherip(): i32 {
  if (!has(2)) return ~LINK_TRUNCATED;
  if (byte(0) >> 4 != 3) return ~TUNNEL_PAYLOAD;
  pass(2);
  return ETHERNET;
}
