import { LOGGED, TOKEN_CAPACITY, TOKENS } from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

// The waves of a close, in the order in which they were sent (SPEC §3): tokens of layout/slot.ts.

const NAMES = ['F', 'FA', 'A', 'D', 'f', 'a', 'R'] as const;
const LETTERS_MASK = 0xff;

export const tokenOf = (kind: number, endpoint: number): number => kind | (endpoint << 3);

/** Tokens logged so far, those beyond the limits counted too. */
export const tokenCount = (words: Int32Array, slot: number): number => words[slot + LOGGED]! >>> 8;

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
  for (const token of list) table.log(slot, token & 7, token >> 3);
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
