import type { Intervals } from '../stats/intervals.ts';
import { mergeParts, repeated, type WindowPart } from '../stats/window-part.ts';

/** The windows of capture time that are over, in order: what all shards have seen of each, as one. */
export class WindowQueue {
  readonly #intervals: Intervals;
  /** The first one's stand at the end; what the capture's end cut short is the last. */
  readonly #parts: WindowPart[] = [];

  constructor(intervals: Intervals) {
    this.#intervals = intervals;
  }

  add(parts: readonly WindowPart[]): void {
    if (parts.length === 0) return;
    this.#parts.push(...parts);
    this.#parts.sort((a, b) => Number(b.end !== undefined) - Number(a.end !== undefined) || b.number - a.number);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Whether there is one that is over at a time, ns: the one that the capture's end cut short never is. */
  isOver(time: number): boolean {
    const first = this.#parts.at(-1);
    return first !== undefined && first.end === undefined && this.#intervals.end(first.number) <= time;
  }

  /** Whoever waits for them has had enough: those that only repeat others are left out. */
  shorten(): void {
    this.#parts.forEach((part, i) => void (this.#parts[i] = { ...part, repeats: 0 }));
  }

  /** Takes the first one out. There is one. */
  take(): WindowPart {
    const parts = this.#parts;
    const { number, end } = parts.at(-1)!;
    const same: WindowPart[] = [];
    while (parts.at(-1)?.number === number && parts.at(-1)?.end === end) same.push(parts.pop()!);
    for (const part of same) if (part.repeats > 0) parts.push(repeated(part));
    return mergeParts(same);
  }
}
