// How facts are written to a slot. `words` is its address, `endpoint` that address moved to the words of one endpoint.

import { COMPLETENESS, FACTS, MODIFIERS, SEEN } from '../src/layout/slot.ts';

function add(address: usize, bits: i32): void {
  store<i32>(address, load<i32>(address) | bits);
}

/** Adds to the facts of a connection. */
export function setFact(words: usize, bits: i32): void {
  add(words + (FACTS << 2), bits);
}

/** Adds to the facts of an endpoint. */
export function setSeen(endpoint: usize, bits: i32): void {
  add(endpoint + (SEEN << 2), bits);
}

/** Takes facts of an endpoint back. */
export function clearSeen(endpoint: usize, bits: i32): void {
  store<i32>(endpoint, load<i32>(endpoint, SEEN << 2) & ~bits, SEEN << 2);
}

/** Adds to what else happened at a close. */
export function modify(words: usize, bits: i32): void {
  add(words + (MODIFIERS << 2), bits);
}

/** Adds to what Wireshark calls the completeness of a conversation. */
export function complete(words: usize, bits: i32): void {
  add(words + (COMPLETENESS << 2), bits);
}

/** Counts one more in a word. */
export function increase(address: usize): void {
  store<i32>(address, load<i32>(address) + 1);
}
