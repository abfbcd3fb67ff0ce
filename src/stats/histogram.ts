const MANTISSA_BITS = 7;
const BINS = 1 << 13;
const LOWEST_EXPONENT = 1023 - 1; // 0.5 ns and below share the first bin
const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** A histogram as plain data. Times are ns. */
export interface HistogramPart {
  readonly bins: Float64Array;
  readonly count: number;
  readonly max: number;
}

/**
 * Durations, counted in bins whose width grows with the value: a quantile is at most 0.4 % off. Two histograms merge by
 * adding their bins, exactly and in any order.
 */
export class Histogram {
  readonly bins = new Float64Array(BINS);
  count = 0;
  max = 0;

  /** `value`: ns, not negative. */
  add(value: number): void {
    this.bins[binOf(value)]! += 1;
    this.count++;
    if (value > this.max) this.max = value;
  }

  merge(other: HistogramPart): void {
    if (other.count === 0) return;
    const last = binOf(other.max); // those behind it are empty, and a short run comes here before anything is compiled
    for (let i = 0; i <= last; i++) this.bins[i]! += other.bins[i]!;
    this.count += other.count;
    this.max = Math.max(this.max, other.max);
  }

  /** The value below which a share `q` (0 to 1) of all values lies: the middle of its bin, ns; undefined where there are none. */
  quantile(q: number): number | undefined {
    return this.quantiles([q])?.[0];
  }

  /** The same of several shares, in ascending order. */
  quantiles(shares: readonly number[]): number[] | undefined {
    if (this.count === 0) return undefined;
    let bin = 0;
    let below = 0;
    return shares.map((q) => {
      const rank = Math.max(1, Math.ceil(q * this.count));
      while (bin < BINS - 1 && below + this.bins[bin]! < rank) below += this.bins[bin++]!;
      return bin === 0 ? 0 : Math.min(this.max, (edge(bin) + edge(bin + 1)) / 2);
    });
  }
}

function binOf(value: number): number {
  double[0] = value;
  const bin = (words[1]! >>> (20 - MANTISSA_BITS)) - (LOWEST_EXPONENT << MANTISSA_BITS);
  return Math.min(Math.max(bin, 0), BINS - 1);
}

function edge(bin: number): number {
  words[0] = 0;
  words[1] = (bin + (LOWEST_EXPONENT << MANTISSA_BITS)) << (20 - MANTISSA_BITS);
  return double[0]!;
}
