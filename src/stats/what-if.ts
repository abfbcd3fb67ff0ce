import { CAPTURE_END, COLUMNS, EXPIRY, HELD_UNTIL, WAIT_END, WAIT_FROM, WAIT_SINCE, WAIT_TO } from '../layout/note.ts';
import { Holdings } from './holdings.ts';
import type { Ledger } from './ledger.ts';
import { clientOf } from './note.ts';

/** Age from which on Linux takes a port out of TIME_WAIT again for a new connection, where net.ipv4.tcp_tw_reuse is 1, ns. */
const REUSE_AGE = 1e9;

/** A change of settings. What is absent stays as it is. */
export interface Change {
  /** As the user wrote it. */
  readonly name: string;
  /** Length of TIME_WAIT, ns. */
  readonly twoMsl?: number;
  /** Ephemeral ports of a client. */
  readonly ports?: number;
  /** Clients take a port again that has been in TIME_WAIT for a second: it is no longer held then. */
  readonly reuse?: boolean;
}

/**
 * The same connections under another setting: they begin, and close, when they did, and only TIME_WAIT lasts otherwise. What a client
 * would then have done differently, nobody knows; nor is a longer TIME_WAIT ended by a connection that uses its ports again.
 */
export class WhatIf {
  readonly change: Change;
  readonly range: number;
  readonly twoMsl: number;
  readonly holdings: Holdings;
  /** Length of TIME_WAIT without the change, ns. */
  readonly #asSeen: number;

  /** `range`, `twoMsl`: as they are without the change; `ledger`: an empty one. */
  constructor(change: Change, range: number, twoMsl: number, ledger: Ledger) {
    this.change = change;
    this.#asSeen = twoMsl;
    this.range = change.ports ?? range;
    this.twoMsl = change.twoMsl ?? twoMsl;
    this.holdings = new Holdings(this.range, this.twoMsl, ledger);
  }

  /** The same as of Answers. */
  fill(shard: number, rows: Float64Array, from: number): void {
    this.holdings.fill(shard, rows, from, (copies) => {
      for (let at = 0; at < copies.length; at += COLUMNS) this.#alter(copies, at);
    });
  }

  #alter(rows: Float64Array, at: number): void {
    for (const holder of [0, 1]) rows[at + WAIT_TO + holder] = this.#end(rows, at, holder);
    const client = clientOf(rows, at);
    const from = rows[at + WAIT_FROM + client]!;
    if (Number.isNaN(from)) return;
    const to = rows[at + WAIT_TO + client]!;
    rows[at + HELD_UNTIL] = this.change.reuse ? Math.min(to, from + REUSE_AGE) : to;
  }

  /** When a TIME_WAIT would have ended: not later than what ended it, unless that was only its time. */
  #end(rows: Float64Array, at: number, holder: number): number {
    const from = rows[at + WAIT_FROM + holder]!;
    const since = rows[at + WAIT_SINCE + holder]!;
    // What came after it would have been over cannot have started it again. (Of several times that it was started again, the latest is noted.)
    const lasts = this.twoMsl >= this.#asSeen || since - from < this.twoMsl;
    const expiry = (lasts ? since : from) + this.twoMsl;
    const ended = rows[at + WAIT_END + holder]!;
    return ended === EXPIRY || ended === CAPTURE_END ? expiry : Math.min(rows[at + WAIT_TO + holder]!, expiry);
  }
}
