import type { Rejected, ReuseVerdict } from '../tracker/rare.ts';
import { Deltas, type DeltasPart } from './deltas.ts';
import { Histogram, type HistogramPart } from './histogram.ts';

/** Reuses as plain data, which may be sent to another thread. */
export interface ReusesPart {
  readonly ages: ReadonlyMap<ReuseVerdict, HistogramPart>;
  readonly gaps: HistogramPart;
  readonly isnDeltas: DeltasPart;
  readonly tsvalDeltas: DeltasPart;
}

/** New connections from ports that were still in TIME_WAIT: how long it had lasted, by what came of it, and how far their numbers were apart. */
export class Reuses {
  /** Time since the TIME_WAIT last started, ns. */
  readonly ages = new Map<ReuseVerdict, Histogram>();
  /** Time since the latest segment of the old connection, ns. */
  readonly gaps = new Histogram();
  readonly isnDeltas = new Deltas();
  readonly tsvalDeltas = new Deltas();

  add({ reuse, verdict }: Rejected): void {
    this.#ages(verdict).add(reuse.age);
    this.gaps.add(reuse.gap);
    if (!Number.isNaN(reuse.isnDelta)) this.isnDeltas.add(reuse.isnDelta);
    if (!Number.isNaN(reuse.tsvalDelta)) this.tsvalDeltas.add(reuse.tsvalDelta);
  }

  /** Of all verdicts together. */
  get age(): Histogram {
    const all = new Histogram();
    for (const histogram of this.ages.values()) all.merge(histogram);
    return all;
  }

  merge({ ages, gaps, isnDeltas, tsvalDeltas }: ReusesPart): void {
    for (const [verdict, histogram] of ages) this.#ages(verdict).merge(histogram);
    this.gaps.merge(gaps);
    this.isnDeltas.merge(isnDeltas);
    this.tsvalDeltas.merge(tsvalDeltas);
  }

  #ages(verdict: ReuseVerdict): Histogram {
    const known = this.ages.get(verdict);
    if (known) return known;
    const histogram = new Histogram();
    this.ages.set(verdict, histogram);
    return histogram;
  }
}
