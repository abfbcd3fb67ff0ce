// Frame Relay, as IP uses it (RFC 2427), and as Cisco does.

import { LINK_TRUNCATED, NOT_IP } from '../src/layout/drops.ts';
import { byte, has, long, pass, word } from './cursor.ts';
import { ETHERNET, IPV4, IPV6, PPP } from './layer.ts';
import { typeAt } from './ethernet.ts';

/** Bytes of an address: the last one is odd (Q.922). */
const LONGEST_ADDRESS = 4;
const UNNUMBERED = 3;

// Network layer protocol identifiers (RFC 2427 §3).
const NLPID_PADDING = 0x00;
const NLPID_SNAP = 0x80;
const NLPID_IPV6 = 0x8e;
const NLPID_IPV4 = 0xcc;
/** RFC 1973. */
const NLPID_PPP = 0xcf;

// Behind SNAP: a number of an organization, and what it means by the next one.
const ETHERTYPES = 0;
const BRIDGED = 0x0080c2;
const ETHERNET_WITH_FCS = 1;
const ETHERNET_WITHOUT_FCS = 7;

/** Address; then unnumbered information and what it is of, or an EtherType alone (Cisco). */
export function frameRelay(): i32 {
  let address = 0;
  do {
    if (address == LONGEST_ADDRESS) return ~NOT_IP;
    if (!has(address + 1)) return ~LINK_TRUNCATED;
  } while ((byte(address++) & 1) == 0);
  if (!has(address + 2)) return ~LINK_TRUNCATED;
  if (byte(address) != UNNUMBERED) return typeAt(address);
  pass(address + 1);
  if (byte(0) == NLPID_PADDING) pass(1);
  if (!has(1)) return ~LINK_TRUNCATED;
  const protocol = byte(0);
  if (protocol == NLPID_SNAP) return snap();
  pass(1);
  if (protocol == NLPID_IPV4) return IPV4;
  if (protocol == NLPID_IPV6) return IPV6;
  return protocol == NLPID_PPP ? PPP : ~NOT_IP;
}

function snap(): i32 {
  if (!has(6)) return ~LINK_TRUNCATED;
  const organization = long(0) & 0xffffff;
  if (organization == ETHERTYPES) return typeAt(4);
  const type = word(4);
  if (organization != BRIDGED || (type != ETHERNET_WITH_FCS && type != ETHERNET_WITHOUT_FCS)) return ~NOT_IP;
  pass(6);
  return ETHERNET;
}
