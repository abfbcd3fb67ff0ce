// How a decoder's output is laid out for those who take parts of it.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
//
// A decoder has several batches, so that some can be filled while others are still read. In each there is a bin for each shard: the
// records that it tracks, one behind the other, in capture order. A last fragment is in all bins.
//
//   counts of a slot   records of shard 0, 1, ... | address pairs
//   bins of a slot     SEGMENTS_CAPACITY records for shard 0 | for shard 1 | ... (of a window of one unit)

/** Batches, at most; and bins of all of them: few shards have many batches, SHARDS_CAPACITY have 2. */
export const SLOTS_CAPACITY = 26;
export const BINS = 144;
/** Shards that bins are kept for, at most. */
export const SHARDS_CAPACITY = 64;
/** Words of a slot's counts: one a shard, and behind them the address pairs of all. */
export const PAIR_COUNT = 64;
export const COUNTS_WORDS = 80;
/** Bytes of a window for whose records a bin has room, and a slot for their address pairs. */
export const WINDOW_UNIT = 1 << 21;
/** A larger window takes as many bins for one, and slots, as it has units: so many at most. */
export const LARGEST_UNITS = 4;
/** Room for a largest window and for a largest record, of 32 MiB, that crosses its end, and what is before both. */
export const WINDOW_BYTES = 42 << 20;
/**
 * Bytes of a stream that are kept, in a ring behind the first shard's window: more than WINDOW_BYTES and a few windows, so that what is too large
 * is told before the ring is full. That shard decodes them where they lie.
 */
export const STREAM_BYTES = 54 << 20;
/** Behind the ring: for what is written as one, but does not end with it. */
export const STREAM_MARGIN = 1 << 17;
/** The smallest record that writes one: a record header and an IPv4 header (a last fragment under raw IP). */
export const SMALLEST_RECORD_BYTES = 36;
/** Records in a bin: as many as can begin in a unit. */
export const SEGMENTS_CAPACITY = 57 << 10;
