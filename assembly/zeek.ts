// Zeek's words for the same packets: its endpoint states and its history, by the rules of its TCPSessionAdapter.cc. They look at
// flags more than at sequence numbers, so they are followed beside our own facts and never mixed with them. Zeek's timers (5 s
// after a close, 5 min of silence) are left out: they split one connection into several rows. src/tracker/zeek.ts reads them.

import { FLAGS_WORD, PAYLOAD_WORD, SEQ_WORD } from '../src/layout/segment.ts';
import {
  ACKED,
  ACKED_KNOWN,
  COMPLETE_ACK,
  COMPLETE_DATA,
  FACTS,
  HISTORY,
  HISTORY_ACK,
  HISTORY_CAPACITY,
  HISTORY_DATA,
  ISS,
  LETTERS,
  LOGGED,
  NXT,
  NXT_KNOWN,
  PORTS,
  RETRANSMITS,
  SEEN,
  ZEEK,
  ZEEK_FIN,
  ZEEK_ORIG_IS_HIGH,
  ZEEK_RST,
  ZEEK_SYN,
} from '../src/layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../src/layout/tcp.ts';
import {
  CLOSED,
  ESTABLISHED,
  H_FIN,
  H_INCONSISTENT,
  H_MULTI,
  H_RST,
  H_SYN,
  INACTIVE,
  PARTIAL,
  RESET,
  SYN_ACK_SENT,
  SYN_SENT,
} from '../src/layout/zeek.ts';
import { complete, setSeen } from './facts.ts';
import { countGap, countZeroWindow, moreLetters } from './host.ts';
import { slotAt } from './table.ts';

// Letters of the history, as the originator's packets bring them.
const LETTER_A = 0x41;
const LETTER_D = 0x44;
const LETTER_F = 0x46;
const LETTER_G = 0x47;
const LETTER_H = 0x48;
const LETTER_I = 0x49;
const LETTER_Q = 0x51;
const LETTER_R = 0x52;
const LETTER_S = 0x53;
const LETTER_T = 0x54;
const LETTER_W = 0x57;
const FLIPPED = 0x5e;
/** What makes an ASCII letter lower case. */
const LOWER_CASE = 0x20;

/** TCP ports that Zeek's own scripts take for servers where the first packet is no SYN, ascending. */
const LIKELY_SERVER_PORTS: usize = memory.data<u16>([
  21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587, 614, 631, 636, 989, 990, 992, 993, 995, 1080,
  1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000,
]);
const LIKELY_SERVERS = 49;

function isLikelyServer(port: i32): bool {
  for (let i = 0; i < LIKELY_SERVERS; i++) if (<i32>load<u16>(LIKELY_SERVER_PORTS + ((<usize>i) << 1)) == port) return true;
  return false;
}

function originator(words: usize): i32 {
  return (load<i32>(words, FACTS << 2) & ZEEK_ORIG_IS_HIGH) == 0 ? 0 : 1;
}

function wordOf(words: usize, endpoint: i32): i32 {
  return load<i32>(words + ((<usize>endpoint) << 2), ZEEK << 2);
}

function stateOf(words: usize, endpoint: i32): i32 {
  return wordOf(words, endpoint) & 7;
}

function stateBefore(words: usize, endpoint: i32): i32 {
  return (wordOf(words, endpoint) >> 3) & 7;
}

function setState(words: usize, endpoint: i32, next: i32): void {
  const word = wordOf(words, endpoint);
  store<i32>(words + ((<usize>endpoint) << 2), (word & ~0x3f) | ((word & 7) << 3) | next, ZEEK << 2);
}

/** Says who Zeek calls the originator: the sender of the first packet, unless that is no SYN and comes from a likely server's port. */
export function beginHistory(slot: i32, sender: i32, flags: i32): void {
  const words = slotAt(slot);
  let orig = sender;
  if ((flags & (SYN | ACK)) != SYN) {
    const ports = load<u32>(words, PORTS << 2);
    const source = sender == 0 ? ports >>> 16 : ports & 0xffff;
    const destination = sender == 0 ? ports & 0xffff : ports >>> 16;
    if (isLikelyServer(source) && (!isLikelyServer(destination) || ((flags & SYN) == 0 && source < destination))) {
      orig ^= 1;
      letter(slot, orig, FLIPPED);
    }
  }
  if (orig == 1) store<i32>(words, load<i32>(words, FACTS << 2) | ZEEK_ORIG_IS_HIGH, FACTS << 2);
}

/** Adds one letter, in lower case where the responder's packet brought it. */
function letter(slot: i32, endpoint: i32, upper: i32): void {
  const words = slotAt(slot);
  const code = endpoint == originator(words) || upper == FLIPPED ? upper : upper | LOWER_CASE;
  const logged = load<i32>(words, LOGGED << 2);
  const at = logged & 0xff;
  if (at < HISTORY_CAPACITY) {
    store<u8>(words + <usize>at, code, HISTORY << 2);
    store<i32>(words, logged + 1, LOGGED << 2);
  } else moreLetters(slot, code);
}

/** Zeek repeats w, t, g at 1, 10, 100 ... of them. */
function isPowerOfTen(count: i32): bool {
  let rest = count;
  while (rest >= 10 && rest % 10 == 0) rest /= 10;
  return rest == 1;
}

/** Whether a letter that an endpoint gets but once is new; it has it from now on. */
function first(words: usize, endpoint: i32, bit: i32): bool {
  const word = wordOf(words, endpoint);
  store<i32>(words + ((<usize>endpoint) << 2), word | bit, ZEEK << 2);
  return (word & bit) == 0;
}

/** The letter of a segment without control flags: D with payload, A without; once each. */
function plainLetter(slot: i32, endpoint: i32, payload: i32): void {
  const own = slotAt(slot) + ((<usize>endpoint) << 2);
  const bit = payload > 0 ? HISTORY_DATA : HISTORY_ACK;
  if ((load<i32>(own, SEEN << 2) & bit) != 0) return;
  setSeen(own, bit);
  if (beganWithSynAck(slotAt(slot))) turnRound(slotAt(slot));
  letter(slot, endpoint, payload > 0 ? LETTER_D : LETTER_A);
}

/** Whether nothing was seen but a SYN-ACK whose sender is taken for the originator: in a stealth scan it is one. */
function beganWithSynAck(words: usize): bool {
  return (load<i32>(words, LOGGED << 2) & 0xff) == 1 && load<u8>(words, HISTORY << 2) == LETTER_H;
}

/** The connection goes on, so that was no scan: whoever sent the SYN-ACK is the responder. */
function turnRound(words: usize): void {
  store<i32>(words, load<i32>(words, FACTS << 2) ^ ZEEK_ORIG_IS_HIGH, FACTS << 2);
  store<u8>(words, FLIPPED, HISTORY << 2);
  store<u8>(words, LETTER_H | LOWER_CASE, (HISTORY << 2) + 1);
  store<i32>(words, load<i32>(words, LOGGED << 2) + 1, LOGGED << 2);
}

/** Adds the letters of ordinary segments that wait for it. */
export function addLetters(slot: i32): void {
  const words = slotAt(slot);
  for (let waiting = load<u32>(words, LETTERS << 2); waiting != 0; waiting >>>= 4) {
    const data = (waiting & 1) != 0;
    letter(slot, (waiting >> 1) & 1, data ? LETTER_D : LETTER_A);
    complete(words, data ? COMPLETE_DATA : COMPLETE_ACK);
  }
  store<i32>(words, 0, LETTERS << 2);
}

/** What a segment adds to the history, and what it does to the sender's state. Call it before our own facts take the segment in. */
export function follow(slot: i32, sender: i32, record: usize): void {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  const seq = load<i32>(record, SEQ_WORD << 2);
  const payload = load<i32>(record, PAYLOAD_WORD << 2);
  const control = flags & (SYN | FIN | RST);
  const state = stateOf(words, sender);

  if (control == 0) {
    if (payload > 0 || (flags & ACK) != 0) plainLetter(slot, sender, payload);
  } else if ((control & (control - 1)) != 0) {
    const inconsistent = (flags & FIN) != 0 && (flags & RST) != 0;
    if (first(words, sender, inconsistent ? H_INCONSISTENT : H_MULTI)) letter(slot, sender, inconsistent ? LETTER_I : LETTER_Q);
  } else if (control == SYN) {
    const again = !first(words, sender, H_SYN);
    const restarts = state != INACTIVE && state != CLOSED && state != RESET; // Zeek numbers the endpoint anew
    if (!again || (!restarts && load<i32>(own, ZEEK_SYN << 2) != seq)) letter(slot, sender, (flags & ACK) != 0 ? LETTER_H : LETTER_S);
    store<i32>(own, seq, ZEEK_SYN << 2);
  } else if (control == FIN) {
    const end = seq + payload;
    if (first(words, sender, H_FIN) || load<i32>(own, ZEEK_FIN << 2) != end) letter(slot, sender, LETTER_F);
    store<i32>(own, end, ZEEK_FIN << 2);
  } else {
    if (first(words, sender, H_RST) || load<i32>(own, ZEEK_RST << 2) != seq) letter(slot, sender, LETTER_R);
    store<i32>(own, seq, ZEEK_RST << 2);
  }

  if (flags >>> 16 == 0 && (flags & RST) == 0 && stateOf(words, sender ^ 1) != CLOSED && state != RESET) {
    if (isPowerOfTen(countZeroWindow(slot, sender))) letter(slot, sender, LETTER_W);
  }
  if (payload > 0 && state != RESET && (flags & (SYN | RST)) == 0) {
    const end = seq + payload + ((flags & FIN) != 0 ? 1 : 0);
    if (!beyondSeen(words, sender, end) && !((flags & FIN) != 0 && hasJustBegun(own))) retransmitted(slot, sender);
  }
  step(words, sender, flags, payload);
}

/** Whether `end` lies above all that the endpoint is known to have sent. */
function beyondSeen(words: usize, sender: i32, end: i32): bool {
  const own = words + ((<usize>sender) << 2);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  if ((load<i32>(own, SEEN << 2) & NXT_KNOWN) != 0) return end - load<i32>(own, NXT << 2) > 0;
  if ((load<i32>(peer, SEEN << 2) & ACKED_KNOWN) != 0) return end - (load<i32>(peer, ACKED << 2) - 1) > 0;
  return true;
}

/** Whether an endpoint has sent nothing but its SYN. */
function hasJustBegun(own: usize): bool {
  return (load<i32>(own, SEEN << 2) & NXT_KNOWN) != 0 && load<i32>(own, NXT << 2) == load<i32>(own, ISS << 2) + 1;
}

function retransmitted(slot: i32, sender: i32): void {
  const own = slotAt(slot) + ((<usize>sender) << 2);
  const count = load<i32>(own, RETRANSMITS << 2) + 1;
  store<i32>(own, count, RETRANSMITS << 2);
  if (isPowerOfTen(count)) letter(slot, sender, LETTER_T);
}

/** Whether an endpoint is open, or has closed out of that: Zeek tells of no gap where either is not, because its numbers may be wrong. */
function isClean(words: usize, endpoint: i32): bool {
  const state = stateOf(words, endpoint);
  return state == ESTABLISHED || (state == CLOSED && stateBefore(words, endpoint) == ESTABLISHED);
}

/** An acknowledgement showed that the capture lacks payload of `endpoint`. */
export function contentGap(slot: i32, endpoint: i32): void {
  const words = slotAt(slot);
  if (!isClean(words, 0) || !isClean(words, 1)) return;
  if (isPowerOfTen(countGap(slot, endpoint))) letter(slot, endpoint, LETTER_G);
}

/** Zeek's endpoint state machine. */
function step(words: usize, sender: i32, flags: i32, payload: i32): void {
  const peer = sender ^ 1;
  const state = stateOf(words, sender);
  if (state == INACTIVE) begin(words, sender, flags, payload);
  else if (state == SYN_SENT || state == SYN_ACK_SENT) {
    if ((flags & FIN) != 0) setState(words, sender, CLOSED);
    if ((flags & RST) != 0) setState(words, sender, RESET);
  } else if (state == PARTIAL || state == ESTABLISHED) {
    if ((flags & (SYN | ACK)) == SYN && state == PARTIAL && stateOf(words, peer) == INACTIVE) setState(words, sender, SYN_SENT);
    if ((flags & FIN) != 0 && (flags & RST) == 0) {
      setState(words, sender, CLOSED);
      if (stateOf(words, peer) == RESET && stateBefore(words, peer) == CLOSED) setState(words, peer, CLOSED);
    }
    if ((flags & RST) != 0) setState(words, sender, RESET);
  } else if (state == CLOSED) {
    if ((flags & RST) != 0 && stateOf(words, peer) != CLOSED) setState(words, sender, RESET);
  }
}

/** The first segment of an endpoint. */
function begin(words: usize, sender: i32, flags: i32, payload: i32): void {
  const peer = sender ^ 1;
  const byOriginator = sender == originator(words);
  if ((flags & SYN) != 0) {
    if (byOriginator) setState(words, sender, (flags & ACK) != 0 ? SYN_ACK_SENT : SYN_SENT);
    else {
      if (stateOf(words, peer) == SYN_SENT) setState(words, peer, ESTABLISHED);
      if ((flags & ACK) == 0 && stateOf(words, peer) == SYN_ACK_SENT) {
        // A SYN behind its SYN-ACK: the roles were the other way round.
        store<i32>(words, load<i32>(words, FACTS << 2) ^ ZEEK_ORIG_IS_HIGH, FACTS << 2);
        setState(words, peer, ESTABLISHED);
      }
      setState(words, sender, ESTABLISHED);
    }
  }
  if ((flags & FIN) != 0) setState(words, sender, CLOSED);
  if ((flags & RST) != 0) setState(words, sender, RESET);
  if (stateOf(words, sender) != INACTIVE) return;
  const other = stateOf(words, peer);
  if (!byOriginator && payload == 0 && other == SYN_SENT) return;
  setState(words, sender, (flags & ACK) != 0 && other == ESTABLISHED ? ESTABLISHED : PARTIAL);
}
