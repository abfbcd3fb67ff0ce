// How a tracker and its short path (assembly/walk.ts) talk: a block of words, and the sizes of the table's regions.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
// Offsets are in 32-bit words from the block's address (`TRACKING`, exported by the module).

/** Why walk() stopped: one of the words below. */
export const REASON = 0;
/** Slot of the connection that the segment belongs to, -1 where there is none. */
export const FOUND = 1;
/** Counted since the host last set them to 0: segments, copies of earlier packets, and packets forgotten too early. */
export const SEGMENTS = 2;
export const COPIES = 3;
export const FORGOTTEN = 4;

export const TRACKING_WORDS = 8;

// Why walk() stopped.
/** All segments were taken. */
export const DONE = 0;
/** A timer is due before the segment is taken. */
export const DUE = 1;
/** The segment may change a state: the host takes it. */
export const DECIDE = 2;
/** The segment was taken, but it is its sender's first with payload, or without, and its letter is missing. */
export const LETTER = 3;

/** Connections of one table, at most. */
export const CONNECTIONS_CAPACITY = 8388608;
/** Entries that the index begins with; it doubles and is at most half full. */
export const FIRST_ENTRIES = 2048;
/** Bytes of an index entry: hash, slot + 1. */
export const ENTRY_BYTES = 8;
/** Pages of 64 KiB of a decoder's memory before the slots, which lie at its end and grow (assembly/asconfig.json asks for as many). */
export const MEMORY_PAGES = 14633;
/** Pages that 32 bits can address. */
export const MOST_PAGES = 65536;
