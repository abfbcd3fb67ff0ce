// What is noted of every ended connection for the answers that need all shards together: a row of doubles. Endpoints are 0 (low)
// and 1 (high), and stand side by side, as in the tracker's slots. Times are ns on the capture clock.
//
//   when the record ended, and by which packet | key | what it was | its times | TIME_WAIT of both
//
// This file is compiled by asc and by tsc and must remain portable: integer constants only. Offsets are in doubles.

/** Capture time at which the record ended, and the packet that ended it: -1 a timer, RELEASED (tracker/ended.ts), Infinity the end of the capture. */
export const TIME = 0;
export const PACKET = 1;
/** Address of each endpoint, four words of 32 bits; an IPv4 address is the last one. */
export const ADDRESS = 2;
export const ADDRESS_WORDS = 4;
/** Port of the low endpoint << 16 | port of the high one. */
export const PORTS = 10;
/** Bits below. */
export const FACTS = 11;
/** Place of the class in CLOSE_CLASSES (tracker/close.ts). */
export const CLASS = 12;
/** Bits of modifiers.ts. */
export const MODIFIERS = 13;
/** First segment, latest segment, and until when the client's port was taken; Infinity: it still was when the capture ended. */
export const START = 14;
export const LAST = 15;
export const HELD_UNTIL = 16;
/** Place in RESET_STAGES of the RST, or -1; and the silence before it, where that was long enough to be noted (tracker/rare.ts), ns. */
export const RESET = 17;
export const RESET_IDLE = 18;
/** Since when an endpoint is in CLOSE_WAIT at the end of the capture; NaN: none is. */
export const CLOSE_WAIT = 19;
/** Each endpoint's TIME_WAIT: from, to (Infinity: beyond the capture), latest start of its time, how it ended. NaN: none. */
export const WAIT_FROM = 20;
export const WAIT_TO = 22;
export const WAIT_SINCE = 24;
export const WAIT_END = 26;
export const COLUMNS = 28;

// -- bits of FACTS
export const CLIENT_IS_HIGH = 1;
export const IPV6 = 2;
/** The capture ended before the record did. */
export const AT_END = 4;
/** The high endpoint sent the RST. */
export const RESET_BY_HIGH = 8;
/** The high endpoint is in CLOSE_WAIT. */
export const LEAKS_HIGH = 16;
/** The peer of an endpoint in CLOSE_WAIT still probes it: the program lives and does not close. */
export const PROBED = 32;
/** The low endpoint repeated its FIN, which was never acknowledged; the next bit: the high one did. No RST ended it. */
export const REPEATS_FIN = 64;

// -- a value of CLASS
/** The handshake was never completed. */
export const NO_REPLY = 1;

// -- how a TIME_WAIT ended: values of WAIT_END
export const EXPIRY = 0;
export const REUSE = 1;
export const RST = 2;
export const CAPTURE_END = 3;
