import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deltas } from '../../src/stats/deltas.ts';
import { Histogram } from '../../src/stats/histogram.ts';
import { Population } from '../../src/stats/population.ts';
import { Statistics } from '../../src/stats/statistics.ts';
import { OTHERS, Tally } from '../../src/stats/tally.ts';

const filled = (values: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
};

const duration = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 40 }),
  fc.integer({ min: 1, max: 1000 }),
  fc.double({ min: 1, max: 1e15, noNaN: true }),
);
const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1];

const deltasOf = (values: readonly number[]): Deltas => {
  const deltas = new Deltas();
  for (const value of values) deltas.add(value);
  return deltas;
};

describe('Deltas', () => {
  const whole = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  it('answer any quantile to within 0.4 %, on both sides of zero, however they were put together', () => {
    fc.assert(
      fc.property(fc.array(whole, { minLength: 1, maxLength: 60 }), fc.array(whole, { maxLength: 60 }), (some, others) => {
        const deltas = deltasOf(some);
        deltas.merge(deltasOf(others));
        const sorted = [...some, ...others].toSorted((a, b) => a - b);
        expect(deltas.count).toBe(sorted.length);
        expect(deltas.below.count + deltas.zeros).toBe(sorted.filter((value) => value <= 0).length);
        for (const q of SHARES) {
          const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
          const quantile = deltas.quantile(q)!;
          expect(Math.abs(quantile - exact), `${q} of ${sorted.join(' ')}: ${quantile}`).toBeLessThanOrEqual(Math.abs(exact) * 0.004);
        }
      }),
    );
    expect(new Deltas().quantile(0.5)).toBeUndefined();
  });
});

describe('Histogram', () => {
  it('answers any quantile to within 0.4 %', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 100 }), (values) => {
        const histogram = filled(values);
        const sorted = values.toSorted((a, b) => a - b);
        for (const q of SHARES) {
          const exact = sorted[Math.max(1, Math.ceil(q * values.length)) - 1]!;
          const quantile = histogram.quantile(q)!;
          expect(Math.abs(quantile - exact) / exact, `${q} of ${values.join(' ')}: ${quantile}`).toBeLessThanOrEqual(0.004);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('grows with the share and never exceeds the largest value', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 50 }), (values) => {
        const quantiles = SHARES.map((q) => filled(values).quantile(q)!);
        expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
        expect(quantiles.at(-1)).toBeLessThanOrEqual(Math.max(...values));
      }),
    );
  });

  it('of nothing, and of zeros', () => {
    expect(new Histogram().quantile(0.5)).toBeUndefined();
    expect(filled([0, 0, 0]).quantile(0.5)).toBe(0);
    expect(filled([0, 5]).quantile(0)).toBe(0);
  });

  it('merging is adding, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 40 })), fc.array(fc.integer({ min: 0, max: 2 ** 40 })), (a, b) => {
        const [one, other, whole] = [filled(a), filled(b), filled([...a, ...b])];
        one.merge(filled(b));
        other.merge(filled(a));
        for (const merged of [one, other]) {
          expect([merged.count, merged.max]).toEqual([whole.count, whole.max]);
          expect(Buffer.compare(Buffer.from(merged.bins.buffer), Buffer.from(whole.bins.buffer))).toBe(0);
          for (const q of SHARES) expect(merged.quantile(q)).toBe(whole.quantile(q));
        }
      }),
    );
  });
});

interface Interval {
  start: number;
  end: number;
}

const interval = fc
  .record({ start: fc.integer({ min: 0, max: 50 }), length: fc.oneof(fc.nat(40), fc.constant(Infinity)) })
  .map(({ start, length }): Interval => ({ start, end: start + length }));

/** What a population is, counted instant by instant. */
function naive(intervals: readonly Interval[], to: number) {
  let peak = 0;
  let peakAt: number | undefined;
  let area = 0;
  for (let instant = 0; instant <= 200; instant++) {
    const held = intervals.filter(({ start, end }) => start <= instant && instant < end).length;
    if (held > peak) [peak, peakAt] = [held, instant];
    if (instant < to) area += held;
  }
  return { peak, peakAt, mean: area / to };
}

describe('Population', () => {
  const TO = 100;

  it('has the peak, its first time and the mean of a naive count', () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 30 }), (intervals) => {
        const population = new Population();
        for (const { start, end } of intervals) population.add(start, end);
        const { peak, peakAt, mean } = population.snapshot(0, TO);
        const expected = naive(intervals, TO);
        expect([population.entered, peak, peakAt]).toEqual([intervals.length, expected.peak, expected.peakAt]);
        expect(mean).toBeCloseTo(expected.mean, 9);
      }),
      { numRuns: 500 },
    );
  });

  it('folds early and loses nothing but, perhaps, a peak that something late was part of', () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 60 }), fc.integer({ min: 2, max: 20 }), (intervals, limit) => {
        const [whole, folding] = [new Population(), new Population(limit)];
        for (const { start, end } of intervals) {
          whole.add(start, end);
          folding.add(start, end);
        }
        const exact = whole.snapshot(0, 200);
        const folded = folding.snapshot(0, 200);
        expect(folded.now).toBe(exact.now);
        expect(folded.mean).toBeCloseTo(exact.mean, 9);
        expect(folded.peak).toBeLessThanOrEqual(exact.peak);
        expect(folded.peak + folding.late).toBeGreaterThanOrEqual(exact.peak);
      }),
      { numRuns: 500 },
    );
  });

  it('counts the time above a threshold, and what holds at the end', () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 40 }), fc.integer({ min: 0, max: 5 }), (intervals, threshold) => {
        const population = new Population(undefined, threshold);
        for (const { start, end } of intervals) population.add(start, end > 150 ? Infinity : end);
        let above = 0;
        const at = (instant: number): number =>
          intervals.filter(({ start, end }) => start <= instant && (instant < end || end > 150)).length;
        for (let instant = 0; instant < 200; instant++) if (at(instant) > threshold) above++;
        const figures = population.snapshot(0, 200);
        expect([figures.above, figures.now]).toEqual([above, at(200)]);
      }),
      { numRuns: 500 },
    );
  });

  it('can be asked again, and added to afterwards', () => {
    const population = new Population();
    population.add(0, 10);
    population.add(5, 15);
    const first = population.snapshot(0, 20);
    expect(population.snapshot(0, 20)).toEqual(first);
    population.add(16, 18);
    expect(population.snapshot(0, 20)).toEqual({ now: 0, peak: 2, peakAt: 5, mean: 1.1, above: 0 });
  });

  it('counts what begins at the very end, also when that is a year behind the beginning', () => {
    for (const to of [0, 10, 2 ** 52, 2 ** 53, 365 * 86_400e9]) {
      const population = new Population();
      population.add(0, Infinity);
      population.add(to, Infinity);
      population.add(to, Infinity);
      expect(population.snapshot(0, to), String(to)).toMatchObject({ now: 3, peak: 3, peakAt: to });
    }
  });

  it('an end at the time of a start makes room for it', () => {
    const population = new Population();
    for (let i = 0; i < 5; i++) population.add(i * 10, i * 10 + 10);
    expect(population.snapshot(0, 50)).toMatchObject({ peak: 1, peakAt: 0, mean: 1 });
  });

  it('folds millions of intervals without forgetting any', () => {
    const population = new Population();
    const count = 1_300_000;
    for (let i = 0; i < count; i++) population.add(i, i + 60);
    const { peak, peakAt, mean } = population.snapshot(0, count + 60);
    expect([population.entered, peak, peakAt]).toEqual([count, 60, 59]);
    expect(mean).toBeCloseTo((count * 60) / (count + 60), 6);
  });

  it('holds what never ends to the end of the capture, also when folded', () => {
    const population = new Population();
    const count = 1_100_000;
    for (let i = 0; i < count; i++) population.add(i, i % 1000 === 0 ? Infinity : i + 1);
    const { peak, mean } = population.snapshot(0, count);
    // 1,100 never end; they are the whole population at last, and one more comes and goes at every instant.
    expect(peak).toBe(1101);
    const forever = Array.from({ length: count / 1000 }, (_, i) => count - i * 1000).reduce((sum, time) => sum + time, 0);
    expect(mean).toBeCloseTo((forever + (count - 1100)) / count, 6);
  });
});

describe('Tally', () => {
  it('sorts by count, then by name', () => {
    const tally = new Tally(10);
    for (const name of ['b', 'c', 'a', 'c', 'b', 'c']) tally.add(name);
    expect(tally.sorted()).toEqual([
      ['c', 3],
      ['b', 2],
      ['a', 1],
    ]);
  });

  it('counts what is beyond its limit together', () => {
    const tally = new Tally(2);
    for (const name of ['a', 'b', 'c', 'd', 'a']) tally.add(name);
    expect(Object.fromEntries(tally.counts)).toEqual({ a: 2, b: 1, [OTHERS]: 2 });
  });

  it('merges to the same sums', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c')), fc.array(fc.constantFrom('b', 'c', 'd')), (a, b) => {
        const [one, whole] = [new Tally(10), new Tally(10)];
        const other = new Tally(10);
        for (const name of a) one.add(name);
        for (const name of b) other.add(name);
        for (const name of [...a, ...b]) whole.add(name);
        one.merge(other.counts);
        expect(one.sorted()).toEqual(whole.sorted());
      }),
    );
  });
});

it('Statistics of nothing merge with each other', () => {
  const statistics = new Statistics();
  statistics.merge(new Statistics().part());
  expect(statistics.connections).toBe(0);
});
