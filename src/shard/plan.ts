import { WINDOW_BYTES, WINDOW_UNIT } from '../layout/batch.ts';

/** A capture that is to be read. */
export interface PlannedCapture {
  readonly path: string;
  /** Bytes, up to where its records end. */
  readonly size: number;
  /** Records as its header counts them, if it does. */
  readonly count?: number | undefined;
  /** Packets, estimated, where it matters how many they are. */
  readonly packets?: number | undefined;
}

/** A stretch of a capture: the records that begin in base..base + bytes are decoded together. */
export interface Window {
  /** Index of its capture. */
  readonly capture: number;
  /** Number of the capture's first window. */
  readonly opening: number;
  readonly base: number;
  readonly bytes: number;
  /** Offset up to which bytes may be read, for the record that crosses its end. */
  readonly to: number;
  /** The capture ends at `to`. */
  readonly last: boolean;
  /** No window of the capture follows. */
  readonly final: boolean;
}

/** The windows of a run, one row through all its captures. */
export interface Windows {
  /** How many there are so far. */
  readonly announced: number;
  /** Whether there will be no more. */
  readonly complete: boolean;
  window(number: number): Window;
}

/** Units of a window (layout/batch.ts). */
export const unitsOf = (windowBytes: number): number => Math.ceil(windowBytes / WINDOW_UNIT);

/**
 * Windows behind a capture's end, for what others had no room for: where a length is wrong, that may be found out when its record should end, and
 * then one window has to decode what stands between, too. There is never more than a decoder's window holds.
 */
export const restsOf = (windowBytes: number): number => Math.ceil(WINDOW_BYTES / (unitsOf(windowBytes) * WINDOW_UNIT));

/** Bytes that may be read beyond a window. A longer record that crosses its end goes to the next window. */
const SLACK = 1 << 16;

/** The windows of files whose sizes are known: all of them can be decoded at any time. */
export class Plan implements Windows {
  readonly captures: readonly PlannedCapture[];
  readonly announced: number;
  readonly complete = true;
  /** Those of `announced` that are behind a capture's end. */
  readonly rests: number;
  readonly #windowBytes: number;
  readonly #most: number;
  /** Number of the first window of each capture. */
  readonly #starts: readonly number[];

  /** `rests`: windows behind the end of a capture that has as many, and one more, before it. */
  constructor(captures: readonly PlannedCapture[], windowBytes: number, rests = 0) {
    this.captures = captures;
    this.#windowBytes = windowBytes;
    this.#most = rests;
    const starts: number[] = [];
    let windows = 0;
    for (const { size } of captures) {
      starts.push(windows);
      windows += this.#windowsOf(size);
    }
    this.#starts = starts;
    this.announced = windows;
    this.rests = windows - captures.reduce((sum, { size }) => sum + Math.ceil(size / windowBytes), 0);
  }

  window(number: number): Window {
    let capture = this.#starts.length - 1;
    while (this.#starts[capture]! > number) capture--;
    const { size } = this.captures[capture]!;
    const opening = this.#starts[capture]!;
    const base = Math.min((number - opening) * this.#windowBytes, size);
    const bytes = Math.min(this.#windowBytes, size - base);
    const to = Math.min(base + bytes + SLACK, size);
    const final = number + 1 === opening + this.#windowsOf(size);
    return { capture, opening, base, bytes, to, last: base + bytes === size, final };
  }

  #windowsOf(size: number): number {
    const windows = Math.ceil(size / this.#windowBytes);
    return windows + Math.max(0, Math.min(this.#most, windows - 1));
  }
}
