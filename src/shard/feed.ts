import type { Source } from '../capture/file.ts';
import { STREAM_BYTES, WINDOW_BYTES } from '../layout/batch.ts';
import { copyBytes } from '../platform/copy.ts';
import type { Window, Windows } from './plan.ts';

/** Windows that may be announced and not proved. */
export const AHEAD = 1 << 12;

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
/** Of LAST: nothing follows, not even for what had no room. */
const FINAL = 2;

/**
 * A capture that comes as a stream, in memory that all shards share: the windows that were announced, and its bytes, in a ring behind the first shard's
 * window. They stay until the windows that they are in are proved.
 *
 *   words   announced complete
 *   entries base bytes to last of the latest windows, a ring
 *
 * One thread writes, with a FeedWriter (feed-writer.ts).
 */
export class Feed implements Windows {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #entries: Float64Array;
  readonly #bytes: Uint8Array;

  /** `bytes`: the ring, STREAM_BYTES, and STREAM_MARGIN behind it. */
  constructor(bytes: Uint8Array, buffer = new SharedArrayBuffer(WORDS * 4 + AHEAD * ENTRY * 8)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#entries = new Float64Array(buffer, WORDS * 4, AHEAD * ENTRY);
    this.#bytes = bytes;
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
    return {
      capture: 0,
      opening: 0,
      base: entry[BASE]!,
      bytes: entry[BYTES]!,
      to: entry[TO]!,
      last: entry[LAST]! > 0,
      final: entry[LAST] === FINAL,
    };
  }

  /** The capture as far as it has come, for any shard but the first. */
  source(path: string): Source {
    return { path, read: (target, position) => this.#copy(target, position) };
  }

  /** The same for the first shard, which has it. */
  ownSource(path: string): Source {
    return {
      ...this.source(path),
      placeOf(position, bytes) {
        const at = position % STREAM_BYTES;
        return at + bytes <= STREAM_BYTES ? WINDOW_BYTES + at : undefined;
      },
    };
  }

  announce({ base, bytes, to, last, final }: Omit<Window, 'capture' | 'opening'>): void {
    const number = this.announced;
    const at = (number % AHEAD) * ENTRY;
    this.#entries[at + BASE] = base;
    this.#entries[at + BYTES] = bytes;
    this.#entries[at + TO] = to;
    this.#entries[at + LAST] = final ? FINAL : last ? 1 : 0;
    Atomics.store(this.#words, ANNOUNCED, number + 1);
    if (final) Atomics.store(this.#words, COMPLETE, 1);
  }

  /** Where bytes of the capture can be written before put() has them: as far as they lie one behind the other, but STREAM_MARGIN at least. */
  at(position: number, bytes: number): Uint8Array {
    const at = position % STREAM_BYTES;
    return this.#bytes.subarray(at, at + bytes);
  }

  /** Has a chunk where it belongs; it may have been written there. */
  put(chunk: Uint8Array, position: number): void {
    const at = position % STREAM_BYTES;
    const first = chunk.subarray(0, STREAM_BYTES - at);
    const isThere = chunk.buffer === this.#bytes.buffer && chunk.byteOffset === this.#bytes.byteOffset + at;
    if (!isThere) copyBytes(first, this.#bytes.subarray(at));
    copyBytes(chunk.subarray(first.length), this.#bytes);
  }

  #copy(target: Uint8Array, position: number): number {
    const at = position % STREAM_BYTES;
    const first = this.#bytes.subarray(at, Math.min(STREAM_BYTES, at + target.length));
    copyBytes(first, target);
    copyBytes(this.#bytes.subarray(0, target.length - first.length), target.subarray(first.length));
    return target.length;
  }
}
