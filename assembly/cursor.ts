// Where the headers are opened that few packets have, one after the other, and what has been learnt of them. A packet that is
// plain Ethernet or SLL, IP and TCP never comes here.
//
// Every opener finds its header at `at`, asks has() before it reads, and answers the layer that follows, with the cursor moved
// there, or ~reason. Loops above the openers bound how often that happens.

import { chain } from './hash.ts';

/** Address of the header to open. */
export let at: usize = 0;
/** Captured bytes from there on: nothing beyond them is read. */
export let left: i32 = 0;
/** Bytes from there on in the packet as it was. May be too few, even negative, where the capture says so. */
export let room: i32 = 0;
/**
 * What the headers tell of where the packet was captured: addresses, tags, network identifiers; 0 for none. Whatever numbers
 * or dates single packets (identifications, sequence numbers, timestamps) has no place in it, nor has what changes on the way:
 * two packets at one place must agree.
 */
export let path: u64 = 0;
/** Address of the first header whose bytes do number or date packets, 0 for none: those before it name a place, all of them. */
export let unsteadyAt: usize = 0;

/** Begins at a header. */
export function begin(address: usize, captured: i32, original: i32, known: u64): void {
  at = address;
  left = captured;
  room = original;
  path = known;
  unsteadyAt = 0;
}

/** Whether so many bytes were captured. */
export function has(bytes: i32): bool {
  return left >= bytes;
}

/** Passes bytes that were captured. */
export function pass(bytes: i32): void {
  at += bytes;
  left -= bytes;
  room -= bytes;
}

/** Ends the packet `bytes` from here: what follows is padding, or does not exist. */
export function endAfter(bytes: i32): void {
  left = min(left, bytes);
  room = bytes;
}

/** Notes up to 8 bytes that tell where a packet was captured. */
export function note(place: u64): void {
  path = chain(path, place);
}

/** Says that the bytes from here on hold more than the name of a place. */
export function unsteady(): void {
  if (unsteadyAt == 0) unsteadyAt = at;
}

export function byte(offset: usize): i32 {
  return load<u8>(at + offset);
}

/** A big-endian number of 16 bits. */
export function word(offset: usize): i32 {
  return bswap<u16>(load<u16>(at + offset));
}

/** A big-endian number of 32 bits. */
export function long(offset: usize): u32 {
  return bswap<u32>(load<u32>(at + offset));
}
