// Framing of snoop captures (RFC 1761), all of it big-endian.
//
//   original length | captured length | record length | drops | seconds | microseconds | captured bytes, padded

import { BATCH_FULL, BROKEN_CAPTURED, BROKEN_LENGTH, SNOOP_HEADER_BYTES, WANTS_BYTES } from '../src/layout/framing.ts';
import { interfaceAt, limitOf, linkTypeOf, read32 } from './interfaces.ts';
import { take } from './packets.ts';
import { batchFull } from './segment.ts';
import { clockOrigin, word } from './state.ts';

/** Why decodeSnoop() stopped. */
export let stopped: i32 = WANTS_BYTES;

/** Address of the last record that was decoded; 0: none. */
export let previous: usize = 0;

/** Decodes the records that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
export function decodeSnoop(at: usize, last: usize, end: usize): usize {
  const only = interfaceAt(0);
  const origin = clockOrigin();
  stopped = WANTS_BYTES;
  previous = 0;
  while (at < last && <i32>(end - at) >= SNOOP_HEADER_BYTES) {
    const captured = read32(at + 4, true);
    const length = read32(at + 8, true);
    if (captured > limitOf(only)) {
      stopped = BROKEN_CAPTURED;
      break;
    }
    if (length < captured + SNOOP_HEADER_BYTES || length > captured + 2 * SNOOP_HEADER_BYTES) {
      stopped = BROKEN_LENGTH;
      break;
    }
    const next = at + length;
    if (next > end) break;
    if (batchFull()) {
      stopped = BATCH_FULL;
      break;
    }
    const stamp = (<f64>read32(at + 16, true) - origin) * 1e9 + <f64>read32(at + 20, true) * 1000;
    take(linkTypeOf(only), at + SNOOP_HEADER_BYTES, captured, read32(at, true), stamp);
    previous = at;
    at = next;
  }
  return at;
}
