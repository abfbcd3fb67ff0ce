// The connections that are alive or may still get segments: an open-addressing index over dense slots (src/layout/slot.ts).
//
//   index   hash | slot + 1 | hash | slot + 1 ...      linear probing, at most half full, 0: empty
//   hints   number of the slot | bits of the hash      by other bits of the hash: of connections that had segments lately
//
// Connections in TIME_WAIT are most of a table, and so of the index, and nothing comes of them: what the others need of it does not stay in the
// cache. Their hints do. A hint may be wrong; whether it is, its slot tells.
//
// A slot is named by the offset of its first word. Free ones are chained, the one that was given back last first: it may still be in
// the cache. The addresses of a connection that has an address pair lie beside the slots, in an entry of its slot's number.

import { ADDRESS_PAIR_BYTES, ADDRESS_WORD, FLAGS_WORD, HASH_WORD, IPV6, LOW_WORD, PAIRED, PORTS_WORD } from '../src/layout/segment.ts';
import {
  EXPIRY,
  FACTS,
  GENERATION,
  HASH,
  IN_USE,
  IPV6 as IPV6_FACT,
  LOW,
  PAIRED as PAIRED_FACT,
  PORTS,
  SLOT_BYTES,
  SLOT_WORDS,
} from '../src/layout/slot.ts';
import { CONNECTIONS_CAPACITY, ENTRY_BYTES, FIRST_ENTRIES, HINTS as HINTS_CAPACITY } from '../src/layout/tracking.ts';
import { CONNECTIONS, HINTS, INDEX, KEPT_PAIRS, ORDER } from './memory.ts';

/** Bytes of a cache line. */
export const LINE_BYTES: usize = 64;

let mask: u32 = FIRST_ENTRIES - 1;
let entered: u32 = 0;
/** Slots for which there is memory, and those of them that were ever given away. */
let room: i32 = 0;
let used: i32 = 0;
/** The first free slot of the chain plus 1, or 0. */
let free: i32 = 0;
/** Connections that were ever given a slot, modulo 2^32; never 0. */
let generation: i32 = 0;

/** Address of a slot. */
export function slotAt(slot: i32): usize {
  return CONNECTIONS + ((<usize>slot) << 2);
}

/** The slot behind the last one that was ever given away. */
export function usedSlots(): i32 {
  return used * SLOT_WORDS;
}

/** Address of the index entry where a hash is looked for first. */
function homeOf(hash: u32): usize {
  return INDEX + <usize>((hash & mask) * ENTRY_BYTES);
}

/** Takes all connections out. */
export function forgetConnections(): void {
  mask = FIRST_ENTRIES - 1;
  entered = 0;
  used = 0;
  free = 0;
  memory.fill(INDEX, 0, FIRST_ENTRIES * ENTRY_BYTES);
  memory.fill(HINTS, 0, HINTS_CAPACITY * 4);
}

/** The slot of a record's 4-tuple, or -1. `pairs`: the address pairs that the record refers to. */
export function find(record: usize, pairs: usize): i32 {
  const hash = load<u32>(record, HASH_WORD << 2);
  let entry = load<u64>(homeOf(hash));
  for (let at = hash + 1; entry != 0; entry = load<u64>(homeOf(at++))) {
    if (<u32>entry != hash) continue;
    const slot = <i32>(entry >> 32) - 1;
    if (isOf(slot, record, pairs)) return slot;
  }
  return -1;
}

/** Whether a slot is that of a record's 4-tuple. Slots that were never given away since forget() may hold anything. */
export function isOf(slot: i32, record: usize, pairs: usize): bool {
  if (slot >= usedSlots()) return false;
  const words = slotAt(slot);
  const facts = load<i32>(words, FACTS << 2);
  if (load<u64>(words, LOW << 2) != load<u64>(record, LOW_WORD << 2)) return false;
  if (load<i32>(words, PORTS << 2) != load<i32>(record, PORTS_WORD << 2) || facts == 0) return false;
  return (facts & PAIRED_FACT) == 0 ? (load<i32>(record, FLAGS_WORD << 2) & PAIRED) == 0 : isPairOf(words, record, pairs);
}

/** Where the hint for a hash is. */
function hintAt(hash: u32): usize {
  return HINTS + ((<usize>(hash & (HINTS_CAPACITY - 1))) << 2);
}

/** The hint where one for a hash would be: means nothing but that it was read. */
export function hintOf(hash: u32): u32 {
  return load<u32>(hintAt(hash));
}

/** The bits of a hash that tell whether a hint is meant for it, behind the slot's number. */
function tagOf(hash: u32): u32 {
  return (hash / <u32>HINTS_CAPACITY) * <u32>CONNECTIONS_CAPACITY;
}

/** The slot that a hint says, or -1 where there is none. */
export function hintedSlot(hash: u32): i32 {
  const number = load<u32>(hintAt(hash)) ^ tagOf(hash);
  return number < <u32>CONNECTIONS_CAPACITY ? <i32>number * SLOT_WORDS : -1;
}

/** There was a segment of the connection with a hash, which is in a slot. */
export function hint(hash: u32, slot: i32): void {
  store<u32>(hintAt(hash), <u32>(slot / SLOT_WORDS) | tagOf(hash));
}

/** What the index has where a hash is looked for first: means nothing but that it was read. */
export function entryOf(hash: u32): i32 {
  return load<i32>(homeOf(hash));
}

/** The first slot with a hash; 0, which is as good as any, where there is none. */
export function likelySlot(hash: u32): i32 {
  let at = hash;
  let entry = load<u64>(homeOf(at));
  while (<u32>entry != hash && entry != 0) entry = load<u64>(homeOf(++at));
  return max(<i32>(entry >> 32) - 1, 0);
}

/** Where the address pair of a connection that has one lies. */
export function pairOf(words: usize): usize {
  return KEPT_PAIRS + ((words - CONNECTIONS) / SLOT_BYTES) * ADDRESS_PAIR_BYTES;
}

/** Whether the address pair of a slot, and its family, are those of a record. */
function isPairOf(words: usize, record: usize, pairs: usize): bool {
  const facts = load<i32>(words, FACTS << 2);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  if ((flags & PAIRED) == 0 || ((flags & IPV6) != 0) != ((facts & IPV6_FACT) != 0)) return false;
  const ours = pairOf(words);
  const theirs = pairs + <usize>load<u32>(record, ADDRESS_WORD << 2) * ADDRESS_PAIR_BYTES;
  if (load<u64>(ours, 32) != load<u64>(theirs, 32)) return false;
  return !v128.any_true(v128.or(v128.xor(v128.load(ours), v128.load(theirs)), v128.xor(v128.load(ours, 16), v128.load(theirs, 16))));
}

/** Connections in the table. */
export function connections(): i32 {
  return entered;
}

/** There is memory for as many slots from now on. */
export function setRoom(slots: i32): void {
  room = slots;
}

/**
 * Gives a slot to the connection that a record names: zeros but for its key and its generation. Answers -1 where there is no room,
 * until the host has made more.
 */
export function enter(record: usize, pairs: usize): i32 {
  let slot = free - 1;
  if (slot >= 0) free = load<i32>(slotAt(slot), LOW << 2);
  else {
    if (used == room) return -1;
    slot = used++ * SLOT_WORDS;
  }
  if (entered * 2 > mask) double();
  const words = slotAt(slot);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  // Nothing of a slot is read before it is written: memory that was only read would be mapped twice, and all threads wait for that.
  clear(words, 0);
  store<i32>(words, nextGeneration(), GENERATION << 2);
  store<u64>(words, load<u64>(record, LOW_WORD << 2), LOW << 2);
  store<i32>(words, load<i32>(record, PORTS_WORD << 2), PORTS << 2);
  store<i32>(words, load<i32>(record, HASH_WORD << 2), HASH << 2);
  store<i32>(words, IN_USE | ((flags & PAIRED) != 0 ? PAIRED_FACT : 0) | ((flags & IPV6) != 0 ? IPV6_FACT : 0), FACTS << 2);
  if ((flags & PAIRED) != 0) {
    const pair = pairs + <usize>load<u32>(record, ADDRESS_WORD << 2) * ADDRESS_PAIR_BYTES;
    memory.copy(pairOf(words), pair, ADDRESS_PAIR_BYTES);
  }
  insert(load<u32>(words, HASH << 2), (<u64>(slot + 1)) << 32);
  hint(load<u32>(words, HASH << 2), slot);
  entered++;
  return slot;
}

function nextGeneration(): i32 {
  if (++generation == 0) generation = 1;
  return generation;
}

/** Reads a word of each line of a slot: misses that do not wait for each other overlap. What it answers means nothing but that it was read. */
export function touchSlot(slot: i32): i32 {
  const words = slotAt(slot);
  let sum = 0;
  for (let line: usize = 0; line < <usize>SLOT_BYTES; line += LINE_BYTES) sum += load<i32>(words + line);
  return sum;
}

/** Zeros for the words of a slot from a cache line on. */
function clear(words: usize, line: usize): void {
  for (let at = line * LINE_BYTES; at < <usize>SLOT_BYTES; at += 16) v128.store(words + at, v128.splat<i32>(0));
}

/** Forgets all of a slot but its key: the next incarnation of the same 4-tuple. */
export function renew(slot: i32): void {
  const words = slotAt(slot);
  const hash = load<i32>(words, HASH << 2);
  const facts = load<i32>(words, FACTS << 2) & (IN_USE | PAIRED_FACT | IPV6_FACT);
  for (let word: usize = FACTS; word < LINE_BYTES / 4; word++) store<i32>(words + (word << 2), 0);
  clear(words, 1);
  store<i32>(words, nextGeneration(), GENERATION << 2);
  store<i32>(words, hash, HASH << 2);
  store<i32>(words, facts, FACTS << 2);
}

function insert(hash: u32, slot: u64): void {
  let at = hash;
  while (load<u64>(homeOf(at)) != 0) at++;
  store<u64>(homeOf(at), slot | hash);
}

/** Gives a slot back. Later entries of its run in the index move up: no tombstones, so probes never grow longer with age. */
export function leave(slot: i32): void {
  const words = slotAt(slot);
  let hole = load<u32>(words, HASH << 2);
  while (load<i32>(homeOf(hole), 4) != slot + 1) hole++;
  for (let at = hole + 1; ; at++) {
    const entry = load<u64>(homeOf(at));
    if (entry == 0) break;
    if (((at - <u32>entry) & mask) < ((at - hole) & mask)) continue;
    store<u64>(homeOf(hole), entry);
    hole = at;
  }
  store<u64>(homeOf(hole), 0);
  entered--;
  store<i32>(words, 0, FACTS << 2);
  store<i32>(words, 0, GENERATION << 2);
  store<f64>(words, 0, EXPIRY << 3);
  store<i32>(words, free, LOW << 2);
  free = slot + 1;
}

/** Doubles the index in place; its entries wait meanwhile where connections are ordered only when no more come. */
function double(): void {
  const bytes = (<usize>mask + 1) * ENTRY_BYTES;
  memory.copy(ORDER, INDEX, bytes);
  memory.fill(INDEX, 0, bytes * 2);
  mask = mask * 2 + 1;
  for (let at = ORDER; at < ORDER + bytes; at += ENTRY_BYTES) {
    const entry = load<u64>(at);
    if (entry != 0) insert(<u32>entry, (entry >> 32) << 32);
  }
}
