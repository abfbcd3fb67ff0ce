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

// -- carried from window to window
/** f64 (two words): the capture clock, ns since the origin: the largest timestamp so far. Starts at -Infinity. */
export const CLOCK = 6;

// -- answered by decode(), for this call alone
export const PACKETS = 8;
export const SEGMENTS = 9;
/** Address pairs written. */
export const PAIRS = 10;
/** Packets whose timestamp lies before the capture clock. */
export const REGRESSIONS = 11;
/** One of the words below. */
export const STOPPED = 12;
/** Records written: SEGMENTS and the last fragments, which are no segments. */
export const RECORDS = 13;
/** DROP_REASONS words. */
export const DROPS = 16;

export const STATE_WORDS = 32;

// Why decode() stopped.
/** Fewer bytes than a record header, or than its record, are left before `to`. */
export const WANTS_BYTES = 0;
/** The batch is full; go on at the answered offset. */
export const BATCH_FULL = 1;
/** The record header at the answered offset cannot be one: its captured length exceeds LIMIT. */
export const BROKEN_RECORD = 2;

/** Bytes in a pcap record header: seconds, fraction, captured length, original length. */
export const RECORD_HEADER_BYTES = 16;
