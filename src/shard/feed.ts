import type { Source } from '../capture/file.ts';
import { copyBytes } from '../platform/copy.ts';
import type { Exchange } from './exchange.ts';
import type { Window, Windows } from './plan.ts';

/** Bytes of the capture that are kept: more than the largest record and a window. */
const RING_BYTES = 48 << 20;
/** Windows that may be announced and not proved. */
const AHEAD = 1 << 12;
/** Bytes beyond a window that are waited for before it is announced, so that the record that crosses its end is there. */
const SLACK = 1 << 16;
/** So that what waits for its slack is never more windows than may be announced at once. */
const SMALLEST_WINDOW = (2 * SLACK) / AHEAD;

// Words of the control block.
const ANNOUNCED = 0;
const COMPLETE = 1;
const WORDS = 2;

// Doubles of a window's entry.
const BASE = 0;
const BYTES = 1;
const TO = 2;
const LAST = 3;
const ENTRY = 4;

/**
 * A capture that comes as a stream, in memory that all shards share: its bytes in a ring, and the windows that were announced.
 *
 *   words   announced complete
 *   entries base bytes to last of the latest windows, a ring
 *   bytes   of the capture, a ring: they stay until the windows that they are in are proved
 *
 * One thread writes, with a FeedWriter.
 */
export class Feed implements Windows {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #entries: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(WORDS * 4 + AHEAD * ENTRY * 8 + RING_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#entries = new Float64Array(buffer, WORDS * 4, AHEAD * ENTRY);
    this.#bytes = new Uint8Array(buffer, WORDS * 4 + AHEAD * ENTRY * 8, RING_BYTES);
  }

  get announced(): number {
    return Atomics.load(this.#words, ANNOUNCED);
  }

  get complete(): boolean {
    return Atomics.load(this.#words, COMPLETE) === 1;
  }

  /** Bytes of the capture that are in windows. */
  get bytes(): number {
    const { announced } = this;
    if (announced === 0) return 0;
    const { base, bytes } = this.window(announced - 1);
    return base + bytes;
  }

  window(number: number): Window {
    const at = (number % AHEAD) * ENTRY;
    const entry = this.#entries.subarray(at, at + ENTRY);
    return { capture: 0, opening: 0, base: entry[BASE]!, bytes: entry[BYTES]!, to: entry[TO]!, last: entry[LAST] === 1 };
  }

  /** The capture as far as it has come. */
  source(path: string): Source {
    return { path, read: (target, position) => this.#copy(target, position) };
  }

  announce(base: number, bytes: number, to: number, last: boolean): void {
    const number = this.announced;
    const at = (number % AHEAD) * ENTRY;
    this.#entries[at + BASE] = base;
    this.#entries[at + BYTES] = bytes;
    this.#entries[at + TO] = to;
    this.#entries[at + LAST] = last ? 1 : 0;
    Atomics.store(this.#words, ANNOUNCED, number + 1);
    if (last) Atomics.store(this.#words, COMPLETE, 1);
  }

  /** Where bytes of the capture lie, as far as they lie one behind the other. */
  at(position: number, bytes: number): Uint8Array {
    const at = position % RING_BYTES;
    return this.#bytes.subarray(at, at + bytes);
  }

  /** Has a chunk where it belongs; it may have been written there. */
  put(chunk: Uint8Array, position: number): void {
    const at = position % RING_BYTES;
    if (chunk.buffer === this.buffer && chunk.byteOffset === this.#bytes.byteOffset + at) return;
    const first = chunk.subarray(0, RING_BYTES - at);
    copyBytes(first, this.#bytes.subarray(at));
    copyBytes(chunk.subarray(first.length), this.#bytes);
  }

  #copy(target: Uint8Array, position: number): number {
    const at = position % RING_BYTES;
    const first = this.#bytes.subarray(at, Math.min(RING_BYTES, at + target.length));
    copyBytes(first, target);
    copyBytes(this.#bytes.subarray(0, target.length - first.length), target.subarray(first.length));
    return target.length;
  }
}

/** Puts a stream into a feed, window by window, no faster than the shards take them. */
export class FeedWriter {
  /** Bytes written so far. */
  written = 0;
  readonly #feed: Feed;
  readonly #exchange: Exchange;
  readonly #windowBytes: number;
  /** Where the next window begins. */
  #base = 0;

  constructor(feed: Feed, exchange: Exchange, windowBytes: number) {
    this.#feed = feed;
    this.#exchange = exchange;
    this.#windowBytes = Math.max(windowBytes, SMALLEST_WINDOW);
  }

  /** Bytes that are in no window yet. */
  get pending(): number {
    return this.written - this.#base;
  }

  /** Where the next bytes of the capture may be written, as soon as there is room, and before they are taken by write(). */
  async room(bytes: number): Promise<Uint8Array | undefined> {
    return (await this.#hasRoom(bytes)) ? this.#feed.at(this.written, bytes) : undefined;
  }

  /** Takes bytes, as soon as there is room. False: the run has been ended meanwhile. */
  async write(chunk: Uint8Array): Promise<boolean> {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + this.#windowBytes);
      if (!(await this.#hasRoom(part.length))) return false;
      this.#feed.put(part, this.written);
      this.written += part.length;
      from += part.length;
      while (this.pending >= this.#windowBytes + SLACK) this.#announce(this.#windowBytes, this.#base + this.#windowBytes + SLACK, false);
    }
    return true;
  }

  /** Announces what there is, because more may be long in coming. */
  flush(): void {
    while (this.pending > 0) this.#announceRest(false);
  }

  /** The stream has ended. */
  end(): void {
    while (this.pending > this.#windowBytes) this.#announceRest(false);
    this.#announceRest(true);
  }

  #announceRest(last: boolean): void {
    const bytes = Math.min(this.pending, this.#windowBytes);
    this.#announce(bytes, Math.min(this.#base + bytes + SLACK, this.written), last);
  }

  #announce(bytes: number, to: number, last: boolean): void {
    this.#feed.announce(this.#base, bytes, to, last);
    this.#base += bytes;
    this.#exchange.announce();
  }

  async #hasRoom(bytes: number): Promise<boolean> {
    for (;;) {
      if (this.#exchange.aborted) return false;
      this.#exchange.look();
      if (this.#exchange.stopped) return false;
      const tooFar = this.#feed.announced - this.#exchange.proved >= AHEAD / 2;
      if (!tooFar && this.written + bytes - this.#needed() <= RING_BYTES) return true;
      await this.#exchange.change();
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
