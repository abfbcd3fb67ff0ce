/** Ends and starts kept before the older half is folded into a running curve. */
const LIMIT = 1 << 21;
const FIRST = 1 << 10;

/** Numbers, to be sorted. */
class Times {
  #values = new Float64Array(FIRST);
  #length = 0;
  #sorted = true;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(this.#length * 2);
    if (this.#sorted && this.#length > 0 && value < this.#values[this.#length - 1]!) this.#sorted = false;
    this.#values[this.#length++] = value;
  }

  /** All of them in order: a view, valid until the next push(). */
  sorted(): Float64Array {
    const all = this.#values.subarray(0, this.#length);
    if (!this.#sorted) all.sort();
    this.#sorted = true;
    return all;
  }

  /** Adds numbers that are in order themselves. */
  merge(others: Float64Array): void {
    const own = this.sorted();
    const merged = new Float64Array(own.length + others.length);
    for (let at = 0, i = 0, j = 0; at < merged.length; at++)
      merged[at] = j === others.length || (i < own.length && own[i]! <= others[j]!) ? own[i++]! : others[j++]!;
    this.#values = merged;
    this.#length = merged.length;
  }

  /** Forgets the first `count`. */
  drop(count: number): void {
    this.#values.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  #grow(size: number): void {
    const values = new Float64Array(Math.max(size, FIRST));
    values.set(this.#values);
    this.#values = values;
  }
}

/** What the events folded so far have come to. */
interface Curve {
  readonly held: number;
  readonly area: number;
  readonly time: number;
  readonly peak: number;
  readonly peakAt: number | undefined;
}

/** A population as plain data: starts and ends of its intervals in order, as far as they are not folded. */
export interface PopulationPart {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly entered: number;
  readonly curve: Curve;
}

/**
 * How many intervals hold at once over capture time: peak, when it was first reached, and the time-weighted mean.
 * What is folded costs no memory, but cannot be merged with what others have. It is exact as long as an interval is added
 * before LIMIT others that begin later.
 */
export class Population {
  /** Intervals added. */
  entered = 0;
  /** Not folded yet. What never ends has no end here. */
  readonly #starts = new Times();
  readonly #ends = new Times();
  readonly #limit: number;
  #curve: Curve = { held: 0, area: 0, time: -Infinity, peak: 0, peakAt: undefined };

  /** `folds`: its memory is bounded, and it is not merged into one that holds others. */
  constructor(folds = true) {
    this.#limit = folds ? LIMIT : Infinity;
  }

  /** Times in ns; an interval holds from `start` up to but not at `end`, which may be Infinity. */
  add(start: number, end: number): void {
    this.entered++;
    this.#starts.push(start);
    if (end < Infinity) this.#ends.push(end);
    if (this.#starts.length + this.#ends.length >= this.#limit) this.#sweep(this.#starts.sorted()[this.#starts.length >> 1]!);
  }

  /** What another population can merge. */
  part(): PopulationPart {
    return { starts: this.#starts.sorted(), ends: this.#ends.sorted(), entered: this.entered, curve: this.#curve };
  }

  /** Adds all that another population has. Unless this one is empty, neither may have folded any of it. */
  merge({ starts, ends, entered, curve }: PopulationPart): void {
    if (this.entered === 0) this.#curve = curve;
    else if (Math.max(this.#curve.time, curve.time) > -Infinity && entered > 0) throw new Error('folded populations cannot be merged');
    this.#starts.merge(starts);
    this.#ends.merge(ends);
    this.entered += entered;
  }

  /** The figures over [from, to], ns. */
  snapshot(from: number, to: number): { peak: number; peakAt: number | undefined; mean: number } {
    this.#sweep(Infinity);
    const { held, area, time, peak, peakAt } = this.#curve;
    const waiting = held > 0 ? held * Math.max(0, to - time) : 0;
    return { peak, peakAt, mean: to > from ? (area + waiting) / (to - from) : held };
  }

  /** Moves all events before `horizon` into the curve. At equal times an end comes before a start. */
  #sweep(horizon: number): void {
    const starts = this.#starts.sorted();
    const ends = this.#ends.sorted();
    let { held, area, time, peak, peakAt } = this.#curve;
    let s = 0;
    let e = 0;
    while ((s < starts.length && starts[s]! < horizon) || (e < ends.length && ends[e]! < horizon)) {
      const leaves = e < ends.length && (s >= starts.length || ends[e]! <= starts[s]!);
      const now = Math.max(leaves ? ends[e++]! : starts[s++]!, time);
      if (held > 0) area += held * (now - time);
      time = now;
      held += leaves ? -1 : 1;
      if (held > peak) {
        peak = held;
        peakAt = now;
      }
    }
    this.#curve = { held, area, time, peak, peakAt };
    this.#starts.drop(s);
    this.#ends.drop(e);
  }
}
