// An ended connection of a shape that was met before: what has been concluded of the first one holds for it, too. What is left is its
// own: how long its close took, when its TIME_WAITs were, and its row. (src/tracker/close.ts and time-wait.ts, src/stats/note.ts do
// the same for connections that are looked at one by one.)

import * as note from '../src/layout/note.ts';
import {
  ACTIVE,
  COUNTERS,
  DURATION_BINS,
  DURATION_DOUBLES,
  DURATIONS,
  ENDED_AT_END,
  FREES_PORT,
  HAS_ACK,
  HAS_FIN,
  IN_CLOSE_WAIT,
  IS_INFERRED,
  IS_RESET,
  IS_RESET_BY_HIGH,
  ROW_CLASS,
  ROW_FACTS,
  ROW_MODIFIERS,
  ROW_RESET,
  TIMING,
  TUPLE_REUSED,
  UNANSWERED,
  WAYS,
} from '../src/layout/shape.ts';
import {
  CLIENT_IS_HIGH,
  CLOSED,
  ENDPOINT_OF_TOKEN,
  FACTS,
  FIN_ACKED_TIME,
  FIN_RETRANSMITS,
  FIN_TIME,
  HAS_RARE,
  HIGH,
  IPV6,
  LAST,
  LOW,
  PORTS,
  RESET,
  RESET_AFTER_CLOSE,
  RST_TIME,
  START,
  TOKENS,
  UNREPEATED,
} from '../src/layout/slot.ts';
import { beginLines, BEGUN, CLOSE_TIMES, HALF_CLOSED, TO_FIN_ACK, TO_LAST_ACK, WAIT_ENDED, WHOLE, writeLine } from './line.ts';
import { DURATION_SUMS, SHAPE_COUNTERS, SHAPE_ROWS, TEMPLATE_PLACES, TEMPLATES } from './memory.ts';
import { settle } from './observe.ts';
import { findShape, forgetShapes, shapeAt } from './shape.ts';
import { orderedSlot } from './order.ts';
import { pairOf, slotAt, touchSlot } from './table.ts';

/** Behind the bins of durations. */
const COUNT = DURATION_BINS;
const LONGEST = DURATION_BINS + 1;
/** A duration's exponent and the first bits of its mantissa are its bin; half a ns and less have the first (src/stats/histogram.ts). */
const BIN_SHIFT: u64 = 45;
const FIRST_BIN: i32 = 1022 << 7;

/** Length of TIME_WAIT, ns. */
let twoMsl: f64 = 0;

/** Begins a run: no shape was met, nothing counted. `length`: of TIME_WAIT, ns; `origin`, `digits`: how capture times become text. */
export function beginConclusions(length: f64, origin: f64, digits: i32): void {
  twoMsl = length;
  beginLines(origin, digits, length);
  forgetShapes();
  memory.fill(DURATION_SUMS, 0, DURATIONS * DURATION_DOUBLES * 8);
}

/**
 * Counts, times and notes a connection whose record ends, and writes its line, if one of its shape was met before.
 * @param ending place in ENDINGS, and whether it was the capture's end (src/layout/shape.ts)
 * @param time capture time at which it ended, ns; `packet`: that ended it, as rows have it
 * @param over capture time up to which its TIME_WAIT can have lasted, ns
 * @param row number of the row to write
 * @param lines where its line goes, bytes from LINES on; -1: none is wanted
 * @returns the counter that counts it, -1 where nothing was done
 */
export function conclude(slot: i32, ending: i32, time: f64, packet: f64, over: f64, row: i32, lines: i32): i32 {
  const counter = counterOf(slot, ending, over, row);
  if (counter < 0) return -1;
  const words = slotAt(slot);
  const columns = columnsOf(row);
  const traits = shapeAt(counter / COUNTERS);
  const timing = load<i32>(traits, TIMING << 2);
  if (lines >= 0) {
    const template = load<u32>(TEMPLATE_PLACES + ((<usize>counter) << 2));
    if (template == 0 || lacksAck(words, timing, time) || !writeLine(TEMPLATES + <usize>template - 1, words, columns, lines)) return -1;
  }
  const counted = SHAPE_COUNTERS + ((<usize>counter) << 3);
  store<f64>(counted, load<f64>(counted) + 1);
  countDurations(timing);
  writeRow(columns, words, traits, timing, time, packet, (ending & ENDED_AT_END) != 0);
  return counter;
}

/** Whether an acknowledgement of a FIN is missing from the capture (lacksAck() in src/tracker/close.ts): no shape says so. */
function lacksAck(words: usize, timing: i32, time: f64): bool {
  const until = (timing & IS_RESET) != 0 ? min(time, load<f64>(words, RST_TIME << 3)) : time;
  return stands(words, timing, 0, until) || stands(words, timing, 1, until);
}

function stands(words: usize, timing: i32, endpoint: usize, until: f64): bool {
  const bit = <i32>endpoint;
  if ((timing & (HAS_FIN << bit)) == 0 || (timing & (IS_INFERRED << bit)) != 0) return false;
  if (load<i32>(words + (endpoint << 2), FIN_RETRANSMITS << 2) > 0) return false;
  const own = words + (endpoint << 3);
  const end = (timing & (HAS_ACK << bit)) != 0 ? load<f64>(own, FIN_ACKED_TIME << 3) : until;
  return end - load<f64>(own, FIN_TIME << 3) > <f64>UNREPEATED;
}

/**
 * The counter that counts a connection, if one of its shape was met before that ended in the same way; else -1. Its close is timed, and its
 * TIME_WAITs are written into a row. `ending`, `over`, `row`: as in conclude().
 */
export function counterOf(slot: i32, ending: i32, over: f64, row: i32): i32 {
  settle(slot);
  const words = slotAt(slot);
  if ((load<i32>(words, FACTS << 2) & HAS_RARE) != 0) return -1; // letters of its history had no room in the slot
  const shape = findShape(slot, ending);
  if (shape < 0) return -1;
  const timing = load<i32>(shapeAt(shape), TIMING << 2);
  const both = ACTIVE | (ACTIVE << 1);
  const killed = RESET | RESET_AFTER_CLOSE;
  if ((timing & both) == both && (load<i32>(words, FACTS << 2) & killed) == killed) return -1; // perhaps only one of the holders (Profile)
  const columns = columnsOf(row);
  const reused = (ending & (ENDED_AT_END - 1)) == TUPLE_REUSED;
  const low = writeWait(columns, words, timing, 0, over, reused);
  const high = writeWait(columns, words, timing, 1, over, reused);
  const counter = shape * COUNTERS + low * WAYS + high;
  if (load<f64>(SHAPE_COUNTERS + ((<usize>counter) << 3)) == 0) return -1;
  measure(words, timing);
  return counter;
}

/** Where a row lies. */
export function columnsOf(row: i32): usize {
  return SHAPE_ROWS + <usize>(row * note.COLUMNS * 8);
}

/** Connections whose slots are touched ahead. */
const AHEAD = 8;
/** Sum of the words touched ahead: means nothing. The reads stay, because each may trap. */
let touched: i32 = 0;

/**
 * Concludes upon connections that the capture's end ends, in order (order.ts): from place `from` on, up to the first one that is none of
 * its affairs, or `to`; answers the place where it stopped. Their rows are written from number `row` on.
 */
export function concludeInOrder(from: i32, to: i32, ending: i32, time: f64, row: i32): i32 {
  for (let place = from; place < to; place++) {
    if (place + AHEAD < to) touched = touchSlot(orderedSlot(place + AHEAD));
    if (conclude(orderedSlot(place), ending, time, Infinity, time, row + place - from, -1) < 0) return place;
  }
  return to;
}

/** When `endpoint`'s FIN was acknowledged. */
function ackedTime(words: usize, timing: i32, endpoint: usize): f64 {
  const own = words + (endpoint << 3);
  return (timing & (IS_INFERRED << (<i32>endpoint))) != 0 ? load<f64>(own, FIN_TIME << 3) : load<f64>(own, FIN_ACKED_TIME << 3);
}

/** Writes the TIME_WAIT of an endpoint into a row; answers how it ended, as counters have it. */
function writeWait(columns: usize, words: usize, timing: i32, holder: usize, over: f64, reused: bool): i32 {
  const own = columns + (holder << 3);
  const peer = holder ^ 1;
  const both = ACTIVE | (ACTIVE << 1);
  const crossed = (timing & both) == both;
  const facts = load<i32>(words, FACTS << 2);
  const aborted = (timing & IS_RESET) != 0 && (facts & CLOSED) == 0;
  const fins = HAS_FIN | (HAS_FIN << 1);
  const holds =
    (timing & (ACTIVE << (<i32>holder))) != 0 &&
    (timing & fins) == fins &&
    !(crossed && (timing & (HAS_ACK << (<i32>holder))) == 0) &&
    !(aborted && <usize>((timing & IS_RESET_BY_HIGH) != 0 ? 1 : 0) == holder);
  if (!holds) {
    store<f64>(own, NaN, note.WAIT_FROM << 3);
    store<f64>(own, NaN, note.WAIT_TO << 3);
    store<f64>(own, NaN, note.WAIT_SINCE << 3);
    store<f64>(own, NaN, note.WAIT_END << 3);
    return 0;
  }
  const acked = (timing & (HAS_ACK << (<i32>peer))) != 0;
  const proof = acked ? ackedTime(words, timing, peer) : load<f64>(words + (peer << 3), FIN_TIME << 3);
  const start = crossed ? max(proof, load<f64>(words + (holder << 3), FIN_ACKED_TIME << 3)) : proof;
  const since = max(start, 0);
  const expiry = since + twoMsl;
  const killed = aborted || (facts & (RESET | RESET_AFTER_CLOSE)) == (RESET | RESET_AFTER_CLOSE);
  const reset = load<f64>(words, RST_TIME << 3);
  let end = max(start, over);
  let how = note.CAPTURE_END;
  if (killed && reset < expiry) {
    end = max(start, reset);
    how = note.RST;
  } else if (expiry <= over) {
    end = expiry;
    how = note.EXPIRY;
  } else if (reused) how = note.REUSE;
  setTime(WAIT_ENDED + holder, end);
  store<f64>(own, start, note.WAIT_FROM << 3);
  store<f64>(own, how == note.CAPTURE_END ? Infinity : end, note.WAIT_TO << 3);
  store<f64>(own, since, note.WAIT_SINCE << 3);
  store<f64>(own, <f64>how, note.WAIT_END << 3);
  return how + 1;
}

function setTime(place: usize, value: f64): void {
  store<f64>(CLOSE_TIMES + (place << 3), value);
}

/** Whether the high endpoint's FIN came first; of two at the same time the log tells. */
function isHighFirst(words: usize): bool {
  const low = load<f64>(words, FIN_TIME << 3);
  const high = load<f64>(words, (FIN_TIME + 1) << 3);
  return low == high ? (load<i32>(words, TOKENS << 2) & ENDPOINT_OF_TOKEN) != 0 : low > high;
}

/** Times the close and its parts. */
function measure(words: usize, timing: i32): void {
  const both = ACTIVE | (ACTIVE << 1);
  const fins = HAS_FIN | (HAS_FIN << 1);
  setTime(BEGUN, NaN);
  for (let part = TO_FIN_ACK; part <= WHOLE; part++) setTime(part, -1);
  if ((timing & both) == 0) return;
  if ((timing & fins) == 0) {
    setTime(BEGUN, load<f64>(words, RST_TIME << 3));
    setTime(WHOLE, 0);
    return;
  }
  const crossed = (timing & both) == both;
  const active: usize = (crossed ? !isHighFirst(words) : (timing & ACTIVE) != 0) ? 0 : 1;
  const passive = active ^ 1;
  const activeAcked = (timing & (HAS_ACK << (<i32>active))) != 0;
  const passiveAcked = (timing & (HAS_ACK << (<i32>passive))) != 0;
  const begun = load<f64>(words + (active << 3), FIN_TIME << 3);
  const acked = ackedTime(words, timing, active);
  let last = begun;
  if (activeAcked) {
    if ((timing & (IS_INFERRED << (<i32>active))) == 0) setTime(TO_FIN_ACK, max(0, acked - begun));
    last = max(last, acked);
  }
  if ((timing & (HAS_FIN << (<i32>passive))) != 0) {
    const answer = load<f64>(words + (passive << 3), FIN_TIME << 3);
    const shown = (timing & (IS_INFERRED << (<i32>passive))) == 0;
    last = max(last, answer);
    if (activeAcked && !crossed && shown) setTime(HALF_CLOSED, max(0, answer - acked));
    if (passiveAcked) {
      const answerAcked = ackedTime(words, timing, passive);
      if (shown) setTime(TO_LAST_ACK, max(0, answerAcked - answer));
      last = max(last, answerAcked);
    }
  }
  if ((timing & IS_RESET) != 0 && !(activeAcked && passiveAcked)) last = max(last, load<f64>(words, RST_TIME << 3));
  setTime(BEGUN, begun);
  setTime(WHOLE, last - begun);
}

/** Counts the durations of the close at hand; a lone RST has none. */
function countDurations(timing: i32): void {
  if ((timing & (HAS_FIN | (HAS_FIN << 1))) == 0) return;
  for (let part: usize = 0; part < <usize>DURATIONS; part++) {
    const duration = load<f64>(CLOSE_TIMES + ((TO_FIN_ACK + part) << 3));
    if (duration >= 0) countDuration(part, duration);
  }
}

function countDuration(which: usize, value: f64): void {
  const bins = DURATION_SUMS + which * (DURATION_DOUBLES * 8);
  const bin = <i32>(reinterpret<u64>(value) >> BIN_SHIFT) - FIRST_BIN;
  const at = bins + ((<usize>min(max(bin, 0), DURATION_BINS - 1)) << 3);
  store<f64>(at, load<f64>(at) + 1);
  store<f64>(bins, load<f64>(bins, COUNT << 3) + 1, COUNT << 3);
  store<f64>(bins, max(load<f64>(bins, LONGEST << 3), value), LONGEST << 3);
}

/** Writes all of a row but its TIME_WAITs, which are there. */
function writeRow(columns: usize, words: usize, traits: usize, timing: i32, time: f64, packet: f64, atEnd: bool): void {
  const facts = load<i32>(words, FACTS << 2);
  store<f64>(columns, time, note.TIME << 3);
  store<f64>(columns, packet, note.PACKET << 3);
  writeAddresses(columns + (note.ADDRESS << 3), words, facts);
  store<f64>(columns, <f64>load<u32>(words, PORTS << 2), note.PORTS << 3);
  store<f64>(columns, <f64>(load<i32>(traits, ROW_FACTS << 2) | ((facts & IPV6) != 0 ? note.IPV6 : 0)), note.FACTS << 3);
  store<f64>(columns, <f64>load<i32>(traits, ROW_CLASS << 2), note.CLASS << 3);
  store<f64>(columns, <f64>load<i32>(traits, ROW_MODIFIERS << 2), note.MODIFIERS << 3);
  store<f64>(columns, load<f64>(words, START << 3), note.START << 3);
  const last = load<f64>(words, LAST << 3);
  store<f64>(columns, last, note.LAST << 3);
  store<f64>(columns, <f64>load<i32>(traits, ROW_RESET << 2), note.RESET << 3);
  store<f64>(columns, 0, note.RESET_IDLE << 3);
  const closer: usize = (timing & HAS_FIN) != 0 ? 0 : 1;
  const waiting = (timing & IN_CLOSE_WAIT) != 0;
  store<f64>(columns, waiting ? ackedTime(words, timing, closer) : NaN, note.CLOSE_WAIT << 3);
  store<f64>(columns, heldUntil(columns, facts, timing, last, atEnd), note.HELD_UNTIL << 3);
}

/** Until when the client's port was taken. */
function heldUntil(columns: usize, facts: i32, timing: i32, last: f64, atEnd: bool): f64 {
  const client: usize = (facts & CLIENT_IS_HIGH) != 0 ? 1 : 0;
  const waits = load<f64>(columns + (client << 3), note.WAIT_TO << 3);
  if (!isNaN(waits)) return waits;
  const begun = load<f64>(CLOSE_TIMES, BEGUN << 3);
  if ((timing & FREES_PORT) != 0 && !isNaN(begun)) return begun + max(load<f64>(CLOSE_TIMES, WHOLE << 3), 0);
  return atEnd && (timing & UNANSWERED) == 0 ? Infinity : last;
}

function writeAddresses(to: usize, words: usize, facts: i32): void {
  if ((facts & IPV6) != 0) {
    const pair = pairOf(words);
    for (let word: usize = 0; word < 2 * note.ADDRESS_WORDS; word++)
      store<f64>(to + (word << 3), <f64>bswap<u32>(load<u32>(pair + (word << 2))));
    return;
  }
  for (let word: usize = 0; word < 2 * note.ADDRESS_WORDS; word++) store<f64>(to + (word << 3), 0);
  store<f64>(to, <f64>load<u32>(words, LOW << 2), (note.ADDRESS_WORDS - 1) << 3);
  store<f64>(to, <f64>load<u32>(words, HIGH << 2), (2 * note.ADDRESS_WORDS - 1) << 3);
}
