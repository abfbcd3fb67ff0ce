// Headers of records, read before they are decoded, where a window's bytes are far from this processor: in
// pages of the file, or written by another one.
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
/** Bytes behind the beginning of a record that may be read. */
const MARGIN = 128;
/** Bytes of a window for which walks are worth it; and how far behind where one is to begin a record is searched. */
const WORTHWHILE = 1 << 16;
const SEARCHED = 1 << 14;
/** Steps of all walks between two looks at whether they have come to an end. */
const STEPS = 4;
/** Bytes of a step, at least, if it is not from what only looked like a record; and all bits that a length may have. */
const SMALLEST_STEP = 16;
const LENGTH_BITS = 0x3ffffff;

/** Sum of the words that were read: means nothing. The reads stay, because each may trap. */
let touched: i32 = 0;

/** Reads the headers of the records that begin in from..last, of bytes that end at `end`; a record begins at `from`. */
export function touchHeaders(from: usize, last: usize, end: usize): void {
  const form = word(FORM);
  if ((form & (SWAPPED | SNOOP | TICKS | LENGTHS_SWAPPED)) != 0) return; // few have any
  const to = min(last, end - MARGIN);
  if (<i32>(to - from) < WORTHWHILE) return;
  const blocks = (form & BLOCKS) != 0;
  walk(from, to, blocks, blocks ? 0 : form & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES);
}

/** Walks eight pieces of from..to at once, by where the lengths of their records stand. `header`: bytes that a length does not count. */
function walk(from: usize, to: usize, blocks: bool, header: usize): void {
  const piece = ((to - from) >>> 3) & ~3;
  const toB = from + piece;
  const toC = toB + piece;
  const toD = toC + piece;
  const toE = toD + piece;
  const toF = toE + piece;
  const toG = toF + piece;
  const toH = toG + piece;
  const search = min(SEARCHED, piece);
  let a = from + (blocks ? LENGTH_AT : CAPTURED_AT);
  let b = lengthNear(toB, search, from, blocks);
  let c = lengthNear(toC, search, from, blocks);
  let d = lengthNear(toD, search, from, blocks);
  let e = lengthNear(toE, search, from, blocks);
  let f = lengthNear(toF, search, from, blocks);
  let g = lengthNear(toG, search, from, blocks);
  let h = lengthNear(toH, search, from, blocks);
  let sum = 0;
  for (let rounds = piece / (SMALLEST_STEP * STEPS); rounds > 0; rounds--) {
    for (let i = 0; i < STEPS; i++) {
      sum += headerAt(a) + headerAt(b) + headerAt(c) + headerAt(d) + headerAt(e) + headerAt(f) + headerAt(g) + headerAt(h);
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

/** What is there of a record's headers, by where its length stands. */
function headerAt(length: usize): i32 {
  return load<i32>(length, HEADERS_BYTES);
}

/** Where the next record's length stands. */
function next(length: usize, header: usize, to: usize): usize {
  return min(length + header + <usize>(load<u32>(length) & LENGTH_BITS), to);
}

/** Where the length stands of what looks like the first record in so many bytes from `at` on, or of what begins behind them. `sample`: a record. */
function lengthNear(at: usize, bytes: usize, sample: usize, blocks: bool): usize {
  return blocks ? blockIn(at, at + bytes) + LENGTH_AT : recordIn(at, at + bytes, sample) + CAPTURED_AT;
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
