// How WebAssembly writes the line of a connection (assembly/line.ts): by a template, which records/template.ts makes of the first
// connection of a shape. A template is a row of steps: some text, then a field of the connection at hand.
//
//   byte 0   field, below       1   endpoint that it is of       2   bytes of text (16 bits)       4   the text
//
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

/** Bytes of all templates of a shard; connections that no template is left for are written one by one. */
export const TEMPLATES_BYTES = 1048576;
/** Bytes of lines that are kept before they are taken, and of a line, more than the longest. */
export const LINES_BYTES = 4194304;
export const LINE_BYTES = 16384;
/** Bytes of a step before its text. */
export const STEP_BYTES = 4;

/** The line is over. */
export const NOTHING = 0;
/** Times, as RFC 3339: first and latest segment, begin of the close, TIME_WAIT of an endpoint. */
export const TIME_OF_START = 1;
export const TIME_OF_LAST = 2;
export const TIME_OF_CLOSE = 3;
export const TIME_OF_WAIT = 4;
export const TIME_OF_EXPIRY = 5;
export const TIME_OF_WAIT_END = 6;
/** Seconds: of the connection, of the whole close, and of its parts. */
export const SECONDS_OF_CONNECTION = 7;
export const SECONDS_OF_CLOSE = 8;
export const SECONDS_TO_FIN_ACK = 9;
export const SECONDS_HALF_CLOSED = 10;
export const SECONDS_TO_LAST_ACK = 11;
/** Of an endpoint. */
export const ADDRESS_TEXT = 12;
export const PORT_NUMBER = 13;
export const SEGMENT_COUNT = 14;
export const BYTE_COUNT = 15;
export const SYN_COUNT = 16;
export const FIN_COUNT = 17;
export const FIN_RETRANSMIT_COUNT = 18;
export const RST_COUNT = 19;
/** The digest of a Community ID. */
export const COMMUNITY = 20;
/** Zeek's history, Wireshark's completeness. */
export const HISTORY_TEXT = 21;
export const COMPLETENESS_NUMBER = 22;

/** Characters of a SHA-1 in base64. */
export const COMMUNITY_BYTES = 28;
