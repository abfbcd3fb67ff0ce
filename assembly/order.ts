// Orders all connections by family, addresses and ports, and by what else is a part of their identity: so the capture's end ends them.
// (src/tracker/order.ts compares two.)
//
//   entry   the first 64 bits of the addresses (u64) | ports | slot
//
// Entries are merged from one half of the region to the other, in runs twice as long each time: no order in which connections come makes
// that slow.

import { FACTS, HIGH, IPV6, LOW, PAIRED, PORTS, SLOT_WORDS } from '../src/layout/slot.ts';
import { CONNECTIONS_CAPACITY } from '../src/layout/tracking.ts';
import { ORDER, ORDER_ENTRY_BYTES as ENTRY_BYTES } from './memory.ts';
import { pairOf, slotAt, usedSlots } from './table.ts';

const PORTS_AT = 8;
const SLOT_AT = 12;
/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;

const HALF: usize = <usize>CONNECTIONS_CAPACITY * ENTRY_BYTES;

/** Writes all slots in use to ORDER, in order; answers how many there are. */
export function order(): i32 {
  const ipv4 = gather(ORDER, 0);
  const end = gather(ipv4, IPV6);
  const first = sorted(ORDER, ipv4);
  const second = sorted(ipv4, end);
  // Four bytes for each sixteen: what is overwritten was read before.
  let to = ORDER;
  for (let at: usize = 0; at < ipv4 - ORDER; at += ENTRY_BYTES, to += 4) store<i32>(to, load<i32>(first + at, SLOT_AT));
  for (let at: usize = 0; at < end - ipv4; at += ENTRY_BYTES, to += 4) store<i32>(to, load<i32>(second + at, SLOT_AT));
  return <i32>((to - ORDER) >> 2);
}

/** The slot at a place in that order. */
export function orderedSlot(place: i32): i32 {
  return load<i32>(ORDER + ((<usize>place) << 2));
}

/** Writes the entries of one family from `to` on; answers where they end. */
function gather(to: usize, family: i32): usize {
  const slots = usedSlots();
  for (let slot = 0; slot < slots; slot += SLOT_WORDS) {
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
  let from = begin;
  let to = begin + HALF;
  const bytes = end - begin;
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
