// From a frame to its IP packet: the link types of src/layout/link.ts, and whatever layers lie between.

import { IP_TRUNCATED, IP_VERSION, LINK_TRUNCATED, LINK_TYPE, NESTED, NOT_IP } from '../src/layout/drops.ts';
import * as links from '../src/layout/link.ts';
import { at, begin, byte, has, pass, unsteady } from './cursor.ts';
import {
  ethernet,
  fabricPath,
  LARGEST_LENGTH,
  llc,
  macsec,
  metadata,
  mpls,
  serviceHeader,
  serviceInstance,
  switched,
  tag,
  typeAt,
} from './ethernet.ts';
import { frameRelay } from './frame-relay.ts';
import {
  ETHERNET,
  IP,
  IPV4,
  IPV6,
  LINK,
  LLC,
  MPLS,
  MPLS_UPSTREAM,
  NESTING,
  NSH,
  PPP,
  PPP_TYPE,
  PPPOE_SESSION,
  TRANSPARENT_ETHERNET,
  WLAN,
} from './layer.ts';
import { direction, hdlc, ppp, pppd, pppoe, pppOrHdlc } from './ppp.ts';
import { erf, family, juniper, nflog, pflog, pktap, ppi } from './pseudo.ts';
import { forgetTags, noteTag } from './tags.ts';
import { avs, prism, radiotap, wlan } from './wlan.ts';

// EtherTypes. Those of customer and service VLAN tags (IEEE 802.1Q), and before there was a standard for the latter.
const VLAN = 0x8100;
const VLAN_SERVICE = 0x88a8;
const VLAN_STACKED = 0x9100;
const VN_TAG = 0x8926;
const E_TAG = 0x893f;
const PROVIDER_BACKBONE = 0x88e7;
const MACSEC = 0x88e5;
const FABRIC_PATH = 0x8903;
const CISCO_METADATA = 0x8909;
/** 802.11 frames in Ethernet, as a driver of Intel's hands them out. */
const CENTRINO = 0x2452;

// Kinds of traffic of SunATM.
const SUNATM_LANE = 1;
const SUNATM_LLC = 2;

// ARCNET protocols (RFC 1201, RFC 1051).
const ARCNET_IP = 212;
const ARCNET_IP_1051 = 240;

/** Of plainLink()'s answer: IPv6 follows. */
export const IPV6_FOLLOWS = 0x100;

/** Length of the link header of a frame that is Ethernet or SLL and says that IPv4 follows, or IPv6 (IPV6_FOLLOWS), or raw IPv4; -1 of every other one. */
export function plainLink(linkType: i32, frame: usize, captured: i32): i32 {
  let bytes: i32, typeAt: usize;
  if (linkType == links.EN10MB) {
    bytes = 14;
    typeAt = 12;
  } else if (linkType == links.LINUX_SLL) {
    bytes = 16;
    typeAt = 14;
  } else if (linkType == links.LINUX_SLL2) {
    bytes = 20;
    typeAt = 0;
  } else return linkType == links.RAW && captured > 0 && load<u8>(frame) >> 4 == 4 ? 0 : -1;
  // Not a branch, because the type cannot be foreseen where there is IPv6, too.
  const type: i32 = bswap<u16>(load<u16>(frame + typeAt));
  const six = i32(type == IPV6);
  return captured < bytes ? -1 : select(bytes | (six * IPV6_FOLLOWS), -1, i32(type == IPV4) | six);
}

/** What is known of the place of capture from what the present frame lies in; 0: it lies in none. */
export let around: u64 = 0;

/** Says what the frames that come lie in. */
export function lieWithin(path: u64): void {
  around = path;
}

/** Opens a frame up to its IP header, where the cursor then is: IPV4, IPV6 or ~reason. */
export function openLink(linkType: i32, frame: usize, captured: i32, original: i32): i32 {
  begin(frame, captured, original, around);
  forgetTags();
  if (linkType != links.EN10MB || captured < 14) return openLayers(LINK + linkType, 0);
  // Ethernet and VLAN tags as openLayers() would open them, but faster. They need not be noted: they are steady.
  let type: i32 = bswap<u16>(load<u16>(frame, 12));
  let bytes = 14;
  let count = 1;
  for (; isVlan(type) && captured >= bytes + 4 && count < NESTING; count++) {
    noteTag(bswap<u16>(load<u16>(frame + bytes)));
    type = bswap<u16>(load<u16>(frame + bytes, 2));
    bytes += 4;
  }
  pass(bytes);
  return type == IPV4 || type == IPV6 ? type : openLayers(type > LARGEST_LENGTH ? type : LLC, count);
}

/** Opens layers up to an IP header, where the cursor then is: IPV4, IPV6 or ~reason. `count` headers were opened before. */
export function openLayers(layer: i32, count: i32): i32 {
  for (; layer != IPV4 && layer != IPV6; count++) {
    if (count == NESTING) return ~NESTED;
    layer = layer < LINK ? openType(layer) : openLinkType(layer - LINK);
    if (layer < 0) return layer;
  }
  return layer;
}

function isVlan(type: i32): bool {
  return type == VLAN || type == VLAN_SERVICE || type == VLAN_STACKED;
}

/** Opens what an EtherType announces. */
function openType(type: i32): i32 {
  switch (type) {
    case VLAN:
    case VLAN_SERVICE:
    case VLAN_STACKED:
      if (has(4)) noteTag(bswap<u16>(load<u16>(at)));
      return tag(4);
    case VN_TAG:
      return tag(6);
    case E_TAG:
      return tag(8);
    case MPLS:
    case MPLS_UPSTREAM:
      return mpls();
    case PPPOE_SESSION:
      return pppoe();
    case TRANSPARENT_ETHERNET:
      return ETHERNET;
    case PPP_TYPE:
      return PPP;
    case PROVIDER_BACKBONE:
      return serviceInstance();
    case MACSEC:
      return macsec();
    case CISCO_METADATA:
      return metadata();
    case FABRIC_PATH:
      return fabricPath();
    case NSH:
      return serviceHeader();
    case CENTRINO:
      return WLAN;
    default:
      return ~NOT_IP;
  }
}

/** Opens a link type's header. */
function openLinkType(linkType: i32): i32 {
  switch (linkType) {
    case links.EN10MB:
      return ethernet();
    case links.DSA_TAG_BRCM:
      return switched(4, false);
    case links.DSA_TAG_BRCM_PREPEND:
      return header(4, ETHERNET);
    case links.DSA_TAG_DSA:
      return switched(4, true);
    case links.DSA_TAG_EDSA:
      return switched(8, true);
    case links.LINUX_SLL:
      return has(16) ? typeAt(14) : ~LINK_TRUNCATED;
    case links.LINUX_SLL2:
      return cooked2();
    case links.RAW:
    case links.RAW_12:
    case links.RAW_14:
      return has(1) ? version(byte(0) >> 4) : ~IP_TRUNCATED;
    case links.IPV4:
      return IPV4;
    case links.IPV6:
      return IPV6;
    case links.NULL:
    case links.LOOP:
      return family(linkType == links.LOOP);
    case links.PPP:
    case links.PPP_HDLC:
      return pppOrHdlc();
    case links.PPP_ETHER:
      return pppoe();
    case links.PPP_PPPD:
      return pppd();
    case links.PPP_WITH_DIR:
      return direction() ? ppp() : ~LINK_TRUNCATED;
    case links.C_HDLC:
      return hdlc();
    case links.C_HDLC_WITH_DIR:
      return direction() ? hdlc() : ~LINK_TRUNCATED;
    case links.IEEE802_11:
      return wlan();
    case links.IEEE802_11_RADIOTAP:
      return radiotap();
    case links.IEEE802_11_AVS:
      return avs();
    case links.PRISM_HEADER:
      return prism();
    case links.ATM_RFC1483:
    case links.ATM_RFC1483_11:
      return llc();
    case links.FDDI:
      return header(13, LLC);
    case links.IEEE802_5:
      return tokenRing();
    case links.IP_OVER_FC:
      return header(16, LLC);
    case links.APPLE_IP_OVER_IEEE1394:
      return has(18) ? typeAt(16) : ~LINK_TRUNCATED;
    case links.SUNATM:
      return sunAtm();
    case links.FRELAY:
      return frameRelay();
    case links.FRELAY_WITH_DIR:
      return direction() ? frameRelay() : ~LINK_TRUNCATED;
    case links.MPLS:
      return mpls();
    case links.IPOIB:
      return has(44) ? infiniband() : ~LINK_TRUNCATED;
    case links.ARCNET_LINUX:
      return arcnet();
    case links.NFLOG:
      return nflog();
    case links.PPI:
      return ppi();
    case links.PKTAP:
      return pktap();
    case links.PFLOG:
      return pflog();
    case links.ENC:
      return header(12, IP);
    case links.IPNET:
      return header(24, IP);
    case links.ERF:
      return erf();
    case links.JUNIPER_ETHER:
      return juniper(ETHERNET);
    case links.JUNIPER_PPP:
      return juniper(PPP);
    case links.JUNIPER_CHDLC:
      return juniper(LINK + links.C_HDLC);
    default:
      return ~LINK_TYPE;
  }
}

/** Linux cooked capture v2 begins with its EtherType. */
function cooked2(): i32 {
  if (!has(20)) return ~LINK_TRUNCATED;
  const type = typeAt(0);
  pass(18);
  return type;
}

/** A header of `bytes` bytes that says nothing of what follows. */
function header(bytes: i32, layer: i32): i32 {
  if (!has(bytes)) return ~LINK_TRUNCATED;
  pass(bytes);
  return layer;
}

/** Access control, frame control, two addresses; a route, whose length is in its first byte, where the first bit of the source says so. */
function tokenRing(): i32 {
  if (!has(14)) return ~LINK_TRUNCATED;
  if ((byte(8) & 0x80) == 0) return header(14, LLC);
  return has(15) ? header(14 + (byte(14) & 31), LLC) : ~LINK_TRUNCATED;
}

/** Direction and kind of traffic, virtual path, virtual channel; then LLC, or an emulated Ethernet behind 2 bytes of its client's. */
function sunAtm(): i32 {
  if (!has(1)) return ~LINK_TRUNCATED;
  const kind = byte(0) & 15;
  return kind == SUNATM_LLC ? header(4, LLC) : kind == SUNATM_LANE ? header(6, ETHERNET) : ~NOT_IP;
}

/** A global routing header of 40 bytes, EtherType, 2 reserved bytes (RFC 4391 §6). */
function infiniband(): i32 {
  const type = typeAt(40);
  pass(2);
  return type;
}

/** ARCNET as Linux hands it out: addresses, offset, type; then split flag and sequence number, unless it is RFC 1051's type. */
function arcnet(): i32 {
  if (!has(5)) return ~LINK_TRUNCATED;
  const type = byte(4);
  if (type != ARCNET_IP && type != ARCNET_IP_1051) return ~NOT_IP;
  const bytes = type == ARCNET_IP ? 8 : 5;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  unsteady();
  pass(bytes);
  return IPV4;
}

/** No link header: the IP header's own version decides. */
function version(nibble: i32): i32 {
  return nibble == 4 ? IPV4 : nibble == 6 ? IPV6 : ~IP_VERSION;
}
