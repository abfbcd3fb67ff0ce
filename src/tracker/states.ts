import { ackedTime, isBehindHole, type Verdict } from './close.ts';
import {
  A,
  ACK_AFTER_RST,
  CLIENT_IS_HIGH,
  CLOSED,
  ESTABLISHED,
  ESTABLISHED_TIME,
  F,
  FACTS,
  FAST_OPEN,
  FIN_ACKED_TIME,
  FIN_AFTER_RST,
  FIN_SENT,
  FIN_TIME,
  MIDSTREAM,
  REFUSED,
  RESET,
  RST_ACKS_FIN,
  RST_BEFORE_ACK,
  RST_COUNTS_FIN,
  SEEN,
  SIMULTANEOUS_OPEN,
  START,
  SYN_ACK_SENT,
  SYN_SENT,
  SYN_TIME,
} from '../layout/slot.ts';
import { tokenOf, tokens } from './sequence.ts';
import type { ConnectionTable } from './table.ts';
import type { TimeWait } from './time-wait.ts';

/** netstat's names; LISTEN is never proved by a segment. */
export type State =
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT1'
  | 'FIN_WAIT2'
  | 'CLOSING'
  | 'TIME_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'CLOSED';

/** A state and when it was entered, ns on the capture clock. */
export interface Transition {
  readonly state: State;
  time: number;
}

/**
 * The states that one endpoint went through, as its own segments and the peer's acknowledgements prove them: what the
 * kernel would report for that socket (RFC 9293 §3.3.2 for the diagram, SPEC §2 for the table).
 */
export function transitions(
  table: ConnectionTable,
  slot: number,
  endpoint: number,
  verdict: Verdict,
  waits: readonly TimeWait[],
): Transition[] {
  const list = opening(table, slot, endpoint);
  const close = closing(table, slot, endpoint, verdict, waits);
  // Nobody closes who has not met the SYN-ACK, though the acknowledgement of that came too late, or has another number.
  if (close.length > 0 && list.at(-1)?.state === 'SYN_SENT') list.push({ state: 'ESTABLISHED', time: close[0]!.time });
  for (const entry of close) list.push(entry);
  return ended(table, slot, endpoint, verdict, waits, list);
}

function opening(table: ConnectionTable, slot: number, endpoint: number): Transition[] {
  const { words, times } = table;
  const at = slot >> 1;
  const facts = words[slot + FACTS]!;
  const seen = words[slot + SEEN + endpoint]!;
  const peer = words[slot + SEEN + (endpoint ^ 1)]!;
  const list: Transition[] = [];
  const rare = table.peekRare(slot);
  if ((seen & SYN_SENT) !== 0) list.push({ state: 'SYN_SENT', time: times[at + SYN_TIME + endpoint]! });
  else if ((facts & REFUSED) !== 0 && endpoint === ((facts & CLIENT_IS_HIGH) === 0 ? 0 : 1))
    list.push({ state: 'SYN_SENT', time: times[at + START]! });
  if ((facts & SIMULTANEOUS_OPEN) !== 0 && (seen & SYN_SENT) !== 0) {
    if ((seen & SYN_ACK_SENT) !== 0) list.push({ state: 'SYN_RECV', time: rare!.synAckTime[endpoint as 0] });
    if ((facts & ESTABLISHED) !== 0)
      list.push({ state: 'ESTABLISHED', time: Math.max(rare!.establishedTime[endpoint as 0], rare!.synAckTime[endpoint as 0]) });
    return list;
  }
  if ((seen & SYN_ACK_SENT) !== 0) {
    const again = (seen & SYN_SENT) !== 0 ? rare!.synAckTime[endpoint as 0] : times[at + SYN_TIME + endpoint]!;
    list.push({ state: 'SYN_RECV', time: again });
  } else if ((facts & ESTABLISHED) !== 0 && (seen & SYN_SENT) === 0) {
    // Silent, but the peer's acknowledgement of its SYN-ACK, or its own of the peer's, proves the handshake.
    if ((peer & SYN_ACK_SENT) !== 0) list.push({ state: 'SYN_SENT', time: times[at + SYN_TIME + (endpoint ^ 1)]! });
    else list.push({ state: 'SYN_RECV', time: times[at + ESTABLISHED_TIME]! });
  }
  // A server that was sent payload with the SYN may have closed before the client acknowledges its SYN-ACK: then it never is ESTABLISHED.
  const closedBefore =
    (facts & FAST_OPEN) !== 0 &&
    (seen & SYN_ACK_SENT) !== 0 &&
    (seen & FIN_SENT) !== 0 &&
    times[at + FIN_TIME + endpoint]! < times[at + ESTABLISHED_TIME]!;
  if ((facts & ESTABLISHED) !== 0) {
    if (!closedBefore) list.push({ state: 'ESTABLISHED', time: times[at + ESTABLISHED_TIME]! });
  } else if ((facts & MIDSTREAM) !== 0) list.push({ state: 'ESTABLISHED', time: times[at + START]! });
  return list;
}

function closing(table: ConnectionTable, slot: number, own: number, verdict: Verdict, waits: readonly TimeWait[]): Transition[] {
  const { times, words } = table;
  const at = slot >> 1;
  const peer = own ^ 1;
  const finTime = (endpoint: number): number => times[at + FIN_TIME + endpoint]!;
  const facts = words[slot + FACTS]!;
  const shows = (bit: number, sender: number): boolean => verdict.reset && verdict.resetBy === sender && (verdict.resetShows & bit) !== 0;
  const byReset = shows(RST_ACKS_FIN, own) && !verdict.acked[peer]!;
  const behindReset = (facts & ACK_AFTER_RST) !== 0 && verdict.resetBy === peer;
  const acked = (endpoint: number): number => {
    if (endpoint === peer && behindReset) return times[at + FIN_ACKED_TIME + peer]!;
    return byReset && endpoint === peer ? verdict.resetTime : ackedTime(table, slot, verdict, endpoint);
  };
  const peerAcked = verdict.fin[peer]! && (verdict.acked[peer]! || byReset || behindReset);
  /** Whoever was reset so had taken the FIN, though it did not come to acknowledge it. */
  const unacked = verdict.fin[peer]! && !peerAcked && shows(RST_COUNTS_FIN, peer) && !isBehindHole(table, slot, verdict, peer);

  if (!verdict.fin[own]) {
    const list: Transition[] = [];
    const late = (facts & FIN_AFTER_RST) !== 0 && verdict.resetBy === peer;
    const crossed = late && (peerAcked ? acked(peer) > finTime(own) : unacked);
    const taken = peerAcked ? acked(peer) : finTime(late ? own : peer);
    if (crossed) list.push({ state: 'FIN_WAIT1', time: finTime(own) }, { state: 'CLOSING', time: taken });
    else {
      if (peerAcked || unacked) list.push({ state: 'CLOSE_WAIT', time: taken });
      if (late) list.push({ state: peerAcked ? 'LAST_ACK' : 'FIN_WAIT1', time: finTime(own) });
    }
    return list;
  }
  const passive = verdict.fin[peer]! && verdict.initiator === peer;
  if (passive) {
    const list: Transition[] = [];
    if (peerAcked || (words[slot + SEEN + peer]! & FIN_SENT) !== 0)
      list.push({ state: 'CLOSE_WAIT', time: peerAcked ? acked(peer) : finTime(own) });
    list.push({ state: 'LAST_ACK', time: finTime(own) });
    if (verdict.acked[own]) list.push({ state: 'CLOSED', time: acked(own) });
    return list;
  }
  const metNobody = verdict.reset && verdict.resetBy === own && (words[slot + SEEN + own]! & RST_BEFORE_ACK) !== 0;
  const list: Transition[] = [{ state: 'FIN_WAIT1', time: finTime(own) }];
  const wait = waits.find(({ holder }) => holder === own);
  const crossed =
    verdict.fin[peer]! && verdict.initiator === 'both' && !wasAckedFirst(table, slot, own) && !isBehindHole(table, slot, verdict, peer);
  // Who answers the peer's FIN with RST alone has not taken it, nor has who is reset by a number in front of that.
  if (crossed && (peerAcked || !verdict.reset || unacked))
    list.push({ state: 'CLOSING', time: peerAcked ? acked(peer) : Math.max(finTime(own), finTime(peer)) });
  else if ((verdict.acked[own] && !metNobody) || wait) {
    // Where the capture lacks the acknowledgement, the peer's FIN proves that it had come.
    const known = wait === undefined || verdict.acked[own]!;
    list.push({ state: 'FIN_WAIT2', time: known ? acked(own) : wait.start });
  }
  if (wait) list.push({ state: 'TIME_WAIT', time: wait.start });
  return list;
}

/** Whether the peer acknowledged an endpoint's FIN before its own came, which it had sent earlier: then that met FIN_WAIT2. */
function wasAckedFirst(table: ConnectionTable, slot: number, own: number): boolean {
  const peer = own ^ 1;
  const rare = table.peekRare(slot);
  // Where the hole is there still, it is the capture's.
  if (rare?.finBehindAck === peer && rare.holes[peer as 0].length === 0) return true;
  const log = tokens(table, slot);
  const acked = log.indexOf(tokenOf(A, peer));
  return acked >= 0 && acked < log.indexOf(tokenOf(F, peer));
}

/** Cuts what a reset ended, closes a TIME_WAIT that is over, and lets time run one way. */
function ended(
  table: ConnectionTable,
  slot: number,
  endpoint: number,
  verdict: Verdict,
  waits: readonly TimeWait[],
  all: Transition[],
): Transition[] {
  const { words } = table;
  const facts = words[slot + FACTS]!;
  let list = all;
  const wait = waits.find(({ holder }) => holder === endpoint);
  if (wait) {
    if (wait.endedBy !== 'capture_end') list.push({ state: 'CLOSED', time: wait.end });
  } else if (verdict.reset && (facts & CLOSED) === 0 && list.at(-1)?.state !== 'CLOSED') {
    if ((facts & RESET) === 0) list = list.filter(({ time }) => time <= verdict.resetTime);
    // What it sent behind the RST it had sent before that came.
    const late =
      (facts & (FIN_AFTER_RST | ACK_AFTER_RST)) !== 0 && verdict.resetBy !== endpoint ? (list.at(-1)?.time ?? -Infinity) : -Infinity;
    if (list.length > 0 || (facts & REFUSED) !== 0) list.push({ state: 'CLOSED', time: Math.max(verdict.resetTime, late) });
  }
  // What proves a state proves that those before it were entered by then, although the capture may show that later.
  for (let i = list.length - 2; i >= 0; i--) list[i]!.time = Math.min(list[i]!.time, list[i + 1]!.time);
  return list;
}
