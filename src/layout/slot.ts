// A connection in the table: one slot of 32-bit words, the facts that its segments have shown so far.
//
// Every fact that an endpoint has is stored twice side by side: `words[slot + NXT + endpoint]`, endpoint 0 being the low
// one of the 4-tuple, 1 the high one. So all code is symmetric: it says sender and receiver, never client and server.
// A slot is five cache lines, by who needs them, because with many connections each line is a trip to memory:
//
//   words  0..15  every segment, and all that an ordinary one touches
//         16..31  every segment that is not ordinary
//         32..47  handshake
//         48..63  FINs
//         64..79  what few segments touch
//
// The slots lie in the decoder's memory: WebAssembly gathers the facts (assembly/observe.ts), TypeScript draws the conclusions.
// This file is compiled by asc and by tsc and must remain portable: integer constants only. Offsets are in words; those of endpoints
// + endpoint. Times are ns on the capture clock, and their offsets in doubles, to be added to slot / 2.

export const SLOT_WORDS = 80;
export const SLOT_BYTES = 320;

// -- every segment
/** In a free slot: the next free one plus 1, or 0. */
export const LOW = 0;
export const HIGH = 1;
export const PORTS = 2;
/** Facts of the connection, bits below; 0: the slot is free. */
export const FACTS = 3;
/** Facts of the endpoint, bits below. */
export const SEEN = 4;
/** End of the highest sequence number it sent, SYN and FIN counted (RFC 9293: SND.NXT as seen). */
export const NXT = 6;
/** Highest acknowledgement it sent: what it has received for sure. */
export const ACKED = 8;
/** Segments it sent. */
export const SEGMENTS = 10;
/** Window that each advertised last, as on the wire: of the low endpoint in the low 16 bits, of the high one in the others. */
export const WINDOWS = 12;
/** Ordinary segments that were the first of their kind, in their order, and are not in history and completeness yet: four bits each,
 * LETTER | sender << 1 | whether with payload. */
export const LETTERS = 13;
export const LETTER = 8;
/** Latest segment. */
export const LAST = 7;

// -- every segment that is not ordinary
/** Close tokens logged << 8 | Zeek history letters. */
export const LOGGED = 16;
/** Wireshark's completeness, bits below. */
export const COMPLETENESS = 17;
/** Zeek's endpoint state, the one before, and history bits (zeek.ts). */
export const ZEEK = 18;
/** NXT when BYTES was right; they are never more than 2^31 apart. */
export const COUNTED = 20;
/** Payload bytes it sent up to COUNTED, every sequence number counted once (offset in doubles). Ordinary segments only move NXT on. */
export const BYTES = 11;
/** Segments with FIN. */
export const FINS = 26;
/** One byte a letter of Zeek's history. */
export const HISTORY = 28;
export const HISTORY_CAPACITY = 16;

// -- handshake
export const HASH = 32;
/** A number that no connection of this slot had before, 0 where there is none: tells what was said of an earlier one. */
export const GENERATION = 33;
/** First segment. */
export const START = 17;
/** Handshake complete: the client's own segment acknowledges the SYN-ACK. */
export const ESTABLISHED_TIME = 18;
/** First SYN or SYN-ACK. */
export const SYN_TIME = 19;
/** Initial sequence number; where no SYN was seen, one below the first sequence number seen. */
export const ISS = 42;
/** Segments with SYN. */
export const SYNS = 44;
export const ZEEK_SYN = 46;

// -- FINs
/** First valid FIN, and the peer's first acknowledgement of it. */
export const FIN_TIME = 24;
export const FIN_ACKED_TIME = 26;
/** Sequence number of the FIN itself (seq + payload of the first valid FIN). */
export const FIN_SEQ = 56;
/** Acknowledgement that the first FIN carried. */
export const FIN_ACK = 58;
export const ZEEK_FIN = 60;
/** Four-bit close tokens, TOKEN_CAPACITY of them. */
export const TOKENS = 62;
export const TOKEN_CAPACITY = 16;

// -- what few segments touch
/** When an ended connection leaves the table; 0 while it may go on. */
export const EXPIRY = 32;
/** First valid RST. */
export const RST_TIME = 33;
/** Modifiers of its close, bits of modifiers.ts. */
export const MODIFIERS = 68;
/** Segments with RST. */
export const RSTS = 70;
export const ZEEK_RST = 72;
/** Which entry of those who wait tells that (assembly/expiry.ts). */
export const EXPIRY_ENTRY = 69;
/** Segments with the first valid FIN's number again. */
export const FIN_RETRANSMITS = 74;
/** Segments whose payload had all been seen before. */
export const RETRANSMITS = 76;
/** Latest TSval (RFC 7323) of the segments from the first FIN on. */
export const TSVAL = 78;

/** Whoever waits for the acknowledgement of a FIN repeats it within this time, but over the slowest paths (RFC 6298 §2), ns. */
export const UNREPEATED = 1000000000;

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
/** There is a connection in this slot. */
export const IN_USE = 0x200;
/** A SYN carried payload that its SYN-ACK acknowledged. */
export const FAST_OPEN = 0x400;
/** That RST acknowledges its receiver's FIN: its sender had taken that. */
export const RST_ACKS_FIN = 0x800;
/** The RST answers a SYN: nobody listened. */
export const REFUSED = 0x1000;
/** Its addresses are kept beside the slots: they are IPv6, or have a scope. */
export const PAIRED = 0x2000;
/** There is an entry in the table's rare map. */
export const HAS_RARE = 0x4000;
/** Nothing but ordinary data and acknowledgements is expected: the short path may take them. */
export const PLAIN = 0x8000;
/** Whom Zeek calls the originator. */
export const ZEEK_ORIG_IS_HIGH = 0x10000;
/** A SYN of what may be the next incarnation is held until its receiver has answered. */
export const HELD = 0x20000;
/** That RST has the number of its sender's FIN, or the one behind it: whoever was reset by it had taken the FIN that came first. */
export const RST_COUNTS_FIN = 0x40000;
/** What that RST shows of FINs. */
export const RST_SHOWS = RST_ACKS_FIN | RST_COUNTS_FIN;
/** Its receiver sent its first FIN, of FIN_TIME, before it met that RST, which is captured in front of it. */
export const FIN_AFTER_RST = 0x80000;
/** The same of its first acknowledgement of the peer's FIN, of FIN_ACKED_TIME. */
export const ACK_AFTER_RST = 0x100000;

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
/** Its SYN has no options: windows are not scaled (RFC 7323 §2.2). Of others nobody knows, because a short snapshot cuts them. */
export const NO_SCALE = 0x1000000;
/** All that was seen of it, in the middle of a connection, may be keep-alive probes: then NXT is one too low. */
export const NXT_DOUBTED = 0x2000000;
/** Its first FIN acknowledged more than all that it had sent before. */
export const FIN_ACKS_ANEW = 0x4000000;
/** Its first FIN was captured behind what it sent later, and acknowledges as much: the first transmission may be missing. */
export const FIN_LATE = 0x10000000;
/** An RST of it acknowledges nothing, and has no number behind its FIN: it answers what was sent before that FIN was taken. */
export const RST_BEFORE_ACK = 0x20000000;
/** Something below NXT is missing that its peer has not acknowledged: it may come, or the capture lacks it. */
export const UNCOVERED = 0x8000000;

// -- bits of COMPLETENESS: what was seen of a conversation, whoever sent it and whatever its numbers (Wireshark's user's guide,
// "TCP Conversation Completeness")
export const COMPLETE_SYN = 1;
export const COMPLETE_SYN_ACK = 2;
export const COMPLETE_ACK = 4;
export const COMPLETE_DATA = 8;
export const COMPLETE_FIN = 16;
export const COMPLETE_RST = 32;

// -- close tokens: the waves of a close (SPEC §3), kind | endpoint << 3
export const ENDPOINT_OF_TOKEN = 8;
/** First FIN. */
export const F = 0;
/** First FIN that is also the first acknowledgement of the peer's. */
export const FA = 1;
/** First acknowledgement of the peer's FIN. */
export const A = 2;
/** New payload after the peer's FIN was acknowledged. */
export const D = 3;
/** FIN retransmission. */
export const F_AGAIN = 4;
/** Acknowledgement of a FIN retransmission. */
export const A_AGAIN = 5;
/** The first valid RST, and the first one after a full close. */
export const R = 6;
