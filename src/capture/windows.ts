// The serial walk: a file in windows that begin at record boundaries, each decoded in place. A record that a window cuts is
// read again at the start of the next one; a record larger than a window makes that window as large as itself.

import { BROKEN_RECORD, PACKETS, RECORD_HEADER_BYTES, STOPPED, WANTS_BYTES } from '../layout/framing.ts';
import type { Source } from './file.ts';
import type { PcapHeader } from './pcap.ts';

export const DEFAULT_WINDOW_BYTES = 1 << 20;

/** What decodes a window: decode/decoder.ts, which this folder does not know. */
export interface WindowDecoder {
  readonly window: Uint8Array;
  /** Words of layout/framing.ts. */
  readonly state: Int32Array;
  decode(from: number, to: number): number;
}

/** What one call decoded: the records in offset..end of the file. What they hold is in the decoder's views. */
export interface Batch {
  readonly offset: number;
  readonly end: number;
}

/** Why a walk ended before the end of its file. All before `offset` was decoded. */
export interface Fault {
  readonly file: string;
  readonly offset: number;
  /** Whether the tail is cut, rather than a record broken. */
  readonly truncated: boolean;
  readonly rule: string;
  readonly message: string;
}

export interface WalkOptions {
  /** Bytes read at a time, at least 1. */
  readonly windowBytes?: number;
  /** A record boundary to begin at; by default that of the first record. */
  readonly from?: number;
}

export class WindowWalk implements Iterable<Batch> {
  /** Set where the walk ended early, once it has ended. */
  fault: Fault | undefined;
  /** Where the walk has come to, as an offset in the file. */
  position: number;
  readonly #file: Source;
  readonly #header: PcapHeader;
  readonly #decoder: WindowDecoder;
  readonly #windowBytes: number;
  readonly #view: DataView;

  constructor(file: Source, header: PcapHeader, decoder: WindowDecoder, options: WalkOptions = {}) {
    const { window } = decoder;
    const windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
    if (!(windowBytes >= 1 && windowBytes <= window.length)) throw new RangeError(`window of ${windowBytes} bytes`);
    this.#file = file;
    this.#header = header;
    this.#decoder = decoder;
    this.#windowBytes = windowBytes;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.position = options.from ?? header.headerBytes;
  }

  /** Yields after each call that decoded packets; the decoder's views hold their batch until the next step. */
  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    let wanted = this.#windowBytes;
    while (this.fault === undefined && this.position < this.#file.size) {
      const asked = Math.min(wanted, this.#file.size - this.position);
      const filled = this.#file.read(this.#decoder.window.subarray(0, asked), this.position);
      const used = yield* this.#decode(filled);
      if (this.fault !== undefined) break;
      const left = filled - used;
      const missing = this.#missing(used, left);
      if (filled < asked) {
        this.#end(true, `the file ends here although it had ${this.#file.size} bytes: it became shorter while it was read`);
      } else if (left > 0 && this.position + left === this.#file.size) {
        this.#end(
          true,
          left < RECORD_HEADER_BYTES
            ? `the file ends within a record header`
            : `the file ends ${missing} bytes before its last record does`,
        );
      }
      wanted = used > 0 ? this.#windowBytes : Math.max(this.#windowBytes, left + missing);
    }
  }

  /** Decodes the window's first bytes, batch by batch; answers how many of them were whole records. */
  *#decode(filled: number): Generator<Batch, number, undefined> {
    const { state } = this.#decoder;
    let used = 0;
    for (;;) {
      const stop = this.#decoder.decode(used, filled);
      const stopped = state[STOPPED];
      const offset = this.position;
      this.position += stop - used;
      used = stop;
      if (state[PACKETS]) yield { offset, end: this.position };
      if (stopped === BROKEN_RECORD) {
        this.#end(false, `a record claims ${this.#captured(used)} captured bytes, more than the ${this.#header.limit} it may have`);
      }
      if (stopped === BROKEN_RECORD || stopped === WANTS_BYTES) return used;
    }
  }

  /** Bytes that the incomplete record at `at`, of which `left` bytes are there, lacks: at least those of its header. */
  #missing(at: number, left: number): number {
    return left < RECORD_HEADER_BYTES ? RECORD_HEADER_BYTES - left : RECORD_HEADER_BYTES + this.#captured(at) - left;
  }

  /** Captured length as the record header at `at` of the window states it. */
  #captured(at: number): number {
    return this.#view.getUint32(at + 8, !this.#header.swapped);
  }

  #end(truncated: boolean, rule: string): void {
    const { path: file } = this.#file;
    this.fault = { file, offset: this.position, truncated, rule, message: `${file}: offset ${this.position}: ${rule}` };
  }
}
