// How a layer is named: by its EtherType (https://www.iana.org/assignments/ieee-802-numbers), or, where it has none, by LINK
// plus the link type under which it may be captured (src/layout/link.ts).

import * as links from '../src/layout/link.ts';

export const LINK = 0x10000;
export const ETHERNET = LINK + links.EN10MB;
export const PPP = LINK + links.PPP;
export const WLAN = LINK + links.IEEE802_11;
/** An LLC header, and what it announces. */
export const LLC = LINK + links.ATM_RFC1483;
/** An IP header of either version. */
export const IP = LINK + links.RAW;

export const IPV4 = 0x0800;
export const IPV6 = 0x86dd;
export const TRANSPARENT_ETHERNET = 0x6558;
export const PPP_TYPE = 0x880b;
export const MPLS = 0x8847;
/** MPLS with upstream-assigned labels, formerly multicast (RFC 5332). */
export const MPLS_UPSTREAM = 0x8848;
export const PPPOE_SESSION = 0x8864;
export const NSH = 0x894f;

/** Headers that are opened before an IP header, and IP packets in one another. Nobody's network has as many. */
export const NESTING = 16;
