// A connection in the table: one slot of 32-bit words, the facts that its segments have shown so far.
//
// Every fact that an endpoint has is stored twice side by side: `words[slot + NXT + endpoint]`, endpoint 0 being the low
// one of the 4-tuple, 1 the high one. So all code is symmetric: it says sender and receiver, never client and server.
// What every segment touches stands in the first two cache lines; what only a handshake or a close touches, behind them.
//
//   words  0..15  key, capture times, what the connection is        (every segment)
//         16..31  NXT ACKED SEGMENTS SEEN BYTES ... of both          (every segment)
//         32..79  handshake, FINs, RST, close sequence, Zeek's words (opening and closing)
//
// The slots lie in the decoder's memory, because the short path of ordinary segments is WebAssembly (assembly/walk.ts).
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const SLOT_WORDS = 80;
export const SLOT_BYTES = 320;

// -- the connection: offsets in words
export const LOW = 0;
export const HIGH = 1;
export const PORTS = 2;
export const HASH = 3;
/** Facts of the connection, bits below. */
export const FACTS = 4;
/** Modifiers of its close, bits of modifiers.ts. */
export const MODIFIERS = 5;
/** Index of its IPv6 address pair, NO_PAIR, or FREE where the slot is nobody's. */
export const PAIR = 6;
export const NO_PAIR = -1;
export const FREE = -2;
/** Close tokens logged << 8 | Zeek history letters. */
export const LOGGED = 7;
/** Wireshark's completeness bits. */
export const COMPLETENESS = 8;
/** Counts how often this slot was given to a connection: tells a timer of an earlier one. */
export const GENERATION = 9;

// -- the connection: offsets in doubles, to be added to slot / 2. Times are ns on the capture clock.
/** First segment. */
export const START = 5;
/** Latest segment. */
export const LAST = 6;
/** When an ended connection leaves the table; 0 while it may go on. */
export const EXPIRY = 7;
/** Handshake complete: the client's own segment acknowledges the SYN-ACK. */
export const ESTABLISHED_TIME = 16;
/** First valid RST. */
export const RST_TIME = 17;

// -- each endpoint, short path: offset + endpoint
/** End of the highest sequence number it sent, SYN and FIN counted (RFC 9293: SND.NXT as seen). */
export const NXT = 16;
/** Highest acknowledgement it sent: what it has received for sure. */
export const ACKED = 18;
/** Segments it sent. */
export const SEGMENTS = 20;
/** Facts of the endpoint, bits below. */
export const SEEN = 22;
/** Latest TSval (RFC 7323) of the segments from the first FIN on. */
export const TSVAL = 24;
/** Payload bytes it sent, every sequence number counted once (double: offset in doubles). */
export const BYTES = 13;
/** Window it advertised last, as on the wire. */
export const WINDOW = 30;

// -- each endpoint, opening and closing
/** Initial sequence number; where no SYN was seen, one below the first sequence number seen. */
export const ISS = 36;
/** Sequence number of the FIN itself (seq + payload of the first valid FIN). */
export const FIN_SEQ = 38;
/** Acknowledgement that the first FIN carried. */
export const FIN_ACK = 40;
export const SYNS = 42;
export const FINS = 44;
export const RSTS = 46;
/** Zeek's endpoint state and history bits (zeek.ts). */
export const ZEEK = 48;
export const ZEEK_SYN = 50;
export const ZEEK_FIN = 52;
export const ZEEK_RST = 54;
/** Segments whose payload had all been seen before. */
export const RETRANSMITS = 56;
/** First SYN or SYN-ACK, first valid FIN, the peer's first acknowledgement of that FIN (offsets in doubles). */
export const SYN_TIME = 29;
export const FIN_TIME = 31;
export const FIN_ACKED_TIME = 33;

/** Four-bit close tokens (sequence.ts), TOKEN_CAPACITY of them. */
export const TOKENS = 70;
export const TOKEN_CAPACITY = 16;
/** Segments with the first valid FIN's number again. */
export const FIN_RETRANSMITS = 72;
/** One byte a letter of Zeek's history. */
export const HISTORY = 74;
export const HISTORY_CAPACITY = 24;

// -- bits of FACTS
/** The high endpoint is the client. */
export const CLIENT_IS_HIGH = 0x1;
export const IPV6 = 0x2;
/** Its first segment was neither SYN nor SYN-ACK. */
export const MIDSTREAM = 0x4;
/** The client's own segment has acknowledged the SYN-ACK. */
export const ESTABLISHED = 0x8;
/** A valid RST was seen; RESET_BY_HIGH tells from whom. */
export const RESET = 0x10;
export const RESET_BY_HIGH = 0x20;
/** That RST came after both FINs were acknowledged. */
export const RESET_AFTER_CLOSE = 0x40;
/** Both FINs are acknowledged. */
export const CLOSED = 0x80;
/** Both endpoints sent a SYN before either acknowledged one. */
export const SIMULTANEOUS_OPEN = 0x100;
/** A SYN carried payload that its SYN-ACK acknowledged. */
export const FAST_OPEN = 0x400;
/** The first SYN-ACK came without a SYN before it. */
export const SYN_ACK_FIRST = 0x800;
/** The RST answers a SYN: nobody listened. */
export const REFUSED = 0x1000;
/** Bytes were acknowledged that the capture does not hold. */
export const GAP = 0x2000;
/** There is an entry in the table's rare map. */
export const HAS_RARE = 0x4000;
/** Whom Zeek calls the originator. */
export const ZEEK_ORIG_IS_HIGH = 0x10000;
/** Nothing but ordinary data and acknowledgements is expected: the short path may take them. */
export const PLAIN = 0x8000;

// -- bits of SEEN
export const SYN_SENT = 0x1;
export const SYN_ACK_SENT = 0x2;
/** NXT holds a number. */
export const NXT_KNOWN = 0x4;
/** ACKED holds a number. */
export const ACKED_KNOWN = 0x8;
export const FIN_SENT = 0x10;
/** The peer acknowledged that FIN. */
export const FIN_ACKED = 0x20;
/** New payload after the peer's FIN was acknowledged. */
export const DATA_AFTER_FIN = 0x40;
/** A FIN retransmission whose acknowledgement is still to be named in the close sequence. */
export const FIN_AGAIN = 0x80;
/** Its latest segments were keep-alive probes. */
export const KEEPALIVE = 0x100;
/** Its first FIN carried the first acknowledgement of the peer's FIN. */
export const FIN_WITH_ACK = 0x200;
/** ISS is a SYN's own number, or proved by the peer's acknowledgement of it. */
export const ISS_KNOWN = 0x400;
/** Zeek has its letters for plain data (D) and plain acknowledgements (A). */
export const HISTORY_DATA = 0x800;
export const HISTORY_ACK = 0x1000;
/** Window scale of its SYN, in bits 16-19; SCALE_KNOWN where the SYN was seen. */
export const SCALE_KNOWN = 0x2000;
export const SCALE_SHIFT = 16;
/** A pure acknowledgement, sent before it, was captured after this endpoint's FIN. */
export const ACK_OVERTAKEN = 0x4000;
/** The peer has acknowledged this endpoint's SYN (simultaneous open only). */
export const SYN_ACKED = 0x8000;
/** FIN_SEQ and FIN_TIME are supposed: the peer acknowledged one number above all that was seen. */
export const FIN_SUPPOSED = 0x100000;
/** Its first FIN had an acknowledgement: FIN_ACK is one. */
export const FIN_HAS_ACK = 0x200000;
/** TSVAL holds one. */
export const TSVAL_KNOWN = 0x400000;
/** A segment of it has no room for a timestamp, so that none of them has one (RFC 7323 §3.2). */
export const NO_TIMESTAMPS = 0x800000;
