// Framing of the classic pcap format (draft-ietf-opsawg-pcap): a record header of 16 bytes, then the captured bytes.

import {
  AT_END,
  BATCH_FULL,
  BROKEN_CAPTURED,
  BROKEN_TIME,
  FORM,
  LENGTHS_SWAPPED,
  MOST_LINKS,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SWAPPED,
  WANTS_BYTES,
  WITNESSES,
} from '../src/layout/framing.ts';
import { DOUBTED, FOLLOWS_CLOCK, FOLLOWS_LATER, FOLLOWS_NOTHING, FOLLOWS_RECORD } from './doubt.ts';
import { interfaceAt, limitOf, linkTypeOf, read32, surplusOf } from './interfaces.ts';
import { clockInstead, latest, take } from './packets.ts';
import { batchFull } from './segment.ts';
import { clockOrigin, word } from './state.ts';

/** Why decodeRecords() stopped. */
export let stopped: i32 = WANTS_BYTES;
/** Records that may still be followed. */
let links: i32 = 0;
/** Address of the last record that was decoded; 0: none. */
export let previous: usize = 0;

/** Decodes the records that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
export function decodeRecords(at: usize, last: usize, end: usize): usize {
  const form = word(FORM);
  const swapped = (form & SWAPPED) != 0;
  const lengthsSwapped = (form & LENGTHS_SWAPPED) != 0;
  const header = form & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES;
  const only = interfaceAt(0);
  const linkType = linkTypeOf(only);
  const limit = limitOf(only);
  const fraction = load<f64>(only, 32);
  const origin = clockOrigin();
  stopped = WANTS_BYTES;
  previous = 0;
  while (at < last && <i32>(end - at) >= header) {
    let seconds = load<u32>(at);
    let part = load<u32>(at, 4);
    let captured = load<u32>(at, 8);
    let original = load<u32>(at, 12);
    if (swapped) {
      seconds = bswap<u32>(seconds);
      part = bswap<u32>(part);
      captured = bswap<u32>(captured);
      original = bswap<u32>(original);
    }
    if (lengthsSwapped && captured > original) {
      const first = captured;
      captured = original;
      original = first;
    }
    if (captured > limit) {
      stopped = BROKEN_CAPTURED;
      break;
    }
    const next = at + header + captured;
    if (next > end) break;
    if (batchFull()) {
      stopped = BATCH_FULL;
      break;
    }
    if (captured > original && !lengthsSwapped && areRecords(at + header + original, next)) {
      stopped = BROKEN_CAPTURED;
      break;
    }
    let stamp = (<f64>seconds - origin) * 1e9 + <f64>part * fraction;
    if (Math.abs(stamp - latest) > DOUBTED && latest > -Infinity) {
      const found = doubt(at, end, stamp);
      if (found == FOLLOWS_CLOCK) stamp = clockInstead();
      else if (found != FOLLOWS_RECORD) {
        if (found == FOLLOWS_NOTHING) stopped = BROKEN_TIME;
        break;
      }
    }
    take(linkType, at + header, captured, original, stamp);
    previous = at;
    at = next;
  }
  return at;
}

/**
 * Whether bytes are records, one behind the other and not a byte more. A record that claims to have captured more than there was, and
 * holds such bytes behind what there was, claims a wrong length.
 */
function areRecords(from: usize, to: usize): bool {
  const swapped = (word(FORM) & SWAPPED) != 0;
  const lengthsSwapped = (word(FORM) & LENGTHS_SWAPPED) != 0;
  const header = word(FORM) & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES;
  const only = interfaceAt(0);
  const units = load<u32>(only, 16);
  const origin = clockOrigin();
  let at = from;
  while (<i32>(to - at) >= header) {
    const first = read32(at + 8, swapped);
    const second = read32(at + 12, swapped);
    const captured = lengthsSwapped ? min(first, second) : first;
    if (captured > limitOf(only) || (captured > second + surplusOf(only) && !lengthsSwapped)) return false;
    if (read32(at + 4, swapped) >= units) return false;
    if (latest > -Infinity) {
      if (Math.abs((<f64>read32(at, swapped) - origin) * 1e9 - latest) > DOUBTED) return false;
    } else if (captured == 0) return false; // zeros are no record that anything shows
    at += header + captured;
    links--;
  }
  return at == to && at > from;
}

/** Whether bytes are records from some place on; as far as is looked. */
function endsInRecords(from: usize, to: usize): bool {
  links = MOST_LINKS;
  for (let at = from; at < to && links > 0; at++) if (areRecords(at, to)) return true;
  return false;
}

/**
 * What a record whose time is far from the capture clock is, by the records behind it. Time may leap, and then what follows are
 * records; or it is the record's time that is wrong, and what follows is near the clock; or this is no record at all, because a
 * length before it is wrong.
 *
 * Where headers are read a few bytes too far on, fractions look like seconds, and lengths still are lengths. So seconds that could
 * be a fraction are believed only where they stay together; or, of a clock that begins in 1970, as many do that nobody has set, where they only grow, and no
 * packet is longer than one may be. Where the fraction is none, the time is wrong, but perhaps nothing else:
 * no packet is longer than one may be, near the clock is what follows, and it does not end in records that were sound without it.
 */
function doubt(first: usize, end: usize, stamp: f64): i32 {
  let at = first;
  const swapped = (word(FORM) & SWAPPED) != 0;
  const lengthsSwapped = (word(FORM) & LENGTHS_SWAPPED) != 0;
  const header = word(FORM) & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES;
  const only = interfaceAt(0);
  const units = load<u32>(only, 16);
  const limit = limitOf(only);
  const grows = latest / 1e9 + clockOrigin() < <f64>units && stamp >= latest;
  let before = stamp;
  let wrong = false;
  for (let witness = 0; witness <= WITNESSES; witness++) {
    if (<i32>(end - at) < header) {
      if (word(AT_END) == 0) return FOLLOWS_LATER;
      return at != end || witness == 0 ? FOLLOWS_NOTHING : wrong ? FOLLOWS_CLOCK : FOLLOWS_RECORD;
    }
    const captured = read32(at + 8, swapped);
    const original = read32(at + 12, swapped);
    if (captured == 0 || original == 0) return FOLLOWS_NOTHING;
    if (captured > limit || (captured > original + surplusOf(only) && !lengthsSwapped)) return FOLLOWS_NOTHING;
    const seconds = read32(at, swapped);
    const time = (<f64>seconds - clockOrigin()) * 1e9;
    const whole = read32(at + 4, swapped) < units;
    if (witness == 1 && whole && Math.abs(time - latest) <= DOUBTED)
      return endsInRecords(first + header, at) ? FOLLOWS_NOTHING : FOLLOWS_CLOCK;
    if (witness > 0 ? wrong || !whole : !whole && original > limit) return FOLLOWS_NOTHING;
    if (witness > 0 && seconds < units && Math.abs(time - stamp) > DOUBTED && !(grows && time >= before && original <= limit))
      return FOLLOWS_NOTHING;
    before = time;
    wrong = !whole;
    at += header + (lengthsSwapped ? min(captured, original) : captured);
    if (at > end) return word(AT_END) == 0 ? FOLLOWS_LATER : FOLLOWS_NOTHING;
  }
  return FOLLOWS_RECORD;
}
