// Zeek's endpoint states and history, as a slot keeps them (ZEEK of slot.ts).
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

// Endpoint states, in bits 0-2 of the word; the one before in bits 3-5.
export const INACTIVE = 0;
export const SYN_SENT = 1;
export const SYN_ACK_SENT = 2;
export const PARTIAL = 3;
export const ESTABLISHED = 4;
export const CLOSED = 5;
export const RESET = 6;

// Letters that an endpoint has in its history already.
export const H_SYN = 0x100;
export const H_FIN = 0x200;
export const H_RST = 0x400;
export const H_INCONSISTENT = 0x800;
export const H_MULTI = 0x1000;
