import type { Intervals } from '../stats/intervals.ts';
import { follower, mergeParts, type WindowPart } from '../stats/window-part.ts';

/** The windows of capture time that are over, in order: what all shards have seen of each, as one. */
export class WindowQueue {
  readonly #intervals: Intervals;
  /** By number; what the capture's end cut short comes last. */
  readonly #parts: WindowPart[] = [];

  constructor(intervals: Intervals) {
    this.#intervals = intervals;
  }

  add(parts: readonly WindowPart[]): void {
    if (parts.length === 0) return;
    this.#parts.push(...parts);
    this.#parts.sort((a, b) => Number(a.end !== undefined) - Number(b.end !== undefined) || a.number - b.number);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Whether there is one that is over at a time, ns: the one that the capture's end cut short never is. */
  isOver(time: number): boolean {
    const [first] = this.#parts;
    return first !== undefined && first.end === undefined && this.#intervals.end(first.number) <= time;
  }

  /** Takes the first one out. There is one. */
  take(): WindowPart {
    const parts = this.#parts;
    const first = parts[0]!;
    const others = parts.findIndex(({ number, end }) => number !== first.number || end !== first.end);
    const same = parts.splice(0, others < 0 ? parts.length : others);
    for (const part of same) if (part.like > 0) parts.unshift(follower(part));
    return mergeParts(same);
  }
}
