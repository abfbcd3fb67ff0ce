import type { Clock } from '../records/time.ts';
import type { Histogram } from '../stats/histogram.ts';

/** Seconds, from bins at most 0.4 % wide. */
export interface Quantiles {
  count: number;
  p50?: number;
  p90?: number;
  p99?: number;
  max?: number;
}

export function quantiles(histogram: Histogram, clock: Clock): Quantiles {
  if (histogram.count === 0) return { count: 0 };
  const at = (q: number): number => clock.seconds(histogram.quantile(q)!);
  return { count: histogram.count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: clock.seconds(histogram.max) };
}
