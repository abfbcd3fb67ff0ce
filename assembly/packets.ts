// What the packets of a window have in common, whatever file format they come from: the capture clock and the counters.

import { FIRST, PACKETS, PAIRS, RECORDS, REGRESSIONS, SECTIONS, SEED, SEGMENTS, SHARDS, STOPPED } from '../src/layout/framing.ts';
import { useFilter } from './filter.ts';
import { frame, IS_SEGMENT } from './frame.ts';
import { useSeed } from './hash.ts';
import { pairs, records, startBatch } from './segment.ts';
import { useTags } from './tags.ts';
import { answer, clearAnswers, clock, drop, setClock, setFirst, word } from './state.ts';

/** One unit of a record's lag, in ns. */
const LAG_UNIT: f64 = 16000;
const LARGEST_LAG: f64 = 65535;

/** The capture clock, ns since the origin. */
export let latest: f64 = 0;
let first: f64 = Infinity;
let packets = 0;
let segments = 0;
let regressions = 0;
let sections = 0;

/** Empties the batch of a slot and all counters: a window begins, at the clock that the host has set. */
export function begin(slot: i32): void {
  clearAnswers();
  startBatch(slot, word(SHARDS));
  useSeed(word(SEED));
  useFilter();
  useTags();
  latest = clock();
  first = Infinity;
  packets = 0;
  segments = 0;
  regressions = 0;
  sections = 0;
}

/** Counts a packet and writes its segment to the batch, if it is one; `stamp`: its timestamp, ns since the origin. */
export function take(linkType: i32, at: usize, captured: i32, original: u32, stamp: f64): void {
  if (packets == 0) first = stamp;
  let lag = 0;
  if (stamp < latest) {
    regressions++;
    lag = <i32>min((latest - stamp) / LAG_UNIT, LARGEST_LAG);
  } else {
    latest = stamp;
  }
  const outcome = frame(linkType, at, captured, original, latest, lag, packets++);
  if (outcome == IS_SEGMENT) segments++;
  else drop(outcome);
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
  answer(STOPPED, stopped);
}
