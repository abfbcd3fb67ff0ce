// What few connections need is kept and done by the host (src/tracker/host.ts): calls to it. `slot` names the connection,
// `endpoint` is 0 or 1, as everywhere.

/** Counts what is strange (src/layout/oddities.ts). */
export declare function oddity(which: i32): void;
/** Keeps the close token of number `at` beyond a slot's room, as far as there is room, unless an RST stands before it; answers 0 if one does. */
export declare function moreTokens(slot: i32, at: i32, token: i32): i32;
/** Keeps a letter of Zeek's history for which a slot has no room left. */
export declare function moreLetters(slot: i32, letter: i32): void;
/** Remembers [from, to) of what an endpoint sent as unseen. */
export declare function addHole(slot: i32, endpoint: i32, from: i32, to: i32): void;
/** Takes [from, to) out of the unseen ranges; answers how many bytes of it were in them. */
export declare function fillHoles(slot: i32, endpoint: i32, from: i32, to: i32): i32;
export declare function forgetHoles(slot: i32, endpoint: i32): void;
/** How many unseen ranges of an endpoint an acknowledgement of `ack` covers, a part of them at least, that one of `before` did not. */
export declare function coveredHoles(slot: i32, endpoint: i32, before: i32, ack: i32): i32;
/** Whether one of `ack` covers all unseen ranges of an endpoint. */
export declare function areCovered(slot: i32, endpoint: i32, ack: i32): i32;
/** Counts acknowledgements of payload that the capture lacks, and windows of zero; answers how many there are. */
export declare function countGap(slot: i32, endpoint: i32): i32;
export declare function countZeroWindow(slot: i32, endpoint: i32): i32;
/** An endpoint sent a SYN-ACK numbered from `iss`, and now one that is numbered from elsewhere. */
export declare function noteIss(slot: i32, endpoint: i32, iss: i32): void;
/** That number; the `latest` one where there was only one. */
export declare function earlierIss(slot: i32, endpoint: i32, latest: i32): i32;
/** Simultaneous open: an endpoint sent its SYN-ACK, or was established, at `time`. */
export declare function noteSynAck(slot: i32, endpoint: i32, time: f64): void;
export declare function noteEstablished(slot: i32, endpoint: i32, time: f64): void;
/**
 * An endpoint that has something rare acknowledges the peer's FIN: what lies below its `next` number was sent before. `lacksFin`: its own FIN,
 * which was sent before, too, lies behind a hole yet.
 */
export declare function noteFinAcked(slot: i32, endpoint: i32, next: i32, lacksFin: i32): void;
/** Counts what of `bytes` new ones up to number `end` an endpoint sent after that, and answers how many they are. */
export declare function addHalfClosedBytes(slot: i32, endpoint: i32, end: i32, bytes: i32): i32;
/** An endpoint lives, and has everything up to `ack`: an inexact RST that it was sent was not believed. */
export declare function stillAlive(slot: i32, endpoint: i32, ack: i32): void;
/** Takes an RST, after `idle` ns of silence; `first`: it is the first segment of its connection. */
export declare function reset(slot: i32, record: usize, idle: f64, first: i32): void;
/** An endpoint that sent an acknowledgement after an RST had ended its TIME_WAIT, as it seemed. */
export declare function surviveReset(slot: i32, endpoint: i32): void;
/** An endpoint's FIN was captured behind the segment that acknowledges it. */
export declare function acknowledgedAlready(slot: i32, endpoint: i32, time: f64): void;
/** An acknowledgement of the peer's FIN was captured behind its sender's own FIN, before which it was sent. */
export declare function overtaken(slot: i32, endpoint: i32, firstTime: i32): void;
/** A FIN was captured behind an acknowledgement of its sender that acknowledges more: it was sent before that. */
export declare function sentBeforeAck(slot: i32, endpoint: i32): void;
/**
 * An endpoint's FIN was far beyond what its receiver would take, and beyond all that was seen of it, which ended at `nxt`; it had
 * acknowledged `acked` before, if it had `acknowledged` anything.
 */
export declare function farFin(slot: i32, endpoint: i32, nxt: i32, acked: i32, acknowledged: i32): void;
/** An endpoint whose FIN is not acknowledged goes on at `start`: where that is what was seen before a far FIN, it sent no FIN. */
export declare function goesOn(slot: i32, endpoint: i32, start: i32): void;
/** Whether nothing but ordinary segments is expected, of a connection that has something rare. */
export declare function mayBePlain(slot: i32): i32;
