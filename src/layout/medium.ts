// Network Monitor's numbers of media, of the kinds that the decoder opens.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

/** Of a single frame: Ethernet, too. */
export const UNSPECIFIED = 0;
export const ETHERNET = 1;
export const FDDI = 3;
/** IP without a link header: tunnels, wireless wide area networks, raw IP; the last number counts, too. */
export const FIRST_IP = 7;
export const LAST_IP = 9;
/** What was converted from pcap: the link type is added to this ... */
export const CONVERTED = 0xe000;
export const CONVERTED_MASK = 0xf000;
/** ... but for these, with which Message Analyzer means something else. */
export const FIRST_ANALYZED = 0xe080;
export const LAST_ANALYZED = 0xe08a;
