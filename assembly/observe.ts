// What one segment proves, as seen from outside: it proves what its sender has sent and has received, never what will become of it.
// `sender` and `receiver` are 0 or 1; nothing here knows who is the client. All of it are facts, written to the connection's slot;
// src/tracker/ draws the conclusions.
//
// `own` and `peer` are the slot, moved to the sender's and to the receiver's words: load<i32>(own, NXT << 2) is the sender's NXT.

import { ACK_WORD, FLAGS_WORD, FROM_HIGH, PAYLOAD_WORD, SEQ_WORD, TIME_WORD } from '../src/layout/segment.ts';
import { ACK_BEYOND_FIN, ACK_IMPLAUSIBLE, SEQ_IMPLAUSIBLE, SYN_ACK_ISN_CHANGED, SYN_ACK_UNEXPECTED } from '../src/layout/oddities.ts';
import { DATA_AFTER_RST, OUT_OF_ORDER } from '../src/layout/modifiers.ts';
import {
  ACKED,
  ACKED_KNOWN,
  BYTES,
  CLOSED,
  COMPLETE_ACK,
  COMPLETE_DATA,
  COMPLETE_FIN,
  COMPLETE_RST,
  COMPLETE_SYN,
  COMPLETE_SYN_ACK,
  COUNTED,
  ESTABLISHED,
  FACTS,
  FIN_ACK,
  FIN_ACKED,
  FIN_HAS_ACK,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FINS,
  HAS_RARE,
  ISS,
  ISS_KNOWN,
  KEEPALIVE,
  LAST,
  LETTERS,
  MIDSTREAM,
  NO_SCALE,
  NXT,
  NXT_DOUBTED,
  NXT_KNOWN,
  PLAIN,
  REFUSED,
  RESET,
  RESET_AFTER_CLOSE,
  RSTS,
  SCALE_KNOWN,
  SCALE_SHIFT,
  SEEN,
  SEGMENTS,
  SYNS,
  UNCOVERED,
  WINDOWS,
} from '../src/layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../src/layout/tcp.ts';
import { clearSeen, complete, increase, modify, setSeen } from './facts.ts';
import { finish, meetsNoReset, repeatsFin } from './finish.ts';
import { begin, chooseIss, establish, isForeign, isOpenElsewhere, open, withdrawRefusal } from './handshake.ts';
import {
  addHole,
  areCovered,
  coveredHoles,
  farFin,
  fillHoles,
  goesOn,
  mayBePlain,
  oddity,
  reset,
  stillAlive,
  surviveReset,
} from './host.ts';
import { isAwaited, isProbeBehindHole, noteProbe, settleProbes } from './probe.ts';
import { slotAt } from './table.ts';
import { addLetters, contentGap, follow } from './zeek.ts';

/** The largest window that TCP can advertise (RFC 7323 §2.3: 2^30): what lies further away belongs to no live exchange. */
const MAX_WINDOW: i32 = 1 << 30;

function plausible(number: i32, now: i32): bool {
  const distance = number - now;
  return distance <= MAX_WINDOW && distance >= -MAX_WINDOW;
}

/** Takes a segment into the facts of the connection that it belongs to. */
export function observe(slot: i32, record: usize): void {
  const words = slotAt(slot);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  const payload = load<i32>(record, PAYLOAD_WORD << 2);
  const time = load<f64>(record, TIME_WORD << 2);
  const sender: i32 = (flags & FROM_HIGH) != 0 ? 1 : 0;
  const own = words + ((<usize>sender) << 2);
  const first = (load<i32>(words, SEGMENTS << 2) | load<i32>(words, (SEGMENTS + 1) << 2)) == 0;

  settle(slot);
  follow(slot, sender, record);
  complete(words, completeness(flags, payload, first));
  increase(own + (SEGMENTS << 2));
  const last = load<f64>(words, LAST << 3);
  store<f64>(words, max(last, time), LAST << 3);
  if ((flags & SYN) != 0) increase(own + (SYNS << 2));
  if ((flags & FIN) != 0) increase(own + (FINS << 2));

  if ((flags & RST) != 0) {
    increase(own + (RSTS << 2));
    reset(slot, record, time - last, first ? 1 : 0);
  } else show(slot, sender, record, flags, payload);
  counted(words);
  judgePlain(slot);
}

/** What a segment without RST shows. */
function show(slot: i32, sender: i32, record: usize, flags: i32, payload: i32): void {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  const rare = (load<i32>(words, FACTS << 2) & HAS_RARE) != 0;
  if (rare && (flags & (SYN | ACK)) == ACK) chooseIss(slot, sender ^ 1, load<i32>(record, ACK_WORD << 2));
  if ((flags & ACK) != 0 && isForeign(slot, sender ^ 1, load<i32>(record, ACK_WORD << 2))) {
    oddity((flags & SYN) != 0 ? SYN_ACK_UNEXPECTED : ACK_IMPLAUSIBLE);
    return;
  }
  if (rare && (flags & (SYN | ACK)) != SYN) stillAlive(slot, sender, load<i32>(record, ACK_WORD << 2));
  if ((flags & (SYN | ACK)) == (SYN | ACK) && isOpenElsewhere(words, own, load<i32>(record, SEQ_WORD << 2)))
    return oddity(SYN_ACK_ISN_CHANGED);
  if ((flags & SYN) != 0) open(slot, sender, record, flags);
  const seq = load<i32>(record, SEQ_WORD << 2);
  const start = (flags & SYN) != 0 ? seq + 1 : seq;
  const nxt = load<i32>(own, NXT << 2);
  const acknowledged = load<i32>(own, SEEN << 2) & ACKED_KNOWN;
  const acked = load<i32>(own, ACKED << 2);
  const far = (flags & FIN) != 0 && isBeyondWindow(slot, sender, start, payload);
  const awaited = (load<i32>(own, SEEN << 2) & (FIN_SENT | FIN_ACKED)) == FIN_SENT;
  if (awaited && (load<i32>(words, FACTS << 2) & HAS_RARE) != 0 && isLater(own, record, flags, payload)) goesOn(slot, sender, start);
  const fresh = take(slot, sender, flags, payload, start, load<f64>(record, TIME_WORD << 2));
  store<u16>(words + ((<usize>sender) << 1), <u16>(flags >>> 16), WINDOWS << 2);
  if ((load<i32>(words, FACTS << 2) & REFUSED) != 0 && (flags & ACK) != 0) {
    if ((flags & SYN) != 0) acknowledge(slot, sender, record, flags, payload);
    else withdrawRefusal(words, sender, load<i32>(record, ACK_WORD << 2));
  }
  const bothResets = RESET | RESET_AFTER_CLOSE;
  if ((load<i32>(words, FACTS << 2) & bothResets) == bothResets && (flags & (SYN | ACK)) == ACK) surviveReset(slot, sender);
  if ((load<i32>(words, FACTS << 2) & RESET) != 0) {
    if (payload > 0) modify(words, DATA_AFTER_RST);
    if ((flags & FIN) != 0) repeatsFin(words, sender, start + payload);
    meetsNoReset(words, sender, record, flags);
  } else if (fresh >= 0) {
    if ((flags & ACK) != 0) acknowledge(slot, sender, record, flags, payload);
    const anew = (flags & ACK) != 0 && (acknowledged == 0 || load<i32>(record, ACK_WORD << 2) - acked > 0);
    finish(slot, sender, record, start, fresh, anew);
    if (far) farFin(slot, sender, nxt, acked, acknowledged);
  }
  if (fresh > 0) {
    clearSeen(own, KEEPALIVE);
    clearSeen(peer, KEEPALIVE);
  }
}

/** Whether a segment was sent after a FIN that is supposed to be its sender's, and not just captured behind it. */
function isLater(own: usize, record: usize, flags: i32, payload: i32): bool {
  if (payload > 0 || (flags & FIN) != 0) return true;
  return (load<i32>(own, SEEN << 2) & FIN_HAS_ACK) != 0 && load<i32>(record, ACK_WORD << 2) - load<i32>(own, FIN_ACK << 2) > 0;
}

/**
 * Whether a first FIN lies beyond all that its receiver would take, and beyond a hole: it was sent by somebody else, or much is missing from
 * the capture, and what follows tells. It has to be known how windows are scaled (RFC 7323 §2.2).
 */
function isBeyondWindow(slot: i32, sender: i32, start: i32, payload: i32): bool {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const other = load<i32>(peer, SEEN << 2);
  const scaled = (seen & other & SCALE_KNOWN) != 0;
  if (
    !(scaled || ((seen | other) & NO_SCALE) != 0) ||
    (seen & (FIN_SENT | NXT_KNOWN)) != NXT_KNOWN ||
    (other & ACKED_KNOWN) == 0 ||
    start - load<i32>(own, NXT << 2) <= 0
  )
    return false;
  const scale = scaled ? (other >> SCALE_SHIFT) & 15 : 0;
  const window = (<i32>load<u16>(words + ((<usize>(sender ^ 1)) << 1), WINDOWS << 2)) << scale;
  return start + payload - load<i32>(peer, ACKED << 2) > window;
}

/** Counts in full what ordinary segments have left for later. */
export function settle(slot: i32): void {
  const words = slotAt(slot);
  if (load<i32>(words, LETTERS << 2) != 0) addLetters(slot);
  countBytes(words, 0);
  countBytes(words, 1);
  counted(words);
}

/** Brings an endpoint's BYTES up to what its ordinary segments have sent since. */
function countBytes(words: usize, endpoint: usize): void {
  const own = words + (endpoint << 2);
  const ordinary: u32 = load<i32>(own, NXT << 2) - load<i32>(own, COUNTED << 2);
  if (ordinary == 0) return;
  const bytes = words + (endpoint << 3);
  store<f64>(bytes, load<f64>(bytes, BYTES << 3) + <f64>ordinary, BYTES << 3);
}

/** BYTES of both endpoints are right for the NXT of now. */
function counted(words: usize): void {
  store<u64>(words, load<u64>(words, NXT << 2), COUNTED << 2);
}

/** The bits that one segment adds. `first`: it is the first of its connection (only there does a SYN count). */
function completeness(flags: i32, payload: i32, first: bool): i32 {
  let bits = 0;
  if ((flags & (SYN | ACK)) == SYN) {
    if (first) bits |= COMPLETE_SYN | (payload > 0 ? COMPLETE_DATA : 0);
  } else if ((flags & (SYN | ACK)) == (SYN | ACK)) bits |= COMPLETE_SYN_ACK;
  else if ((flags & ACK) != 0) bits |= payload > 0 ? COMPLETE_DATA : COMPLETE_ACK;
  if ((flags & (FIN | ACK)) == (FIN | ACK)) bits |= COMPLETE_FIN;
  if ((flags & RST) != 0) bits |= COMPLETE_RST;
  return bits;
}

/**
 * The segment's place among what its sender sent; answers how many of its payload bytes were never seen before, or -1 where it
 * lies so far away that it belongs to no live exchange.
 */
function take(slot: i32, sender: i32, flags: i32, payload: i32, start: i32, time: f64): i32 {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  let fresh = payload;
  // Nothing of it is in the capture yet, but the peer's acknowledgement told where it began.
  if ((load<i32>(own, SEEN << 2) & (NXT_KNOWN | ISS_KNOWN)) == ISS_KNOWN) {
    const iss = load<i32>(own, ISS << 2);
    if (plausible(start, iss)) begin(slot, sender, iss);
  }
  if ((load<i32>(own, SEEN << 2) & NXT_KNOWN) == 0) {
    store<i32>(own, start - 1, ISS << 2);
    store<i32>(own, start + payload, NXT << 2);
    setSeen(own, NXT_KNOWN | (payload == 0 && (flags & (SYN | FIN)) == 0 ? NXT_DOUBTED : 0));
  } else {
    if ((load<i32>(own, SEEN << 2) & NXT_DOUBTED) != 0 && (payload > 0 || start != load<i32>(own, NXT << 2))) settleProbes(own, start);
    if (!plausible(start, load<i32>(own, NXT << 2))) {
      if ((load<i32>(peer, SEEN << 2) & ACKED_KNOWN) == 0 || !plausible(start, load<i32>(peer, ACKED << 2))) {
        oddity(SEQ_IMPLAUSIBLE);
        return -1;
      }
      begin(slot, sender, start - 1); // gigabytes that the capture lacks: the peer's acknowledgement vouches for the number
    }
    const plain = (flags & (SYN | FIN | RST)) == 0;
    if (plain && payload == 0 && isProbeBehindHole(slot, sender, start, time)) setSeen(own, KEEPALIVE);
    const lowest = plain && payload <= 1 && start == load<i32>(own, NXT << 2) - 1;
    const probe = lowest && (payload == 0 || !isAwaited(slot, sender));
    fresh = probe ? noteProbe(slot, sender, start, time) : extend(slot, sender, start, start + payload);
  }
  const bytes = words + ((<usize>sender) << 3);
  if (fresh > 0) store<f64>(bytes, load<f64>(bytes, BYTES << 3) + <f64>fresh, BYTES << 3);
  return fresh;
}

/** Takes [start, end) into what was seen of a sender; answers how much of it is new. */
function extend(slot: i32, sender: i32, start: i32, end: i32): i32 {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const nxt = load<i32>(own, NXT << 2);
  let fresh = 0;
  const facts = load<i32>(words, FACTS << 2);
  const acked = ackedBy(words + ((<usize>(sender ^ 1)) << 2), nxt);
  if (start - nxt > 0) {
    addHole(slot, sender, nxt, start);
    if ((facts & RESET) == 0 && acked - start < 0) setSeen(own, UNCOVERED); // behind an RST it tells nothing of what its receiver had
  }
  if (end - nxt > 0) {
    fresh = min(end - start, end - nxt);
    store<i32>(own, end, NXT << 2);
  }
  if (start - nxt >= 0 || start == end) return fresh;
  let filled = 0;
  if ((facts & HAS_RARE) != 0) {
    filled = fillHoles(slot, sender, start, end);
    if (filled > 0 && (load<i32>(own, SEEN << 2) & UNCOVERED) != 0 && areCovered(slot, sender, acked) != 0) clearSeen(own, UNCOVERED);
  }
  if ((load<i32>(own, SEEN << 2) & ISS_KNOWN) == 0) {
    const lowest = load<i32>(own, ISS << 2) + 1;
    if (lowest - start > 0) {
      filled += min(end - start, lowest - start); // below all that the capture showed so far
      store<i32>(own, start - 1, ISS << 2);
    }
  }
  if (filled > 0) modify(words, OUT_OF_ORDER);
  return fresh + filled;
}

/** The highest acknowledgement that an endpoint sent; one far below `nxt` where it sent none. */
function ackedBy(own: usize, nxt: i32): i32 {
  return (load<i32>(own, SEEN << 2) & ACKED_KNOWN) == 0 ? nxt - MAX_WINDOW : load<i32>(own, ACKED << 2);
}

/** What the acknowledgement proves of its sender, and so of the handshake. */
function acknowledge(slot: i32, sender: i32, record: usize, flags: i32, payload: i32): void {
  const words = slotAt(slot);
  const receiver = sender ^ 1;
  const own = words + ((<usize>sender) << 2);
  const other = words + ((<usize>receiver) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peer = load<i32>(other, SEEN << 2);
  const ack = load<i32>(record, ACK_WORD << 2);
  const time = load<f64>(record, TIME_WORD << 2);
  const advance = (seen & ACKED_KNOWN) == 0 ? 0 : ack - load<i32>(own, ACKED << 2);

  if (advance > 0) clearSeen(own, NXT_DOUBTED); // no probe does that
  if ((peer & NXT_DOUBTED) != 0 && ack - load<i32>(other, NXT << 2) == 1) settleProbes(other, ack);
  const heard = (peer & NXT_KNOWN) != 0 && load<i32>(other, SEGMENTS << 2) != 0; // else nothing but acknowledgements tells of it
  if (heard) {
    const nxt = load<i32>(other, NXT << 2);
    if (!plausible(ack, nxt)) return oddity(ACK_IMPLAUSIBLE);
    if (ack - nxt > 0) {
      if ((peer & FIN_SENT) != 0) return oddity(ACK_BEYOND_FIN);
      if (advance > 0 && isOldAck(peer, other, record, flags, payload)) return oddity(ACK_IMPLAUSIBLE);
      const news = advance > 0 || (seen & ACKED_KNOWN) == 0;
      if (news && ack - nxt == 1) supposeFin(words, receiver, ack, time);
      else if (news && (flags & FIN) == 0) contentGap(slot, receiver);
    } else if (ack == nxt && advance > 0 && (peer & (FIN_SENT | UNCOVERED)) == UNCOVERED) {
      supposeFin(words, receiver, ack, time); // the receiver has gone on behind it
    }
  } else if (advance == 1) supposeFin(words, receiver, ack, time);
  if ((seen & ACKED_KNOWN) == 0 || advance > 0) {
    if ((peer & UNCOVERED) != 0) {
      for (let gaps = coveredHoles(slot, receiver, ackedBy(own, ack), ack); gaps > 0; gaps--) contentGap(slot, receiver);
      if (areCovered(slot, receiver, ack) != 0) clearSeen(other, UNCOVERED);
    }
    store<i32>(own, ack, ACKED << 2);
    setSeen(own, ACKED_KNOWN);
  }
  if ((load<i32>(words, FACTS << 2) & (ESTABLISHED | MIDSTREAM)) == 0) establish(slot, sender, ack, flags, payload, time);
}

/**
 * Whether a bare ACK has a number below all that its receiver waits for: its sender is far beyond that, so that it acknowledges no more than
 * others have, and is one of an earlier connection. (Who probes a silent peer does so with the latest number less one.)
 */
function isOldAck(receiverSeen: i32, receiver: usize, record: usize, flags: i32, payload: i32): bool {
  if (payload > 0 || (flags & (SYN | FIN)) != 0 || (receiverSeen & ACKED_KNOWN) == 0) return false;
  return load<i32>(record, SEQ_WORD << 2) - load<i32>(receiver, ACKED << 2) < -1;
}

/** One number above all that the receiver is known to have sent, or one that it passed over last, may be its FIN; what comes later tells (src/tracker/close.ts, inferredFin). */
function supposeFin(words: usize, receiver: i32, ack: i32, time: f64): void {
  const other = words + ((<usize>receiver) << 2);
  store<i32>(other, ack - 1, FIN_SEQ << 2);
  setSeen(other, FIN_SUPPOSED);
  store<f64>(words + ((<usize>receiver) << 3), time, FIN_TIME << 3);
}

/** Opens the short path to a connection, or closes it. */
function judgePlain(slot: i32): void {
  const words = slotAt(slot);
  const facts = load<i32>(words, FACTS << 2);
  const low = load<i32>(words, SEEN << 2);
  const high = load<i32>(words, (SEEN + 1) << 2);
  const known = NXT_KNOWN | ACKED_KNOWN;
  const plain =
    (facts & (ESTABLISHED | MIDSTREAM)) != 0 &&
    (facts & (RESET | CLOSED)) == 0 &&
    (low & high & known) == known &&
    ((low | high) & (FIN_SENT | FIN_ACKED | KEEPALIVE | NXT_DOUBTED | UNCOVERED)) == 0 &&
    load<i32>(words, ACKED << 2) - load<i32>(words, (NXT + 1) << 2) <= 0 &&
    load<i32>(words, (ACKED + 1) << 2) - load<i32>(words, NXT << 2) <= 0 &&
    ((facts & HAS_RARE) == 0 || mayBePlain(slot) != 0);
  store<i32>(words, plain ? facts | PLAIN : facts & ~PLAIN, FACTS << 2);
}
