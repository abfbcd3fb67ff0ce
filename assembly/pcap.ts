// Framing of the classic pcap format (draft-ietf-opsawg-pcap): a record header of 16 bytes, then the captured bytes.

import {
  BATCH_FULL,
  BROKEN_CAPTURED,
  FORM,
  LENGTHS_SWAPPED,
  ORIGIN,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SWAPPED,
  WANTS_BYTES,
} from '../src/layout/framing.ts';
import { interfaceAt, limitOf, linkTypeOf } from './interfaces.ts';
import { take } from './packets.ts';
import { batchFull } from './segment.ts';
import { word } from './state.ts';

/** Why decodeRecords() stopped. */
export let stopped: i32 = WANTS_BYTES;

/** Decodes the records that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
export function decodeRecords(at: usize, last: usize, end: usize): usize {
  const form = word(FORM);
  const swapped = (form & SWAPPED) != 0;
  const lengthsSwapped = (form & LENGTHS_SWAPPED) != 0;
  const header = form & PATCHED ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES;
  const only = interfaceAt(0);
  const linkType = linkTypeOf(only);
  const limit = limitOf(only);
  const fraction = load<f64>(only, 32);
  const origin = <f64>(<u32>word(ORIGIN));
  stopped = WANTS_BYTES;
  while (at < last && <i32>(end - at) >= header) {
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
    if (lengthsSwapped && captured > original) {
      const first = captured;
      captured = original;
      original = first;
    }
    if (captured > limit) {
      stopped = BROKEN_CAPTURED;
      break;
    }
    const next = at + header + captured;
    if (next > end) break;
    if (batchFull()) {
      stopped = BATCH_FULL;
      break;
    }
    take(linkType, at + header, captured, original, (<f64>seconds - origin) * 1e9 + <f64>part * fraction);
    at = next;
  }
  return at;
}
