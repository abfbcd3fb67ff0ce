/** Intervals kept exactly before the older half is folded into a running curve. */
const LIMIT = 1 << 21;

/**
 * How many intervals hold at once over capture time: peak, when it was first reached, and the time-weighted mean.
 * Exact as long as an interval is added before LIMIT others that begin later; folded ones cost no memory.
 */
export class Population {
  /** Not folded yet, in no order. */
  starts: number[] = [];
  ends: number[] = [];
  /** Intervals added. */
  entered = 0;
  #held = 0;
  #area = 0;
  #folded = -Infinity;
  #peak = 0;
  #peakAt: number | undefined;

  /** Times in ns; an interval holds from `start` up to but not at `end`. */
  add(start: number, end: number): void {
    this.entered++;
    this.starts.push(start);
    this.ends.push(end);
    if (this.starts.length + this.ends.length >= LIMIT) this.#fold();
  }

  /** Adds all that another population has; neither may have folded yet, or their folded parts must not overlap. */
  merge(other: Pick<Population, 'starts' | 'ends' | 'entered'>): void {
    for (const start of other.starts) this.starts.push(start);
    for (const end of other.ends) this.ends.push(end);
    this.entered += other.entered;
  }

  /** The figures over [from, to], ns. */
  snapshot(from: number, to: number): { peak: number; peakAt: number | undefined; mean: number } {
    this.#sweep(Infinity);
    const waiting = this.#held > 0 ? this.#held * Math.max(0, to - this.#folded) : 0;
    return { peak: this.#peak, peakAt: this.#peakAt, mean: to > from ? (this.#area + waiting) / (to - from) : this.#held };
  }

  #fold(): void {
    const starts = Float64Array.from(this.starts).sort();
    this.#sweep(starts[starts.length >> 1]!);
  }

  /** Moves all events before `horizon` into the curve. At equal times an end comes before a start. */
  #sweep(horizon: number): void {
    const starts = Float64Array.from(this.starts).sort();
    const ends = Float64Array.from(this.ends).sort();
    let s = 0;
    let e = 0;
    while ((s < starts.length && starts[s]! < horizon) || (e < ends.length && ends[e]! < horizon)) {
      const leaves = e < ends.length && (s >= starts.length || ends[e]! <= starts[s]!);
      const time = Math.max(leaves ? ends[e++]! : starts[s++]!, this.#folded);
      if (this.#held > 0) this.#area += this.#held * (time - this.#folded);
      this.#folded = time;
      this.#held += leaves ? -1 : 1;
      if (this.#held > this.#peak) {
        this.#peak = this.#held;
        this.#peakAt = time;
      }
    }
    this.starts = Array.from(starts.subarray(s));
    this.ends = Array.from(ends.subarray(e));
  }
}
