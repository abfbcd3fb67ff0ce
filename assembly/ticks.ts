// Framing of Network Monitor and NetXRay captures, little-endian: times count ticks from a start.
//
//   Network Monitor  ticks (8) | original length (4) | captured length (4) | captured bytes | trailer
//   NetXRay          ticks (8) | original length (2) | captured length (2) | 28 bytes | captured bytes
//
//   trailer          medium (2) | process (4), from version 2.2 on | UTC (8), time zone (1), from version 2.3 on

import {
  AT_END,
  BATCH_FULL,
  BROKEN_CAPTURED,
  BROKEN_LENGTH,
  BROKEN_TIME,
  FORM,
  NETMON_HEADER_BYTES,
  NETXRAY_HEADER_BYTES,
  SHORT_LENGTHS,
  TRAILER_SHIFT,
  UTC_OFFSET,
  UTC_TRAILER_BYTES,
  WANTS_BYTES,
  WITNESSES,
} from '../src/layout/framing.ts';
import { DOUBTED, DOUBTED_TICKS, FOLLOWS_CLOCK, FOLLOWS_LATER, FOLLOWS_NOTHING, FOLLOWS_RECORD } from './doubt.ts';
import * as links from '../src/layout/link.ts';
import * as media from '../src/layout/medium.ts';
import { interfaceAt, limitOf, linkTypeOf, signedNanoseconds, startOf } from './interfaces.ts';
import { clockInstead, latest, take } from './packets.ts';
import { batchFull } from './segment.ts';
import { clockOrigin, word } from './state.ts';

/** The last second that a time may be in: those of pcap go no further. */
const LATEST_S: f64 = 4294967295;
/** Units of 100 ns from 1601, which UTC counts from, to 1970. */
const FILETIME_1970: i64 = 116444736000000000;
/** A link type that there is not. */
const UNKNOWN = 0x10000;

/** Why decodeTicks() stopped. */
export let stopped: i32 = WANTS_BYTES;
/** Address of the last record that was decoded; 0: none. */
export let previous: usize = 0;

// How the records of the present section are written.
let short = false;
let header: usize = 0;
let trailer: usize = 0;
let origin: f64 = 0;

/** Decodes the records that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
export function decodeTicks(at: usize, last: usize, end: usize): usize {
  const only = interfaceAt(0);
  short = (word(FORM) & SHORT_LENGTHS) != 0;
  header = short ? NETXRAY_HEADER_BYTES : NETMON_HEADER_BYTES;
  trailer = <usize>(word(FORM) >> TRAILER_SHIFT);
  origin = clockOrigin();
  stopped = WANTS_BYTES;
  previous = 0;
  while (at < last && end - at >= header) {
    const captured = capturedAt(at);
    if (captured > limitOf(only)) {
      stopped = BROKEN_CAPTURED;
      break;
    }
    const behind = at + header + <usize>captured;
    const next = behind + trailer;
    if (next > end) break;
    if (batchFull()) {
      stopped = BATCH_FULL;
      break;
    }
    const original = originalAt(at);
    let stamp = stampAt(at, behind);
    const far = !isNear(stamp);
    const odd = captured == 0 || captured > original || original > <u32>limitOf(only);
    if ((far || odd) && latest > -Infinity) {
      const found = far && odd ? FOLLOWS_NOTHING : doubt(at, end, stamp, far);
      if (found == FOLLOWS_CLOCK) stamp = clockInstead();
      else if (found != FOLLOWS_RECORD) {
        if (found == FOLLOWS_NOTHING) stopped = far ? BROKEN_TIME : BROKEN_LENGTH;
        break;
      }
    }
    const linkType = trailer == 0 ? linkTypeOf(only) : linkTypeOfMedium(load<u16>(behind));
    take(linkType, at + header, captured, original, stamp);
    previous = at;
    at = next;
  }
  return at;
}

/**
 * What a record is whose time is far from the capture clock, by the records behind it: as in pcap.ts. Of 64 bits that are no time few
 * are one that could be, so that all of those are believed, and of those that could not two have to follow. Zeros have a time near the
 * clock, so that odd lengths are doubted, too, and they show nothing of others.
 */
function doubt(at: usize, end: usize, stamp: f64, far: bool): i32 {
  const limit = limitOf(interfaceAt(0));
  const later = word(AT_END) == 0 ? FOLLOWS_LATER : FOLLOWS_NOTHING;
  let impossible = false;
  for (let witness = 0; witness <= WITNESSES; witness++) {
    if (end - at < header) {
      if (later == FOLLOWS_LATER || at != end || witness == 0) return later;
      return impossible ? FOLLOWS_CLOCK : FOLLOWS_RECORD;
    }
    const captured = capturedAt(at);
    const original = originalAt(at);
    if (captured > limit || (witness > 0 && (captured == 0 || captured > original || original > limit))) return FOLLOWS_NOTHING;
    const behind = at + header + <usize>captured;
    if (behind + trailer > end) return later;
    if (witness > 0) stamp = stampAt(at, behind);
    const seconds = stamp / 1e9 + origin;
    const whole = seconds >= 0 && seconds <= LATEST_S;
    const near = whole && load<u64>(at) != 0 && isNear(stamp);
    if (witness == 0) impossible = !whole;
    else if (far && near && witness == (impossible ? 2 : 1)) return FOLLOWS_CLOCK;
    if (witness > 0 ? !whole || (impossible && !near) : impossible && original > limit) return FOLLOWS_NOTHING;
    at = behind + trailer;
  }
  return FOLLOWS_RECORD;
}

/** Whether a time is no reason for doubt. */
function isNear(stamp: f64): bool {
  return stamp - latest <= DOUBTED_TICKS && latest - stamp <= DOUBTED;
}

function originalAt(at: usize): u32 {
  return short ? load<u16>(at, 8) : load<u32>(at, 8);
}

function capturedAt(at: usize): u32 {
  return short ? load<u16>(at, 10) : load<u32>(at, 12);
}

/**
 * A record's time, ns since the origin; `behind`: where its trailer is. Ticks before the start are negative, which Network Monitor
 * writes so that it shows where they are multiplied by 10.
 */
function stampAt(at: usize, behind: usize): f64 {
  const only = interfaceAt(0);
  const isUtc = trailer == UTC_TRAILER_BYTES;
  const stamp = isUtc ? load<i64>(behind, UTC_OFFSET) - FILETIME_1970 : <i64>(load<u64>(at) * 10) / 10 + startOf(only);
  return signedNanoseconds(only, stamp, origin);
}

/** The link type of a frame, by its own medium. */
function linkTypeOfMedium(medium: i32): i32 {
  if (medium == media.UNSPECIFIED || medium == media.ETHERNET) return links.EN10MB;
  if (medium == media.FDDI) return links.FDDI;
  if (medium >= media.FIRST_IP && medium <= media.LAST_IP) return links.RAW;
  if (medium >= media.FIRST_ANALYZED && medium <= media.LAST_ANALYZED) return UNKNOWN;
  return (medium & media.CONVERTED_MASK) == media.CONVERTED ? medium & ~media.CONVERTED_MASK : UNKNOWN;
}
