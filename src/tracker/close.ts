import * as modifiers from '../layout/modifiers.ts';
import { distance } from './serial.ts';
import {
  ACKED,
  ACKED_KNOWN,
  CLOSED,
  DATA_AFTER_FIN,
  ENDPOINT_OF_TOKEN,
  ESTABLISHED,
  FACTS,
  FIN_ACK,
  FIN_ACKED,
  FIN_ACKED_TIME,
  FIN_HAS_ACK,
  FIN_LATE,
  FIN_RETRANSMITS,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FIN_WITH_ACK,
  KEEPALIVE,
  MIDSTREAM,
  MODIFIERS,
  NXT,
  NXT_KNOWN,
  REFUSED,
  RESET,
  RESET_BY_HIGH,
  RST_SHOWS,
  RST_TIME,
  SEEN,
  SEGMENTS,
  SYN_ACK_SENT,
  TOKENS,
  UNCOVERED,
  UNREPEATED,
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
export class Verdict {
  class: CloseClass = 'unknown';
  initiator: 0 | 1 | 'both' | undefined;
  basis: Basis | undefined;
  confidence: Confidence = 'certain';
  /** Each endpoint's FIN was seen, or is proved by an acknowledgement. */
  readonly fin: [boolean, boolean] = [false, false];
  /** ... and acknowledged by the peer. */
  readonly acked: [boolean, boolean] = [false, false];
  /** ... but not itself in the capture. */
  readonly inferred: [boolean, boolean] = [false, false];
  /** A valid RST, or a doubtful one whose receiver was never seen alive again. */
  reset = false;
  resetBy: 0 | 1 = 0;
  resetTime = 0;
  /** What it shows of FINs: bits of RST_SHOWS. */
  resetShows = 0;
  /** Bits of modifiers.ts. */
  modifiers = 0;
}

/** Whether `endpoint`'s FIN is proved only by the peer's acknowledgement, one number above all its data. */
function inferredFin(table: ConnectionTable, slot: number, endpoint: number): boolean {
  const { words } = table;
  const peer = endpoint ^ 1;
  const seen = words[slot + SEEN + endpoint]!;
  if ((seen & FIN_SENT) !== 0 || (words[slot + SEEN + peer]! & ACKED_KNOWN) === 0) return false;
  if ((words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM)) === 0) return false;
  const acked = words[slot + ACKED + peer]!;
  if ((seen & FIN_SUPPOSED) === 0 || words[slot + FIN_SEQ + endpoint] !== ((acked - 1) | 0)) return false;
  const closes = (words[slot + SEEN + peer]! & FIN_SENT) !== 0;
  // Who probes there, behind what the capture lacks, and whose peer does not close, may have sent that number before, as payload.
  if (!closes && (seen & KEEPALIVE) !== 0 && isBeyondHole(table, slot, endpoint)) return false;
  if ((seen & NXT_KNOWN) !== 0 && words[slot + SEGMENTS + endpoint]! > 0)
    return distance(acked, words[slot + NXT + endpoint]!) === 1 || isSkipped(table, slot, endpoint, acked);
  return closes;
}

/** Whether what lies in front of the highest number of `endpoint` is missing. */
function isBeyondHole(table: ConnectionTable, slot: number, endpoint: number): boolean {
  return table.peekRare(slot)?.holes[endpoint as 0].at(-1) === table.words[slot + NXT + endpoint];
}

/** Whether what `endpoint` sent last is missing, and nothing tells that it was no FIN. */
function lacksLast(table: ConnectionTable, slot: number, endpoint: number): boolean {
  return (table.words[slot + SEEN + endpoint]! & (FIN_SENT | UNCOVERED)) === UNCOVERED && isBeyondHole(table, slot, endpoint);
}

/** Whether the one number below `acked` is what `endpoint` has passed over last: what it sent afterwards, without payload, begins there. */
function isSkipped(table: ConnectionTable, slot: number, endpoint: number, acked: number): boolean {
  const holes = table.peekRare(slot)?.holes[endpoint as 0];
  // Without a FIN of the peer it may as well be a byte, or that of a keep-alive.
  if ((table.words[slot + SEEN + (endpoint ^ 1)]! & FIN_SENT) === 0) return false;
  if (!holes || table.words[slot + NXT + endpoint] !== acked) return false;
  return holes.at(-2) === ((acked - 1) | 0) && holes.at(-1) === acked;
}

/** Whether bytes of `endpoint` were acknowledged that the capture does not hold. `inferred`: its FIN is not in the capture, and no such byte. */
function hasGap(table: ConnectionTable, slot: number, endpoint: number, inferred: boolean): boolean {
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
  const holes = table.peekRare(slot)?.holes[endpoint as 0] ?? [];
  const others = inferred && isSkipped(table, slot, endpoint, acked) ? holes.slice(0, -2) : holes;
  return others.length > 0 && distance(acked, others[0]!) > 0;
}

/**
 * Whether the FIN of `endpoint` lies behind something that the peer, of which there are packets, has not acknowledged and the capture lacks:
 * then nothing tells that the peer has taken it.
 */
export function isBehindHole({ words }: ConnectionTable, slot: number, { acked }: Verdict, endpoint: number): boolean {
  return !acked[endpoint]! && (words[slot + SEEN + endpoint]! & UNCOVERED) !== 0 && words[slot + SEGMENTS + (endpoint ^ 1)]! > 0;
}

/** Whether the first FIN of `endpoint` acknowledges the peer's. */
function finAcknowledges(words: Int32Array, slot: number, endpoint: number): boolean {
  return (
    (words[slot + SEEN + endpoint]! & FIN_HAS_ACK) !== 0 &&
    (words[slot + SEEN + (endpoint ^ 1)]! & FIN_SENT) !== 0 &&
    distance(words[slot + FIN_ACK + endpoint]!, words[slot + FIN_SEQ + (endpoint ^ 1)]!) > 0
  );
}

/** Whether the first FIN of `endpoint` acknowledges the peer's, but may be a retransmission: that does not tell what its sender knew at the first. */
function tellsNothing(words: Int32Array, slot: number, endpoint: number): boolean {
  const late = (words[slot + SEEN + endpoint]! & FIN_LATE) !== 0;
  return finAcknowledges(words, slot, endpoint) && (late || finAcknowledges(words, slot, endpoint ^ 1));
}

/** Whose FIN came first, where both are known; of two at the same time the log tells, which begins with the first one. */
function firstFin({ words, times }: ConnectionTable, slot: number): 0 | 1 {
  const at = (slot >> 1) + FIN_TIME;
  const high = times[at] === times[at + 1] ? (words[slot + TOKENS]! & ENDPOINT_OF_TOKEN) !== 0 : times[at]! > times[at + 1]!;
  return high ? 1 : 0;
}

/**
 * Who closed first where both FINs are known: the endpoint whose FIN the peer's first FIN acknowledges; both, where neither
 * does. The acknowledgement numbers tell it from any vantage point, file order does not. Where each acknowledges the other,
 * the later one in the file is a retransmission of one that the capture lacks, and the earlier one tells.
 */
function activeCloser(table: ConnectionTable, slot: number): 0 | 1 | 'both' {
  const { words } = table;
  const byLow = finAcknowledges(words, slot, 0);
  const byHigh = finAcknowledges(words, slot, 1);
  if (byLow && byHigh) return firstFin(table, slot) === 0 ? 1 : 0;
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

/** Decides how a connection ended: writes it to `verdict`, whatever that held before. */
export function judge(table: ConnectionTable, slot: number, verdict: Verdict): void {
  const { words, times } = table;
  const facts = words[slot + FACTS]!;
  const doubtful = table.peekRare(slot)?.doubtful;
  const counted = doubtful !== undefined && (facts & (RESET | CLOSED)) === 0;
  const reset = (facts & RESET) !== 0 || counted;
  const { fin, acked, inferred } = verdict;
  verdict.initiator = undefined;
  verdict.basis = undefined;
  verdict.confidence = 'certain';
  verdict.reset = reset;
  verdict.resetBy = counted ? (doubtful.sender as 0 | 1) : (facts & RESET_BY_HIGH) !== 0 ? 1 : 0;
  verdict.resetTime = counted ? doubtful.time : times[(slot >> 1) + RST_TIME]!;
  verdict.resetShows = counted ? doubtful.shows : facts & RST_SHOWS;
  verdict.modifiers = words[slot + MODIFIERS]!;
  for (let endpoint = 0; endpoint < 2; endpoint++) {
    const seen = words[slot + SEEN + endpoint]!;
    const behindReset = reset && (facts & CLOSED) === 0 && times[(slot >> 1) + FIN_TIME + endpoint]! > verdict.resetTime;
    const sent = (seen & FIN_SENT) !== 0 && !behindReset;
    inferred[endpoint] = !behindReset && inferredFin(table, slot, endpoint);
    fin[endpoint] = sent || inferred[endpoint]!;
    acked[endpoint] = (seen & FIN_ACKED) !== 0 || inferred[endpoint]!;
  }
  const oneSided = words[slot + SEGMENTS] === 0 || words[slot + SEGMENTS + 1] === 0;
  const gap = hasGap(table, slot, 0, inferred[0]) || hasGap(table, slot, 1, inferred[1]);
  const answered = ((words[slot + SEEN]! | words[slot + SEEN + 1]!) & SYN_ACK_SENT) !== 0;
  const alone = oneSided && (answered || (facts & (ESTABLISHED | MIDSTREAM | REFUSED)) !== 0); // the other endpoint sent something, too
  if (inferred[0] || inferred[1]) verdict.modifiers |= modifiers.FIN_INFERRED;
  if (gap) verdict.modifiers |= modifiers.GAP;
  if (alone) verdict.modifiers |= modifiers.ONE_SIDED;

  const repeated = tellsNothing(words, slot, 0) || tellsNothing(words, slot, 1);
  decideInitiator(table, slot, verdict, oneSided || gap || repeated || (facts & MIDSTREAM) !== 0);
  verdict.class = classify(words, slot, verdict, oneSided);
  if (verdict.class === 'unknown') verdict.confidence = 'unknown';
  else if (
    counted ||
    gap ||
    repeated ||
    inferred[0] ||
    inferred[1] ||
    lacksLast(table, slot, 0) ||
    lacksLast(table, slot, 1) ||
    (facts & MIDSTREAM) !== 0 ||
    alone
  )
    verdict.confidence = 'likely';
}

/** The same of a connection whose record ends at `time`. */
export function judgeAtEnd(table: ConnectionTable, slot: number, verdict: Verdict, time: number): void {
  judge(table, slot, verdict);
  if (verdict.confidence === 'certain' && lacksAck(table, slot, verdict, time)) verdict.confidence = 'likely';
}

/**
 * Whether a FIN was neither acknowledged nor repeated for so long, until the record ends at `time`, that its acknowledgement must have come: the
 * capture lacks it. (assembly/conclude.ts says so of connections that are not judged one by one.)
 */
export function lacksAck({ words, times }: ConnectionTable, slot: number, verdict: Verdict, time: number): boolean {
  const { fin, acked, inferred, reset, resetTime } = verdict;
  const at = slot >> 1;
  const until = reset ? Math.min(time, resetTime) : time;
  const stands = (endpoint: 0 | 1): boolean => {
    if (!fin[endpoint] || inferred[endpoint] || words[slot + FIN_RETRANSMITS + endpoint]! > 0) return false;
    const end = acked[endpoint] ? times[at + FIN_ACKED_TIME + endpoint]! : until;
    return end - times[at + FIN_TIME + endpoint]! > UNREPEATED;
  };
  return stands(0) || stands(1);
}

/** Whether a connection is closed, a FIN and acknowledgements that the capture lacks counted in, or was reset. */
export function isOver({ reset, class: close, acked }: Verdict): boolean {
  return reset || close === 'orderly' || (acked[0] && acked[1]);
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

/** Whether `closer`, whose FIN is acknowledged, was sent payload after that which it never acknowledged. */
function isRefusedPayload(words: Int32Array, slot: number, closer: 0 | 1): boolean {
  const peer = closer ^ 1;
  const seen = words[slot + SEEN + peer]!;
  if ((seen & DATA_AFTER_FIN) === 0) return false;
  const end = (seen & FIN_SENT) !== 0 ? words[slot + FIN_SEQ + peer]! : words[slot + NXT + peer]!;
  return (words[slot + SEEN + closer]! & ACKED_KNOWN) === 0 || distance(words[slot + ACKED + closer]!, end) < 0;
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
    const both = fin[0] && fin[1];
    const closer = both ? verdict.initiator : fin[0] ? 0 : 1;
    if (resetBy === closer && acked[closer] && isRefusedPayload(words, slot, closer)) return 'data_after_close_rst';
    if (both) return 'last_ack_missing';
    return resetBy === closer ? 'fin_then_rst' : 'fin_answered_by_rst';
  }
  if (fin[0] && fin[1]) {
    if (acked[0] && acked[1]) {
      if (inferred[0] || inferred[1]) return 'orderly';
      if (verdict.initiator === 'both') return 'simultaneous';
      const passive = words[slot + SEEN + (verdict.initiator === 0 ? 1 : 0)]!;
      if ((passive & FIN_WITH_ACK) !== 0) return 'three_segment';
      return (passive & DATA_AFTER_FIN) !== 0 ? 'half_close' : 'four_wave';
    }
    // Of a FIN that is proved by its acknowledgement alone that is the last one.
    const { initiator } = verdict;
    return oneSided || (initiator !== 'both' && initiator !== undefined && inferred[initiator ^ 1]) ? 'orderly' : 'last_ack_missing';
  }
  if (fin[0] || fin[1]) {
    const closer = fin[0] ? 0 : 1;
    if (acked[closer]) return 'half_open';
    const repeated = (verdict.modifiers & modifiers.FIN_RETRANSMITTED) !== 0;
    return oneSided && !repeated ? 'unknown' : 'fin_unacked';
  }
  return opening ? 'unknown' : 'not_closed';
}

/** When the peer acknowledged the FIN of `endpoint`, ns; an inferred FIN has the time of the segment that proves it. */
export function ackedTime({ times }: ConnectionTable, slot: number, { inferred }: Verdict, endpoint: number): number {
  return times[(slot >> 1) + (inferred[endpoint] ? FIN_TIME : FIN_ACKED_TIME) + endpoint]!;
}

/** When the waves of a close came: ns on the capture clock, and between them. -1: it did not happen, or is not in the capture. */
export class CloseTimes {
  /** NaN: nobody closed. */
  start = Number.NaN;
  duration = -1;
  finAck = -1;
  halfClosed = -1;
  lastAck = -1;
}

/** Writes them to `result`, whatever that held before, and answers it. */
export function closeTimes(table: ConnectionTable, slot: number, verdict: Verdict, result: CloseTimes): CloseTimes {
  const { times } = table;
  const { initiator, fin, acked, inferred } = verdict;
  result.start = Number.NaN;
  result.duration = -1;
  result.finAck = -1;
  result.halfClosed = -1;
  result.lastAck = -1;
  if (initiator === undefined) return result;
  if (!fin[0] && !fin[1]) {
    result.start = verdict.resetTime;
    result.duration = 0;
    return result;
  }
  const finTime = (slot >> 1) + FIN_TIME;
  const active = initiator === 'both' ? firstFin(table, slot) : initiator;
  const passive = active ^ 1;
  const start = times[finTime + active]!;
  const startAcked = ackedTime(table, slot, verdict, active);
  let last = start;
  if (acked[active]) {
    if (!inferred[active]) result.finAck = Math.max(0, startAcked - start);
    last = Math.max(last, startAcked);
  }
  if (fin[passive]) {
    const answer = times[finTime + passive]!;
    last = Math.max(last, answer);
    if (acked[active] && initiator !== 'both' && !inferred[passive]) result.halfClosed = Math.max(0, answer - startAcked);
    if (acked[passive]) {
      const answerAcked = ackedTime(table, slot, verdict, passive);
      if (!inferred[passive]) result.lastAck = Math.max(0, answerAcked - answer);
      last = Math.max(last, answerAcked);
    }
  }
  if (verdict.reset && !(acked[0] && acked[1])) last = Math.max(last, verdict.resetTime);
  result.start = start;
  result.duration = last - start;
  return result;
}
