import { HISTORY, ISS, LOGGED, NXT, NXT_KNOWN, SEEN, ZEEK, ZEEK_ORIG_IS_HIGH, FACTS } from '../layout/slot.ts';
import { CLOSED, ESTABLISHED, INACTIVE, PARTIAL, RESET, SYN_ACK_SENT, SYN_SENT } from '../layout/zeek.ts';
import { distance } from './serial.ts';
import type { ConnectionTable } from './table.ts';

// Zeek's words for a connection, read from what assembly/zeek.ts has followed: its history, and its conn_state by the rules of
// scripts/base/protocols/conn/main.zeek.

const state = (words: Int32Array, slot: number, endpoint: number): number => words[slot + ZEEK + endpoint]! & 7;
const originator = (words: Int32Array, slot: number): number => ((words[slot + FACTS]! & ZEEK_ORIG_IS_HIGH) === 0 ? 0 : 1);

const inactive = (s: number): boolean => s === INACTIVE || s === PARTIAL;

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
