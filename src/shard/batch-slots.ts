import { slotsOf } from '../decode/decoder.ts';
import type { Exchange } from './exchange.ts';

/** Batches that a decoder may have filled before all shards have read them, however large they are. */
const AHEAD = 5;
/** Records of further ones: 8 MB. Shards that start later, or stand still for once, have as much to catch up on. */
const AHEAD_RECORDS = 1 << 17;

/** Which batches of one decoder the shards still read. */
export class BatchSlots {
  readonly #exchange: Exchange;
  /** The window that the batch of each slot is of, -1: none was; and its records. */
  readonly #windows: Int32Array;
  readonly #records: Int32Array;

  /** `units`: of the largest window (layout/batch.ts). */
  constructor(exchange: Exchange, units = 1) {
    const { shards, decoders } = exchange;
    // One alone tracks each window at once.
    const slots = decoders === 1 ? 1 : slotsOf(shards, units);
    this.#exchange = exchange;
    this.#windows = new Int32Array(slots).fill(-1);
    this.#records = new Int32Array(slots);
  }

  /** A slot that may be decoded into, or -1. It is the first one, because that is still in the cache. */
  free(): number {
    const { tracked } = this.#exchange;
    let free = -1;
    let ahead = 0;
    let records = 0;
    for (let slot = this.#windows.length - 1; slot >= 0; slot--) {
      if (this.#windows[slot]! < tracked) free = slot;
      else {
        ahead++;
        records += this.#records[slot]!;
      }
    }
    return ahead < AHEAD || records < AHEAD_RECORDS ? free : -1;
  }

  /** A window was decoded into a slot. */
  fill(slot: number, window: number, records: number): void {
    this.#windows[slot] = window;
    this.#records[slot] = records;
  }
}
