// Orders all connections by family, addresses and ports, and by what else is a part of their identity: so the capture's end ends them.
// (src/tracker/order.ts compares two.)
//
//   entry   the first 64 bits of the addresses (u64) | ports | slot
//
// Entries go from one half of the region to the other, first byte by byte of what they hold, the last one first; where that does not decide,
// they are merged, in runs twice as long each time. No order in which connections come makes either slow.

import { FACTS, HIGH, IPV6, LOW, PAIRED, PORTS, SLOT_WORDS } from '../src/layout/slot.ts';
import { CONNECTIONS_CAPACITY } from '../src/layout/tracking.ts';
import { ORDER, ORDER_ENTRY_BYTES as ENTRY_BYTES } from './memory.ts';
import { connections, pairOf, slotAt, usedSlots } from './table.ts';

const PORTS_AT = 8;
const SLOT_AT = 12;
/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;

const HALF: usize = <usize>CONNECTIONS_CAPACITY * ENTRY_BYTES;

/** Bytes of an entry by which it is ordered: the addresses' in front of the ports', the highest of each last. */
const DIGITS: usize = 12;
/** How many entries have each value of each byte; then, where the next one of them goes. */
const COUNTS: usize = memory.data(12 * 256 * 4, 16);

/** Slots, and entries, that one call is about: inline.mjs says why. */
const PART: usize = 1024;
const PART_BYTES: usize = PART * ENTRY_BYTES;

/** Writes all slots in use to ORDER, in order; answers how many there are. */
export function order(): i32 {
  const ipv4 = gather(ORDER, 0);
  const some = <i32>((ipv4 - ORDER) / ENTRY_BYTES);
  const end = some == connections() ? ipv4 : gather(ipv4, IPV6);
  // Four bytes for each sixteen: what is overwritten was read before.
  const to = writeSlots(sorted(ORDER, ipv4), ipv4 - ORDER, ORDER);
  return <i32>((writeSlots(sorted(ipv4, end), end - ipv4, to) - ORDER) >> 2);
}

function writeSlots(entries: usize, bytes: usize, to: usize): usize {
  for (let at: usize = 0; at < bytes; at += ENTRY_BYTES, to += 4) store<i32>(to, load<i32>(entries + at, SLOT_AT));
  return to;
}

/** The slot at a place in that order. */
export function orderedSlot(place: i32): i32 {
  return load<i32>(ORDER + ((<usize>place) << 2));
}

/** Writes the entries of one family from `to` on; answers where they end. */
function gather(to: usize, family: i32): usize {
  const slots = usedSlots();
  for (let slot = 0; slot < slots; slot += <i32>PART * SLOT_WORDS)
    to = gatherPart(to, family, slot, min(slots, slot + <i32>PART * SLOT_WORDS));
  return to;
}

function gatherPart(to: usize, family: i32, begin: i32, end: i32): usize {
  for (let slot = begin; slot < end; slot += SLOT_WORDS) {
    const words = slotAt(slot);
    const facts = load<i32>(words, FACTS << 2);
    if (facts == 0 || (facts & IPV6) != family) continue;
    const first =
      family == 0 ? ((<u64>load<u32>(words, LOW << 2)) << 32) | load<u32>(words, HIGH << 2) : bswap<u64>(load<u64>(pairOf(words)));
    store<u64>(to, first);
    store<u32>(to, load<u32>(words, PORTS << 2), PORTS_AT);
    store<i32>(to, slot, SLOT_AT);
    to += ENTRY_BYTES;
  }
  return to;
}

/** Sorts the entries between two addresses; answers where they are then: there, or in the other half. */
function sorted(begin: usize, end: usize): usize {
  const bytes = end - begin;
  let from = distributed(begin, bytes);
  if (isInOrder(from, bytes)) return from;
  let to = from == begin ? begin + HALF : begin;
  for (let run: usize = ENTRY_BYTES; run < bytes; run <<= 1) {
    for (let at: usize = 0; at < bytes; at += run * 2) {
      const middle = min(at + run, bytes);
      mergeRuns(from + at, from + middle, from + min(middle + run, bytes), to + at);
    }
    const before = from;
    from = to;
    to = before;
  }
  return from;
}

/** Sorts entries by the first 64 bits of their addresses and by their ports, a byte at a time; answers where they are then. */
function distributed(begin: usize, bytes: usize): usize {
  memory.fill(COUNTS, 0, DIGITS << 10);
  for (let at: usize = 0; at < bytes; at += PART_BYTES) countPart(begin + at, begin + min(bytes, at + PART_BYTES));
  let from = begin;
  let to = begin + HALF;
  for (let i: usize = 0; i < DIGITS; i++) {
    if (!distribute((i + PORTS_AT) % DIGITS, from, bytes, to)) continue;
    const before = from;
    from = to;
    to = before;
  }
  return from;
}

/** Writes entries to another place in the order of one of their bytes, those that agree in it in the order that they had; false: all do. */
function distribute(digit: usize, from: usize, bytes: usize, to: usize): bool {
  if (bytes == 0 || <usize>load<u32>(placeOf(digit, from)) * ENTRY_BYTES == bytes) return false;
  let next = to;
  for (let place = COUNTS + (digit << 10); place < COUNTS + ((digit + 1) << 10); place += 4) {
    const count = load<u32>(place);
    store<u32>(place, <u32>next);
    next += <usize>count * ENTRY_BYTES;
  }
  for (let at: usize = 0; at < bytes; at += PART_BYTES) distributePart(digit, from + at, from + min(bytes, at + PART_BYTES));
  return true;
}

function countPart(entry: usize, end: usize): void {
  for (; entry < end; entry += ENTRY_BYTES) {
    for (let digit: usize = 0; digit < DIGITS; digit++) {
      const count = placeOf(digit, entry);
      store<u32>(count, load<u32>(count) + 1);
    }
  }
}

function distributePart(digit: usize, entry: usize, end: usize): void {
  for (; entry < end; entry += ENTRY_BYTES) {
    const place = placeOf(digit, entry);
    const goal: usize = load<u32>(place);
    store<u32>(place, <u32>(goal + ENTRY_BYTES));
    v128.store(goal, v128.load(entry));
  }
}

/** The word of COUNTS that belongs to a byte of an entry. */
function placeOf(digit: usize, entry: usize): usize {
  return COUNTS + (digit << 10) + ((<usize>load<u8>(entry + digit)) << 2);
}

function isInOrder(begin: usize, bytes: usize): bool {
  for (let at: usize = ENTRY_BYTES; at < bytes; at += ENTRY_BYTES) if (precedes(begin + at, begin + at - ENTRY_BYTES)) return false;
  return true;
}

/** Merges two runs that lie one behind the other. */
function mergeRuns(one: usize, middle: usize, end: usize, to: usize): void {
  let other = middle;
  while (one < middle && other < end) {
    // Not a branch: which run is next cannot be guessed.
    const second = <usize>precedes(other, one);
    v128.store(to, v128.load(second != 0 ? other : one));
    one += (second ^ 1) * ENTRY_BYTES;
    other += second * ENTRY_BYTES;
    to += ENTRY_BYTES;
  }
  memory.copy(to, one, middle - one);
  memory.copy(to + (middle - one), other, end - other);
}

/** Whether an entry comes before another one of its family. */
function precedes(one: usize, other: usize): bool {
  const a = load<u64>(one);
  const b = load<u64>(other);
  return a == b ? precedesFurther(one, other) : a < b;
}

function precedesFurther(one: usize, other: usize): bool {
  const ours = slotAt(load<i32>(one, SLOT_AT));
  const theirs = slotAt(load<i32>(other, SLOT_AT));
  if ((load<i32>(ours, FACTS << 2) & IPV6) != 0) {
    for (let at: usize = 8; at < <usize>SCOPE_AT; at += 8) {
      const a = bswap<u64>(load<u64>(pairOf(ours) + at));
      const b = bswap<u64>(load<u64>(pairOf(theirs) + at));
      if (a != b) return a < b;
    }
  }
  const a = load<u32>(one, PORTS_AT);
  const b = load<u32>(other, PORTS_AT);
  return a == b ? scopeOf(ours) < scopeOf(theirs) : a < b;
}

function scopeOf(words: usize): u64 {
  return (load<i32>(words, FACTS << 2) & PAIRED) != 0 ? load<u64>(pairOf(words), SCOPE_AT) : 0;
}
