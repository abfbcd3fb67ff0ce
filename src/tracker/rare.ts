import type { Segment } from './segment.ts';
import type { Stay } from './stay.ts';

/** A SYN of a 4-tuple that was still in TIME_WAIT (SPEC §4), as it was when the SYN was captured. Times are ns. */
export interface Reuse {
  /** The SYN's sender and its number. */
  readonly sender: number;
  readonly isn: number;
  /** Whose TIME_WAIT it met: its receiver's, which answers it; its sender's own where only that one holds. */
  readonly holder: number;
  /** Since that TIME_WAIT last started; and since the latest segment of the old incarnation. */
  readonly age: number;
  readonly gap: number;
  /** Its number minus the highest that the same sender used before; its TSval minus the latest one known of it. Not a number: unknown. */
  readonly isnDelta: number;
  readonly tsvalDelta: number;
  /** By the numbers and timestamps, no stack would let it into TIME_WAIT. */
  readonly barred: boolean;
  /** That TIME_WAIT ran out before anything answered. */
  readonly outlived?: true;
}

/** What came of it: a SYN-ACK (or its sender went on as if there had been one), a plain ACK of the old incarnation, an RST, nothing. */
export const REUSE_VERDICTS = ['accepted', 'challenged', 'refused', 'ignored'] as const;
export type ReuseVerdict = (typeof REUSE_VERDICTS)[number];

/** A reuse that began no incarnation. */
export interface Rejected {
  readonly reuse: Reuse;
  readonly verdict: ReuseVerdict;
}

/** A SYN with an unknown ISN on a living connection: nobody can say yet whether it will be accepted (SPEC §2, identity). */
export interface HeldSyn {
  readonly segment: Segment;
  /** How often it was seen, and when last. */
  count: number;
  last: number;
  /** How often with FIN. */
  fins: number;
  /** It met a TIME_WAIT. */
  readonly reuse: Reuse | undefined;
}

/** An RST inside the window but not at the exact number: it counts only if its receiver is never seen alive again (RFC 5961 §3). */
export interface DoubtfulReset {
  readonly time: number;
  readonly sender: number;
  /** What it shows of FINs: bits of RST_SHOWS. */
  readonly shows: number;
  /** Where its token belongs in the close sequence: behind the FIN that its number counts, too. */
  readonly position: number;
  readonly seq: number;
  /** Its number is the end of what its sender has sent: exact for whoever acknowledges up to there, be it sent before the RST came. */
  readonly atEnd: boolean;
  /** Where it counts, the connection was open before it, though the capture lacks that. */
  readonly opens: boolean;
}

/** A FIN that lies far beyond what its receiver would take: where its sender was before it, and what it had acknowledged, if anything. */
export interface FarFin {
  readonly nxt: number;
  readonly acked: number | undefined;
}

/** Shorter silences are the ordinary course of a connection, ns. */
export const IDLE = 1e9;

/** What few connections have: kept beside the slots, so that all the others stay small. */
export class Rare {
  held: HeldSyn | undefined;
  doubtful: DoubtfulReset | undefined;
  /** Endpoint whose SYN was challenged, or -1. */
  challenged = -1;
  /** The SYN that began this incarnation met a TIME_WAIT of the one before. */
  reuse: Reuse | undefined;
  /** SYNs that met this one's TIME_WAIT and were not let in, at most REJECTED. */
  readonly rejected: Rejected[] = [];
  /** Close tokens beyond a slot's room, at most MORE_TOKENS. */
  tokens: number[] = [];
  /** Zeek history letters beyond a slot's room, at most HISTORY_MORE. */
  history = '';
  /** Sequence ranges not seen yet below NXT: start, end, start, end ... of each endpoint. */
  readonly holes: [number[], number[]] = [[], []];
  /** Payload that each endpoint sent after it had acknowledged the peer's FIN. */
  readonly halfClosedBytes: [number, number] = [0, 0];
  /** What lies below was sent before each endpoint acknowledged the peer's FIN; undefined where nothing was missing then. */
  readonly sentBefore: [number | undefined, number | undefined] = [undefined, undefined];
  /** The initial sequence number of each endpoint's SYN-ACK before one that has another. */
  readonly earlierIss: [number | undefined, number | undefined] = [undefined, undefined];
  /** Simultaneous open: when each endpoint sent its SYN-ACK, and was ESTABLISHED; 0: never. */
  readonly synAckTime: [number, number] = [0, 0];
  readonly establishedTime: [number, number] = [0, 0];
  /** Restarts of each endpoint's TIME_WAIT, and the peer's segment that caused the latest. */
  readonly restarts: [number, number] = [0, 0];
  readonly restarted: [number, number] = [0, 0];
  /** The same before the holder's own acknowledgement was seen: they count where that stays missing. */
  readonly earlyRestarts: [number, number] = [0, 0];
  readonly earlyRestarted: [number, number] = [0, 0];
  /** The far FIN of each, while it may be that nobody sent it. */
  readonly farFins: [FarFin | undefined, FarFin | undefined] = [undefined, undefined];
  /** What each endpoint's TIME_WAIT has shown of its length. */
  readonly stays: [Stay | undefined, Stay | undefined] = [undefined, undefined];
  /** When the peer of each endpoint last sent something that would restart a TIME_WAIT which an RST seems to have ended. */
  readonly knocked: [number, number] = [0, 0];
  /** Silence before the RST that was believed, where it was worth a word (IDLE), ns. */
  resetIdle = 0;
  /** Whose FIN came behind its first acknowledgement of the peer's: captured so, or held up by a hole; or -1. */
  finBehindAck = -1;
  readonly zeroWindows: [number, number] = [0, 0];
  readonly gaps: [number, number] = [0, 0];
}

/** Close tokens kept beside a slot's own; what follows them is counted, not named. */
export const MORE_TOKENS = 48;
/** Letters of Zeek's history kept beside a slot's own. */
export const HISTORY_MORE = 104;
/** SYNs remembered that a TIME_WAIT did not let in; further ones are counted. */
export const REJECTED = 8;
/** Ranges remembered as holes, per endpoint; the oldest is forgotten (and counted) beyond that. */
export const HOLES = 64;
