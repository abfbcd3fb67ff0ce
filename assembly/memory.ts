// Where things lie in linear memory. All of it is reserved here, once: the module never allocates and its memory never
// grows, so that the host's views stay valid. The window is the last region and page aligned, so that pages of a file can
// be mapped over it; what the host does not touch of it costs nothing.

import { SEGMENTS_CAPACITY, SHARDS_CAPACITY, SLOTS } from '../src/layout/batch.ts';
import { INTERFACE_BYTES, INTERFACES_CAPACITY, STATE_WORDS } from '../src/layout/framing.ts';
import { ADDRESS_PAIR_BYTES, SEGMENT_BYTES } from '../src/layout/segment.ts';

/** Room for a window and for a largest record, of 32 MiB, that crosses its end. */
export const WINDOW_BYTES = 34 << 20;

/** Keys derived from the seed (hash.ts). */
export const KEY_BYTES = 208;

export const STATE: usize = memory.data(STATE_WORDS * 4, 16);
export const KEYS: usize = memory.data(KEY_BYTES, 16);

// The large regions lie beyond all static data, which is far below 64 KiB. (As static data, debug builds would write out
// their zeros.) asconfig.json's initialMemory is the end of the window in pages of 64 KiB.
export const SEGMENTS_BYTES: usize = SEGMENTS_CAPACITY * SEGMENT_BYTES;
/** Every record may be IPv6. */
export const PAIRS_BYTES: usize = SEGMENTS_CAPACITY * ADDRESS_PAIR_BYTES;
export const LISTS_BYTES: usize = SHARDS_CAPACITY * 4 + SHARDS_CAPACITY * SEGMENTS_CAPACITY * 4;

export const INTERFACES: usize = 0x10000;
export const INTERFACES_BYTES: usize = INTERFACES_CAPACITY * INTERFACE_BYTES;
export const SEGMENTS: usize = INTERFACES + INTERFACES_BYTES;
export const PAIRS: usize = SEGMENTS + SEGMENTS_BYTES * SLOTS;
export const LISTS: usize = PAIRS + PAIRS_BYTES * SLOTS;
export const WINDOW: usize = (LISTS + LISTS_BYTES * SLOTS + 0xffff) & ~0xffff;
