// A connection that has left the table because its TIME_WAIT was over: what tells its late segments (src/tracker/departed.ts). Where several
// leave at once, WebAssembly writes it (assembly/depart.ts).
// This file is compiled by asc and by tsc and must remain portable: integer constants only. Offsets are in words of an entry.

/** The key, as slots have it. */
export const LOW = 0;
export const HIGH = 1;
export const PORTS = 2;
export const HASH = 3;
/** The numbers of both FINs. */
export const FIN_SEQS = 4;
/** Endpoints that held TIME_WAIT, bits 1 and 2. */
export const HOLDERS = 6;
/** The number of the entry before it in its bucket. */
export const BEFORE = 7;
export const DEPARTURE_WORDS = 8;
