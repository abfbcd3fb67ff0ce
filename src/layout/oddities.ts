// What is strange but no reason to stop, by number; tracker/oddities.ts has the names.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const ACK_BEYOND_FIN = 0;
export const ACK_IMPLAUSIBLE = 1;
export const COPY_FORGOTTEN = 2;
export const FIN_INVALID = 3;
export const FRAGMENT_HEAD_FORGOTTEN = 4;
export const FRAGMENT_TAIL_FORGOTTEN = 5;
export const FRAGMENT_WITHOUT_TAIL = 6;
export const HOLE_FORGOTTEN = 7;
export const REUSE_FORGOTTEN = 8;
export const RST_CHALLENGED = 9;
export const RST_INVALID = 10;
export const SEQ_IMPLAUSIBLE = 11;
export const SYN_ACK_ISN_CHANGED = 12;
export const SYN_ACK_UNEXPECTED = 13;
export const SYN_UNANSWERED = 14;

export const ODDITIES = 15;
