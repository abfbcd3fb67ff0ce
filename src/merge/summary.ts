import { namedDrops } from '../decode/drops.ts';
import type { Clock } from '../records/time.ts';
import type { Histogram } from '../stats/histogram.ts';
import { OTHERS, type Tally } from '../stats/tally.ts';
import type { Oddity } from '../tracker/oddities.ts';
import type { Outcome } from './outcome.ts';

/** Seconds, from bins at most 0.4 % wide. */
export interface Quantiles {
  count: number;
  p50?: number;
  p90?: number;
  p99?: number;
  max?: number;
}

/** The last line of `stream` (SPEC §5). Lists by name hold the most frequent, and `others` where that is not all. */
export interface SummaryRecord {
  type: 'summary';
  /** First and last packet. */
  start?: string;
  end?: string;
  duration_s: number;
  packets: number;
  segments: number;
  connections: number;
  /** Packets that gave no segment, by reason. */
  drops: Record<string, number>;
  oddities: Partial<Record<Oddity, number>>;
  close: {
    class: Record<string, number>;
    initiator: Record<string, number>;
    sequence: Record<string, number>;
    modifiers: Record<string, number>;
    duration_s: Quantiles;
    fin_ack_s: Quantiles;
    half_closed_s: Quantiles;
    last_ack_s: Quantiles;
  };
  end_reason: Record<string, number>;
  time_wait: {
    profile: string;
    '2msl_s': number;
    /** Until then, holders of before the capture are invisible. */
    complete_from?: string;
    entered: number;
    peak: number;
    peak_at?: string;
    mean: number;
    restarts: number;
    ended_by: Record<string, number>;
    holders: Record<string, number>;
  };
  close_wait: { suspects: number; leaks: number; owners: Record<string, number> };
  /** Of many captures the first ones are named. */
  input: { captures: string[]; files: number; bytes: number; truncated: boolean; duplicates: number; time_regressions: number };
  /** A signal ended the run before its input did. */
  interrupted?: true;
}

/** Names that a list in a summary has, so that a line stays below 16 KiB. */
const TOP = 20;

/** The summary of a finished run. */
export function summaryRecord(outcome: Outcome): SummaryRecord {
  const { clock, firstTime, lastTime, profile, statistics } = outcome;
  const seen = firstTime !== undefined;
  const population = statistics.timeWait.snapshot(firstTime ?? 0, seen ? lastTime : 0);
  const record: SummaryRecord = {
    type: 'summary',
    ...(seen && { start: clock.text(firstTime), end: clock.text(lastTime) }),
    duration_s: seen ? clock.seconds(lastTime - firstTime) : 0,
    packets: outcome.packets,
    segments: outcome.segments,
    connections: statistics.connections,
    drops: Object.fromEntries(Object.entries(namedDrops(outcome.drops)).filter(([, count]) => count > 0)),
    oddities: outcome.oddities.toRecord(),
    close: {
      class: top(statistics.classes),
      initiator: top(statistics.initiators),
      sequence: top(statistics.sequences),
      modifiers: top(statistics.modifiers),
      duration_s: quantiles(statistics.wholeClose, clock),
      fin_ack_s: quantiles(statistics.finAck, clock),
      half_closed_s: quantiles(statistics.halfClosed, clock),
      last_ack_s: quantiles(statistics.lastAck, clock),
    },
    end_reason: top(statistics.endReasons),
    time_wait: {
      profile: profile.name,
      '2msl_s': profile.twoMsl / 1e9,
      ...(seen && { complete_from: clock.text(firstTime + profile.twoMsl) }),
      entered: statistics.timeWait.entered,
      peak: population.peak,
      ...(population.peakAt !== undefined && { peak_at: clock.text(population.peakAt) }),
      mean: Math.round(population.mean * 1e6) / 1e6,
      restarts: statistics.timeWaitRestarts,
      ended_by: top(statistics.timeWaitEnds),
      holders: top(statistics.timeWaitHolders),
    },
    close_wait: { suspects: statistics.closeWaitSuspects, leaks: statistics.closeWaitLeaks, owners: top(statistics.closeWaitOwners) },
    input: {
      captures: outcome.names.slice(0, TOP),
      files: outcome.files,
      bytes: outcome.bytes,
      truncated: outcome.damages > 0,
      duplicates: outcome.duplicates,
      time_regressions: outcome.timeRegressions,
    },
  };
  if (outcome.interrupted) record.interrupted = true;
  return record;
}

function top(tally: Tally): Record<string, number> {
  const sorted = tally.sorted().filter(([name]) => name !== OTHERS);
  const rest = sorted.slice(TOP).reduce((sum, [, count]) => sum + count, tally.counts.get(OTHERS) ?? 0);
  return { ...Object.fromEntries(sorted.slice(0, TOP)), ...(rest > 0 && { [OTHERS]: rest }) };
}

function quantiles(histogram: Histogram, clock: Clock): Quantiles {
  if (histogram.count === 0) return { count: 0 };
  const at = (q: number): number => clock.seconds(histogram.quantile(q)!);
  return { count: histogram.count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: clock.seconds(histogram.max) };
}
