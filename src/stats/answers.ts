import { Holdings } from './holdings.ts';
import type { WaitingHosts } from './hosts.ts';
import { Leaks } from './leaks.ts';
import type { Ledger } from './ledger.ts';
import type { PortPressure } from './ports.ts';
import { ResetSenders } from './resets.ts';
import { StuckEndpoints } from './stuck.ts';
import { type Change, WhatIf } from './what-if.ts';

/**
 * What needs the connections of all shards together: populations over capture time, who holds them, and what they cost. Rows (note.ts)
 * are taken in the order of precedes(), so that every answer, and every limit, is the same however the work was divided.
 */
export class Answers {
  readonly leaks = new Leaks();
  readonly resets = new ResetSenders();
  readonly stuck = new StuckEndpoints();
  readonly whatIfs: readonly WhatIf[];
  readonly #holdings: Holdings;

  /**
   * `range`: ephemeral ports of a client; `twoMsl`: length of TIME_WAIT, ns; `makeLedger`: makes an empty one; `changes`: what else is to
   * be computed.
   */
  constructor(range: number, twoMsl: number, makeLedger: () => Ledger, changes: readonly Change[] = []) {
    this.#holdings = new Holdings(range, twoMsl, makeLedger());
    this.whatIfs = changes.map((change) => new WhatIf(change, range, twoMsl, makeLedger()));
  }

  get waiting(): WaitingHosts {
    return this.#holdings.waiting;
  }

  get ports(): PortPressure {
    return this.#holdings.ports;
  }

  /** Takes the next rows of an only shard. */
  add(rows: Float64Array): void {
    for (let from = 0; from < rows.length; this.merge(1)) from = this.fill(0, rows, from);
  }

  /** Whether all rows are taken that came from a shard. */
  isEmpty(shard: number): boolean {
    return this.#holdings.isEmpty(shard);
  }

  /**
   * Has a shard's next rows, from `from` on, once those before them are taken; answers where those begin that it has no room for.
   */
  fill(shard: number, rows: Float64Array, from: number): number {
    for (const whatIf of this.whatIfs) whatIf.fill(shard, rows, from);
    return this.#holdings.fill(shard, rows, from);
  }

  /** A shard has no rows that come before any of the others' that are still to come: until all are closed. */
  close(shard: number): void {
    for (const { holdings } of this.whatIfs) holdings.close(shard);
    this.#holdings.close(shard);
  }

  /** Takes the rows of as many shards, until one has none left, or all are closed; answers whether one may have more. */
  merge(shards: number): boolean {
    for (const { holdings } of this.whatIfs) holdings.merge(shards);
    return this.#holdings.merge(shards, (rows, at) => {
      this.leaks.add(rows, at);
      this.resets.add(rows, at);
      this.stuck.add(rows, at);
    });
  }
}
