import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import { holdsTimeWait, judge, Verdict } from './close.ts';
import type { Segment } from './segment.ts';
import { distance } from './serial.ts';
import {
  CLIENT_IS_HIGH,
  CLOSED,
  ESTABLISHED,
  FACTS,
  FIN_SENT,
  ISS,
  ISS_KNOWN,
  MIDSTREAM,
  NXT,
  NXT_KNOWN,
  REFUSED,
  RESET,
  RESET_BY_HIGH,
  RST_TIME,
  RSTS,
  SEEN,
  SEGMENTS,
  SYN_ACK_SENT,
  SYN_SENT,
} from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

// Which incarnation of a 4-tuple a segment belongs to (SPEC §2, identity). Only SYNs can begin a new one.

/**
 * `same`: the segment belongs to the connection in the slot; `new`: it begins the next one; `held`: a SYN with an unknown
 * number on a connection that may still be alive: its receiver's answer will tell.
 */
export function beginsAnew(table: ConnectionTable, slot: number, segment: Segment): 'same' | 'new' | 'held' {
  const { words } = table;
  const { sender, seq, flags } = segment;
  if ((flags & SYN) === 0 || (flags & RST) !== 0) return 'same';
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const facts = words[slot + FACTS]!;
  if ((seen & ISS_KNOWN) !== 0 && seq === words[slot + ISS + sender]) return 'same';

  if ((flags & ACK) !== 0) {
    // A SYN-ACK of a connection whose SYN the capture lacks; one that answers a SYN of this incarnation belongs to it.
    const finsSeen = (seen & words[slot + SEEN + receiver]! & FIN_SENT) !== 0; // whoever waits for the last ACK sends no SYN-ACK
    const over = (facts & (CLOSED | RESET)) !== 0 || finsSeen || hasGoneOn(table, slot, sender) || isOrderly(table, slot);
    if (!over) return 'same';
    const answers = (words[slot + SEEN + receiver]! & SYN_SENT) !== 0 && segment.ack === ((words[slot + ISS + receiver]! + 1) | 0);
    return !answers && ((seen & ISS_KNOWN) !== 0 || (facts & (MIDSTREAM | REFUSED)) !== 0) ? 'new' : 'same';
  }
  if ((seen & ISS_KNOWN) === 0) {
    const lateSyn = (facts & MIDSTREAM) !== 0 && (seen & NXT_KNOWN) !== 0 && seq === words[slot + ISS + sender];
    // Nothing but acknowledgements came from it before: where one does, the handshake is split.
    const silent = table.isBare(slot, sender) && words[slot + RSTS + sender] === 0;
    const crossing = (facts & (ESTABLISHED | MIDSTREAM | RESET)) === 0 && silent;
    if (lateSyn || crossing) return 'same';
  }
  if ((facts & RESET) !== 0) return 'new';
  if (holdsTimeWait(table, slot, sender)) return 'new';
  if ((facts & CLOSED) !== 0) return holdsTimeWait(table, slot, receiver) ? 'held' : 'new';
  // Its own new SYN proves that the sender has given up an attempt that nobody ever answered.
  const attempt = (seen & SYN_SENT) !== 0 && (seen & SYN_ACK_SENT) === 0 && (facts & ESTABLISHED) === 0;
  return attempt && words[slot + SEGMENTS + receiver] === 0 ? 'new' : 'held';
}

/**
 * Whether nothing of the peer was captured, and what was of the endpoint itself is more than a handshake: of several SYN-ACKs that answer one
 * SYN (SYN cookies, anycast), only one is followed by anything.
 */
function hasGoneOn({ words }: ConnectionTable, slot: number, endpoint: number): boolean {
  if (words[slot + SEGMENTS + (endpoint ^ 1)] !== 0) return false;
  const seen = words[slot + SEEN + endpoint]!;
  const sent =
    (seen & NXT_KNOWN) !== 0 && (seen & ISS_KNOWN) !== 0 && distance(words[slot + NXT + endpoint]!, words[slot + ISS + endpoint]!) > 1;
  return (seen & FIN_SENT) !== 0 || sent || (words[slot + FACTS]! & MIDSTREAM) !== 0;
}

const VERDICT = new Verdict();

/** Whether a connection is closed for all that is known, although one of its FINs is not in the capture. */
function isOrderly(table: ConnectionTable, slot: number): boolean {
  judge(table, slot, VERDICT);
  return VERDICT.class === 'orderly';
}

/** Whether nothing is there of a connection but SYNs of one endpoint: what comes may be of the one before it, which has left the table. */
export function isUnanswered({ words }: ConnectionTable, slot: number): boolean {
  const facts = words[slot + FACTS]!;
  const receiver = (facts & CLIENT_IS_HIGH) === 0 ? 1 : 0;
  return (facts & (ESTABLISHED | MIDSTREAM | CLOSED | RESET)) === 0 && words[slot + SEGMENTS + receiver] === 0;
}

/** What a segment says of a SYN that is held. */
export function repliesToHeld(held: Segment, segment: Segment): 'accepted' | 'challenged' | 'again' | 'nothing' {
  const { flags, sender, seq, ack, payload } = segment;
  if (sender === held.sender) {
    if ((flags & (SYN | ACK | RST)) === SYN) return seq === held.seq ? 'again' : 'nothing';
    // The SYN-ACK is not in the capture, but the sender goes on from its new number.
    return accepts(held, seq) && (flags & (ACK | RST)) === ACK ? 'accepted' : 'nothing';
  }
  if ((flags & ACK) === 0) return 'nothing';
  if ((flags & (SYN | RST)) !== 0) return accepts(held, ack) ? 'accepted' : 'nothing';
  // No challenge has payload, or closes: the SYN-ACK in front of it is not in the capture.
  return (payload > 0 || (flags & FIN) !== 0) && accepts(held, ack) ? 'accepted' : 'challenged';
}

/**
 * Whether the sender of a SYN that is held has reset the old incarnation since. In SYN_SENT nobody does that unless challenged (RFC 9293
 * §3.10.7.3), so that the SYN was, where it comes again; where a SYN-ACK answers it, the RST was sent before it and captured behind it.
 */
export function hasReset({ words, times }: ConnectionTable, slot: number, { sender, time }: Segment): boolean {
  const facts = words[slot + FACTS]!;
  return (facts & RESET) !== 0 && (facts & RESET_BY_HIGH) === (sender === 1 ? RESET_BY_HIGH : 0) && times[(slot >> 1) + RST_TIME]! >= time;
}

/** Whether a number continues a SYN, or what a SYN with payload sent. */
export function accepts(held: Segment, number: number): boolean {
  const beyond = distance(number, held.seq);
  return beyond >= 1 && beyond <= 1 + held.payload;
}
