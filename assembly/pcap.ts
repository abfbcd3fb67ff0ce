// Framing of the classic pcap format (draft-ietf-opsawg-pcap): a record header of 16 bytes, then the captured bytes.

import {
  BATCH_FULL,
  BROKEN_RECORD,
  FRACTION_NS,
  LIMIT,
  LINK_TYPE,
  ORIGIN,
  PACKETS,
  PAIRS,
  RECORDS,
  RECORD_HEADER_BYTES,
  REGRESSIONS,
  SEED,
  SEGMENTS,
  SHARDS,
  STOPPED,
  SWAPPED,
  WANTS_BYTES,
} from '../src/layout/framing.ts';
import { frame, IS_SEGMENT } from './frame.ts';
import { useSeed } from './hash.ts';
import { WINDOW } from './memory.ts';
import { batchFull, pairs, records, startBatch } from './segment.ts';
import { answer, clearAnswers, clock, drop, setClock, setFirst, word } from './state.ts';

/** One unit of a record's lag, in ns. */
const LAG_UNIT: f64 = 16000;
const LARGEST_LAG: f64 = 65535;

/**
 * Decodes the records that begin in WINDOW[from..stop) and end before `to`, until the bytes run out, the batch is full or a
 * record header is broken. They become the batch of a slot.
 * @returns the offset of the first record that was not decoded
 */
export function decode(from: i32, stop: i32, to: i32, slot: i32): i32 {
  clearAnswers();
  startBatch(slot, word(SHARDS));
  useSeed(word(SEED));
  const swapped = word(SWAPPED) != 0;
  const fraction = <f64>word(FRACTION_NS);
  const linkType = word(LINK_TYPE);
  const limit = <u32>word(LIMIT);
  const origin = <f64>(<u32>word(ORIGIN));
  let latest = clock();
  let stopped = WANTS_BYTES;
  let packets = 0;
  let segments = 0;
  let regressions = 0;
  let at = WINDOW + from;
  const last = WINDOW + stop;
  const end = WINDOW + to;
  let first: f64 = Infinity;
  while (at < last && <i32>(end - at) >= RECORD_HEADER_BYTES) {
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
    if (captured > limit) {
      stopped = BROKEN_RECORD;
      break;
    }
    const next = at + RECORD_HEADER_BYTES + captured;
    if (next > end) break;
    if (batchFull()) {
      stopped = BATCH_FULL;
      break;
    }
    const stamp = (<f64>seconds - origin) * 1e9 + <f64>part * fraction;
    if (packets == 0) first = stamp;
    let lag = 0;
    if (stamp < latest) {
      regressions++;
      lag = <i32>min((latest - stamp) / LAG_UNIT, LARGEST_LAG);
    } else {
      latest = stamp;
    }
    const outcome = frame(linkType, at + RECORD_HEADER_BYTES, captured, original, latest, lag, packets++);
    if (outcome == IS_SEGMENT) segments++;
    else drop(outcome);
    at = next;
  }
  setClock(latest);
  setFirst(first);
  answer(PACKETS, packets);
  answer(SEGMENTS, segments);
  answer(RECORDS, records());
  answer(PAIRS, pairs());
  answer(REGRESSIONS, regressions);
  answer(STOPPED, stopped);
  return <i32>(at - WINDOW);
}
