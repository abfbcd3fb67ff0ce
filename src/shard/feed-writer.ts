import { OPENING_BYTES } from '../capture/format.ts';
import { STREAM_BYTES, STREAM_MARGIN } from '../layout/batch.ts';
import type { Decoding } from './decoding.ts';
import type { Exchange } from './exchange.ts';
import { AHEAD, type Feed } from './feed.ts';
import { restsOf } from './plan.ts';

/** Bytes beyond a window that are waited for before it is announced, so that the record that crosses its end is there. */
const SLACK = 1 << 16;
/** So that what waits for its slack is never more windows than may be announced at once. */
const SMALLEST_WINDOW = (4 * SLACK) / AHEAD;
/** Windows that nobody has claimed, from which on the shards have enough to do without decoding them. */
const SPARE = 6;

/** Bytes that room is given for at once: so few stay in the cache until they are read. */
const ROOM = 1 << 21;

/**
 * Puts a stream into a feed, window by window, no faster than the shards take them. Whoever has nothing else to do can decode, too: while the shards
 * are behind, and while it would wait for them.
 */
export class FeedWriter {
  /** Bytes before those for which room is given that stay where they are (compression/room.ts). */
  readonly kept = STREAM_BYTES - ROOM;
  /** Bytes written so far. */
  written = 0;
  readonly #feed: Feed;
  readonly #exchange: Exchange;
  readonly #windowBytes: number;
  readonly #decoding: Decoding | undefined;
  /** Where the next window begins. */
  #base = 0;

  constructor(feed: Feed, exchange: Exchange, windowBytes: number, decoding?: Decoding) {
    this.#feed = feed;
    this.#exchange = exchange;
    this.#windowBytes = Math.max(windowBytes, SMALLEST_WINDOW);
    this.#decoding = decoding;
  }

  /** Bytes that are in no window yet. */
  get pending(): number {
    return this.written - this.#base;
  }

  /**
   * Where bytes of the capture may be written, as soon as there is room, and before they are taken by write(). What lies far behind those that
   * were, stands behind the capture's end.
   * @throws RangeError for more than STREAM_MARGIN at least
   */
  async room(position: number, least: number): Promise<Uint8Array | undefined> {
    if (least > STREAM_MARGIN) throw new RangeError(`no room for ${least} bytes one behind the other`);
    const wanted = position - this.written < STREAM_BYTES / 2;
    return wanted && (await this.#hasRoom(position + ROOM)) ? this.#feed.at(position, ROOM) : undefined;
  }

  /** Takes bytes, as soon as there is room. False: the run has been ended meanwhile. */
  async write(chunk: Uint8Array): Promise<boolean> {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + this.#windowBytes);
      if (!(await this.#hasRoom(this.written + part.length))) return false;
      this.#feed.put(part, this.written);
      this.written += part.length;
      from += part.length;
      while (this.pending >= this.#windowBytes + SLACK) this.#announce(this.#windowBytes, this.#base + this.#windowBytes + SLACK);
      // Who has not started yet is not behind.
      while (this.#exchange.tracked > 0 && this.#unclaimed >= SPARE && this.#decoding?.nextCertain());
    }
    return true;
  }

  /** Announces what there is, because more may be long in coming; but not a part of what a capture begins with, which would be taken for all. */
  flush(): void {
    if (this.written < OPENING_BYTES) return;
    while (this.pending > 0) this.#announceRest();
  }

  /** The stream has ended. */
  end(): void {
    while (this.pending > this.#windowBytes) this.#announceRest();
    const rests = Math.min(restsOf(this.#windowBytes), this.#feed.announced);
    this.#announceRest(true, rests === 0);
    for (let rest = 1; rest <= rests; rest++) this.#announceRest(true, rest === rests);
  }

  /** Decodes, once the stream has ended, what nobody has claimed. */
  async finish(): Promise<void> {
    while (this.#decoding && this.#exchange.isRunning() && this.#unclaimed > 0) {
      if (!this.#decoding.nextCertain()) await this.#exchange.change();
    }
  }

  get #unclaimed(): number {
    return this.#feed.announced - this.#exchange.claimed;
  }

  #announceRest(last = false, final = false): void {
    const bytes = Math.min(this.pending, this.#windowBytes);
    this.#announce(bytes, Math.min(this.#base + bytes + SLACK, this.written), last, final);
  }

  #announce(bytes: number, to: number, last = false, final = false): void {
    this.#feed.announce({ base: this.#base, bytes, to, last, final });
    this.#base += bytes;
    this.#exchange.announce();
  }

  /** Waits until all up to a place of the capture may be written. */
  async #hasRoom(end: number): Promise<boolean> {
    for (;;) {
      if (!this.#exchange.isRunning() || this.#exchange.stopped) return false;
      const tooFar = this.#feed.announced - this.#exchange.proved >= AHEAD / 2;
      if (!tooFar && end - this.#needed() <= STREAM_BYTES) return true;
      if (!this.#decoding?.nextCertain()) await this.#exchange.change();
    }
  }

  /** The first byte that a shard may still read. */
  #needed(): number {
    const { proved } = this.#exchange;
    if (proved === 0) return 0;
    const { base, bytes } = this.#feed.window(proved - 1);
    const { offset, previous } = this.#exchange.proof(proved - 1);
    return Math.min(offset, base + bytes, Number.isNaN(previous) ? Infinity : previous);
  }
}
