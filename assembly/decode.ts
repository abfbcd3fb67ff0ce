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

/**
 * Decodes the records that begin in WINDOW[from..stop) and end before `to`, until the bytes run out, the batch is full or one is
 * broken. They are added to the batch of the last begin().
 * @returns the offset of the first record that was not decoded
 */
export function decode(from: i32, stop: i32, to: i32): i32 {
  const form = word(FORM);
  const at = WINDOW + from;
  const last = WINDOW + stop;
  const end = WINDOW + to;
  let next: usize;
  let previous: usize = 0;
  if (word(FAR) != 0) touchHeaders(at, last, end);
  if (form & BLOCKS) {
    next = decodeBlocks(at, last, end);
    answerAll(blocksStopped);
    previous = previousBlock;
  } else if (form & SNOOP) {
    next = decodeSnoop(at, last, end);
    answerAll(snoopStopped);
    previous = previousSnoop;
  } else if (form & TICKS) {
    next = decodeTicks(at, last, end);
    answerAll(ticksStopped);
    previous = previousTicks;
  } else {
    next = decodeRecords(at, last, end);
    answerAll(recordsStopped);
    previous = previousRecord;
  }
  answer(PREVIOUS, previous == 0 ? -1 : <i32>(previous - WINDOW));
  return <i32>(next - WINDOW);
}
