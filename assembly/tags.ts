// VLAN tags and network identifier of the present frame, for those who ask.

import { BY_VLAN, BY_VNI, DISTINGUISHED, FILTER_LENGTH } from '../src/layout/framing.ts';
import { TAGS } from './memory.ts';
import { word } from './state.ts';

/** As many as there may be headers in a frame. */
export const TAGS_MOST = 32;
const ID = 0x0fff;

let count = 0;
/** The innermost network identifier plus 1; 0: none. */
let network: u32 = 0;
let outerCount = 0;
let outerNetwork: u32 = 0;
let distinguished = 0;
/** Whether anybody asks. */
export let noting: bool = false;

/** A window begins. */
export function useTags(): void {
  distinguished = word(DISTINGUISHED);
  noting = distinguished != 0 || word(FILTER_LENGTH) > 0;
}

/** A frame begins: there are no tags but those of the frame that it lies in. */
export function forgetTags(): void {
  count = outerCount;
  network = outerNetwork;
}

/** The frames that come lie in the present one. */
export function keepTags(): void {
  outerCount = count;
  outerNetwork = network;
}

/** They lie in none. */
export function releaseTags(): void {
  outerCount = 0;
  outerNetwork = 0;
}

/** Remembers the identifier of a virtual network. */
export function noteNetwork(identifier: u32): void {
  network = identifier + 1;
}

/** Whether VLAN or tunnel are a part of the identity of connections. */
export function scoping(): bool {
  return distinguished != 0;
}

/** The scope of the present frame: see ADDRESS_PAIR_BYTES. */
export function scope(): u64 {
  let value: u64 = 0;
  if (distinguished & BY_VLAN) value = vlans();
  if (distinguished & BY_VNI) value |= (<u64>network) << 32;
  return value;
}

/** The ids of the first two tags. A tag of id 0 names no VLAN, only a priority (IEEE 802.1Q §9.6), which a bridge may take off. */
function vlans(): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  for (let i = 0; i < count && shift < 32; i++) {
    const id = load<u32>(TAGS + ((<usize>i) << 2));
    value |= (<u64>id) << shift;
    if (id != 0) shift += 16;
  }
  return value;
}

/** Remembers a tag by its control information. */
export function noteTag(control: i32): void {
  if (count == TAGS_MOST) return;
  store<i32>(TAGS + ((<usize>count) << 2), control & ID);
  count++;
}

/** Whether there is a tag of an id; -1: of any. */
export function hasTag(id: i32): bool {
  if (id < 0) return count > 0;
  for (let i = 0; i < count; i++) if (load<i32>(TAGS + ((<usize>i) << 2)) == id) return true;
  return false;
}
