// How a decoder's output is laid out for those who take parts of it.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
//
// A decoder has SLOTS batches, so that one can be filled while others are still read. In each, the records stand in capture
// order; for each shard there is a list of the indices of those that it tracks. A last fragment is on all lists.
//
//   lists of a slot   count of shard 0, 1, ... | SEGMENTS_CAPACITY indices for shard 0 | for shard 1 | ...

export const SLOTS = 3;
/** Shards that lists are kept for, at most. */
export const SHARDS_CAPACITY = 64;
/** Bytes of a capture whose records are decoded into one batch, at most. */
export const WINDOW_CAPACITY = 1 << 20;
/** The smallest record that writes one: a record header and an IPv4 header (a last fragment under raw IP). */
export const SMALLEST_RECORD_BYTES = 36;
/** Records in a batch: as many as can begin in a window. */
export const SEGMENTS_CAPACITY = 29184;
/** Pages of 64 KiB of a decoder's memory: up to the end of its window (assembly/asconfig.json asks for as many). */
export const MEMORY_PAGES = 1019;
