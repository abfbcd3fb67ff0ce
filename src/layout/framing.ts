// The decoder's own block of words: the host writes the first part before a window, the decoder answers in the second.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
// Offsets are in 32-bit words from the block's address (`STATE`, exported by the module).

// -- written by the host, once a capture
/** 1 where the file header and the record headers are big-endian, else 0. */
export const SWAPPED = 0;
/** Nanoseconds that one unit of a record's fraction is worth: 1000 or 1. */
export const FRACTION_NS = 1;
export const LINK_TYPE = 2;
/** Largest captured length that a record may claim. */
export const LIMIT = 3;
/** Whole seconds (since 1970, UTC) at which the run's clock reads 0. */
export const ORIGIN = 4;
/** Mixed into the hash of every 4-tuple, so that nobody who writes a capture can choose collisions. */
export const SEED = 5;
/** Shards among which the 4-tuples are divided, 1 to SHARDS_CAPACITY. */
export const SHARDS = 6;

// -- carried from window to window
/** f64 (two words): the capture clock, ns since the origin: the largest timestamp so far. Starts at -Infinity. */
export const CLOCK = 8;

// -- answered by decode(), for this call alone
export const PACKETS = 10;
export const SEGMENTS = 11;
/** Address pairs written. */
export const PAIRS = 12;
/** Packets whose timestamp lies before the capture clock. */
export const REGRESSIONS = 13;
/** One of the words below. */
export const STOPPED = 14;
/** Records written: SEGMENTS and the last fragments, which are no segments. */
export const RECORDS = 15;
/** f64 (two words): the first packet's own timestamp, ns since the origin; Infinity where there was none. */
export const FIRST = 16;
/** DROP_REASONS words. */
export const DROPS = 18;

export const STATE_WORDS = 48;

// Why decode() stopped.
/** No more records begin before `stop`; or fewer bytes than one needs are left before `to`. */
export const WANTS_BYTES = 0;
/** The batch is full; go on at the answered offset. */
export const BATCH_FULL = 1;
/** The record header at the answered offset cannot be one: its captured length exceeds LIMIT. */
export const BROKEN_RECORD = 2;

/** Bytes in a pcap record header: seconds, fraction, captured length, original length. */
export const RECORD_HEADER_BYTES = 16;
