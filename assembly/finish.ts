// The four waves: FINs, their acknowledgements, their retransmissions, and payload in between (SPEC §3). `own` and `peer` as in observe.ts.

import { DATA_AFTER_FIN as SENT_AFTER_FIN, FIN_RETRANSMITTED, FIN_SEQ_CHANGED, FIN_WITH_DATA } from '../src/layout/modifiers.ts';
import { KEEPALIVE_BEFORE_CLOSE, OUT_OF_ORDER, ZERO_WINDOW_AT_CLOSE } from '../src/layout/modifiers.ts';
import { FIN_INVALID } from '../src/layout/oddities.ts';
import { ACK_WORD, FLAGS_WORD, HAS_TIMESTAMP, PAYLOAD_WORD, SEQ_WORD, TCP_WORD, TIME_WORD, TSVAL_WORD } from '../src/layout/segment.ts';
import {
  A,
  A_AGAIN,
  ACK_AFTER_RST,
  ACKED,
  ACKED_KNOWN,
  CLOSED,
  D,
  DATA_AFTER_FIN,
  F,
  F_AGAIN,
  FA,
  FACTS,
  FIN_ACK,
  FIN_ACKED,
  FIN_ACKED_TIME,
  FIN_ACKS_ANEW,
  FIN_AFTER_RST,
  FIN_AGAIN,
  FIN_HAS_ACK,
  FIN_LATE,
  FIN_RETRANSMITS,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FIN_WITH_ACK,
  HAS_RARE,
  KEEPALIVE,
  NO_TIMESTAMPS,
  NXT,
  NXT_DOUBTED,
  RESET_BY_HIGH,
  SEEN,
  TSVAL,
  TSVAL_KNOWN,
  UNCOVERED,
  WINDOWS,
} from '../src/layout/slot.ts';
import { ACK, FIN, SYN } from '../src/layout/tcp.ts';
import { clearSeen, modify, setFact, setSeen } from './facts.ts';
import { acknowledgedAlready, addHalfClosedBytes, areCovered, fillHoles, noteFinAcked, oddity, overtaken, sentBeforeAck } from './host.ts';
import { log } from './sequence.ts';
import { slotAt } from './table.ts';

/** Words of a TCP header with a timestamp: twenty bytes, and ten of option. */
const WITH_TIMESTAMP = 8;

/**
 * `fresh`: payload bytes of this segment never seen before; `start`: sequence number of its first payload byte; `anew`: it acknowledges more
 * than its sender had before.
 */
export function finish(slot: i32, sender: i32, record: usize, start: i32, fresh: i32, anew: bool): void {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const other = words + ((<usize>(sender ^ 1)) << 2);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  const isFin = (flags & FIN) != 0;
  if (!isFin && ((load<i32>(words, SEEN << 2) | load<i32>(words, (SEEN + 1) << 2)) & FIN_SENT) == 0) return;

  noteTimestamp(own, record, flags);
  const peer = load<i32>(other, SEEN << 2);
  const ack = load<i32>(record, ACK_WORD << 2);
  const sent = ack - load<i32>(other, NXT << 2) <= 0; // else nobody has sent what it acknowledges
  const acknowledged = (peer & FIN_SENT) != 0 && (flags & ACK) != 0 && sent && ack - load<i32>(other, FIN_SEQ << 2) > 0;
  const firstTime = acknowledged && (peer & FIN_ACKED) == 0;

  const payload = load<i32>(record, PAYLOAD_WORD << 2);
  const end = start + payload;
  if (fresh > 0 && !isFin) dataAfterFin(slot, sender, end, fresh, acknowledged);
  if (firstTime) {
    clearSeen(own, NXT_DOUBTED); // no probe does that
    if ((load<i32>(words, FACTS << 2) & HAS_RARE) != 0) {
      const seen = load<i32>(own, SEEN << 2);
      const awaited = (peer & ACKED_KNOWN) == 0 || end - load<i32>(other, ACKED << 2) > 0;
      const fills = fresh > 0 && awaited && end - load<i32>(own, FIN_SEQ << 2) <= 0;
      const lacksFin = (seen & FIN_SENT) != 0 && ((seen & UNCOVERED) != 0 || fills); // an acknowledgement counts before what comes with it
      noteFinAcked(slot, sender, load<i32>(own, NXT << 2), lacksFin ? 1 : 0);
    }
    setSeen(other, FIN_ACKED);
    store<f64>(words + ((<usize>(sender ^ 1)) << 3), load<f64>(record, TIME_WORD << 2), FIN_ACKED_TIME << 3);
  }
  if (isFin) fin(slot, sender, record, end, firstTime, anew);
  else if (acknowledged) {
    const closes = (load<i32>(own, SEEN << 2) & FIN_SENT) != 0;
    // A later one has a number below that FIN's only where the peer has shrunk its window, so that FINs come again.
    const beyondFin = load<i32>(record, SEQ_WORD << 2) - load<i32>(own, FIN_SEQ << 2);
    const beforeOwnFin = closes && payload == 0 && (beyondFin == 0 || (beyondFin < 0 && load<u64>(words, FIN_RETRANSMITS << 2) == 0));
    if (beforeOwnFin) overtaken(slot, sender, firstTime ? 1 : 0);
    else if (firstTime) log(slot, A, sender);
    else if ((peer & FIN_AGAIN) != 0) {
      log(slot, A_AGAIN, sender);
      clearSeen(other, FIN_AGAIN);
    }
  }
  const bothAcked = (load<i32>(words, SEEN << 2) & load<i32>(words, (SEEN + 1) << 2) & FIN_ACKED) != 0;
  if (bothAcked) setFact(words, CLOSED);
}

/** Remembers a sender's latest TSval, from the first FIN on: a reuse of the 4-tuple is held against it, and nothing else is. */
function noteTimestamp(own: usize, record: usize, flags: i32): void {
  if ((flags & HAS_TIMESTAMP) == 0) {
    const header = (load<i32>(record, TCP_WORD << 2) >> 4) & 15;
    if ((flags & SYN) == 0 && header < WITH_TIMESTAMP) setSeen(own, NO_TIMESTAMPS);
    return;
  }
  const tsval = load<i32>(record, TSVAL_WORD << 2);
  if ((load<i32>(own, SEEN << 2) & TSVAL_KNOWN) != 0 && tsval - load<i32>(own, TSVAL << 2) <= 0) return;
  store<i32>(own, tsval, TSVAL << 2);
  setSeen(own, TSVAL_KNOWN);
}

/** `end`: of the payload, of which `fresh` bytes were never seen before. */
function dataAfterFin(slot: i32, sender: i32, end: i32, fresh: i32, acknowledges: bool): void {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const seen = load<i32>(own, SEEN << 2);
  if ((seen & FIN_SENT) != 0) {
    if (end - load<i32>(own, FIN_SEQ << 2) > 0) modify(words, SENT_AFTER_FIN); // else it fills a hole below its own FIN
    return;
  }
  if ((load<i32>(words + ((<usize>(sender ^ 1)) << 2), SEEN << 2) & FIN_ACKED) == 0) return;
  if (!acknowledges) return modify(words, OUT_OF_ORDER); // sent before the acknowledgement, captured behind it
  // Else it fills a hole: sent before the acknowledgement, and lost on its way to the capture.
  if (addHalfClosedBytes(slot, sender, end, fresh) == 0 || (seen & DATA_AFTER_FIN) != 0) return;
  setSeen(own, DATA_AFTER_FIN);
  log(slot, D, sender);
}

/** A segment with FIN; `end` is the FIN's own sequence number, `firstAck` whether it is the first to acknowledge the peer's FIN; `anew` as in finish(). */
function fin(slot: i32, sender: i32, record: usize, end: i32, firstAck: bool, anew: bool): void {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const other = words + ((<usize>(sender ^ 1)) << 2);
  const seen = load<i32>(own, SEEN << 2);

  if ((seen & FIN_SENT) != 0) {
    if (repeatsFin(words, sender, end)) {
      log(slot, F_AGAIN, sender);
      if ((seen & FIN_ACKED) != 0) setSeen(own, FIN_AGAIN);
    } else modify(words, FIN_SEQ_CHANGED);
    if (firstAck) log(slot, A, sender);
    return;
  }
  const ackedBeyond = (load<i32>(other, SEEN << 2) & ACKED_KNOWN) != 0 ? load<i32>(other, ACKED << 2) - end : 0;
  if (ackedBeyond > 1) {
    // The peer has acknowledged more than this FIN's number: an old or a forged one.
    oddity(FIN_INVALID);
    if (firstAck) log(slot, A, sender);
    return;
  }
  noteSilence(slot);
  const time = load<f64>(record, TIME_WORD << 2);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  if (load<i32>(record, PAYLOAD_WORD << 2) > 0) modify(words, FIN_WITH_DATA);
  store<i32>(own, end, FIN_SEQ << 2);
  store<i32>(own, load<i32>(record, ACK_WORD << 2), FIN_ACK << 2);
  setSeen(own, FIN_SENT | (firstAck ? FIN_WITH_ACK : 0) | ((flags & ACK) == 0 ? 0 : FIN_HAS_ACK) | (anew ? FIN_ACKS_ANEW : 0));
  store<f64>(words + ((<usize>sender) << 3), time, FIN_TIME << 3);
  if (end + 1 - load<i32>(own, NXT << 2) > 0) store<i32>(own, end + 1, NXT << 2);
  else {
    // Its own ACK of later came first, and left a hole for it.
    if ((flags & ACK) != 0 && load<i32>(record, ACK_WORD << 2) == load<i32>(own, ACKED << 2)) setSeen(own, FIN_LATE);
    if ((load<i32>(words, FACTS << 2) & HAS_RARE) != 0 && fillHoles(slot, sender, end, end + 1) > 0) {
      modify(words, OUT_OF_ORDER);
      if ((load<i32>(other, SEEN << 2) & ACKED_KNOWN) != 0 && areCovered(slot, sender, load<i32>(other, ACKED << 2)) != 0)
        clearSeen(own, UNCOVERED);
    }
  }
  log(slot, firstAck ? FA : F, sender);
  const peer = load<i32>(other, SEEN << 2);
  const acknowledgesLess = (flags & ACK) != 0 && load<i32>(record, ACK_WORD << 2) - load<i32>(other, FIN_SEQ << 2) <= 0;
  if (acknowledgesLess && (peer & FIN_ACKED) != 0) sentBeforeAck(slot, sender);
  if (ackedBeyond == 1) acknowledgedAlready(slot, sender, time);
}

/** Counts a FIN that was sent before, and answers whether it was. */
export function repeatsFin(words: usize, sender: i32, end: i32): bool {
  const own = words + ((<usize>sender) << 2);
  if ((load<i32>(own, SEEN << 2) & FIN_SENT) == 0 || end != load<i32>(own, FIN_SEQ << 2)) return false;
  modify(words, FIN_RETRANSMITTED);
  store<i32>(own, load<i32>(own, FIN_RETRANSMITS << 2) + 1, FIN_RETRANSMITS << 2);
  return true;
}

/**
 * What the receiver of an RST sends behind it, it sent before that came: a FIN, or the acknowledgement of the peer's. Neither has a place in the
 * close, which is over; but its sender went through their states.
 */
export function meetsNoReset(words: usize, sender: i32, record: usize, flags: i32): void {
  const facts = load<i32>(words, FACTS << 2);
  if ((facts & CLOSED) != 0 || ((facts & RESET_BY_HIGH) != 0) == (sender == 1)) return;
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  const time = load<f64>(record, TIME_WORD << 2);
  const seen = load<i32>(own, SEEN << 2);
  const sent = load<i32>(peer, SEEN << 2);
  if ((flags & FIN) != 0 && (seen & (FIN_SENT | FIN_SUPPOSED)) == 0 && (facts & FIN_AFTER_RST) == 0) {
    store<f64>(words + ((<usize>sender) << 3), time, FIN_TIME << 3);
    setFact(words, FIN_AFTER_RST);
  }
  if ((flags & ACK) == 0 || (sent & (FIN_SENT | FIN_ACKED)) != FIN_SENT || (facts & ACK_AFTER_RST) != 0) return;
  if (load<i32>(record, ACK_WORD << 2) - load<i32>(peer, FIN_SEQ << 2) != 1) return;
  store<f64>(words + ((<usize>(sender ^ 1)) << 3), time, FIN_ACKED_TIME << 3);
  setFact(words, ACK_AFTER_RST);
}

/** What had gone on before a close began: keep-alive probes, or a window of zero. */
export function noteSilence(slot: i32): void {
  const words = slotAt(slot);
  const low = load<i32>(words, SEEN << 2);
  const high = load<i32>(words, (SEEN + 1) << 2);
  if (((low | high) & KEEPALIVE) != 0) modify(words, KEEPALIVE_BEFORE_CLOSE);
  const lowClosed = (low & ACKED_KNOWN) != 0 && load<u16>(words, WINDOWS << 2) == 0;
  const highClosed = (high & ACKED_KNOWN) != 0 && load<u16>(words, (WINDOWS << 2) + 2) == 0;
  if (lowClosed || highClosed) modify(words, ZERO_WINDOW_AT_CLOSE);
}
