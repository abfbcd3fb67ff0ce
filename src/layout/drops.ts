// Why a packet gave no segment. Every packet is a segment, a duplicate of one, or counted under exactly one of these.
// This file is compiled by asc and by tsc and must remain portable: integer constants only; the names are in decode/drops.ts.

/** The capture's link type is not one of link.ts. */
export const LINK_TYPE = 0;
/** Captured bytes end within a link header, or within a tunnel's. */
export const LINK_TRUNCATED = 1;
/** ARP, LLDP, LLC, ...: not IP. */
export const NOT_IP = 2;
/** The version nibble contradicts the link header, or is neither 4 nor 6. */
export const IP_VERSION = 3;
/** Fewer captured bytes than the IP header or its extension headers have. */
export const IP_TRUNCATED = 4;
/** IPv4 header length below 20, or an IP length smaller than its headers. */
export const IP_LENGTH = 5;
/** UDP, ICMP, ...: IP, but not TCP, nor a tunnel. */
export const NOT_TCP = 6;
/** A fragment other than the first, of TCP or of what may be a tunnel. */
export const FRAGMENT = 7;
/** Captured bytes end before the TCP flags. */
export const TCP_TRUNCATED = 8;
/** TCP data offset below 20 bytes, or beyond the IP length. */
export const TCP_OFFSET = 9;

/** More headers than are opened, or more IP packets in one another. */
export const NESTED = 10;
/** Encrypted or compressed: ESP, IPComp, MACsec, protected 802.11, MPPE, ... */
export const ENCRYPTED = 11;
/** A tunnel whose header does not say what it carries, or says something that is not known. */
export const TUNNEL_PAYLOAD = 12;
/** A packet of an A-MSDU that lies in another one, or that holds more of them than are taken. */
export const AGGREGATE = 13;
/** A TCP segment that the filter does not let pass. */
export const FILTERED = 14;
/** Of a connection whose record has ended, because its TIME_WAIT was over by the profile (tracker/departed.ts). */
export const AFTER_TIME_WAIT = 15;

export const DROP_REASONS = 16;
