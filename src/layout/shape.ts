// The shape of an ended connection: all that its verdict depends on, times left out. Traffic has few shapes and many connections. What
// TypeScript has concluded of the first connection of a shape (src/stats/shapes.ts) holds for all that follow, and WebAssembly counts,
// times and notes those (assembly/conclude.ts).
//
//   key        six words, below
//   traits     what the verdict says that times are computed from, and what it writes into a row of layout/note.ts
//   counters   of the connections of a shape: one for each way in which the TIME_WAITs of both endpoints may have ended
//
// Connections that have something beside their slot (HAS_RARE) have no shape. This file is compiled by asc and by tsc and must remain
// portable: integer constants only. Offsets are in words of a shape.

/** Shapes that are told apart in a shard; connections of further ones are looked at one by one. */
export const SHAPES_CAPACITY = 4096;
export const SHAPE_WORDS = 16;
export const SHAPE_BYTES = 64;
export const KEY_WORDS = 6;

// -- key
/** Facts of the connection (slot.ts) | what was computed of its numbers and times, bits below | how it ended << ENDING_SHIFT. */
export const KEY_FACTS = 0;
export const KEY_MODIFIERS = 1;
/** SEEN of both endpoints. */
export const KEY_SEEN = 2;
/** Close tokens: how many (8 bits: those of a slot), what Zeek's state of both endpoints is, and who its originator; and which tokens. */
export const KEY_LOGGED = 3;
export const KEY_TOKENS = 4;

/** FIN of the low endpoint is proved only by its acknowledgement; that of the high one by the next bit. So in all of them. */
export const INFERRED = 0x2000;
/** Bytes of the endpoint were acknowledged that the capture does not hold. */
export const GAP = 0x8000;
/** The endpoint sent nothing. */
export const SILENT = 0x20000;
/** The endpoint's first FIN acknowledges the peer's. */
export const FIN_ACKNOWLEDGES = 0x80000;
/** The endpoint's FIN came no later than the peer's. */
export const FIN_FIRST = 0x200000;
/** Place in ENDINGS (tracker/ended.ts), and whether it was the capture's end. */
export const ENDING_SHIFT = 24;
export const ENDED_AT_END = 8;
/** Places in ENDINGS: of a record whose time was over, and of one that a new connection of the same 4-tuple ended. */
export const EXPIRED = 0;
export const TUPLE_REUSED = 1;
/** Beside those: the record goes on, and what is known by now is meant. */
export const GOES_ON = 7;

// -- traits
/** What times are computed from, bits below. */
export const TIMING = 6;
/** Columns of the row, IPV6 of its facts left out. */
export const ROW_FACTS = 7;
export const ROW_CLASS = 8;
export const ROW_MODIFIERS = 9;
export const ROW_RESET = 10;

/** The low endpoint closed first; the high one: the next bit; both: crossed. */
export const ACTIVE = 0x1;
/** The endpoint's FIN is known; it is acknowledged; it is inferred. */
export const HAS_FIN = 0x4;
export const HAS_ACK = 0x10;
export const IS_INFERRED = 0x40;
/** A reset counts, the high endpoint's with the other bit. */
export const IS_RESET = 0x100;
export const IS_RESET_BY_HIGH = 0x200;
/** An endpoint is in CLOSE_WAIT at the capture's end. */
export const IN_CLOSE_WAIT = 0x400;
/** The handshake was never completed. */
export const UNANSWERED = 0x800;
/** The client's port is free but for TIME_WAIT. */
export const FREES_PORT = 0x1000;

// -- counters
/** Ways in which a TIME_WAIT may have ended: not at all, and those of note.ts plus 1; of both endpoints. */
export const WAYS = 5;
export const COUNTERS = 25;

// -- what else there is of all connections with a shape
/** Rows that are written before the host has to take them. */
export const ROWS_CAPACITY = 1024;
/** Durations: FIN to its ACK, half closed, last ACK, whole close; each has bins, and behind them count and longest. */
export const DURATIONS = 4;
export const DURATION_BINS = 8192;
export const DURATION_DOUBLES = 8200;
