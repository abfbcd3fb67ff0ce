import { Histogram, type HistogramPart } from './histogram.ts';

/** Differences, of either sign: whole numbers, in two histograms. Merging is adding, as with those. */
export class Deltas {
  readonly below = new Histogram();
  /** 0 and above. */
  readonly above = new Histogram();
  /** Those of them that are 0. */
  zeros = 0;

  get count(): number {
    return this.below.count + this.above.count;
  }

  add(delta: number): void {
    if (delta < 0) this.below.add(-delta);
    else this.above.add(delta);
    if (delta === 0) this.zeros++;
  }

  merge({ below, above, zeros }: DeltasPart): void {
    this.below.merge(below);
    this.above.merge(above);
    this.zeros += zeros;
  }

  /** The value below which a share `q` (0 to 1) of all lies, at most 0.4 % off; undefined where there are none. */
  quantile(q: number): number | undefined {
    const rank = Math.max(1, Math.ceil(q * this.count));
    const { below, above } = this;
    // In the middle of a rank, so that no rounding moves it to the next one.
    if (rank <= below.count) return -below.quantile((below.count - rank + 0.5) / below.count)!;
    return above.quantile((rank - below.count - 0.5) / above.count);
  }
}

/** Deltas as plain data. */
export interface DeltasPart {
  readonly below: HistogramPart;
  readonly above: HistogramPart;
  readonly zeros: number;
}
