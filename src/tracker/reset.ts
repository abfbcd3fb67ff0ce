import { ACK, SYN } from '../layout/tcp.ts';
import * as modifiers from '../layout/modifiers.ts';
import { RST_INVALID } from '../layout/oddities.ts';
import type { Segment } from './segment.ts';
import { holdsTimeWait } from './close.ts';
import { disown } from './disproved.ts';
import type { Oddities } from './oddities.ts';
import type { DoubtfulReset } from './rare.ts';
import { rewrite, tokenCount, tokenOf, tokens } from './sequence.ts';
import { distance, MAX_WINDOW, plausible } from './serial.ts';
import {
  ACKED,
  ACKED_KNOWN,
  CLOSED,
  ESTABLISHED,
  ESTABLISHED_TIME,
  F,
  FA,
  FACTS,
  FIN_ACKED,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  ISS,
  MIDSTREAM,
  MODIFIERS,
  NXT,
  NXT_DOUBTED,
  NXT_KNOWN,
  R,
  REFUSED,
  RESET,
  RESET_AFTER_CLOSE,
  RESET_BY_HIGH,
  RST_ACKS_FIN,
  RST_BEFORE_ACK,
  RST_COUNTS_FIN,
  RST_TIME,
  RSTS,
  SCALE_KNOWN,
  SCALE_SHIFT,
  SEEN,
  SEGMENTS,
  SIMULTANEOUS_OPEN,
  SYN_ACK_SENT,
  SYN_SENT,
  UNCOVERED,
  WINDOWS,
} from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

/** An RST: whether its receiver would believe it, and what then is certain. */
export function reset(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment, endedByRst: boolean): void {
  const { words } = table;
  const { sender, time } = segment;
  const receiver = sender ^ 1;
  if (words[slot + RSTS + sender]! >= modifiers.STORM_RSTS) words[slot + MODIFIERS]! |= modifiers.RST_STORM;
  const facts = words[slot + FACTS]!;
  // Where a profile ignores the peer's, the holder's own still proves that it has left.
  if ((facts & RESET) !== 0 || ((facts & RESET_AFTER_CLOSE) !== 0 && !holdsTimeWait(table, slot, sender))) return;

  const opens = isBehindGap(words, slot, segment);
  const believed = judge(table, slot, segment);
  const verdict = opens && believed === 'invalid' ? 'doubtful' : believed;
  if (isBeforeAck(words, slot, segment)) words[slot + SEEN + sender]! |= RST_BEFORE_ACK; // whoever believes it
  if (verdict === 'valid') {
    if ((words[slot + FACTS]! & CLOSED) !== 0) return afterClose(table, slot, sender, time, endedByRst);
    takeAck(table, slot, segment, opens);
    const doubtful = table.peekRare(slot)?.doubtful;
    const opening = (words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM)) === 0; // who answers a SYN has not met another RST before
    if (opening || doubtful?.sender !== receiver) return take(table, slot, sender, time, shows(words, slot, segment));
    // This one was sent by whom the other has met, and who was not seen alive: it was the first.
    rewind(table, slot, doubtful);
    return take(table, slot, receiver, doubtful.time, doubtful.shows);
  }
  if (verdict === 'doubtful') {
    const rare = table.rare(slot);
    const { seq } = segment;
    const atEnd = isAtEnd(words, slot, segment);
    rare.doubtful ??= { time, sender, shows: shows(words, slot, segment), position: tokenCount(words, slot), seq, atEnd, opens };
    return;
  }
  if (verdict === 'foreign') disown(table, slot, receiver);
  words[slot + MODIFIERS]! |= modifiers.RST_INVALID;
  oddities.add(RST_INVALID);
}

/**
 * Whether both numbers of an RST, behind a SYN-ACK, lie beyond what was seen of the connection, or one does: it was open, and the capture lacks what
 * came between. So it is in a capture of SYNs, FINs and RSTs alone. (0 is the number of who knows none.)
 */
function isBehindGap(words: Int32Array, slot: number, { sender, flags, seq, ack }: Segment): boolean {
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const peer = words[slot + SEEN + receiver]!;
  if ((words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM | SIMULTANEOUS_OPEN)) !== 0) return false;
  if (((seen | peer) & SYN_ACK_SENT) === 0 || (seen & peer & NXT_KNOWN) === 0 || (flags & (SYN | ACK)) !== ACK || seq === 0) return false;
  const sent = distance(seq, words[slot + NXT + sender]!);
  const received = distance(ack, words[slot + NXT + receiver]!);
  return Math.min(sent, received) >= 0 && Math.max(sent, received) > 0 && Math.max(sent, received) <= MAX_WINDOW;
}

/**
 * What a RST that its receiver believes acknowledges, and the capture lacks: one number may be a FIN. `opens`: the connection was open before it,
 * and is not known to have been.
 */
function takeAck(table: ConnectionTable, slot: number, { sender, flags, ack, time }: Segment, opens: boolean): void {
  const { words, times } = table;
  const receiver = sender ^ 1;
  const beyond = distance(ack, words[slot + NXT + receiver]!);
  if ((flags & ACK) === 0 || beyond <= 0 || beyond > MAX_WINDOW) return;
  const seen = words[slot + SEEN + receiver]!;
  if (opens) wasOpen(table, slot, time);
  else {
    const heard = (seen & (NXT_KNOWN | FIN_SENT)) === NXT_KNOWN && words[slot + SEGMENTS + receiver]! > 0;
    const news = (words[slot + SEEN + sender]! & ACKED_KNOWN) === 0 || distance(ack, words[slot + ACKED + sender]!) > 0;
    const probed = beyond === 1 && (seen & NXT_DOUBTED) !== 0; // nothing but keep-alives, whose number is one too low
    if (!heard || !news || probed) return;
    if (beyond === 1) {
      words[slot + FIN_SEQ + receiver] = (ack - 1) | 0;
      words[slot + SEEN + receiver]! |= FIN_SUPPOSED;
      times[(slot >> 1) + FIN_TIME + receiver] = time;
    }
  }
  words[slot + ACKED + sender] = ack;
  words[slot + SEEN + sender]! |= ACKED_KNOWN;
}

/** The handshake was complete before a RST, and nothing else of the capture shows that. */
function wasOpen({ words, times }: ConnectionTable, slot: number, time: number): void {
  words[slot + FACTS]! |= ESTABLISHED;
  times[(slot >> 1) + ESTABLISHED_TIME] = time;
}

/** What an RST shows of FINs: bits of RST_SHOWS. */
function shows(words: Int32Array, slot: number, { sender, flags, seq, ack }: Segment): number {
  const receiver = sender ^ 1;
  const acknowledges = (flags & ACK) !== 0;
  let shown = 0;
  if (acknowledges && (words[slot + SEEN + receiver]! & FIN_SENT) !== 0 && distance(ack, words[slot + FIN_SEQ + receiver]!) === 1)
    shown |= RST_ACKS_FIN;
  if ((words[slot + SEEN + sender]! & FIN_SENT) === 0) return shown;
  // Whoever has taken the FIN believes its own number, too (isOfFin()).
  const beyond = distance(seq, words[slot + FIN_SEQ + sender]!);
  return beyond === 1 || (beyond === 0 && !acknowledges) ? shown | RST_COUNTS_FIN : shown;
}

/** Whether an RST answers what was sent before its sender's FIN was taken: without ACK, it has the number that this acknowledged. */
function isBeforeAck(words: Int32Array, slot: number, { sender, flags, seq }: Segment): boolean {
  if ((flags & ACK) !== 0 || (words[slot + SEEN + sender]! & FIN_SENT) === 0) return false;
  return distance(seq, words[slot + FIN_SEQ + sender]!) <= 0;
}

/** The connection ends here: for both endpoints, as far as anyone outside can know. */
function take(table: ConnectionTable, slot: number, sender: number, time: number, shown: number): void {
  const { words, times } = table;
  const receiver = sender ^ 1;
  const facts = words[slot + FACTS]!;
  words[slot + FACTS]! |= RESET | (sender === 1 ? RESET_BY_HIGH : 0) | shown;
  times[(slot >> 1) + RST_TIME] = time;
  table.log(slot, R, sender);
  const asked = (words[slot + SEEN + receiver]! & SYN_SENT) !== 0 || words[slot + SEGMENTS + receiver] === 0; // else it is in no capture
  if ((facts & (ESTABLISHED | MIDSTREAM)) === 0 && asked && (words[slot + SEEN + sender]! & (SYN_SENT | SYN_ACK_SENT)) === 0)
    words[slot + FACTS]! |= REFUSED;
  table.noteSilence(slot);
  const rare = table.peekRare(slot);
  if (rare?.challenged === sender) {
    words[slot + MODIFIERS] = (words[slot + MODIFIERS]! & ~modifiers.SYN_CHALLENGED) | modifiers.HALF_OPEN_DETECTED;
  }
}

/** An RST after the last ACK changes nothing but TIME_WAIT: the holder's own proves that it has left; the peer's ends it, by profile. */
function afterClose(table: ConnectionTable, slot: number, sender: number, time: number, endedByRst: boolean): void {
  const { words, times } = table;
  const ends = endedByRst || holdsTimeWait(table, slot, sender);
  const first = (words[slot + FACTS]! & RESET_AFTER_CLOSE) === 0;
  words[slot + FACTS]! |= RESET_AFTER_CLOSE | (ends ? RESET : 0) | (first && sender === 1 ? RESET_BY_HIGH : 0);
  words[slot + MODIFIERS]! |= modifiers.RST_AFTER_CLOSE;
  times[(slot >> 1) + RST_TIME] = time;
  if (first) table.log(slot, R, sender);
}

/** The record ends and an inexact RST was never disproved: it counts, and nothing follows it in the close sequence. */
export function settleDoubt(table: ConnectionTable, slot: number): void {
  const doubtful = table.peekRare(slot)?.doubtful;
  const facts = table.words[slot + FACTS]!;
  if (!doubtful || (facts & (RESET | CLOSED)) !== 0) return;
  if (doubtful.opens && (facts & (ESTABLISHED | MIDSTREAM)) === 0) wasOpen(table, slot, doubtful.time);
  rewind(table, slot, doubtful);
  table.log(slot, R, doubtful.sender);
}

/** Leaves in the close sequence what was sent before a doubtful RST: all that was captured before it, and the FIN that its number counts, wherever that was. */
function rewind(table: ConnectionTable, slot: number, { sender, seq, position }: DoubtfulReset): void {
  const { words } = table;
  const all = tokens(table, slot);
  const counts = (words[slot + SEEN + sender]! & FIN_SENT) !== 0 && distance(seq, words[slot + FIN_SEQ + sender]!) === 1;
  const fins = counts ? all.slice(position).filter((token) => token === tokenOf(F, sender) || token === tokenOf(FA, sender)) : [];
  if (fins.length > 0) words[slot + MODIFIERS]! |= modifiers.OUT_OF_ORDER;
  rewrite(table, slot, [...all.slice(0, position), ...fins]);
}

/** RFC 9293 §3.10.7 with RFC 5961 §3: the exact number resets, and that of an acknowledged FIN; one inside the window is challenged, any other is dropped. */
function judge(table: ConnectionTable, slot: number, segment: Segment): 'valid' | 'doubtful' | 'invalid' | 'foreign' {
  const { words } = table;
  const { sender, seq, ack, flags } = segment;
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const peer = words[slot + SEEN + receiver]!;
  const opening = (words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM)) === 0;

  if (opening && (peer & SYN_SENT) !== 0) {
    // In SYN_SENT only the acknowledgement counts: of the SYN, or of the data that it carried.
    const answers = distance(ack, words[slot + ISS + receiver]!) > 0 && distance(ack, words[slot + NXT + receiver]!) <= 0;
    if ((flags & ACK) !== 0 && answers) return 'valid';
    if ((peer & (ACKED_KNOWN | SYN_ACK_SENT)) === 0) {
      // It is in SYN_SENT no more, if it was sent the SYN-ACK: that shows by what it does next.
      const follows = (seen & SYN_ACK_SENT) !== 0 && seq === words[slot + NXT + sender];
      return follows && (flags & ACK) === 0 ? 'doubtful' : 'invalid';
    }
  }
  if (opening && isInSynSent(words, slot, segment)) {
    if (distance(seq, words[slot + ISS + sender]!) <= 0) return 'invalid';
    const answered = (peer & ACKED_KNOWN) !== 0 && seq === words[slot + ACKED + receiver];
    // Behind payload or a FIN there may as well be a handshake that the capture lacks.
    if (answered && distance(seq, words[slot + NXT + sender]!) > 0 && table.isBare(slot, receiver)) return 'foreign';
  }
  const acked = (peer & ACKED_KNOWN) !== 0;
  const sent = (seen & NXT_KNOWN) !== 0;
  if (acked && seq === words[slot + ACKED + receiver]) return 'valid';
  if (isOfFin(words, slot, segment)) return 'valid';
  // Behind a hole it is all that was sent, but perhaps not all that the receiver has.
  if (isAtEnd(words, slot, segment)) return acked && (seen & UNCOVERED) !== 0 ? 'doubtful' : 'valid';
  if (!acked) {
    if (!sent) return 'valid'; // nothing is known that could contradict it
    return plausible(seq, words[slot + NXT + sender]!) ? 'doubtful' : 'invalid';
  }
  const into = distance(seq, words[slot + ACKED + receiver]!);
  return into > 0 && into < windowOf(words, slot, receiver) ? 'doubtful' : 'invalid';
}

/** Whether an RST has the number behind all that its sender is known to have sent. */
function isAtEnd(words: Int32Array, slot: number, { sender, seq }: Segment): boolean {
  return (words[slot + SEEN + sender]! & NXT_KNOWN) !== 0 && seq === words[slot + NXT + sender];
}

/**
 * Whether an RST has the number of its sender's FIN, which its receiver has acknowledged: one in CLOSE_WAIT, LAST_ACK or CLOSING believes that,
 * too, because there are stacks that abort so (Linux, tcp_reset_check() in net/ipv4/tcp_input.c).
 */
function isOfFin(words: Int32Array, slot: number, { sender, seq }: Segment): boolean {
  const acked = FIN_SENT | FIN_ACKED;
  return (
    (words[slot + SEEN + sender]! & acked) === acked && seq === words[slot + FIN_SEQ + sender] && (words[slot + FACTS]! & CLOSED) === 0
  );
}

/**
 * Whether an RST is that of an endpoint in SYN_SENT, which sends one when it was sent an acknowledgement of what it never sent: it has that
 * number, and nothing ends (RFC 9293 §3.5, figures 8 and 9).
 */
function isInSynSent(words: Int32Array, slot: number, { sender, flags }: Segment): boolean {
  return (flags & ACK) === 0 && (words[slot + SEEN + sender]! & (SYN_SENT | SYN_ACK_SENT | ACKED_KNOWN)) === SYN_SENT;
}

/** Bytes that an endpoint's latest window allows; scaled where both SYNs said how (RFC 7323 §2.2). */
function windowOf(words: Int32Array, slot: number, endpoint: number): number {
  const scaled = (words[slot + SEEN]! & words[slot + SEEN + 1]! & SCALE_KNOWN) !== 0;
  const scale = scaled ? (words[slot + SEEN + endpoint]! >> SCALE_SHIFT) & 15 : 0;
  return ((words[slot + WINDOWS]! >>> (endpoint * 16)) & 0xffff) * 2 ** scale;
}
