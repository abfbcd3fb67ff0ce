// A window's bytes, in whatever format its capture is written.

import { BLOCKS, FORM, PREVIOUS, SNOOP } from '../src/layout/framing.ts';
import { WINDOW } from './memory.ts';
import { answerAll } from './packets.ts';
import { decodeRecords, previous as previousRecord, stopped as recordsStopped } from './pcap.ts';
import { decodeBlocks, stopped as blocksStopped } from './pcapng.ts';
import { decodeSnoop, previous as previousSnoop, stopped as snoopStopped } from './snoop.ts';
import { answer, word } from './state.ts';

/**
 * Decodes the records that begin in WINDOW[from..stop) and end before `to`, until the bytes run out, the batch is full or one is
 * broken. They are added to the batch of the last begin().
 * @returns the offset of the first record that was not decoded
 */
export function decode(from: i32, stop: i32, to: i32): i32 {
  const blocks = (word(FORM) & BLOCKS) != 0;
  const snoop = (word(FORM) & SNOOP) != 0;
  const at = WINDOW + from;
  const last = WINDOW + stop;
  const end = WINDOW + to;
  const next = blocks ? decodeBlocks(at, last, end) : snoop ? decodeSnoop(at, last, end) : decodeRecords(at, last, end);
  answerAll(blocks ? blocksStopped : snoop ? snoopStopped : recordsStopped);
  const previous = blocks ? 0 : snoop ? previousSnoop : previousRecord;
  answer(PREVIOUS, previous == 0 ? -1 : <i32>(previous - WINDOW));
  return <i32>(next - WINDOW);
}
