import { guessBoundary } from '../capture/boundary.ts';
import type { Fault } from '../capture/fault.ts';
import { CaptureFile, type Source } from '../capture/file.ts';
import type { Decoder } from '../decode/decoder.ts';
import { BATCH_FULL, BROKEN_RECORD, RECORD_HEADER_BYTES, STOPPED } from '../layout/framing.ts';
import type { Plan, PlannedCapture, PlannedWindow } from './plan.ts';

/** Bytes read beyond a window, for the record that crosses its end; more is read where that is not enough. */
const SLACK = 1 << 16;

/** How all decoders of a run are set. */
export interface WindowSetting {
  readonly plan: Plan;
  readonly origin: number;
  readonly seed: number;
  readonly shards: number;
}

/** A window that was decoded: what its batch holds is in the decoder's slot, its counters are in the decoder's state. */
export interface DecodedWindow {
  readonly window: PlannedWindow;
  readonly slot: number;
  /** Offset of the record it was decoded from, and the clock it began with: what has to be proved. */
  readonly start: number;
  readonly clock: number;
  /** Offset of the first record of the next window; Infinity where the capture ends before. */
  readonly end: number;
  readonly fault: Fault | undefined;
}

/** Reads windows of captures and decodes them. One file is open at a time. */
export class WindowReader {
  readonly #setting: WindowSetting;
  readonly #decoder: Decoder;
  readonly #open: (path: string) => Source;
  #source: Source | undefined;

  constructor(setting: WindowSetting, decoder: Decoder, open: (path: string) => Source = (path) => new CaptureFile(path)) {
    this.#setting = setting;
    this.#decoder = decoder;
    this.#open = open;
  }

  /** Reads a window and its slack to the front of the decoder's; answers how many bytes there are. */
  read(window: PlannedWindow): number {
    const capture = this.#capture(window);
    return this.#fill(capture, window.base, 0, Math.min(window.bytes + SLACK, capture.size - window.base));
  }

  /** Guesses the offset of the first record that begins in a window that was read; NaN where nothing looks like one. */
  guess(window: PlannedWindow, bytes: number, near: number): number {
    const place = guessBoundary(this.#decoder.window.subarray(0, bytes), 0, window.bytes, this.#capture(window).header, near);
    return place < 0 ? Number.NaN : window.base + place;
  }

  /**
   * Decodes the records that begin in a window.
   * @param start offset of the first one; beyond the window, or not a number: there is nothing to decode
   * @param bytes what read() answered
   */
  decode(window: PlannedWindow, slot: number, start: number, clock: number, bytes: number): DecodedWindow {
    const capture = this.#capture(window);
    const { header, size, path } = capture;
    const decoder = this.#decoder;
    const { origin, seed, shards } = this.#setting;
    decoder.begin({ ...header, origin, seed, shards }, clock);
    if (!(start < window.base + window.bytes)) {
      decoder.decode(0, 0, 0, slot);
      return { window, slot, start, clock, end: start, fault: undefined };
    }
    let filled = bytes;
    let at = decoder.decode(start - window.base, filled, Math.min(window.bytes, filled), slot);
    while (
      at < window.bytes &&
      decoder.state[STOPPED] !== BROKEN_RECORD &&
      decoder.state[STOPPED] !== BATCH_FULL &&
      window.base + filled < size
    ) {
      // A record crosses the end of what was read.
      const view = new DataView(decoder.window.buffer, decoder.window.byteOffset);
      const need = filled - at < RECORD_HEADER_BYTES ? filled + SLACK : at + RECORD_HEADER_BYTES + view.getUint32(at + 8, !header.swapped);
      const more = this.#fill(capture, window.base + filled, filled, Math.min(need, size - window.base));
      if (more === filled) break;
      filled = more;
      at = decoder.decode(start - window.base, filled, Math.min(window.bytes, filled), slot);
    }
    const end = window.base + at;
    const rule = at < window.bytes ? this.#ruleBroken(capture, window, at, filled) : undefined;
    const fault: Fault | undefined =
      rule === undefined
        ? undefined
        : {
            file: path,
            offset: end,
            truncated: decoder.state[STOPPED] !== BROKEN_RECORD,
            rule,
            message: `${path}: offset ${end}: ${rule}`,
          };
    return { window, slot, start, clock, end: fault ? Infinity : end, fault };
  }

  /** Why the records end before their window does. */
  #ruleBroken({ header, size }: PlannedCapture, window: PlannedWindow, at: number, filled: number): string | undefined {
    const decoder = this.#decoder;
    if (decoder.state[STOPPED] === BATCH_FULL) throw new Error(`a window of ${window.bytes} bytes has more segments than a batch holds`);
    const view = new DataView(decoder.window.buffer, decoder.window.byteOffset);
    if (decoder.state[STOPPED] === BROKEN_RECORD) {
      return `a record claims ${view.getUint32(at + 8, !header.swapped)} captured bytes, more than the ${header.limit} it may have`;
    }
    if (window.base + filled < size) return `the file ends here although it had ${size} bytes: it became shorter while it was read`;
    const left = filled - at;
    if (left < RECORD_HEADER_BYTES) return 'the file ends within a record header';
    const missing = RECORD_HEADER_BYTES + view.getUint32(at + 8, !header.swapped) - left;
    return `the file ends ${missing} bytes before its last record does`;
  }

  close(): void {
    this.#source?.close?.();
    this.#source = undefined;
  }

  #capture(window: PlannedWindow): PlannedCapture {
    return this.#setting.plan.captures[window.capture]!;
  }

  #fill({ path }: PlannedCapture, position: number, from: number, to: number): number {
    if (this.#source?.path !== path) {
      this.close();
      this.#source = this.#open(path);
    }
    return from + this.#source.read(this.#decoder.window.subarray(from, to), position);
  }
}
