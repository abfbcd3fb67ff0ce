// Headers of records, read before they are decoded, where a window's bytes are far from this processor: in pages of the file, or written by another one.
//
// Where a record begins is known from the one before: a row of cache misses of which each waits for the last. Misses that wait for nothing overlap. So a
// window is walked at several places at once, from what looks like a record there. What is read means nothing, and neither does a place that is none.

import {
  BLOCKS,
  ENHANCED_PACKET,
  FORM,
  LENGTHS_SWAPPED,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SNOOP,
  SWAPPED,
  TICKS,
} from '../src/layout/framing.ts';
import { interfaceAt, limitOf } from './interfaces.ts';
import { word } from './state.ts';

/** Where a record of pcap, and a block of pcapng, has the length that leads to the next one. */
const CAPTURED_AT = 8;
const LENGTH_AT = 4;
/** From there to where most TCP headers end. */
const HEADERS_BYTES = 71;
/** Bytes of a record, with all that is read of it. */
const MARGIN = 128;
/** How far a record is searched from where a walk is to begin, and bytes of a window for which that is worth it. */
const SEARCHED = 1 << 14;
const WORTHWHILE = 1 << 16;

/** Steps of all walks between two looks at whether they have come to an end. */
const STEPS = 4;
/** No length that may be has a bit more. */
const LENGTH_BITS = 0x3ffffff;
const SMALLEST = 16;

/** Sum of the words that were read: means nothing, but no compiler can leave the reads out. */
let touched: i32 = 0;

/** Reads the headers of the records that begin in from..last, of bytes that end at `end`; a record begins at `from`. */
export function touchHeaders(from: usize, last: usize, end: usize): void {
  const form = word(FORM);
  if ((form & (SWAPPED | SNOOP | TICKS | LENGTHS_SWAPPED)) != 0) return; // few have any
  const to = min(last, end - MARGIN);
  if (<i32>(to - from) < WORTHWHILE) return;
  const piece = ((to - from) >>> 3) & ~3;
  if (form & BLOCKS) walk(from, piece, to, from, LENGTH_AT, 0);
  else walk(from, piece, to, from, CAPTURED_AT, form & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES);
}

/**
 * Walks eight pieces at once. `ahead`: where in a record its length stands; `header`: bytes of it that the length does not count.
 */
function walk(from: usize, piece: usize, to: usize, sample: usize, ahead: usize, header: usize): void {
  const toB = from + piece;
  const toC = toB + piece;
  const toD = toC + piece;
  const toE = toD + piece;
  const toF = toE + piece;
  const toG = toF + piece;
  const toH = toG + piece;
  let a = from + ahead;
  let b = recordNear(toB, piece, sample, ahead);
  let c = recordNear(toC, piece, sample, ahead);
  let d = recordNear(toD, piece, sample, ahead);
  let e = recordNear(toE, piece, sample, ahead);
  let f = recordNear(toF, piece, sample, ahead);
  let g = recordNear(toG, piece, sample, ahead);
  let h = recordNear(toH, piece, sample, ahead);
  let sum = 0;
  // What looked like a record may lead nowhere: there are no more of them than that.
  for (let rounds = piece / (SMALLEST * STEPS); rounds > 0; rounds--) {
    for (let i = 0; i < STEPS; i++) {
      sum += headerOf(a) + headerOf(b) + headerOf(c) + headerOf(d) + headerOf(e) + headerOf(f) + headerOf(g) + headerOf(h);
      a = next(a, header, to);
      b = next(b, header, to);
      c = next(c, header, to);
      d = next(d, header, to);
      e = next(e, header, to);
      f = next(f, header, to);
      g = next(g, header, to);
      h = next(h, header, to);
    }
    if (a >= toB && b >= toC && c >= toD && d >= toE && e >= toF && f >= toG && g >= toH && h >= to) break;
  }
  touched = sum;
}

function headerOf(length: usize): i32 {
  return load<i32>(length, HEADERS_BYTES);
}

function next(length: usize, header: usize, to: usize): usize {
  return min(length + header + <usize>(load<u32>(length) & LENGTH_BITS), to);
}

/** Where the length stands of what looks like the first record from `at` on; or any place, where nothing does. */
function recordNear(at: usize, piece: usize, sample: usize, ahead: usize): usize {
  const to = at + min(SEARCHED, piece);
  return ahead + (ahead == LENGTH_AT ? blockIn(at, to) : recordIn(at, to, sample));
}

function blockIn(at: usize, to: usize): usize {
  for (; at < to; at += 4) {
    if (load<u32>(at) != ENHANCED_PACKET) continue;
    const captured = load<u32>(at, 20);
    if (captured < load<u32>(at, LENGTH_AT) && captured <= load<u32>(at, 24)) break;
  }
  return at;
}

function recordIn(at: usize, to: usize, sample: usize): usize {
  const only = interfaceAt(0);
  const limit = limitOf(only);
  const units = load<u32>(only, 16);
  const near = load<u32>(sample) - 1;
  for (; at < to; at++) {
    const captured = load<u32>(at, CAPTURED_AT);
    if (captured > limit || load<u32>(at) - near > 2) continue;
    if (captured <= load<u32>(at, 12) && load<u32>(at, 4) < units) break;
  }
  return at;
}
