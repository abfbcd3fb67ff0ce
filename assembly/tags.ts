// VLAN tags of the present frame, for those who ask.

import { TAGS } from './memory.ts';

/** As many as there may be headers in a frame. */
export const TAGS_MOST = 32;
const ID = 0x0fff;

let count = 0;

export function forgetTags(): void {
  count = 0;
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
