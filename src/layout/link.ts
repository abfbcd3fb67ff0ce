// Link types (https://www.tcpdump.org/linktypes.html) that the decoder opens.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const NULL = 0;
export const EN10MB = 1;
/** Token Ring (IEEE 802.5). */
export const IEEE802_5 = 6;
export const PPP = 9;
export const FDDI = 10;
/** DLT_ATM_RFC1483 as some systems wrote it into files. */
export const ATM_RFC1483_11 = 11;
/** DLT_RAW as some systems wrote it into files. */
export const RAW_12 = 12;
export const RAW_14 = 14;
/** PPP in HDLC-like framing, or Cisco HDLC. */
export const PPP_HDLC = 50;
export const PPP_ETHER = 51;
export const ATM_RFC1483 = 100;
export const RAW = 101;
export const C_HDLC = 104;
export const IEEE802_11 = 105;
export const FRELAY = 107;
export const LOOP = 108;
/** IPsec as FreeBSD and OpenBSD show it. */
export const ENC = 109;
export const LINUX_SLL = 113;
/** The log of the packet filter pf. */
export const PFLOG = 117;
export const PRISM_HEADER = 119;
export const IP_OVER_FC = 122;
export const SUNATM = 123;
export const IEEE802_11_RADIOTAP = 127;
export const ARCNET_LINUX = 129;
export const APPLE_IP_OVER_IEEE1394 = 138;
export const IEEE802_11_AVS = 163;
export const PPP_PPPD = 166;
export const JUNIPER_ETHER = 178;
export const JUNIPER_PPP = 179;
export const JUNIPER_CHDLC = 181;
export const PPI = 192;
/** Endace's extensible record format. */
export const ERF = 197;
export const PPP_WITH_DIR = 204;
export const C_HDLC_WITH_DIR = 205;
export const FRELAY_WITH_DIR = 206;
export const MPLS = 219;
/** Solaris. */
export const IPNET = 226;
export const IPV4 = 228;
export const IPV6 = 229;
export const NFLOG = 239;
export const IPOIB = 242;
export const PKTAP = 258;
export const LINUX_SLL2 = 276;
/** Ethernet with the tag of a switch (Linux's distributed switch architecture): Broadcom's, Marvell's. */
export const DSA_TAG_BRCM = 281;
export const DSA_TAG_BRCM_PREPEND = 282;
export const DSA_TAG_DSA = 284;
export const DSA_TAG_EDSA = 285;
