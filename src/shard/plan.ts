import type { PcapHeader } from '../capture/pcap.ts';

/** A capture that is to be read. */
export interface PlannedCapture {
  readonly path: string;
  readonly size: number;
  readonly header: PcapHeader;
}

/** A stretch of a capture: the records that begin in base..base + bytes are decoded together. */
export interface PlannedWindow {
  readonly capture: number;
  readonly base: number;
  readonly bytes: number;
  /** It begins with the capture's first record. */
  readonly first: boolean;
}

/** All captures of a run as one row of windows. */
export class Plan {
  readonly captures: readonly PlannedCapture[];
  readonly windows: number;
  readonly #windowBytes: number;
  /** Number of the first window of each capture. */
  readonly #starts: readonly number[];

  constructor(captures: readonly PlannedCapture[], windowBytes: number) {
    this.captures = captures;
    this.#windowBytes = windowBytes;
    const starts: number[] = [];
    let windows = 0;
    for (const { size, header } of captures) {
      starts.push(windows);
      windows += Math.ceil((size - header.headerBytes) / windowBytes);
    }
    this.#starts = starts;
    this.windows = windows;
  }

  window(number: number): PlannedWindow {
    let capture = this.#starts.length - 1;
    while (this.#starts[capture]! > number) capture--;
    const { size, header } = this.captures[capture]!;
    const place = number - this.#starts[capture]!;
    const base = header.headerBytes + place * this.#windowBytes;
    return { capture, base, bytes: Math.min(this.#windowBytes, size - base), first: place === 0 };
  }
}
