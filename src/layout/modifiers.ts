// What else happened at a close: bits of a slot's MODIFIERS; tracker/modifiers.ts has their names.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const FIN_WITH_DATA = 0x1;
export const FIN_RETRANSMITTED = 0x2;
export const FIN_SEQ_CHANGED = 0x4;
export const FIN_INFERRED = 0x8;
export const RST_AFTER_CLOSE = 0x10;
export const DATA_AFTER_RST = 0x20;
export const RST_STORM = 0x40;
export const KEEPALIVE_BEFORE_CLOSE = 0x80;
export const ZERO_WINDOW_AT_CLOSE = 0x100;
export const REUSE_IN_TIME_WAIT = 0x200;
export const SYN_IN_TIME_WAIT_CHALLENGED = 0x400;
export const HALF_OPEN_DETECTED = 0x800;
export const SYN_CHALLENGED = 0x1000;
export const OUT_OF_ORDER = 0x2000;
export const GAP = 0x4000;
export const ONE_SIDED = 0x8000;
export const RST_INVALID = 0x10000;
export const RST_CHALLENGED = 0x20000;
export const DATA_AFTER_FIN = 0x40000;
export const KEEPALIVE_AFTER_FIN = 0x80000;

/** RSTs of one endpoint that make a storm. */
export const STORM_RSTS = 10;
