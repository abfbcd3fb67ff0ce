// How much of what a shard has delivered may wait until the output takes it.

import { slotsOf } from '../decode/decoder.ts';
import type { Exchange } from './exchange.ts';
import { type Delivery, type ShardTask, windowsOf } from './job.ts';

/** Deliveries of a shard that may wait for those of the others: more than windows that it may be ahead of them. */
const AHEAD = 512;
/** The same of the parts of what one window, or the end of the capture, ends: the others can bring theirs by then. */
const AHEAD_IN_PARTS = 8;
/** Bytes of all shards together that may wait: of a flood of SYNs, a megabyte of the capture gives ten of lines. */
const WAITING_BYTES = 64 << 20;
/** Of a record, about. */
const RECORD_BYTES = 1 << 10;
/** Of a group in a window of capture time, and of a change in it, about. */
const GROUP_BYTES = 1 << 9;
const CHANGE_BYTES = 1 << 3;

/** What it depends on. */
type Outlet = Pick<ShardTask, 'index' | 'shards' | 'form' | 'interval' | 'windowBytes'>;

/** The deliveries of one shard that were handed on and not taken yet. */
export class Backlog {
  readonly #outlet: Outlet;
  readonly #exchange: Exchange;
  readonly #reuse: (notes: Delivery['notes']) => void;
  /** Bytes of each, and its notes; bytes of all. */
  readonly #waiting: { readonly bytes: number; readonly notes: Delivery['notes'] }[] = [];
  #bytes = 0;
  /** Deliveries that were handed on. */
  #sent = 0;

  /** `reuse`: takes back what was noted in a delivery, when it was taken. */
  constructor(outlet: Outlet, exchange: Exchange, reuse: (notes: Delivery['notes']) => void) {
    this.#outlet = outlet;
    this.#exchange = exchange;
    this.#reuse = reuse;
  }

  /**
   * Whether the output has to take something before this delivery may be handed on. One that it waits for always may: so the shard
   * that is the furthest behind never stands still.
   */
  isFull(delivery: Delivery): boolean {
    const { index, shards } = this.#outlet;
    while (this.#waiting.length > 0 && this.#exchange.isTaken(index, this.#sent - this.#waiting.length + 1)) {
      const { bytes, notes } = this.#waiting.shift()!;
      this.#bytes -= bytes;
      this.#reuse(notes);
    }
    if (this.#waiting.length > this.#aheadOf(delivery)) return true;
    return this.#bytes > WAITING_BYTES / shards && !this.#exchange.isAwaited(delivery.window * windowsOf(this.#outlet));
  }

  /** A delivery is handed on. */
  add(delivery: Delivery): void {
    const bytes = sizeOf(delivery);
    this.#waiting.push({ bytes, notes: delivery.notes });
    this.#bytes += bytes;
    this.#sent++;
  }

  /**
   * How many deliveries may wait when this one is handed on. Where every segment is an item, as few as are needed, with one more batch
   * than a shard can be ahead of the slowest.
   */
  #aheadOf({ last }: Delivery): number {
    if (!last) return AHEAD_IN_PARTS;
    const { decoders, shards } = this.#exchange;
    return this.#outlet.form === 'segments' ? decoders * (slotsOf(shards, 1) + 1) : AHEAD;
  }
}

function sizeOf({ places, records, text, notes, parts }: Delivery): number {
  const noted = notes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const windows = parts.reduce(
    (sum, { held, groups, entering, leaving }) =>
      sum +
      held.reduce((bytes, { keys }) => bytes + keys.byteLength, 0) +
      groups.size * GROUP_BYTES +
      (entering.length + leaving.length) * CHANGE_BYTES,
    0,
  );
  return places.columns.byteLength + records.length * RECORD_BYTES + (text?.length ?? 0) + noted + windows;
}
