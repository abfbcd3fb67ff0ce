// When ended connections leave the table. All stay equally long (2MSL), and capture time never runs backwards, so they are due in the
// order in which they ended: a ring of slots, and no heap. One that is to stay longer gets another entry behind all others, and one may be
// gone before it is due: the slot knows which entry counts.
//
//   entry   slot      entries are numbered from 0 on, modulo 2^32

import { EXPIRY, EXPIRY_ENTRY, HASH } from '../src/layout/slot.ts';
import { CONNECTIONS_CAPACITY } from '../src/layout/tracking.ts';
import { EXPIRIES } from './memory.ts';
import { entryOf, slotAt, touchSlot } from './table.ts';

const FIRST_ENTRIES: u32 = 1 << 12;
const MOST_ENTRIES: u32 = CONNECTIONS_CAPACITY * 2;
/** How many entries ahead slots are touched, and what the index has of them: they ended long ago. */
const AHEAD: u32 = 16;
const AHEAD_IN_INDEX: u32 = 8;

/** Entries that the ring has room for, less one: a power of two. */
let mask: u32 = FIRST_ENTRIES - 1;
/** Numbers of the first entry, and of the next one. */
let head: u32 = 0;
let tail: u32 = 0;
/** How long a connection stays, ns. */
let stay: f64 = Infinity;
/** Sum of the words touched ahead: means nothing. The reads stay, because each may trap. */
let touched: i32 = 0;

/** Nothing is due any more. */
export function forgetExpiries(): void {
  mask = FIRST_ENTRIES - 1;
  head = 0;
  tail = 0;
}

/** Ended connections stay so long from now on, ns. */
export function setStay(length: f64): void {
  stay = length;
}

/** A connection has ended, or waits anew: it leaves the table when that time is over, counted from `time`, ns. */
export function expireAfter(slot: i32, time: f64): void {
  if (tail - head > mask) makeRoom();
  const words = slotAt(slot);
  store<f64>(words, time + stay, EXPIRY << 3);
  store<u32>(words, tail, EXPIRY_ENTRY << 2);
  store<i32>(entryAt(tail++), slot);
}

/** Whether a connection should have left the table by `time`. */
export function isOverdue(words: usize, time: f64): bool {
  const due = load<f64>(words, EXPIRY << 3);
  return due != 0 && due <= time;
}

/** When the next connection is due, ns; Infinity where none is. */
export function nextExpiry(): f64 {
  while (head != tail && !counts(head)) head++;
  return head == tail ? Infinity : load<f64>(slotAt(nextExpired()), EXPIRY << 3);
}

/** The slot of that connection, where there is one. */
export function nextExpired(): i32 {
  return load<i32>(entryAt(head));
}

/** Whether another connection is due at the same time as the next one. */
export function isExpiryShared(): bool {
  let other = head + 1;
  while (other != tail && !counts(other)) other++;
  return other != tail && load<f64>(slotAt(load<i32>(entryAt(other))), EXPIRY << 3) == nextExpiry();
}

/** Takes the next connection off the ring. */
export function shiftExpiry(): void {
  const entries = tail - head;
  if (entries > AHEAD) touched = touchSlot(load<i32>(entryAt(head + AHEAD)));
  if (entries > AHEAD_IN_INDEX) touched = entryOf(load<u32>(slotAt(load<i32>(entryAt(head + AHEAD_IN_INDEX))), HASH << 2));
  head++;
}

function entryAt(number: u32): usize {
  return EXPIRIES + ((<usize>(number & mask)) << 2);
}

/** Whether the connection of an entry is due as the entry has it. */
function counts(number: u32): bool {
  const words = slotAt(load<i32>(entryAt(number)));
  return load<u32>(words, EXPIRY_ENTRY << 2) == number && load<f64>(words, EXPIRY << 3) != 0;
}

/** The ring is full: those that count move up; and it doubles, where they are more than half of it. */
function makeRoom(): void {
  let kept = head;
  for (let number = head; number != tail; number++) {
    if (!counts(number)) continue;
    const slot = load<i32>(entryAt(number));
    store<u32>(slotAt(slot), kept, EXPIRY_ENTRY << 2);
    store<i32>(entryAt(kept++), slot);
  }
  tail = kept;
  if (tail - head <= mask >>> 1 || mask == MOST_ENTRIES - 1) return;
  const bytes = (<usize>mask + 1) << 2;
  memory.copy(EXPIRIES + bytes, EXPIRIES, bytes); // an entry's place is now its old one, or the same in the copy
  mask = mask * 2 + 1;
}
