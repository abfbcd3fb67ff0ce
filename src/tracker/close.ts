import * as modifiers from './modifiers.ts';
import { distance } from './serial.ts';
import {
  ACKED,
  ACKED_KNOWN,
  CLOSED,
  DATA_AFTER_FIN,
  ESTABLISHED,
  FACTS,
  FIN_ACK,
  FIN_ACKED,
  FIN_HAS_ACK,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FIN_WITH_ACK,
  MIDSTREAM,
  MODIFIERS,
  NXT,
  NXT_KNOWN,
  REFUSED,
  RESET,
  RESET_BY_HIGH,
  RST_TIME,
  SEEN,
  SEGMENTS,
} from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

/** How a connection ended, exclusive, in the order in which the criteria are tested (SPEC §3). */
export const CLOSE_CLASSES = [
  'refused',
  'no_reply',
  'aborted_handshake',
  'rst_abort',
  'data_after_close_rst',
  'fin_then_rst',
  'fin_answered_by_rst',
  'simultaneous',
  'three_segment',
  'four_wave',
  'half_close',
  'last_ack_missing',
  'half_open',
  'fin_unacked',
  'not_closed',
  'orderly',
  'unknown',
] as const;

export type CloseClass = (typeof CLOSE_CLASSES)[number];
/** What the initiator was decided by. */
export type Basis = 'fin_acks' | 'order' | 'rst' | 'inferred';
export type Confidence = 'certain' | 'likely' | 'unknown';

/** The close of one connection: a pure function of its facts. Endpoints are 0 (low) and 1 (high). */
export interface Verdict {
  class: CloseClass;
  initiator: 0 | 1 | 'both' | undefined;
  basis: Basis | undefined;
  confidence: Confidence;
  /** Each endpoint's FIN was seen, or is proved by an acknowledgement. */
  fin: [boolean, boolean];
  /** ... and acknowledged by the peer. */
  acked: [boolean, boolean];
  /** ... but not itself in the capture. */
  inferred: [boolean, boolean];
  /** A valid RST, or a doubtful one whose receiver was never seen alive again. */
  reset: boolean;
  resetBy: 0 | 1;
  resetTime: number;
  /** Bits of modifiers.ts. */
  modifiers: number;
}

/** Whether `endpoint`'s FIN is proved only by the peer's acknowledgement, one number above all its data. */
function inferredFin(words: Int32Array, slot: number, endpoint: number): boolean {
  const peer = endpoint ^ 1;
  const seen = words[slot + SEEN + endpoint]!;
  if ((seen & FIN_SENT) !== 0 || (words[slot + SEEN + peer]! & ACKED_KNOWN) === 0) return false;
  if ((words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM)) === 0) return false;
  const acked = words[slot + ACKED + peer]!;
  if ((seen & FIN_SUPPOSED) === 0 || words[slot + FIN_SEQ + endpoint] !== ((acked - 1) | 0)) return false;
  if ((seen & NXT_KNOWN) !== 0 && words[slot + SEGMENTS + endpoint]! > 0) return distance(acked, words[slot + NXT + endpoint]!) === 1;
  return (words[slot + SEEN + peer]! & FIN_SENT) !== 0;
}

/** Whether bytes of `endpoint` were acknowledged that the capture does not hold. */
function hasGap(table: ConnectionTable, slot: number, endpoint: number): boolean {
  const { words } = table;
  const peer = endpoint ^ 1;
  if (
    (words[slot + SEEN + peer]! & ACKED_KNOWN) === 0 ||
    (words[slot + SEEN + endpoint]! & NXT_KNOWN) === 0 ||
    words[slot + SEGMENTS + endpoint] === 0
  )
    return false;
  const acked = words[slot + ACKED + peer]!;
  if (distance(acked, words[slot + NXT + endpoint]!) > 1) return true;
  const holes = table.peekRare(slot)?.holes[endpoint as 0];
  return holes !== undefined && holes.length > 0 && distance(acked, holes[0]!) > 0;
}

/** Whether the first FIN of `endpoint` acknowledges the peer's. */
function finAcknowledges(words: Int32Array, slot: number, endpoint: number): boolean {
  return (
    (words[slot + SEEN + endpoint]! & FIN_HAS_ACK) !== 0 &&
    distance(words[slot + FIN_ACK + endpoint]!, words[slot + FIN_SEQ + (endpoint ^ 1)]!) > 0
  );
}

/**
 * Who closed first where both FINs are known: the endpoint whose FIN the peer's first FIN acknowledges; both, where neither
 * does. The acknowledgement numbers tell it from any vantage point, file order does not. Where each acknowledges the other,
 * the later one in the file is a retransmission of one that the capture lacks, and the earlier one tells.
 */
function activeCloser(table: ConnectionTable, slot: number): 0 | 1 | 'both' {
  const { words, times } = table;
  const byLow = finAcknowledges(words, slot, 0);
  const byHigh = finAcknowledges(words, slot, 1);
  if (byLow && byHigh) return times[(slot >> 1) + FIN_TIME]! > times[(slot >> 1) + FIN_TIME + 1]! ? 0 : 1;
  if (byLow === byHigh) return 'both';
  return byHigh ? 0 : 1;
}

/** The endpoint, if any, that now holds TIME_WAIT for certain: its FIN is acknowledged, the peer's was sent, and it closed first. */
export function holdsTimeWait(table: ConnectionTable, slot: number, endpoint: number): boolean {
  const { words } = table;
  const seen = words[slot + SEEN + endpoint]!;
  const peer = words[slot + SEEN + (endpoint ^ 1)]!;
  if ((seen & (FIN_SENT | FIN_ACKED)) !== (FIN_SENT | FIN_ACKED) || (peer & FIN_SENT) === 0) return false;
  const closer = activeCloser(table, slot);
  return closer === 'both' || closer === endpoint;
}

/** Decides how a connection ended. */
export function judge(table: ConnectionTable, slot: number): Verdict {
  const { words, times } = table;
  const facts = words[slot + FACTS]!;
  const doubtful = table.peekRare(slot)?.doubtful;
  const counted = doubtful !== undefined && (facts & (RESET | CLOSED)) === 0;
  const reset = (facts & RESET) !== 0 || counted;
  const resetBy = counted ? (doubtful.sender as 0 | 1) : (facts & RESET_BY_HIGH) !== 0 ? 1 : 0;
  const resetTime = counted ? doubtful.time : times[(slot >> 1) + RST_TIME]!;
  const inferred: [boolean, boolean] =
    reset && (facts & CLOSED) === 0 ? [false, false] : [inferredFin(words, slot, 0), inferredFin(words, slot, 1)];
  const sent = (endpoint: number): boolean =>
    (words[slot + SEEN + endpoint]! & FIN_SENT) !== 0 && !(counted && times[(slot >> 1) + FIN_TIME + endpoint]! > resetTime);
  const verdict: Verdict = {
    class: 'unknown',
    initiator: undefined,
    basis: undefined,
    confidence: 'certain',
    fin: [sent(0) || inferred[0], sent(1) || inferred[1]],
    acked: [(words[slot + SEEN]! & FIN_ACKED) !== 0 || inferred[0], (words[slot + SEEN + 1]! & FIN_ACKED) !== 0 || inferred[1]],
    inferred,
    reset,
    resetBy,
    resetTime,
    modifiers: words[slot + MODIFIERS]!,
  };
  const oneSided = words[slot + SEGMENTS] === 0 || words[slot + SEGMENTS + 1] === 0;
  const gap = hasGap(table, slot, 0) || hasGap(table, slot, 1);
  const opened = (facts & (ESTABLISHED | MIDSTREAM)) !== 0;
  if (inferred[0] || inferred[1]) verdict.modifiers |= modifiers.FIN_INFERRED;
  if (gap) verdict.modifiers |= modifiers.GAP;
  if (oneSided && opened) verdict.modifiers |= modifiers.ONE_SIDED;

  const repeated = finAcknowledges(words, slot, 0) && finAcknowledges(words, slot, 1);
  decideInitiator(table, slot, verdict, oneSided || gap || repeated || (facts & MIDSTREAM) !== 0);
  verdict.class = classify(words, slot, verdict, oneSided);
  if (verdict.class === 'unknown') verdict.confidence = 'unknown';
  else if (counted || gap || repeated || inferred[0] || inferred[1] || (facts & MIDSTREAM) !== 0 || (oneSided && opened))
    verdict.confidence = 'likely';
  return verdict;
}

function decideInitiator(table: ConnectionTable, slot: number, verdict: Verdict, doubt: boolean): void {
  const { times } = table;
  const [low, high] = verdict.fin;
  if (low && high) {
    if (verdict.inferred[0] || verdict.inferred[1]) {
      // A supposed FIN has the time of the segment that acknowledges it, so it came before that.
      const supposed = verdict.inferred[0] ? 0 : 1;
      const at = (slot >> 1) + FIN_TIME;
      verdict.initiator = times[at + supposed]! <= times[at + 1 - supposed]! ? supposed : supposed === 0 ? 1 : 0;
      verdict.basis = 'inferred';
    } else {
      verdict.initiator = activeCloser(table, slot);
      verdict.basis = doubt ? 'order' : 'fin_acks';
    }
  } else if (low || high) {
    verdict.initiator = low ? 0 : 1;
    verdict.basis = verdict.inferred[verdict.initiator] ? 'inferred' : doubt ? 'order' : 'fin_acks';
  } else if (verdict.reset) {
    verdict.initiator = verdict.resetBy;
    verdict.basis = 'rst';
  }
}

function classify(words: Int32Array, slot: number, verdict: Verdict, oneSided: boolean): CloseClass {
  const facts = words[slot + FACTS]!;
  const { fin, acked, inferred, reset, resetBy } = verdict;
  const closed = (facts & CLOSED) !== 0;
  const opening = (facts & (ESTABLISHED | MIDSTREAM)) === 0;
  if ((facts & REFUSED) !== 0) return 'refused';
  if (opening && !fin[0] && !fin[1]) return reset ? 'aborted_handshake' : 'no_reply';
  if (reset && !closed) {
    if (opening) return 'aborted_handshake';
    if (!fin[0] && !fin[1]) return 'rst_abort';
    if (fin[0] && fin[1]) return 'last_ack_missing';
    const closer = fin[0] ? 0 : 1;
    if (resetBy !== closer) return 'fin_answered_by_rst';
    const late = acked[closer] && (words[slot + SEEN + (closer ^ 1)]! & DATA_AFTER_FIN) !== 0;
    return late ? 'data_after_close_rst' : 'fin_then_rst';
  }
  if (fin[0] && fin[1]) {
    if (acked[0] && acked[1]) {
      if (inferred[0] || inferred[1]) return 'orderly';
      if (verdict.initiator === 'both') return 'simultaneous';
      const passive = words[slot + SEEN + (verdict.initiator === 0 ? 1 : 0)]!;
      if ((passive & FIN_WITH_ACK) !== 0) return 'three_segment';
      return (passive & DATA_AFTER_FIN) !== 0 ? 'half_close' : 'four_wave';
    }
    return oneSided ? 'orderly' : 'last_ack_missing';
  }
  if (fin[0] || fin[1]) {
    const closer = fin[0] ? 0 : 1;
    if (acked[closer]) return 'half_open';
    const repeated = (verdict.modifiers & modifiers.FIN_RETRANSMITTED) !== 0;
    return oneSided && !repeated ? 'unknown' : 'fin_unacked';
  }
  return opening ? 'unknown' : 'not_closed';
}
