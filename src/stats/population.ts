import { sortAscending } from './ascending.ts';

/** Events kept exactly before the older half is folded into a running curve. */
const LIMIT = 1 << 21;

/** Times that are as soon sorted one by one as by a call. */
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

  /**
   * Adds intervals straight to the curve, where nothing else is pending and all of them hold at `to`: what only grows needs no order, and
   * so no memory. Answers whether it has.
   * @param rows of so many `columns`, two of which are the `start` and the `end` of an interval
   */
  grow(rows: Float64Array, columns: number, start: number, end: number, to: number): boolean {
    const count = rows.length / columns;
    if (this.pending > 0 || this.#held + count > this.#threshold) return false;
    const from = this.#riseFrom;
    let last = this.#folded;
    let sum = 0;
    for (let at = 0; at < rows.length; at += columns) {
      const time = rows[at + start]!;
      if (time < this.#folded || time > to || rows[at + end]! <= to) return false;
      sum += time - from;
      if (time > last) last = time;
    }
    this.entered += count;
    this.#rise(count, sum, last);
    return true;
  }

  /** The same of all pending starts before `end`: no end is earlier. */
  #growBefore(end: number): void {
    const starts = this.#starts;
    const from = this.#riseFrom;
    let last = this.#folded;
    let sum = 0;
    let left = 0;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i]!;
      if (start >= end) starts[left++] = start;
      else {
        sum += start - from;
        if (start > last) last = start;
      }
    }
    const count = starts.length - left;
    starts.length = left;
    this.#rise(count, sum, last);
  }

  /** Folds the older half of what is pending. */
  fold(): void {
    const starts = sortAscending(Float64Array.from(this.#starts));
    if (starts.length > 0) this.#sweep(starts[starts.length >> 1]!);
  }

  /** The figures over [from, to], whole ns; an end may lie behind `to`. */
  snapshot(from: number, to: number): PopulationFigures {
    this.#sweep(behind(to));
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
    if (this.#held + this.#starts.length <= this.#threshold) this.#growBefore(Math.min(horizon, earliest(this.#ends)));
    STARTS.take(this.#starts, horizon);
    ENDS.take(this.#ends, horizon);
    const { times: starts, count: entering } = STARTS;
    const { times: ends, count: leaving } = ENDS;
    let held = this.#held;
    let time = this.#folded;
    for (let s = 0, e = 0; s + e < entering + leaving; ) {
      const leaves = s === entering || (e < leaving && ends[e]! <= starts[s]!);
      const now = leaves ? ends[e++]! : starts[s++]!;
      if (held > 0) {
        this.#area += held * (now - time);
        if (held > this.#threshold) this.#above += now - time;
      }
      time = now;
      held += leaves ? -1 : 1;
      if (held > this.#peak) {
        this.#peak = held;
        this.#peakAt = now;
      }
    }
    this.#held = held;
    this.#folded = time;
  }

  /** From when on #rise() counts. */
  get #riseFrom(): number {
    return this.#held > 0 ? this.#folded : 0;
  }

  /** So many begin until `last`, and none ends; `sum`: of their starts, less #riseFrom each. */
  #rise(count: number, sum: number, last: number): void {
    if (count === 0) return;
    this.#area += (this.#held + count) * (last - this.#riseFrom) - sum;
    this.#held += count;
    this.#folded = last;
    if (this.#held > this.#peak) {
      this.#peak = this.#held;
      this.#peakAt = last;
    }
  }
}

/** A later time: by 1 ns, or by more where doubles lie further apart than that (behind 104 days). */
const behind = (time: number): number => time + Math.max(1, time * Number.EPSILON);

/** The first of times; Infinity where there are none. */
function earliest(times: readonly number[]): number {
  let first = Infinity;
  for (let i = 0; i < times.length; i++) if (times[i]! < first) first = times[i]!;
  return first;
}

/** Times in order, in memory that is used again: there may be many thousand populations of a few times each. */
class Taken {
  times = new Float64Array(FEW);
  count = 0;

  /** Takes the times before `horizon` out of others. */
  take(from: number[], horizon: number): void {
    if (from.length > this.times.length) this.times = new Float64Array(Math.max(from.length, this.times.length * 2));
    const { times } = this;
    let count = 0;
    let left = 0;
    let inOrder = true;
    for (let i = 0; i < from.length; i++) {
      const time = from[i]!;
      if (time >= horizon) from[left++] = time;
      else {
        if (count > 0 && time < times[count - 1]!) inOrder = false;
        times[count++] = time;
      }
    }
    from.length = left;
    this.count = count;
    if (!inOrder && count > FEW) sortAscending(times.subarray(0, count));
    else if (!inOrder) insertEach(times, count);
  }
}

const STARTS = new Taken();
const ENDS = new Taken();

/** Sorts the first few of times in place. */
function insertEach(times: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const time = times[i]!;
    let at = i;
    for (; at > 0 && times[at - 1]! > time; at--) times[at] = times[at - 1]!;
    times[at] = time;
  }
}
