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
  const [p50, p90, p99] = histogram.quantiles([0.5, 0.9, 0.99])?.map((time) => clock.seconds(time)) ?? [];
  if (p50 === undefined || p90 === undefined || p99 === undefined) return { count: 0 };
  return { count: histogram.count, p50, p90, p99, max: clock.seconds(histogram.max) };
}
