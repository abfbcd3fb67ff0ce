// How a connection opens: SYN, SYN-ACK and the acknowledgement, in whatever order they come or are captured. `own` and `peer` as in observe.ts.

import { ACK_WORD, NO_WINDOW_SCALE, SEQ_WORD, TCP_WORD, TIME_WORD } from '../src/layout/segment.ts';
import { SYN_ACK_ISN_CHANGED, SYN_ACK_UNEXPECTED } from '../src/layout/oddities.ts';
import {
  ACK_AFTER_RST,
  ACKED_KNOWN,
  BYTES,
  CLIENT_IS_HIGH,
  ESTABLISHED,
  ESTABLISHED_TIME,
  EXPIRY,
  FACTS,
  FAST_OPEN,
  FIN_AFTER_RST,
  FIN_SENT,
  HAS_RARE,
  ISS,
  ISS_KNOWN,
  LOGGED,
  MIDSTREAM,
  NO_SCALE,
  NXT,
  NXT_KNOWN,
  REFUSED,
  RESET,
  RESET_BY_HIGH,
  RST_SHOWS,
  SCALE_KNOWN,
  SCALE_SHIFT,
  SEEN,
  SEGMENTS,
  SIMULTANEOUS_OPEN,
  SYN_ACK_SENT,
  SYN_ACKED,
  SYN_SENT,
  SYN_TIME,
  SYNS,
  TOKENS,
  UNCOVERED,
} from '../src/layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../src/layout/tcp.ts';
import { clearSeen, setFact, setSeen } from './facts.ts';
import { earlierIss, forgetHoles, noteEstablished, noteIss, noteSynAck, oddity } from './host.ts';
import { slotAt } from './table.ts';

/** Words of a TCP header without options. */
const BARE_HEADER = 5;

/** SYN and SYN-ACK. */
export function open(slot: i32, sender: i32, record: usize, flags: i32): void {
  if (!((flags & ACK) == 0 ? openBySyn(slot, sender, record) : openBySynAck(slot, sender, record))) return;
  const scale = load<i32>(record, TCP_WORD << 2) & 15;
  const own = slotAt(slot) + ((<usize>sender) << 2);
  if (scale != NO_WINDOW_SCALE) setSeen(own, SCALE_KNOWN | (scale << SCALE_SHIFT));
  else if (((load<i32>(record, TCP_WORD << 2) >> 4) & 15) == BARE_HEADER) setSeen(own, NO_SCALE);
}

/** Answers whether it is the sender's first one. */
function openBySyn(slot: i32, sender: i32, record: usize): bool {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peer = load<i32>(words + ((<usize>(sender ^ 1)) << 2), SEEN << 2);
  if ((seen & (SYN_SENT | SYN_ACK_SENT)) != 0) {
    const served = (seen & SYN_SENT) == 0 && (peer & SYN_SENT) == 0; // its SYN-ACK came first in the file
    if (served) setClient(words, sender);
    return false;
  }
  const established = (load<i32>(words, FACTS << 2) & ESTABLISHED) != 0;
  if ((peer & SYN_SENT) != 0 && (peer & SYN_ACK_SENT) == 0 && !established) setFact(words, SIMULTANEOUS_OPEN);
  if ((seen & NXT_KNOWN) == 0 || isSilent(words, sender)) begin(slot, sender, load<i32>(record, SEQ_WORD << 2));
  const time = load<f64>(record, TIME_WORD << 2);
  store<f64>(words + ((<usize>sender) << 3), time, SYN_TIME << 3);
  setSeen(own, SYN_SENT | ISS_KNOWN);
  if ((load<i32>(words, FACTS << 2) & MIDSTREAM) != 0) lateHandshake(words, sender, time);
  return true;
}

/** Answers whether it is the sender's first one. */
function openBySynAck(slot: i32, sender: i32, record: usize): bool {
  const words = slotAt(slot);
  const receiver = sender ^ 1;
  const own = words + ((<usize>sender) << 2);
  const other = words + ((<usize>receiver) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peer = load<i32>(other, SEEN << 2);
  const seq = load<i32>(record, SEQ_WORD << 2);
  const ack = load<i32>(record, ACK_WORD << 2);
  const time = load<f64>(record, TIME_WORD << 2);
  if ((seen & SYN_ACK_SENT) != 0) {
    if (seq != load<i32>(own, ISS << 2)) {
      oddity(SYN_ACK_ISN_CHANGED);
      noteIss(slot, sender, load<i32>(own, ISS << 2));
      begin(slot, sender, seq);
    }
    return false;
  }
  const beyond = ack - load<i32>(other, ISS << 2);
  // Where only an acknowledgement told where the receiver began, nothing says how far it went.
  const sent = (peer & NXT_KNOWN) != 0 ? load<i32>(other, NXT << 2) - load<i32>(other, ISS << 2) : 1;
  const answers = beyond > 0 && beyond <= sent;
  if ((peer & ISS_KNOWN) == 0) {
    if ((peer & NXT_KNOWN) == 0) begin(slot, receiver, ack - 1);
    store<i32>(other, ack - 1, ISS << 2);
    setSeen(other, ISS_KNOWN);
  } else if (!answers) oddity(SYN_ACK_UNEXPECTED);
  else if (beyond > 1) setFact(words, FAST_OPEN);
  if ((seen & NXT_KNOWN) == 0) begin(slot, sender, seq);
  else if ((seen & SYN_SENT) == 0 && isSilent(words, sender)) {
    // What it acknowledged before was of another incarnation.
    begin(slot, sender, seq);
    clearSeen(own, ACKED_KNOWN);
  }
  if ((seen & SYN_SENT) != 0) noteSynAck(slot, sender, time);
  else store<f64>(words + ((<usize>sender) << 3), time, SYN_TIME << 3);
  store<i32>(own, seq, ISS << 2);
  setSeen(own, SYN_ACK_SENT | ISS_KNOWN);
  if ((load<i32>(words, FACTS << 2) & MIDSTREAM) != 0) lateHandshake(words, receiver, time);
  return true;
}

/**
 * The SYN that an RST had answered was accepted after all, and its sender has acknowledged that: it did not believe that RST, or it was
 * not its receiver who sent it.
 */
export function withdrawRefusal(words: usize, sender: i32, ack: i32): void {
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  const facts = load<i32>(words, FACTS << 2);
  if ((facts & SIMULTANEOUS_OPEN) != 0 || ((facts & RESET_BY_HIGH) != 0) == (sender == 1)) return;
  if ((load<i32>(own, SEEN << 2) & SYN_SENT) == 0 || (load<i32>(peer, SEEN << 2) & SYN_ACK_SENT) == 0) return;
  if (ack - load<i32>(peer, ISS << 2) <= 0 || ack - load<i32>(peer, NXT << 2) > 0) return;
  store<i32>(words, facts & ~(REFUSED | RESET | RESET_BY_HIGH | RST_SHOWS | FIN_AFTER_RST | ACK_AFTER_RST), FACTS << 2);
  store<i32>(words, load<i32>(words, LOGGED << 2) & 0xff, LOGGED << 2);
  store<i32>(words, 0, TOKENS << 2);
  store<f64>(words, 0, EXPIRY << 3);
}

/** A SYN or SYN-ACK captured behind the first data: the handshake is there after all, and tells who the client is. */
function lateHandshake(words: usize, client: i32, time: f64): void {
  store<i32>(words, load<i32>(words, FACTS << 2) & ~MIDSTREAM, FACTS << 2);
  setClient(words, client);
  if ((load<i32>(words + ((<usize>client) << 2), SEEN << 2) & ACKED_KNOWN) == 0) return;
  setFact(words, ESTABLISHED); // what it acknowledged before can only have been the SYN-ACK
  store<f64>(words, time, ESTABLISHED_TIME << 3);
}

function setClient(words: usize, client: i32): void {
  store<i32>(words, (load<i32>(words, FACTS << 2) & ~CLIENT_IS_HIGH) | (client == 1 ? CLIENT_IS_HIGH : 0), FACTS << 2);
}

/** Numbers an endpoint from its initial sequence number on. */
export function begin(slot: i32, endpoint: i32, iss: i32): void {
  const words = slotAt(slot);
  const own = words + ((<usize>endpoint) << 2);
  if ((load<i32>(words, FACTS << 2) & HAS_RARE) != 0) forgetHoles(slot, endpoint);
  store<i32>(own, iss, ISS << 2);
  store<i32>(own, iss + 1, NXT << 2);
  clearSeen(own, UNCOVERED);
  setSeen(own, NXT_KNOWN);
}

/** Of two SYN-ACKs that are numbered differently (SYN cookies, anycast) the client takes one: which, its acknowledgement tells. */
export function chooseIss(slot: i32, server: i32, ack: i32): void {
  const words = slotAt(slot);
  const own = words + ((<usize>server) << 2);
  const facts = load<i32>(words, FACTS << 2);
  if ((facts & (ESTABLISHED | MIDSTREAM | HAS_RARE)) != HAS_RARE || (load<i32>(own, SEEN << 2) & SYN_ACK_SENT) == 0) return;
  const latest = load<i32>(own, ISS << 2);
  const earlier = earlierIss(slot, server, latest);
  if (<u32>(ack - 1 - earlier) >= <u32>(ack - 1 - latest)) return;
  noteIss(slot, server, latest); // the client may be wrong, too: what it sends next tells again
  begin(slot, server, earlier);
}

/** Whether this acknowledgement completes the handshake. */
export function establish(slot: i32, sender: i32, ack: i32, flags: i32, payload: i32, time: f64): void {
  const words = slotAt(slot);
  const receiver = sender ^ 1;
  const own = words + ((<usize>sender) << 2);
  const other = words + ((<usize>receiver) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peer = load<i32>(other, SEEN << 2);
  const facts = load<i32>(words, FACTS << 2);
  const ofSyn = (peer & ISS_KNOWN) != 0 ? ack - load<i32>(other, ISS << 2) : 0;

  let done = false;
  if ((facts & SIMULTANEOUS_OPEN) != 0) {
    // Each endpoint is established by the peer's acknowledgement of its own SYN (RFC 9293 §3.5, figure 7).
    if (ofSyn > 0 && (peer & SYN_ACKED) == 0) {
      setSeen(other, SYN_ACKED);
      noteEstablished(slot, receiver, time);
    }
    done = (load<i32>(words, SEEN << 2) & load<i32>(words, (SEEN + 1) << 2) & SYN_ACKED) != 0;
  } else if ((flags & SYN) != 0) return;
  else if ((peer & SYN_ACK_SENT) != 0) done = ofSyn > 0;
  else if ((seen & SYN_ACK_SENT) != 0) {
    // The client's acknowledgement is not in the capture, but its data is acknowledged, or the server goes on as if it had come.
    const segments = load<i32>(other, SEGMENTS << 2);
    const silent = segments == 0 || segments == load<i32>(other, SYNS << 2);
    done = (facts & FAST_OPEN) == 0 && (ofSyn > 1 || (silent && (payload > 0 || (flags & FIN) != 0)));
  } else if ((seen & SYN_SENT) != 0) {
    // The SYN-ACK is not in the capture (or comes later in it); this acknowledgement proves it.
    done = true;
    if ((peer & ISS_KNOWN) == 0) {
      store<i32>(other, ack - 1, ISS << 2);
      setSeen(other, ISS_KNOWN);
    }
  }
  if (!done) return;
  setFact(words, ESTABLISHED);
  store<f64>(words, time, ESTABLISHED_TIME << 3);
}

/**
 * Whether an acknowledgement is of a number that its receiver, in SYN_SENT or SYN_RECV, had behind it when it began: its sender still is in
 * another incarnation, or was when it sent that, and will hear so (RFC 9293 §3.5, figures 8 and 9; §3.10.7.4).
 */
export function isForeign(slot: i32, receiver: i32, ack: i32): bool {
  const words = slotAt(slot);
  const own = words + ((<usize>receiver) << 2);
  const facts = load<i32>(words, FACTS << 2);
  if ((facts & (ESTABLISHED | MIDSTREAM)) != 0 || (load<i32>(own, SEEN << 2) & (SYN_SENT | SYN_ACK_SENT)) == 0) return false;
  const iss = load<i32>(own, ISS << 2);
  // Of several numbers that it began with not all are known.
  return ack - iss <= 0 && ((facts & HAS_RARE) == 0 || earlierIss(slot, receiver, iss) == iss);
}

/** Whether a SYN-ACK is none of an open connection, of which its sender began elsewhere: its receiver drops it (RFC 9293 §3.10.7.4). */
export function isOpenElsewhere(words: usize, own: usize, seq: i32): bool {
  const open = (load<i32>(words, FACTS << 2) & ESTABLISHED) != 0 && (load<i32>(own, SEEN << 2) & (SYN_SENT | SYN_ACK_SENT)) != 0;
  return open && seq != load<i32>(own, ISS << 2);
}

/** Whether an endpoint can have sent nothing of this incarnation before its SYN: the handshake goes on, and it sent no payload. */
function isSilent(words: usize, sender: i32): bool {
  const opening = (load<i32>(words, FACTS << 2) & (ESTABLISHED | MIDSTREAM)) == 0;
  const finished = (load<i32>(words + ((<usize>sender) << 2), SEEN << 2) & FIN_SENT) != 0;
  return opening && !finished && load<f64>(words + ((<usize>sender) << 3), BYTES << 3) == 0;
}
