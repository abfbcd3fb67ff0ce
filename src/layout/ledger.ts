// The ledger of a run: who holds what, from when to when. Rows of ended connections (note.ts) come in lanes, one a shard. WebAssembly
// (assembly/ledger.ts) merges them into one order and keeps two accounts: hosts that hold TIME_WAIT, and groups of client, server and
// its port, which hold ports of the client. Each numbers its holders, and logs an interval for each time that one held something.
//
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

/** Lanes, as many as shards; and the rows that one has room for. */
export const LANES = 64;
export const LANE_ROWS = 1024;

// -- words of the state
/** How many of a lane's rows were taken, and how many there are; CLOSED: it has none that come before any of the other lanes'. */
export const LANE_NEXT = 0;
export const LANE_END = 64;
export const CLOSED = -1;
/** Two accounts behind each other, ACCOUNT words each. */
export const HOSTS = 128;
export const GROUPS = 132;
export const ACCOUNT = 4;
/** Of an account: holders that are told apart, rows of its log, and what came of holders beyond the limit. */
export const HOLDERS = 0;
export const LOGGED = 1;
export const BEYOND = 2;
export const STATE_WORDS = 136;

/** Holders of an account that are told apart; what comes later is counted together. */
export const HOLDERS_CAPACITY = 65536;
/** Rows of a log before the host has to take them all. */
export const LOG_CAPACITY = 524288;

/** Words of a holder's key: a host is an address and its family; a group a client's address, a server's, and its port | family << 16. */
export const HOST_WORDS = 5;
export const GROUP_WORDS = 9;
export const FAMILY_SHIFT = 16;

// -- rows of the logs, in doubles
/** The holder's number; -1: beyond the limit. */
export const NUMBER = 0;
/** TIME_WAIT of a host: from, to. */
export const HOST_FROM = 1;
export const HOST_TO = 2;
export const HOST_COLUMNS = 3;
/** A port of a group: held from, until; the client's TIME_WAIT from, to (NaN: none); the port. */
export const HELD_FROM = 1;
export const HELD_TO = 2;
export const PORT_WAIT_FROM = 3;
export const PORT_WAIT_TO = 4;
export const PORT = 5;
export const GROUP_COLUMNS = 6;

// -- what merge() answers, where not the place of a row that the host has to look at: in doubles of the lanes
/** A lane is empty. */
export const EMPTY = -1;
/** A log is full. */
export const FULL = -2;
/** All lanes were closed; now they are empty. */
export const OVER = -3;

/** Pages of 64 KiB of its memory (assembly/asconfig.json asks for as many). */
export const LEDGER_PAGES = 1038;
