// Writes the line of a connection by its shape's template (src/layout/line.ts). What records/line.ts, records/time.ts and
// records/address.ts write for connections that are looked at one by one is the same to the byte.

import * as line from '../src/layout/line.ts';
import * as note from '../src/layout/note.ts';
import {
  BYTES,
  COMPLETENESS,
  FACTS,
  FIN_RETRANSMITS,
  FINS,
  HISTORY,
  IPV6,
  LAST,
  LOGGED,
  LOW,
  PORTS,
  RSTS,
  SEGMENTS,
  START,
  SYNS,
} from '../src/layout/slot.ts';
import { writeCommunityDigest } from './community.ts';
import { LINE_END, LINES } from './memory.ts';
import { pairOf } from './table.ts';

// Times of the close at hand, ns: conclude.ts measures them. -1 and NaN: it did not happen, or is not in the capture.
export const CLOSE_TIMES: usize = memory.data(8 * 8, 16);
/** Places in it: when the close began, the durations of its parts and its own, the ends of both TIME_WAITs. */
export const BEGUN: usize = 0;
export const TO_FIN_ACK: usize = 1;
export const HALF_CLOSED: usize = 2;
export const TO_LAST_ACK: usize = 3;
export const WHOLE: usize = 4;
export const WAIT_ENDED: usize = 5;
/** Those durations, in the order of layout/shape.ts. */
export const TIMED: usize = CLOSE_TIMES + (TO_FIN_ACK << 3);

/** Texts of seconds met lately, up to and with the decimal point, each behind its number. */
const SECONDS: usize = memory.data(256 * 32, 16);
const SECOND_TEXT = 20;
const DAY: i64 = 86400;
/** RFC 3339 knows the years 0000 to 9999 only. */
const FIRST_SECOND: f64 = -62167219200;
const LAST_SECOND: f64 = 253402300799;
/** Largest whole number of ticks whose decimal fraction is the shortest text of the double nearest to it; smaller doubles have an exponent. */
const EXACT_TICKS: f64 = 1e15;
const SHORTEST: f64 = 1e-6;

const ZERO: i32 = 0x30;
const POINT: i32 = 0x2e;
const COLON: i32 = 0x3a;
const DASH: i32 = 0x2d;

/** Seconds since 1970 at which the clock reads 0; ns of a tick, digits of a second that are written, and ticks in it; length of TIME_WAIT, ns. */
let origin: f64 = 0;
let unit: f64 = 1;
let digits: i32 = 9;
let perSecond: f64 = 1e9;
let twoMsl: f64 = 0;
/** Where the next character goes. */
let at: usize = 0;
/** Everything could be written so far. */
let able: bool = true;

/** Begins a run: how capture times become text. */
export function beginLines(since: f64, decimals: i32, length: f64): void {
  origin = since;
  digits = decimals;
  perSecond = decimals == 6 ? 1e6 : 1e9;
  unit = 1e9 / perSecond;
  twoMsl = length;
  for (let entry: usize = 0; entry < 256; entry++) store<f64>(SECONDS + entry * 32, NaN);
}

/**
 * Writes a connection's line from `from` of the lines on; LINE_END tells where it ends.
 * @returns whether it could: a few numbers are left to the host
 */
export function writeLine(template: usize, words: usize, columns: usize, from: i32): bool {
  at = LINES + <usize>from;
  able = true;
  let step = template;
  for (;;) {
    const field = <i32>load<u8>(step);
    const bytes = <usize>load<u16>(step, 2);
    put(step + line.STEP_BYTES, bytes);
    if (field == line.NOTHING) break;
    writeField(field, <usize>load<u8>(step, 1), words, columns);
    step += <usize>line.STEP_BYTES + bytes;
  }
  store<i32>(LINE_END, <i32>(at - LINES));
  return able;
}

/** Copies text, in blocks: what is written behind its end is written over. */
function put(text: usize, bytes: usize): void {
  for (let block: usize = 0; block < bytes; block += 16) v128.store(at + block, v128.load(text + block));
  at += bytes;
}

function writeField(field: i32, endpoint: usize, words: usize, columns: usize): void {
  const own = words + (endpoint << 2);
  const row = columns + (endpoint << 3);
  switch (field) {
    case line.TIME_OF_START:
      return writeTime(load<f64>(words, START << 3));
    case line.TIME_OF_LAST:
      return writeTime(load<f64>(words, LAST << 3));
    case line.TIME_OF_CLOSE:
      return writeTime(load<f64>(CLOSE_TIMES, BEGUN << 3));
    case line.TIME_OF_WAIT:
      return writeTime(load<f64>(row, note.WAIT_FROM << 3));
    case line.TIME_OF_EXPIRY:
      return writeTime(load<f64>(row, note.WAIT_SINCE << 3) + twoMsl);
    case line.TIME_OF_WAIT_END:
      return writeTime(load<f64>(CLOSE_TIMES + (endpoint << 3), WAIT_ENDED << 3));
    case line.SECONDS_OF_CONNECTION:
      return writeSeconds(load<f64>(words, LAST << 3) - load<f64>(words, START << 3));
    case line.SECONDS_OF_CLOSE:
      return writeSeconds(load<f64>(CLOSE_TIMES, WHOLE << 3));
    case line.SECONDS_TO_FIN_ACK:
      return writeSeconds(load<f64>(CLOSE_TIMES, TO_FIN_ACK << 3));
    case line.SECONDS_HALF_CLOSED:
      return writeSeconds(load<f64>(CLOSE_TIMES, HALF_CLOSED << 3));
    case line.SECONDS_TO_LAST_ACK:
      return writeSeconds(load<f64>(CLOSE_TIMES, TO_LAST_ACK << 3));
    case line.ADDRESS_TEXT:
      return writeAddress(words, endpoint);
    case line.PORT_NUMBER:
      return writeNumber(endpoint == 0 ? load<u16>(words, (PORTS << 2) + 2) : load<u16>(words, PORTS << 2));
    case line.SEGMENT_COUNT:
      return writeNumber(load<u32>(own, SEGMENTS << 2));
    case line.BYTE_COUNT:
      return writeNumber(<u64>load<f64>(words + (endpoint << 3), BYTES << 3));
    case line.SYN_COUNT:
      return writeNumber(load<u32>(own, SYNS << 2));
    case line.FIN_COUNT:
      return writeNumber(load<u32>(own, FINS << 2));
    case line.FIN_RETRANSMIT_COUNT:
      return writeNumber(load<u32>(own, FIN_RETRANSMITS << 2));
    case line.RST_COUNT:
      return writeNumber(load<u32>(own, RSTS << 2));
    case line.COMMUNITY:
      writeCommunityDigest(words, at);
      at += line.COMMUNITY_BYTES;
      return;
    case line.HISTORY_TEXT:
      return put(words + (HISTORY << 2), <usize>(load<i32>(words, LOGGED << 2) & 0xff));
    case line.COMPLETENESS_NUMBER:
      return writeNumber(load<u32>(words, COMPLETENESS << 2));
    default:
      able = false;
  }
}

function byte(value: i32): void {
  store<u8>(at++, <u8>value);
}

/** The last digits of a number, as many as asked for, zeros in front. */
function writeDigits(value: u64, count: i32): void {
  let rest = value;
  for (let place = count - 1; place >= 0; place--) {
    store<u8>(at + <usize>place, <u8>(ZERO + <i32>(rest % 10)));
    rest /= 10;
  }
  at += <usize>count;
}

function writeNumber(value: u64): void {
  let count = 1;
  for (let rest = value; rest >= 10; rest /= 10) count++;
  writeDigits(value, count);
}

/** RFC 3339, UTC. `time`: ns on the capture clock. */
function writeTime(time: f64): void {
  const ticks = Math.round(time / unit);
  const second = floor(ticks / perSecond);
  const text = secondText(second);
  v128.store(at, v128.load(text));
  store<u32>(at, load<u32>(text, 16), 16);
  at += SECOND_TEXT;
  writeDigits(<u64>min(max(ticks - second * perSecond, 0), perSecond - 1), digits);
  byte(0x5a);
}

/** Address of a second's text, up to and with the decimal point. */
function secondText(second: f64): usize {
  const entry = SECONDS + <usize>((<i64>second & 255) << 5);
  if (load<f64>(entry) == second) return entry + 8;
  store<f64>(entry, second);
  const since = <i64>min(max(origin + second, FIRST_SECOND), LAST_SECOND);
  let day = since / DAY;
  let rest = since % DAY;
  if (rest < 0) {
    day--;
    rest += DAY;
  }
  const before = at;
  at = entry + 8;
  writeDay(day);
  byte(0x54);
  writeDigits(rest / 3600, 2);
  byte(COLON);
  writeDigits((rest / 60) % 60, 2);
  byte(COLON);
  writeDigits(rest % 60, 2);
  byte(POINT);
  at = before;
  return entry + 8;
}

/**
 * A day since 1970 in the Gregorian calendar. Years are counted from March, so that the leap day is the last of one: a month then begins
 * (153 * month + 2) / 5 days into the year.
 */
function writeDay(since1970: i64): void {
  const day = since1970 + 719468 + 146097; // since 1 March of the year -400
  const cycle = day / 146097;
  const ofCycle = day % 146097;
  const year = (ofCycle - ofCycle / 1460 + ofCycle / 36524 - ofCycle / 146096) / 365;
  const ofYear = ofCycle - (year * 365 + year / 4 - year / 100);
  const month = (5 * ofYear + 2) / 153;
  const january = month >= 10;
  writeDigits(year + (cycle - 1) * 400 + (january ? 1 : 0), 4);
  byte(DASH);
  writeDigits(january ? month - 9 : month + 3, 2);
  byte(DASH);
  writeDigits(ofYear - (153 * month + 2) / 5 + 1, 2);
}

/** A duration in ns as seconds: what JSON.stringify() would make of the number. */
function writeSeconds(duration: f64): void {
  const ticks = Math.round(duration / unit);
  const seconds = ticks / perSecond;
  if (!(ticks >= 0 && ticks < EXACT_TICKS) || (ticks > 0 && seconds < SHORTEST)) {
    able = false;
    return;
  }
  const whole = floor(seconds);
  writeNumber(<u64>whole);
  const fraction = ticks - whole * perSecond;
  if (fraction == 0) return;
  byte(POINT);
  writeDigits(<u64>fraction, digits);
  while (load<u8>(at - 1) == ZERO) at--;
}

function writeAddress(words: usize, endpoint: usize): void {
  if ((load<i32>(words, FACTS << 2) & IPV6) == 0) return writeIpv4(load<u32>(words + (endpoint << 2), LOW << 2));
  const address = pairOf(words) + (endpoint << 4);
  // IPv4-mapped, and IPv4-compatible where that is how inet_ntop() has it.
  const mapped = load<u32>(address, 8) == 0xffff0000;
  if (load<u64>(address) == 0 && (mapped || (load<u32>(address, 8) == 0 && load<u16>(address, 12) != 0))) {
    for (let colon = 0; colon < 2; colon++) byte(COLON);
    if (mapped) {
      writeDigitsOfHex(0xffff);
      byte(COLON);
    }
    return writeIpv4(bswap<u32>(load<u32>(address, 12)));
  }
  writeIpv6(address);
}

function writeIpv4(address: u32): void {
  writeNumber(address >> 24);
  for (let shift: u32 = 16; ; shift -= 8) {
    byte(POINT);
    writeNumber((address >> shift) & 255);
    if (shift == 0) break;
  }
}

function group(address: usize, index: i32): i32 {
  return bswap<u16>(load<u16>(address + ((<usize>index) << 1)));
}

/** RFC 5952: no leading zeros, the first longest run of two or more zero groups as `::`. */
function writeIpv6(address: usize): void {
  let from = -1;
  let length = 1;
  for (let index = 0; index < 8; index++) {
    let end = index;
    while (end < 8 && group(address, end) == 0) end++;
    if (end - index <= length) continue;
    from = index;
    length = end - index;
  }
  for (let index = 0; index < 8; index++) {
    if (index == from) {
      byte(COLON);
      if (index == 0) byte(COLON);
      index += length - 1;
      continue;
    }
    writeDigitsOfHex(group(address, index));
    if (index < 7) byte(COLON);
  }
}

function writeDigitsOfHex(value: i32): void {
  let shift = 12;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const digit = (value >> shift) & 15;
    byte(digit < 10 ? ZERO + digit : 0x57 + digit);
  }
}
