// A window's bytes, in whatever format its capture is written.

import { BLOCKS, FAR, FORM, PREVIOUS, SNOOP, TICKS } from '../src/layout/framing.ts';
import { WINDOW } from './memory.ts';
import { answerAll } from './packets.ts';
import { decodeRecords, previous as previousRecord, stopped as recordsStopped } from './pcap.ts';
import { decodeBlocks, previous as previousBlock, stopped as blocksStopped } from './pcapng.ts';
import { decodeSnoop, previous as previousSnoop, stopped as snoopStopped } from './snoop.ts';
import { answer, word } from './state.ts';
import { touchHeaders } from './touch.ts';
import { decodeTicks, previous as previousTicks, stopped as ticksStopped } from './ticks.ts';

/** Bytes whose headers are fetched at once, and decoded while they are in the cache. */
const PIECE: usize = 1 << 20;

/** Why decoding stopped, and where the last record is that was decoded; 0: none. */
let stopped: i32 = 0;
let latestRecord: usize = 0;

/**
 * Decodes the records that begin in WINDOW[from..stop) and end before `to`, until the bytes run out, the batch is full or one is
 * broken. They are added to the batch of the last begin().
 * @returns the offset of the first record that was not decoded
 */
export function decode(from: i32, stop: i32, to: i32): i32 {
  const last = WINDOW + stop;
  const end = WINDOW + to;
  const far = word(FAR) != 0;
  let next = WINDOW + from;
  let piece = last;
  latestRecord = 0;
  do {
    if (far) {
      piece = min(next + PIECE, last);
      touchHeaders(next, piece, end);
    }
    next = decodePiece(next, piece, end);
  } while (next >= piece && next < last);
  answerAll(stopped);
  answer(PREVIOUS, latestRecord == 0 ? -1 : <i32>(latestRecord - WINDOW));
  return <i32>(next - WINDOW);
}

/** Decodes the records that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
function decodePiece(at: usize, last: usize, end: usize): usize {
  const form = word(FORM);
  let next: usize;
  let previous: usize;
  if (form & BLOCKS) {
    next = decodeBlocks(at, last, end);
    stopped = blocksStopped;
    previous = previousBlock;
  } else if (form & SNOOP) {
    next = decodeSnoop(at, last, end);
    stopped = snoopStopped;
    previous = previousSnoop;
  } else if (form & TICKS) {
    next = decodeTicks(at, last, end);
    stopped = ticksStopped;
    previous = previousTicks;
  } else {
    next = decodeRecords(at, last, end);
    stopped = recordsStopped;
    previous = previousRecord;
  }
  if (previous != 0) latestRecord = previous;
  return next;
}
