// The log of a close: its waves as four-bit tokens, in the order in which they were sent (src/layout/slot.ts; SPEC §3).

import { LOGGED, R, TOKEN_CAPACITY, TOKENS } from '../src/layout/slot.ts';
import { moreTokens } from './host.ts';
import { slotAt } from './table.ts';

const MOST: i32 = 0xffffff;

/**
 * Appends a token, unless an RST stands before it: nothing follows that, also where a profile lets TIME_WAIT live on and its segments
 * be answered. Beyond a slot's room the host keeps it.
 */
export function log(slot: i32, kind: i32, endpoint: i32): void {
  const words = slotAt(slot);
  const logged = load<i32>(words, LOGGED << 2);
  const at = logged >>> 8;
  if (at > 0 && at <= TOKEN_CAPACITY && (tokenAt(words, at - 1) & 7) == R) return;
  const token = kind | (endpoint << 3);
  if (at < TOKEN_CAPACITY) {
    const word = words + <usize>((at >> 3) << 2);
    store<i32>(word, load<i32>(word, TOKENS << 2) | (token << ((at & 7) << 2)), TOKENS << 2);
  } else if (moreTokens(slot, at - TOKEN_CAPACITY, token) == 0) return;
  if (at < MOST) store<i32>(words, logged + 0x100, LOGGED << 2);
}

function tokenAt(words: usize, at: i32): i32 {
  return (load<i32>(words + <usize>((at >> 3) << 2), TOKENS << 2) >>> ((at & 7) << 2)) & 15;
}
