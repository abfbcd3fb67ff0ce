// How a tracker and its short path (assembly/walk.ts) talk: a block of words, and the sizes of the table's regions.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
// Offsets are in 32-bit words from the block's address (`TRACKING`, exported by the module).

/** What the host has to do with the segment at which walk() stopped: one of the words below. */
export const REASON = 0;
/** Slot of the connection that the segment belongs to, -1 where there is none. */
export const FOUND = 1;
/** ENDS, FOLLOWS: the bits CLOSED and RESET of its facts before this segment. */
export const WAS = 2;
/** Counted since the host last set them to 0: segments, copies of earlier packets, packets forgotten too early, connections opened. */
export const SEGMENTS = 3;
export const COPIES = 4;
export const FORGOTTEN = 5;
export const OPENED = 6;
/** Set by the host: walk() is to stop at each connection that is opened. */
export const TELL_OPENED = 7;
/** Set by the host: a segment that belongs to no connection, and opens none by a SYN, may be one of an earlier connection. */
export const STRAYS = 8;

/** Set by the host: walk() is to stop at each connection that is closed or reset. */
export const TELL_ENDED = 9;

/** Set by the host: how far a packet may come behind those that were captured later, and still be told to be a copy of one before them, ms. */
export const LATENESS = 10;

export const TRACKING_WORDS = 11;

// Why walk() stopped.
/** It did not: all segments were taken. */
export const TAKEN = 0;
/** A timer is due before the segment is taken. */
export const DUE = 1;
/** The host has to decide which connection the segment belongs to: it was not taken. */
export const DECIDE = 2;
/** The segment was taken, and its connection is closed or reset by it, or not any more. */
export const ENDS = 3;
/** The segment was taken; it came after the close, or repeats a FIN before it. */
export const FOLLOWS = 4;
/** The segment was taken; it opened a connection. */
export const OPENS = 5;

/** Connections of one table, at most: a power of two. */
export const CONNECTIONS_CAPACITY = 8388608;
/** Entries that the index begins with; it doubles and is at most half full. */
export const FIRST_ENTRIES = 2048;
/** Bytes of an index entry: hash, slot + 1. */
export const ENTRY_BYTES = 8;
/** Hints where connections are that had segments lately (assembly/table.ts). */
export const HINTS = 65536;
/** Packets that may be remembered to tell their copies (assembly/copies.ts), bytes of each, and of the heads of two chains for it. */
export const RECENT_CAPACITY = 524288;
export const RECENT_BYTES = 32;
export const CHAIN_BYTES = 8;
/** Pages of 64 KiB of a decoder's memory before the slots, which lie at its end and grow (assembly/asconfig.json asks for as many). */
export const MEMORY_PAGES = 23772;
/** Pages that 32 bits can address. */
export const MOST_PAGES = 65536;
