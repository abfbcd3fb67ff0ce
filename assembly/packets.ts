// What the packets of a window have in common, whatever file format they come from: the capture clock and the counters.

import { SEGMENTS_CAPACITY, SMALLEST_RECORD_BYTES, WINDOW_UNIT } from '../src/layout/batch.ts';
import { AGGREGATE, LINK_TRUNCATED } from '../src/layout/drops.ts';
import {
  AGGREGATED,
  FIRST,
  PACKETS,
  PAIRS,
  RECORDS,
  REGRESSIONS,
  SECTIONS,
  SEED,
  SEGMENTS,
  SHARDS,
  UNITS,
  STOPPED,
} from '../src/layout/framing.ts';
import * as links from '../src/layout/link.ts';
import { LAG_UNIT } from '../src/layout/segment.ts';
import * as cursor from './cursor.ts';
import { useFilter } from './filter.ts';
import { frame, IS_SEGMENT } from './frame.ts';
import { chain, useSeed } from './hash.ts';
import { around, lieWithin } from './link.ts';
import { plain } from './plain.ts';
import { pairs, records, startBatch } from './segment.ts';
import { keepTags, noting, releaseTags, useTags } from './tags.ts';
import { answer, clearAnswers, clock, drop, setClock, setFirst, word } from './state.ts';

const LARGEST_LAG: f64 = 65535;

/** Destination, source, length: what each packet of an A-MSDU begins with. */
const SUBFRAME_HEADER = 14;
/** Packets that are taken of an A-MSDU: as many as a batch has room for beside all records that can begin in a window. */
const SUBFRAMES = SEGMENTS_CAPACITY - WINDOW_UNIT / SMALLEST_RECORD_BYTES - 1;

/** The capture clock, ns since the origin. */
export let latest: f64 = 0;
let first: f64 = Infinity;
let packets = 0;
let segments = 0;
let regressions = 0;
let sections = 0;
let aggregated = 0;

/** Empties the batch of a slot and all counters: a window begins, at the clock that the host has set. */
export function begin(slot: i32): void {
  clearAnswers();
  startBatch(slot, word(SHARDS), word(UNITS));
  useSeed(word(SEED));
  useFilter();
  useTags();
  latest = clock();
  first = Infinity;
  packets = 0;
  segments = 0;
  regressions = 0;
  sections = 0;
  aggregated = 0;
}

/** The time of a packet whose own is far from all others': capture time runs back there, at the packet or behind it. */
export function clockInstead(): f64 {
  regressions++;
  return latest;
}

/** Counts a packet and writes its segment to the batch, if it is one; `stamp`: its timestamp, ns since the origin. */
export function take(linkType: i32, at: usize, captured: i32, original: u32, stamp: f64): void {
  if (packets == 0) first = stamp;
  let lag = 0;
  if (stamp < latest) {
    regressions++;
    lag = <i32>min((latest - stamp) / <f64>LAG_UNIT, LARGEST_LAG);
  } else {
    latest = stamp;
  }
  const packet = packets++;
  if (!noting && plain(linkType, at, captured, latest, lag, packet)) {
    segments++;
    return;
  }
  const outcome = frame(linkType, at, captured, original, latest, lag, packet);
  if (outcome == IS_SEGMENT) segments++;
  else if (outcome == AGGREGATE && around == 0) takeEach(stamp);
  else drop(outcome);
}

/**
 * Takes each packet of the A-MSDU that the cursor is in: one packet of the capture, but as many segments or drops as it holds.
 * Each but the last is padded to a multiple of 4 bytes; a frame check sequence may follow that one.
 */
export function takeEach(stamp: f64): void {
  const path = cursor.path;
  const counted = regressions;
  let at = cursor.at;
  let left = cursor.left;
  let room = cursor.room;
  keepTags();
  let count = 0;
  for (; room >= SUBFRAME_HEADER; count++) {
    if (left < SUBFRAME_HEADER) {
      drop(LINK_TRUNCATED);
      count++;
      break;
    }
    const bytes: i32 = bswap<u16>(load<u16>(at, 12));
    if (count < SUBFRAMES) {
      lieWithin(chain(chain(path, load<u64>(at)), load<u32>(at, 8)));
      packets--;
      const content = at + SUBFRAME_HEADER;
      take(links.ATM_RFC1483, content, min(left - SUBFRAME_HEADER, bytes), min(room - SUBFRAME_HEADER, bytes), stamp);
    } else {
      drop(AGGREGATE);
    }
    const passed = (SUBFRAME_HEADER + bytes + 3) & ~3;
    at += passed;
    left -= passed;
    room -= passed;
  }
  aggregated += count - 1;
  lieWithin(0);
  releaseTags();
  regressions = counted;
}

export function countSection(): void {
  sections++;
}

/** Answers what was counted since begin(), and why it stopped. */
export function answerAll(stopped: i32): void {
  setClock(latest);
  setFirst(first);
  answer(PACKETS, packets);
  answer(SEGMENTS, segments);
  answer(RECORDS, records());
  answer(PAIRS, pairs());
  answer(REGRESSIONS, regressions);
  answer(SECTIONS, sections);
  answer(AGGREGATED, aggregated);
  answer(STOPPED, stopped);
}
