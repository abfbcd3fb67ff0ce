// The shape of a connection, and the table of those that were met. src/layout/shape.ts says what shapes are for.

import {
  ACKED,
  ACKED_KNOWN,
  CLIENT_IS_HIGH,
  CLOSED,
  DATA_AFTER_FIN,
  ESTABLISHED,
  FACTS,
  FAST_OPEN,
  FIN_ACK,
  FIN_ACKED,
  FIN_HAS_ACK,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FIN_WITH_ACK,
  LOGGED,
  MIDSTREAM,
  MODIFIERS,
  NXT,
  NXT_KNOWN,
  REFUSED,
  RESET,
  RESET_AFTER_CLOSE,
  RESET_BY_HIGH,
  RST_ACKS_FIN,
  SEEN,
  SEGMENTS,
  SIMULTANEOUS_OPEN,
  SYN_ACK_SENT,
  SYN_ACKED,
  SYN_SENT,
  TOKENS,
  ZEEK,
  ZEEK_ORIG_IS_HIGH,
} from '../src/layout/slot.ts';
import {
  COUNTERS,
  ENDING_SHIFT,
  FIN_ACKNOWLEDGES,
  FIN_FIRST,
  GAP,
  INFERRED,
  KEY_FACTS,
  KEY_LOGGED,
  KEY_MODIFIERS,
  KEY_SEEN,
  KEY_TOKENS,
  KEY_WORDS,
  SHAPE_BYTES,
  SHAPES_CAPACITY,
  SILENT,
} from '../src/layout/shape.ts';
import { SHAPE_COUNTERS, SHAPE_ENTRIES, SHAPE_ENTRIES_BYTES, SHAPES, TEMPLATE_PLACES } from './memory.ts';
import { slotAt } from './table.ts';

const FACTS_OF_SHAPE =
  CLIENT_IS_HIGH |
  MIDSTREAM |
  ESTABLISHED |
  RESET |
  RESET_BY_HIGH |
  RESET_AFTER_CLOSE |
  CLOSED |
  SIMULTANEOUS_OPEN |
  FAST_OPEN |
  REFUSED |
  RST_ACKS_FIN;
const SEEN_OF_SHAPE = SYN_SENT | SYN_ACK_SENT | FIN_SENT | FIN_ACKED | DATA_AFTER_FIN | FIN_WITH_ACK | SYN_ACKED;

/** The key of the connection at hand. */
const KEY: usize = memory.data(KEY_WORDS * 4, 16);
/** Shapes in the table. */
let known: i32 = 0;

/** Address of a shape. */
export function shapeAt(shape: i32): usize {
  return SHAPES + <usize>shape * SHAPE_BYTES;
}

/** Takes all shapes out. */
export function forgetShapes(): void {
  known = 0;
  memory.fill(SHAPE_ENTRIES, 0, SHAPE_ENTRIES_BYTES);
}

/** The shape of a connection that ends in one of the ways of ENDINGS; -1 where none like it was met. */
export function findShape(slot: i32, ending: i32): i32 {
  writeKey(slotAt(slot), ending);
  let at = mixed();
  let shape = <i32>load<u16>(entryOf(at)) - 1;
  while (shape >= 0 && !isOfKey(shape)) shape = <i32>load<u16>(entryOf(++at)) - 1;
  return shape;
}

/** The same; one that was not met yet gets a place, if there is one left. */
export function enterShape(slot: i32, ending: i32): i32 {
  const found = findShape(slot, ending);
  if (found >= 0 || known == SHAPES_CAPACITY) return found;
  let at = mixed();
  while (load<u16>(entryOf(at)) != 0) at++;
  store<u16>(entryOf(at), <u16>(known + 1));
  memory.copy(shapeAt(known), KEY, KEY_WORDS * 4);
  // Not for all at once: a run meets some dozens, and what nobody touches costs nothing.
  memory.fill(SHAPE_COUNTERS + <usize>(known * COUNTERS * 8), 0, COUNTERS * 8);
  memory.fill(TEMPLATE_PLACES + <usize>(known * COUNTERS * 4), 0, COUNTERS * 4);
  return known++;
}

/** The table is at most half full. */
function entryOf(hash: u32): usize {
  return SHAPE_ENTRIES + ((<usize>(hash & <u32>(SHAPES_CAPACITY * 2 - 1))) << 1);
}

function mixed(): u32 {
  let hash: u64 = 0;
  for (let at: usize = 0; at < <usize>(KEY_WORDS * 4); at += 8) hash = (hash ^ load<u64>(KEY + at)) * 0x9e3779b97f4a7c15;
  return <u32>(hash >> 40);
}

function isOfKey(shape: i32): bool {
  const key = shapeAt(shape);
  return load<u64>(key) == load<u64>(KEY) && load<u64>(key, 8) == load<u64>(KEY, 8) && load<u64>(key, 16) == load<u64>(KEY, 16);
}

function writeKey(words: usize, ending: i32): void {
  const facts = load<i32>(words, FACTS << 2);
  const seen = (load<i32>(words, SEEN << 2) & SEEN_OF_SHAPE) | ((load<i32>(words, (SEEN + 1) << 2) & SEEN_OF_SHAPE) << 16);
  const low = load<f64>(words, FIN_TIME << 3);
  const high = load<f64>(words, (FIN_TIME + 1) << 3);
  const first = (low <= high ? FIN_FIRST : 0) | (high <= low ? FIN_FIRST << 1 : 0);
  const shown = first | shows(words, 0) | (shows(words, 1) << 1);
  store<i32>(KEY, (facts & FACTS_OF_SHAPE) | shown | (ending << ENDING_SHIFT), KEY_FACTS << 2);
  store<i32>(KEY, load<i32>(words, MODIFIERS << 2), KEY_MODIFIERS << 2);
  store<i32>(KEY, seen, KEY_SEEN << 2);
  const zeek = (load<i32>(words, ZEEK << 2) & 7) | ((load<i32>(words, (ZEEK + 1) << 2) & 7) << 3) | (facts & ZEEK_ORIG_IS_HIGH);
  store<i32>(KEY, (load<i32>(words, LOGGED << 2) >>> 8) | (zeek << 8), KEY_LOGGED << 2);
  store<u64>(KEY, load<u64>(words, TOKENS << 2), KEY_TOKENS << 2);
}

/** What an endpoint's numbers show; the bits of the low one. src/tracker/close.ts has the same for those that have no shape. */
function shows(words: usize, endpoint: usize): i32 {
  const own = words + (endpoint << 2);
  const peer = words + ((endpoint ^ 1) << 2);
  const facts = load<i32>(words, FACTS << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peerSeen = load<i32>(peer, SEEN << 2);
  const silent = load<i32>(own, SEGMENTS << 2) == 0;
  const peerAcked = (peerSeen & ACKED_KNOWN) != 0;
  const acked = load<i32>(peer, ACKED << 2);
  const beyond = acked - load<i32>(own, NXT << 2);
  const sent = (seen & NXT_KNOWN) != 0 && !silent;
  let bits = silent ? SILENT : 0;
  if (sent && peerAcked && beyond > 1) bits |= GAP;
  if ((seen & FIN_HAS_ACK) != 0 && load<i32>(own, FIN_ACK << 2) - load<i32>(peer, FIN_SEQ << 2) > 0) bits |= FIN_ACKNOWLEDGES;
  const opened = (facts & (ESTABLISHED | MIDSTREAM)) != 0;
  const supposed = (seen & (FIN_SENT | FIN_SUPPOSED)) == FIN_SUPPOSED && load<i32>(own, FIN_SEQ << 2) == acked - 1;
  if (opened && peerAcked && supposed && (sent ? beyond == 1 : (peerSeen & FIN_SENT) != 0)) bits |= INFERRED;
  return bits;
}
