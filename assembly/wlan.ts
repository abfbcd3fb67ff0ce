// IEEE 802.11: data frames, and what capturing puts before them (radiotap, AVS, Prism).

import { AGGREGATE, ENCRYPTED, FRAGMENT, LINK_TRUNCATED, LINK_TYPE, NOT_IP } from '../src/layout/drops.ts';
import { at, byte, has, long, note, pass, room, unsteady, word } from './cursor.ts';
import { LLC, WLAN } from './layer.ts';

// Frame control (IEEE 802.11 §9.2.4.1), as its two bytes stand in the frame.
const TYPE = 0x0c;
const DATA = 0x08;
const NO_DATA = 0x40;
const QOS = 0x80;
const BOTH_SYSTEMS = 0x03;
const PROTECTED = 0x40;
const ORDER = 0x80;
/** QoS control: the frame body is an A-MSDU. */
const AMSDU = 0x80;

// LLC as all data frames that carry IP have it.
const SNAP = 0xaaaa;
const UNNUMBERED = 3;

// Radiotap (https://www.radiotap.org/fields/defined)
const ANOTHER_BITMAP: u32 = 0x80000000;
const TSFT = 1;
const FLAGS = 2;
const FLAGS_PADDED = 0x20;

const AVS_MAGIC: u32 = 0x80211001;
const PRISM_BYTES = 144;

/** A frame without anything before it. */
export function wlan(): i32 {
  return data(false, 0);
}

/**
 * A frame in a controller's tunnel. Some access points send numbers of 16 bits in network byte order there, and then it is the
 * second byte of frame control that can be that of a data frame of version 0.
 */
export function tunnelled(): i32 {
  return data(false, has(2) && (byte(0) & 0x0f) != DATA && (byte(1) & 0x0f) == DATA ? 1 : 0);
}

/**
 * @param padded whether the header is filled up to a multiple of 4 bytes, as some hardware does
 * @param swapped 1 where numbers of 16 bits are big-endian, else 0
 */
function data(padded: bool, swapped: usize): i32 {
  unsteady();
  if (!has(2)) return ~LINK_TRUNCATED;
  const control = byte(swapped);
  const flags = byte(1 - swapped);
  if ((control & 3) != 0 || (control & TYPE) != DATA || control & NO_DATA) return ~NOT_IP;
  const quality = (flags & BOTH_SYSTEMS) == BOTH_SYSTEMS ? 30 : 24;
  let bytes = quality;
  if (control & QOS) bytes += flags & ORDER ? 6 : 2;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  // The fragment's number: only the first one has an LLC header.
  if (byte(22 + swapped) & 15) return ~FRAGMENT;
  const aggregated = (control & QOS) != 0 && (byte(quality + swapped) & AMSDU) != 0;
  note(load<u64>(at, 4));
  note(load<u64>(at, 12));
  note(load<u16>(at, 20));
  if (padded) bytes = (bytes + 3) & ~3;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  pass(bytes);
  if (flags & PROTECTED) return decrypted();
  return aggregated ? subframe() : LLC;
}

/** Hardware that decrypts may leave the protected bit set, and WEP's or CCMP's 4 or 8 bytes before the LLC header. */
function decrypted(): i32 {
  for (let bytes = 0; bytes <= 8; bytes += 4) {
    if (!has(bytes + 3)) break;
    if (word(bytes) == SNAP && byte(bytes + 2) == UNNUMBERED) {
      pass(bytes);
      return LLC;
    }
  }
  return ~ENCRYPTED;
}

/** An A-MSDU of one subframe: destination, source, length. More are several packets in one: the cursor stays, see packets.ts. */
function subframe(): i32 {
  if (!has(14)) return ~LINK_TRUNCATED;
  const end = 14 + word(12);
  if (room >= ((end + 3) & ~3) + 14) return ~AGGREGATE;
  pass(14);
  return LLC;
}

/** Radiotap: version, length (little-endian), bitmaps, fields. Only whether the 802.11 header is padded matters here. */
export function radiotap(): i32 {
  unsteady();
  if (!has(8)) return ~LINK_TRUNCATED;
  const bytes: i32 = load<u16>(at, 2);
  if (byte(0) != 0 || bytes < 8) return ~LINK_TYPE;
  if (!has(bytes)) return ~LINK_TRUNCATED;
  const present: u32 = load<u32>(at, 4);
  let padded = false;
  if (present & FLAGS) {
    let field = 4;
    do {
      field += 4;
    } while (field + 4 <= bytes && load<u32>(at + field - 4) & ANOTHER_BITMAP);
    if (present & TSFT) field = ((field + 7) & ~7) + 8;
    padded = field < bytes && (byte(field) & FLAGS_PADDED) != 0;
  }
  pass(bytes);
  return data(padded, 0);
}

/** AVS: magic, length; both big-endian. */
export function avs(): i32 {
  unsteady();
  if (!has(8)) return ~LINK_TRUNCATED;
  const bytes = long(4);
  if (long(0) != AVS_MAGIC || bytes < 8) return ~LINK_TYPE;
  if (bytes > <u32>i32.MAX_VALUE || !has(bytes)) return ~LINK_TRUNCATED;
  pass(bytes);
  return WLAN;
}

/** Prism's 144 bytes; some drivers wrote AVS under its link type. */
export function prism(): i32 {
  if (has(4) && long(0) == AVS_MAGIC) return avs();
  unsteady();
  if (!has(PRISM_BYTES)) return ~LINK_TRUNCATED;
  pass(PRISM_BYTES);
  return WLAN;
}
