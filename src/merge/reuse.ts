import type { Deltas } from '../stats/deltas.ts';
import { REUSE_VERDICTS, type ReuseVerdict } from '../tracker/rare.ts';
import type { Outcome } from './outcome.ts';
import { type Quantiles, quantiles } from './quantiles.ts';

/** Differences modulo 2^32, signed. */
export interface DeltaQuantiles {
  count: number;
  /** Those that are 0 or below: the new number is not above the old one. */
  not_above: number;
  p10?: number;
  p50?: number;
  p90?: number;
}

/** New connections from ports still in TIME_WAIT (SPEC §4), by what came of their SYN. */
export interface ReuseRecord extends Record<ReuseVerdict, number> {
  /** Since the TIME_WAIT last started; of the challenged ones alone; and since the latest segment of the old connection. */
  age_s: Quantiles;
  challenged_age_s: Quantiles;
  gap_s: Quantiles;
  /** Of sequence numbers, and of timestamps where both are known, between the SYN and the old connection. */
  isn_delta: DeltaQuantiles;
  tsval_delta: DeltaQuantiles;
}

export function reuseRecord({ statistics, clock }: Outcome): ReuseRecord {
  const { ages, age, gaps, isnDeltas, tsvalDeltas } = statistics.reuses;
  const challenged = ages.get('challenged');
  return {
    ...(Object.fromEntries(REUSE_VERDICTS.map((verdict) => [verdict, ages.get(verdict)?.count ?? 0])) as Record<ReuseVerdict, number>),
    age_s: quantiles(age, clock),
    challenged_age_s: challenged ? quantiles(challenged, clock) : { count: 0 },
    gap_s: quantiles(gaps, clock),
    isn_delta: deltaQuantiles(isnDeltas),
    tsval_delta: deltaQuantiles(tsvalDeltas),
  };
}

function deltaQuantiles(deltas: Deltas): DeltaQuantiles {
  const { count, below, zeros } = deltas;
  const found = { count, not_above: below.count + zeros };
  if (count === 0) return found;
  const at = (q: number): number => Math.round(deltas.quantile(q)!);
  return { ...found, p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
