import { sortAscending } from './ascending.ts';

/** Events kept exactly before the older half is folded into a running curve. */
const LIMIT = 1 << 21;

/** Times that an array sorts as fast as a typed array, which has to be made first. */
const FEW = 32;

/** Figures of a population over a stretch of capture time. Times are ns. */
export interface PopulationFigures {
  /** At the end of the stretch. */
  now: number;
  peak: number;
  /** When the peak was first reached; undefined where nothing ever held. */
  peakAt: number | undefined;
  /** Weighted by time. */
  mean: number;
  /** Time during which more than the threshold held. */
  above: number;
}

/**
 * How many intervals hold at once over capture time. Exact as long as an interval is added before `limit` / 2 others that begin
 * later; one that comes later still has its place in `now` and in the mean, but the peak may lack it: `late` counts those.
 * What is folded costs no memory.
 */
export class Population {
  /** Intervals added. */
  entered = 0;
  /** Intervals that began before what had been folded. */
  late = 0;
  readonly #limit: number;
  readonly #threshold: number;
  /** Not folded yet, in no order. */
  #starts: number[] = [];
  #ends: number[] = [];
  #held = 0;
  #area = 0;
  #above = 0;
  #folded = -Infinity;
  #peak = 0;
  #peakAt: number | undefined;

  constructor(limit = LIMIT, threshold = Infinity) {
    this.#limit = limit;
    this.#threshold = threshold;
  }

  /** Events that are not folded yet. */
  get pending(): number {
    return this.#starts.length + this.#ends.length;
  }

  /** Times in ns; an interval holds from `start` up to but not at `end`. */
  add(start: number, end: number): void {
    this.entered++;
    if (start < this.#folded) {
      this.late++;
      this.#area += Math.min(end, this.#folded) - start;
      if (end <= this.#folded) return;
    }
    this.#starts.push(Math.max(start, this.#folded));
    if (end < Infinity) this.#ends.push(end);
    if (this.pending >= this.#limit) this.fold();
  }

  /** Folds the older half of what is pending. */
  fold(): void {
    const starts = ascending(this.#starts);
    if (starts.length > 0) this.#sweep(starts[starts.length >> 1]!);
  }

  /** The figures over [from, to], whole ns; an end may lie behind `to`. */
  snapshot(from: number, to: number): PopulationFigures {
    this.#sweep(to + 1);
    const rest = this.#held > 0 ? Math.max(0, to - this.#folded) : 0;
    return {
      now: this.#held,
      peak: this.#peak,
      peakAt: this.#peakAt,
      mean: to > from ? (this.#area + this.#held * rest) / (to - from) : this.#held,
      above: this.#above + (this.#held > this.#threshold ? rest : 0),
    };
  }

  /** Moves all events before `horizon` into the curve. At equal times an end comes before a start. */
  #sweep(horizon: number): void {
    const starts = ascending(this.#starts.filter((time) => time < horizon));
    const ends = ascending(this.#ends.filter((time) => time < horizon));
    let s = 0;
    let e = 0;
    while (s < starts.length || e < ends.length) {
      const leaves = e < ends.length && (s >= starts.length || ends[e]! <= starts[s]!);
      const time = leaves ? ends[e++]! : starts[s++]!;
      if (this.#held > 0) {
        this.#area += this.#held * (time - this.#folded);
        if (this.#held > this.#threshold) this.#above += time - this.#folded;
      }
      this.#folded = time;
      this.#held += leaves ? -1 : 1;
      if (this.#held > this.#peak) {
        this.#peak = this.#held;
        this.#peakAt = time;
      }
    }
    this.#starts = this.#starts.filter((time) => time >= horizon);
    this.#ends = this.#ends.filter((time) => time >= horizon);
  }
}

/** The times in order: often they are already, and those of small populations are few. */
function ascending(times: number[]): number[] | Float64Array {
  for (let i = 1; i < times.length; i++) {
    if (times[i]! < times[i - 1]!) return times.length > FEW ? sortAscending(new Float64Array(times)) : times.sort((a, b) => a - b);
  }
  return times;
}
