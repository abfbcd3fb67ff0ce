import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import type { Rare } from './rare.ts';
import type { Segment } from './segment.ts';
import { distance } from './serial.ts';
import {
  ACKED,
  ACKED_KNOWN,
  FACTS,
  HISTORY,
  HISTORY_ACK,
  HISTORY_CAPACITY,
  HISTORY_DATA,
  ISS,
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
} from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

// Zeek's words for the same packets: its endpoint states, its history and its conn_state, by the rules of its
// TCPSessionAdapter.cc and scripts/base/protocols/conn/main.zeek. They look at flags more than at sequence numbers, so
// they are followed beside our own facts and never mixed with them. Zeek's timers (5 s after a close, 5 min of silence)
// are left out: they split one connection into several rows.

// Endpoint states, in bits 0-2 of the ZEEK word; the one before in bits 3-5.
const INACTIVE = 0;
const SYN_SENT = 1;
const SYN_ACK_SENT = 2;
const PARTIAL = 3;
const ESTABLISHED = 4;
const CLOSED = 5;
const RESET = 6;

// Letters that an endpoint has in its history already.
const H_SYN = 0x100;
const H_FIN = 0x200;
const H_RST = 0x400;
const H_INCONSISTENT = 0x800;
const H_MULTI = 0x1000;

/** Ports that Zeek's own scripts take for servers where the first packet is no SYN. */
const LIKELY_SERVER_PORTS = new Set([
  21, 22, 25, 53, 80, 81, 88, 102, 110, 135, 137, 139, 143, 389, 443, 445, 502, 563, 585, 587, 614, 631, 636, 989, 990, 992, 993, 995, 1080,
  1434, 1812, 1883, 2123, 2152, 2811, 3128, 3268, 3269, 3306, 3389, 3544, 4011, 5060, 5072, 5222, 5223, 5269, 5353, 5355, 5432, 6379, 6666,
  6667, 6668, 6669, 8000, 8080, 8888, 20000,
]);

const state = (words: Int32Array, slot: number, endpoint: number): number => words[slot + ZEEK + endpoint]! & 7;
const before = (words: Int32Array, slot: number, endpoint: number): number => (words[slot + ZEEK + endpoint]! >> 3) & 7;

function setState(words: Int32Array, slot: number, endpoint: number, next: number): void {
  const word = words[slot + ZEEK + endpoint]!;
  words[slot + ZEEK + endpoint] = (word & ~0x3f) | ((word & 7) << 3) | next;
}

const originator = (words: Int32Array, slot: number): number => ((words[slot + FACTS]! & ZEEK_ORIG_IS_HIGH) === 0 ? 0 : 1);

/** Says who Zeek calls the originator: the sender of the first packet, unless that is no SYN and comes from a likely server's port. */
export function beginHistory(table: ConnectionTable, slot: number, segment: Segment): void {
  const { words } = table;
  let orig = segment.sender;
  if ((segment.flags & (SYN | ACK)) !== SYN) {
    const ports = words[slot + PORTS]!;
    const source = segment.sender === 0 ? ports >>> 16 : ports & 0xffff;
    const destination = segment.sender === 0 ? ports & 0xffff : ports >>> 16;
    if (LIKELY_SERVER_PORTS.has(source)) {
      const flip = LIKELY_SERVER_PORTS.has(destination) ? (segment.flags & SYN) === 0 && source < destination : true;
      if (flip) {
        orig ^= 1;
        letter(table, slot, orig, '^');
      }
    }
  }
  if (orig === 1) words[slot + FACTS]! |= ZEEK_ORIG_IS_HIGH;
}

/** Adds one letter, in lower case where the responder's packet brought it. */
function letter(table: ConnectionTable, slot: number, endpoint: number, upper: string): void {
  const { words, bytes } = table;
  const code = upper.charCodeAt(0) | (endpoint === originator(words, slot) || upper === '^' ? 0 : LOWER_CASE);
  const at = words[slot + LOGGED]! & 0xff;
  if (at < HISTORY_CAPACITY) {
    bytes[(slot + HISTORY) * 4 + at] = code;
    words[slot + LOGGED]! += 1;
  } else {
    const rare = table.rare(slot);
    if (rare.history.length < HISTORY_MORE) rare.history += String.fromCharCode(code);
  }
}

/** What makes an ASCII letter lower case. */
const LOWER_CASE = 0x20;

/** Letters kept beyond a slot's room. */
const HISTORY_MORE = 96;

/** Zeek repeats w, t, g at 1, 10, 100 ... of them. */
const isPowerOfTen = (count: number): boolean => count === 10 ** Math.round(Math.log10(count));

/** What a segment adds to the history, and what it does to the sender's state. Call it before our own facts take the segment in. */
export function follow(table: ConnectionTable, slot: number, segment: Segment): void {
  const { words } = table;
  const { sender, flags, seq, payload } = segment;
  const peer = sender ^ 1;
  const control = flags & (SYN | FIN | RST);
  const own = state(words, slot, sender);
  const restarts = (flags & SYN) !== 0 && own !== INACTIVE && own !== CLOSED && own !== RESET; // Zeek numbers the endpoint anew

  if (control === 0) {
    if (payload > 0 || (flags & ACK) !== 0) plainLetter(table, slot, sender, payload);
  } else if ((control & (control - 1)) !== 0) {
    const inconsistent = (flags & FIN) !== 0 && (flags & RST) !== 0;
    if (first(words, slot, sender, inconsistent ? H_INCONSISTENT : H_MULTI)) letter(table, slot, sender, inconsistent ? 'I' : 'Q');
  } else if (control === SYN) {
    const again = !first(words, slot, sender, H_SYN);
    if (!again || (!restarts && words[slot + ZEEK_SYN + sender] !== seq)) letter(table, slot, sender, (flags & ACK) !== 0 ? 'H' : 'S');
    words[slot + ZEEK_SYN + sender] = seq;
  } else if (control === FIN) {
    const end = (seq + payload) | 0;
    if (first(words, slot, sender, H_FIN) || words[slot + ZEEK_FIN + sender] !== end) letter(table, slot, sender, 'F');
    words[slot + ZEEK_FIN + sender] = end;
  } else {
    if (first(words, slot, sender, H_RST) || words[slot + ZEEK_RST + sender] !== seq) letter(table, slot, sender, 'R');
    words[slot + ZEEK_RST + sender] = seq;
  }

  if (segment.window === 0 && (flags & RST) === 0 && state(words, slot, peer) !== CLOSED && own !== RESET) {
    const rare = table.rare(slot);
    if (isPowerOfTen(++rare.zeroWindows[sender as 0])) letter(table, slot, sender, 'W');
  }

  if (
    payload > 0 &&
    own !== RESET &&
    (flags & (SYN | RST)) === 0 &&
    !beyondSeen(words, slot, sender, (seq + payload + ((flags & FIN) !== 0 ? 1 : 0)) | 0)
  ) {
    const begun =
      (words[slot + SEEN + sender]! & NXT_KNOWN) !== 0 && words[slot + NXT + sender] === ((words[slot + ISS + sender]! + 1) | 0);
    const lonelyFin = (flags & FIN) !== 0 && begun;
    if (!lonelyFin) retransmitted(table, slot, sender);
  }
  step(words, slot, sender, flags, payload);
}

/** Whether `end` lies above all that the endpoint is known to have sent. */
function beyondSeen(words: Int32Array, slot: number, sender: number, end: number): boolean {
  if ((words[slot + SEEN + sender]! & NXT_KNOWN) !== 0) return distance(end, words[slot + NXT + sender]!) > 0;
  if ((words[slot + SEEN + (sender ^ 1)]! & ACKED_KNOWN) !== 0) return distance(end, words[slot + ACKED + (sender ^ 1)]! - 1) > 0;
  return true;
}

function retransmitted(table: ConnectionTable, slot: number, sender: number): void {
  const count = ++table.words[slot + RETRANSMITS + sender]!;
  if (isPowerOfTen(count)) letter(table, slot, sender, 'T');
}

/** An acknowledgement showed that the capture lacks payload of `endpoint`. */
export function contentGap(table: ConnectionTable, slot: number, endpoint: number, rare: Rare): void {
  if (isPowerOfTen(++rare.gaps[endpoint as 0])) letter(table, slot, endpoint, 'G');
}

/** The letter of a segment without control flags: D with payload, A without; once each. */
export function plainLetter(table: ConnectionTable, slot: number, endpoint: number, payload: number): void {
  const bit = payload > 0 ? HISTORY_DATA : HISTORY_ACK;
  const seen = table.words[slot + SEEN + endpoint]!;
  if ((seen & bit) !== 0) return;
  table.words[slot + SEEN + endpoint] = seen | bit;
  letter(table, slot, endpoint, payload > 0 ? 'D' : 'A');
}

function first(words: Int32Array, slot: number, endpoint: number, bit: number): boolean {
  const word = words[slot + ZEEK + endpoint]!;
  words[slot + ZEEK + endpoint] = word | bit;
  return (word & bit) === 0;
}

/** Zeek's endpoint state machine. */
function step(words: Int32Array, slot: number, sender: number, flags: number, payload: number): void {
  const peer = sender ^ 1;
  const byOriginator = sender === originator(words, slot);
  switch (state(words, slot, sender)) {
    case INACTIVE:
      if ((flags & SYN) !== 0) {
        if (byOriginator) setState(words, slot, sender, (flags & ACK) !== 0 ? SYN_ACK_SENT : SYN_SENT);
        else {
          if (state(words, slot, peer) === SYN_SENT) setState(words, slot, peer, ESTABLISHED);
          if ((flags & ACK) === 0 && state(words, slot, peer) === SYN_ACK_SENT) {
            words[slot + FACTS]! ^= ZEEK_ORIG_IS_HIGH; // a SYN behind its SYN-ACK: the roles were the other way round
            setState(words, slot, peer, ESTABLISHED);
          }
          setState(words, slot, sender, ESTABLISHED);
        }
      }
      if ((flags & FIN) !== 0) setState(words, slot, sender, CLOSED);
      if ((flags & RST) !== 0) setState(words, slot, sender, RESET);
      if (state(words, slot, sender) === INACTIVE) {
        const other = state(words, slot, peer);
        if (!byOriginator && payload === 0 && other === SYN_SENT) return;
        setState(words, slot, sender, (flags & ACK) !== 0 && other === ESTABLISHED ? ESTABLISHED : PARTIAL);
      }
      return;
    case SYN_SENT:
    case SYN_ACK_SENT:
      if ((flags & FIN) !== 0) setState(words, slot, sender, CLOSED);
      if ((flags & RST) !== 0) setState(words, slot, sender, RESET);
      return;
    case PARTIAL:
    case ESTABLISHED:
      if ((flags & (SYN | ACK)) === SYN && state(words, slot, sender) === PARTIAL && state(words, slot, peer) === INACTIVE) {
        setState(words, slot, sender, SYN_SENT);
      }
      if ((flags & FIN) !== 0 && (flags & RST) === 0) {
        setState(words, slot, sender, CLOSED);
        if (state(words, slot, peer) === RESET && before(words, slot, peer) === CLOSED) setState(words, slot, peer, CLOSED);
      }
      if ((flags & RST) !== 0) setState(words, slot, sender, RESET);
      return;
    case CLOSED:
      if ((flags & RST) !== 0 && state(words, slot, peer) !== CLOSED) setState(words, slot, sender, RESET);
      return;
    default:
  }
}

/** Bits that tell a history letter from the others: all lie in 0x40..0x7f. */
const LETTER_BITS = 6;
/** Letters that a number can hold exactly. */
const SHORT = 8;
/** Texts of short histories by their letters as one number. Bounded. */
const histories = new Map<number, string>();
const HISTORIES = 1 << 12;

/** Zeek's history of a connection. */
export function history(table: ConnectionTable, slot: number): string {
  const { words, bytes } = table;
  const from = (slot + HISTORY) * 4;
  const length = words[slot + LOGGED]! & 0xff;
  if (length > SHORT) return lettersOf(bytes, from, length) + (table.peekRare(slot)?.history ?? '');
  let key = 1;
  for (let at = from; at < from + length; at++) key = key * (1 << LETTER_BITS) + (bytes[at]! & ((1 << LETTER_BITS) - 1));
  let text = histories.get(key);
  if (text === undefined) {
    text = lettersOf(bytes, from, length);
    if (histories.size < HISTORIES) histories.set(key, text);
  }
  return text;
}

const lettersOf = (bytes: Uint8Array, from: number, length: number): string => String.fromCharCode(...bytes.subarray(from, from + length));

export type ConnState = 'S0' | 'S1' | 'SF' | 'REJ' | 'S2' | 'S3' | 'RSTO' | 'RSTR' | 'RSTOS0' | 'RSTRH' | 'SH' | 'SHR' | 'OTH';

/** Zeek's conn_state: a function of both endpoint states, tested in Zeek's order. */
export function connState(table: ConnectionTable, slot: number): ConnState {
  const { words } = table;
  const orig = originator(words, slot);
  const o = state(words, slot, orig);
  const r = state(words, slot, orig ^ 1);
  const inactive = (s: number): boolean => s === INACTIVE || s === PARTIAL;
  if (r === RESET) {
    const silent = (endpoint: number): boolean =>
      (words[slot + SEEN + endpoint]! & NXT_KNOWN) === 0 || distance(words[slot + NXT + endpoint]!, words[slot + ISS + endpoint]!) <= 1;
    const nothingSent = silent(orig) && silent(orig ^ 1);
    if (o === SYN_SENT || o === SYN_ACK_SENT || (o === RESET && nothingSent)) return 'REJ';
    return inactive(o) ? 'RSTRH' : 'RSTR';
  }
  if (o === RESET) {
    if (!inactive(r)) return 'RSTO';
    return /^\^?S[^HAFGIQ]*R/.test(history(table, slot)) ? 'RSTOS0' : 'OTH';
  }
  if (o === CLOSED) return r === CLOSED ? 'SF' : inactive(r) ? 'SH' : 'S2';
  if (r === CLOSED) return inactive(o) ? 'SHR' : 'S3';
  if (o === SYN_SENT && r === INACTIVE) return 'S0';
  return o === ESTABLISHED && r === ESTABLISHED ? 'S1' : 'OTH';
}
