import type { Intervals } from '../stats/intervals.ts';
import { isAlike, mergeParts, repeated, type WindowPart } from '../stats/window-part.ts';

/** Windows in a row that are like the one before, from which on one stands for all: a wrong time in a capture may be decades away. */
const MOST_ALIKE = 1_000_000;

/** The windows of capture time that are over, in order: what all shards have seen of each, as one. */
export class WindowQueue {
  readonly #intervals: Intervals;
  readonly #mostAlike: number;
  /** The first one's stand at the end; what the capture's end cut short is the last. */
  readonly #parts: WindowPart[] = [];
  /** The one that was taken last, and how many in a row up to it were like the one before. */
  #latest: WindowPart | undefined;
  #alike = 0;
  /** Stands for those that were taken last and not told. */
  #silence: WindowPart | undefined;

  constructor(intervals: Intervals, mostAlike = MOST_ALIKE) {
    this.#intervals = intervals;
    this.#mostAlike = mostAlike;
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

  /**
   * Takes the first one out, which is over at `time`, ns; there is one. Answers those to be told now: none where it may be one of many that are
   * alike, which the one that stands for them ends when another comes, or something that is not a window (see silence()).
   */
  take(time = Infinity): WindowPart[] {
    const parts = this.#parts;
    const { number, end } = parts.at(-1)!;
    const same: WindowPart[] = [];
    while (parts.at(-1)?.number === number && parts.at(-1)?.end === end) same.push(parts.pop()!);
    const whole = mergeParts(same);
    this.#alike = this.#latest && isAlike(this.#latest, whole) ? this.#alike + 1 : 0;
    const silent = this.#alike > this.#mostAlike;
    // All that repeat this one, and of which nobody has another part, are like it: they stay together.
    const next = parts.at(-1)?.number ?? Infinity;
    const shared = Math.min(next - 1 - number, ...same.map(({ repeats }) => repeats));
    const passed = silent ? Math.max(0, Math.min(this.#intervals.over(time) - number, shared)) : 0;
    for (const part of same) if (part.repeats > shared) parts.push(repeated(part, shared + 1));
    if (shared > passed) parts.push(repeated({ ...whole, repeats: shared }, passed + 1));
    this.#latest = { ...whole, number: number + passed };
    if (!silent) return [...this.silence(), whole];
    this.#silence = { ...this.#latest, since: this.#silence?.since ?? number };
    return [];
  }

  /** The window that stands for those which were taken last and not told, if there is one: something else comes now. */
  silence(): WindowPart[] {
    const silence = this.#silence;
    this.#silence = undefined;
    return silence ? [silence] : [];
  }
}
