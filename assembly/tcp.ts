// The TCP header (RFC 9293 §3.1) and its options.

import { TCP_OFFSET, TCP_TRUNCATED } from '../src/layout/drops.ts';
import { NO_WINDOW_SCALE } from '../src/layout/segment.ts';

// Options: https://www.iana.org/assignments/tcp-parameters
const END = 0;
const NO_OPERATION = 1;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
const FAST_OPEN = 34;
/** Shared experimental option; the two bytes after its length say whose it is (RFC 6994). */
const EXPERIMENT = 254;
/** Fast Open before it had a number of its own (RFC 7413), as a little-endian load sees it. */
const FAST_OPEN_MAGIC = 0x89f9;
/** NOP NOP TIMESTAMPS 10, as a little-endian load sees it: what nearly every segment of an established connection carries. */
const PADDED_TIMESTAMPS = 0x0a080101;

// Bits of options()' answer: those of TCP_WORD (15 as the window scale: none), and one of its own.
const HAS_SACK_PERMITTED = 0x100;
const HAS_SACK = 0x200;
const HAS_FAST_OPEN = 0x400;
export const TIMESTAMPS_SEEN = 0x800;

/** TSval of the options that were read last. */
export let tsval: u32 = 0;

/** Bytes of the header, or ~reason. The flags must have been captured, the rest of the header need not be. */
export function tcpHeader(tcp: usize, captured: i32, length: i32): i32 {
  if (length < 20) return ~TCP_OFFSET;
  if (captured < 14) return ~TCP_TRUNCATED;
  const header = (<i32>load<u8>(tcp, 12) >> 4) << 2;
  return header < 20 || header > length ? ~TCP_OFFSET : header;
}

/** Reads the options between two addresses, as far as they are sound: bits of TCP_WORD, the data offset left out. */
export function options(from: usize, to: usize): i32 {
  return option(from, to, NO_WINDOW_SCALE);
}

/** options() where there are none, or timestamps alone, as in nearly every segment; 0: there are others. */
export function commonOptions(from: usize, to: usize): i32 {
  if (from == to) return NO_WINDOW_SCALE;
  if (to - from != 12 || load<u32>(from) != PADDED_TIMESTAMPS) return 0;
  tsval = bswap<u32>(load<u32>(from, 4));
  return NO_WINDOW_SCALE | TIMESTAMPS_SEEN;
}

/** Reads the option at `at` and those after it; `seen` is what the ones before it said. There are 40 at most. */
function option(at: usize, to: usize, seen: i32): i32 {
  if (at >= to) return seen;
  const kind: i32 = load<u8>(at);
  if (kind == END) return seen;
  if (kind == NO_OPERATION) return option(at + 1, to, seen);
  const left = <i32>(to - at);
  if (left < 2) return seen;
  const bytes: i32 = load<u8>(at, 1);
  if (bytes < 2 || bytes > left) return seen;
  if (kind == WINDOW_SCALE && bytes == 3) {
    // RFC 7323 §2.3: a shift above 14 is used as 14.
    seen = (seen & ~NO_WINDOW_SCALE) | min<i32>(load<u8>(at, 2), 14);
  } else if (kind == TIMESTAMPS && bytes == 10) {
    tsval = bswap<u32>(load<u32>(at, 2));
    seen |= TIMESTAMPS_SEEN;
  } else if (kind == SACK_PERMITTED && bytes == 2) {
    seen |= HAS_SACK_PERMITTED;
  } else if (kind == SACK && bytes >= 10) {
    seen |= HAS_SACK;
  } else if (kind == FAST_OPEN || (kind == EXPERIMENT && bytes >= 4 && load<u16>(at, 2) == FAST_OPEN_MAGIC)) {
    seen |= HAS_FAST_OPEN;
  }
  return option(at + bytes, to, seen);
}
