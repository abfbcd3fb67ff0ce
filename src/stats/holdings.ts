import { EMPTY, FULL, OVER } from '../layout/ledger.ts';
import { WaitingHosts } from './hosts.ts';
import type { Ledger } from './ledger.ts';
import { PortPressure } from './ports.ts';

/** Who holds TIME_WAIT and who holds ports, by the rows (note.ts) of all shards in the order of precedes(). */
export class Holdings {
  readonly waiting: WaitingHosts;
  readonly ports: PortPressure;
  readonly #ledger: Ledger;

  /** `range`: ephemeral ports of a client; `twoMsl`: length of TIME_WAIT, ns; `ledger`: an empty one. */
  constructor(range: number, twoMsl: number, ledger: Ledger) {
    this.waiting = new WaitingHosts(ledger.hosts);
    this.ports = new PortPressure(range, twoMsl, ledger);
    this.#ledger = ledger;
  }

  /** Whether all rows are taken that came from a shard. */
  isEmpty(shard: number): boolean {
    return this.#ledger.isEmpty(shard);
  }

  /**
   * Has a shard's next rows, which are in order, from `from` on, once those before them are taken; answers where those begin that it has no
   * room for.
   * @param alter may change what it gets, but not the order
   */
  fill(shard: number, rows: Float64Array, from: number, alter?: (rows: Float64Array) => void): number {
    return this.#ledger.fill(shard, rows, from, alter);
  }

  /** A shard has no rows that come before any of the others' that are still to come: until all are closed. */
  close(shard: number): void {
    this.#ledger.close(shard);
  }

  /**
   * Takes the rows of as many shards, until one has none left, or all are closed; answers whether one may have more.
   * @param look is shown those that are about more than holding
   */
  merge(shards: number, look?: (rows: Float64Array, at: number) => void): boolean {
    for (;;) {
      const place = this.#ledger.merge(shards);
      if (place === EMPTY || place === OVER) return place === EMPTY;
      if (place === FULL) {
        if (this.#ledger.hosts.isFull) this.waiting.drain();
        if (this.#ledger.groups.isFull) this.ports.drain();
      } else look?.(this.#ledger.lanes, place);
    }
  }
}
