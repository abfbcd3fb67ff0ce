import { ACK, FIN } from '../layout/tcp.ts';
import * as modifiers from './modifiers.ts';
import type { Oddities } from './oddities.ts';
import { noteSilence } from './reset.ts';
import type { Segment } from './segment.ts';
import { A, A_AGAIN, D, F, F_AGAIN, FA, log, rewrite, tokenOf, tokens } from './sequence.ts';
import { distance } from './serial.ts';
import {
  ACK_OVERTAKEN,
  ACKED,
  ACKED_KNOWN,
  CLOSED,
  DATA_AFTER_FIN,
  FACTS,
  FIN_ACK,
  FIN_ACKED,
  FIN_ACKED_TIME,
  FIN_AGAIN,
  FIN_HAS_ACK,
  FIN_RETRANSMITS,
  FIN_SENT,
  FIN_SEQ,
  FIN_TIME,
  FIN_WITH_ACK,
  MODIFIERS,
  NXT,
  SEEN,
} from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';
import { noteTimestamp } from './timestamps.ts';

// The four waves: FINs, their acknowledgements, their retransmissions, and payload in between.

/** `fresh`: payload bytes of this segment never seen before; `start`: sequence number of its first payload byte. */
export function finish(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment, start: number, fresh: number): void {
  const { words, times } = table;
  const { sender, flags, ack, time } = segment;
  const receiver = sender ^ 1;
  const isFin = (flags & FIN) !== 0;
  if (!isFin && ((words[slot + SEEN]! | words[slot + SEEN + 1]!) & FIN_SENT) === 0) return;
  noteTimestamp(words, slot, segment);

  const peer = words[slot + SEEN + receiver]!;
  const acknowledged = (peer & FIN_SENT) !== 0 && (flags & ACK) !== 0 && distance(ack, words[slot + FIN_SEQ + receiver]!) > 0;
  const firstTime = acknowledged && (peer & FIN_ACKED) === 0;

  if (fresh > 0 && !isFin) dataAfterFin(table, slot, segment, fresh, acknowledged);
  if (firstTime) {
    words[slot + SEEN + receiver]! |= FIN_ACKED;
    times[(slot >> 1) + FIN_ACKED_TIME + receiver] = time;
  }
  if (isFin) fin(table, oddities, slot, segment, (start + segment.payload) | 0, firstTime);
  else if (acknowledged) {
    const beforeOwnFin =
      (words[slot + SEEN + sender]! & FIN_SENT) !== 0 && segment.payload === 0 && segment.seq === words[slot + FIN_SEQ + sender];
    if (beforeOwnFin) overtaken(table, slot, sender, firstTime);
    else if (firstTime) log(table, slot, A, sender);
    else if ((peer & FIN_AGAIN) !== 0) {
      log(table, slot, A_AGAIN, sender);
      words[slot + SEEN + receiver]! &= ~FIN_AGAIN;
    }
  }
  if ((words[slot + SEEN]! & words[slot + SEEN + 1]! & FIN_ACKED) !== 0) words[slot + FACTS]! |= CLOSED;
}

function dataAfterFin(table: ConnectionTable, slot: number, { sender }: Segment, fresh: number, acknowledges: boolean): void {
  const { words } = table;
  if ((words[slot + SEEN + sender]! & FIN_SENT) !== 0) {
    words[slot + MODIFIERS]! |= modifiers.DATA_AFTER_FIN; // beyond its own FIN, or filling a hole below it
    return;
  }
  if ((words[slot + SEEN + (sender ^ 1)]! & FIN_ACKED) === 0) return;
  if (!acknowledges) {
    words[slot + MODIFIERS]! |= modifiers.OUT_OF_ORDER; // sent before the acknowledgement, captured behind it
    return;
  }
  table.rare(slot).halfClosedBytes[sender as 0] += fresh;
  if ((words[slot + SEEN + sender]! & DATA_AFTER_FIN) !== 0) return;
  words[slot + SEEN + sender]! |= DATA_AFTER_FIN;
  log(table, slot, D, sender);
}

/** A segment with FIN; `end` is the FIN's own sequence number, `firstAck` whether it is the first to acknowledge the peer's FIN. */
function fin(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment, end: number, firstAck: boolean): void {
  const { words, times } = table;
  const { sender, time } = segment;
  const receiver = sender ^ 1;

  if ((words[slot + SEEN + sender]! & FIN_SENT) !== 0) {
    if (end === words[slot + FIN_SEQ + sender]) {
      words[slot + MODIFIERS]! |= modifiers.FIN_RETRANSMITTED;
      words[slot + FIN_RETRANSMITS + sender]! += 1;
      log(table, slot, F_AGAIN, sender);
      if ((words[slot + SEEN + sender]! & FIN_ACKED) !== 0) words[slot + SEEN + sender]! |= FIN_AGAIN;
    } else {
      words[slot + MODIFIERS]! |= modifiers.FIN_SEQ_CHANGED;
    }
    if (firstAck) log(table, slot, A, sender);
    return;
  }
  const ackedBeyond = (words[slot + SEEN + receiver]! & ACKED_KNOWN) !== 0 ? distance(words[slot + ACKED + receiver]!, end) : 0;
  if (ackedBeyond > 1) {
    // The peer has acknowledged more than this FIN's number: an old or a forged one.
    oddities.add('fin_invalid');
    if (firstAck) log(table, slot, A, sender);
    return;
  }
  noteSilence(words, slot);
  if (segment.payload > 0) words[slot + MODIFIERS]! |= modifiers.FIN_WITH_DATA;
  words[slot + FIN_SEQ + sender] = end;
  words[slot + FIN_ACK + sender] = segment.ack;
  words[slot + SEEN + sender]! |= FIN_SENT | (firstAck ? FIN_WITH_ACK : 0) | ((segment.flags & ACK) === 0 ? 0 : FIN_HAS_ACK);
  times[(slot >> 1) + FIN_TIME + sender] = time;
  if (distance(end + 1, words[slot + NXT + sender]!) > 0) words[slot + NXT + sender] = (end + 1) | 0;
  log(table, slot, firstAck ? FA : F, sender);
  if (ackedBeyond === 1) acknowledgedAlready(table, slot, sender, time);
}

/** The FIN was captured after the segment that acknowledges it. */
function acknowledgedAlready(table: ConnectionTable, slot: number, sender: number, time: number): void {
  const { words, times } = table;
  const receiver = sender ^ 1;
  words[slot + SEEN + sender]! |= FIN_ACKED;
  words[slot + MODIFIERS]! |= modifiers.OUT_OF_ORDER;
  times[(slot >> 1) + FIN_ACKED_TIME + sender] = time;
  const byItsFin =
    (words[slot + SEEN + receiver]! & FIN_HAS_ACK) !== 0 &&
    distance(words[slot + FIN_ACK + receiver]!, words[slot + FIN_SEQ + sender]!) > 0;
  if (!byItsFin) return log(table, slot, A, receiver);
  // The peer's FIN carried that acknowledgement, so this FIN was sent before it.
  const list = tokens(table, slot);
  const own = list.pop()!;
  const at = list.findIndex((token) => token >> 3 === receiver && (token & 7) <= FA);
  list[at] = tokenOf(FA, receiver);
  list.splice(at, 0, own);
  words[slot + SEEN + receiver]! |= FIN_WITH_ACK;
  rewrite(table, slot, list);
}

/** An acknowledgement of the peer's FIN whose number shows that it was sent before its sender's own FIN, yet captured behind it. */
function overtaken(table: ConnectionTable, slot: number, sender: number, firstTime: boolean): void {
  const { words } = table;
  if ((words[slot + SEEN + sender]! & ACK_OVERTAKEN) !== 0) return;
  if (!firstTime && (words[slot + SEEN + sender]! & FIN_WITH_ACK) === 0) return;
  words[slot + SEEN + sender] = (words[slot + SEEN + sender]! | ACK_OVERTAKEN) & ~FIN_WITH_ACK;
  words[slot + MODIFIERS]! |= modifiers.OUT_OF_ORDER;
  const list = tokens(table, slot);
  const at = list.findIndex((token) => token >> 3 === sender && (token & 7) <= FA);
  list[at] = tokenOf(F, sender);
  list.splice(at, 0, tokenOf(A, sender));
  rewrite(table, slot, list);
}
