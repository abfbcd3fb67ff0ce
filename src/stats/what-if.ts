import { WaitingHosts } from './hosts.ts';
import { CAPTURE_END, COLUMNS, EXPIRY, HELD_UNTIL, WAIT_END, WAIT_FROM, WAIT_SINCE, WAIT_TO } from '../layout/note.ts';
import { clientOf } from './note.ts';
import { PortPressure } from './ports.ts';

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
  readonly waiting = new WaitingHosts();
  readonly range: number;
  readonly twoMsl: number;
  readonly ports: PortPressure;
  readonly #row = new Float64Array(COLUMNS);

  /** `range`, `twoMsl`: as they are without the change. */
  constructor(change: Change, range: number, twoMsl: number) {
    this.change = change;
    this.range = change.ports ?? range;
    this.twoMsl = change.twoMsl ?? twoMsl;
    this.ports = new PortPressure(this.range);
  }

  add(rows: Float64Array, at: number): void {
    const row = this.#row;
    row.set(rows.subarray(at, at + COLUMNS));
    for (const holder of [0, 1]) row[WAIT_TO + holder] = this.#end(row, holder);
    const client = clientOf(row, 0);
    const from = row[WAIT_FROM + client]!;
    if (!Number.isNaN(from)) {
      const to = row[WAIT_TO + client]!;
      row[HELD_UNTIL] = this.change.reuse ? Math.min(to, from + REUSE_AGE) : to;
    }
    this.waiting.add(row, 0);
    this.ports.add(row, 0);
  }

  /** When a TIME_WAIT would have ended: not later than what ended it, unless that was only its time. */
  #end(row: Float64Array, holder: number): number {
    const from = row[WAIT_FROM + holder]!;
    const since = row[WAIT_SINCE + holder]!;
    // What came after it would have been over cannot have started it again.
    const expiry = (since - from < this.twoMsl ? since : from) + this.twoMsl;
    const ended = row[WAIT_END + holder]!;
    return ended === EXPIRY || ended === CAPTURE_END ? expiry : Math.min(row[WAIT_TO + holder]!, expiry);
  }
}
