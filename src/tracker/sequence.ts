import { LOGGED, TOKEN_CAPACITY, TOKENS } from '../layout/slot.ts';
import { MORE_TOKENS } from './rare.ts';
import type { ConnectionTable } from './table.ts';

// The waves of a close, in the order in which they were sent (SPEC §3). A token is kind | endpoint << 3: four bits.

/** First FIN. */
export const F = 0;
/** First FIN that is also the first acknowledgement of the peer's. */
export const FA = 1;
/** First acknowledgement of the peer's FIN. */
export const A = 2;
/** New payload after the peer's FIN was acknowledged. */
export const D = 3;
/** FIN retransmission. */
export const F_AGAIN = 4;
/** Acknowledgement of a FIN retransmission. */
export const A_AGAIN = 5;
/** The first valid RST, and the first one after a full close. */
export const R = 6;

const NAMES = ['F', 'FA', 'A', 'D', 'f', 'a', 'R'] as const;
const LETTERS_MASK = 0xff;

export const tokenOf = (kind: number, endpoint: number): number => kind | (endpoint << 3);

/** Tokens logged so far, those beyond the limits counted too. */
export const tokenCount = (words: Int32Array, slot: number): number => words[slot + LOGGED]! >>> 8;

/**
 * Appends a token, unless an RST stands before it: nothing follows that (SPEC §3), also where a profile lets TIME_WAIT live on and its
 * segments be answered. Beyond a slot's room it goes to the rare ones, beyond theirs it is only counted.
 */
export function log(table: ConnectionTable, slot: number, kind: number, endpoint: number): void {
  const { words } = table;
  const at = words[slot + LOGGED]! >>> 8;
  if (at > 0 && (tokenAt(table, slot, at - 1) & 7) === R) return;
  if (at < TOKEN_CAPACITY) words[slot + TOKENS + (at >> 3)]! |= tokenOf(kind, endpoint) << ((at & 7) * 4);
  else if (at < TOKEN_CAPACITY + MORE_TOKENS) table.rare(slot).tokens.push(tokenOf(kind, endpoint));
  if (at < 0xffffff) words[slot + LOGGED]! += 0x100;
}

/** The token of a number; -1 beyond what is kept, which is no token. */
function tokenAt(table: ConnectionTable, slot: number, at: number): number {
  if (at < TOKEN_CAPACITY) return (table.words[slot + TOKENS + (at >> 3)]! >>> ((at & 7) * 4)) & 15;
  return table.peekRare(slot)?.tokens[at - TOKEN_CAPACITY] ?? -1;
}

/** All kept tokens of a connection. */
export function tokens(table: ConnectionTable, slot: number): number[] {
  const { words } = table;
  const kept: number[] = [];
  const inSlot = Math.min(tokenCount(words, slot), TOKEN_CAPACITY);
  for (let at = 0; at < inSlot; at++) kept.push((words[slot + TOKENS + (at >> 3)]! >>> ((at & 7) * 4)) & 15);
  return kept.concat(table.peekRare(slot)?.tokens ?? []);
}

/** Writes the whole log anew: for the few closes whose packets were captured in another order than they were sent. */
export function rewrite(table: ConnectionTable, slot: number, list: readonly number[]): void {
  const { words } = table;
  words[slot + LOGGED]! &= LETTERS_MASK;
  words.fill(0, slot + TOKENS, slot + TOKENS + TOKEN_CAPACITY / 8);
  const rare = table.peekRare(slot);
  if (rare) rare.tokens = [];
  for (const token of list) log(table, slot, token & 7, token >> 3);
}

/** Tokens of a log that one word holds. */
const SHORT = 8;

/** A number for the text of a short log, of which a run has few: equal numbers mean equal texts. 0: no tokens; -1: a longer log. */
export function sequenceKey(table: ConnectionTable, slot: number, client: number): number {
  const count = tokenCount(table.words, slot);
  if (count === 0) return 0;
  return count > SHORT ? -1 : (count * 2 + client) * 2 ** 32 + (table.words[slot + TOKENS]! >>> 0);
}

/** Texts by sequenceKey(). Bounded. */
const texts = new Map<number, string>();
const TEXTS = 1 << 12;

/**
 * The log as text, `>` behind what the client sent, `<` behind what the server sent: `F> A< F< A>`.
 * A log that outgrew the limits ends in `...`.
 */
export function sequenceText(table: ConnectionTable, slot: number, client: number): string {
  const key = sequenceKey(table, slot, client);
  if (key <= 0) return key === 0 ? '' : textOf(table, slot, client);
  let text = texts.get(key);
  if (text === undefined) {
    text = textOf(table, slot, client);
    if (texts.size < TEXTS) texts.set(key, text);
  }
  return text;
}

function textOf(table: ConnectionTable, slot: number, client: number): string {
  const count = tokenCount(table.words, slot);
  const kept = tokens(table, slot);
  const text = kept.map((token) => NAMES[(token & 7) as 0] + (token >> 3 === client ? '>' : '<')).join(' ');
  return count > kept.length ? `${text} ...` : text;
}
