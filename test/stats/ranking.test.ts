import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortAscending } from '../../src/stats/ascending.ts';
import { highestPeaks } from '../../src/stats/ranking.ts';

const one = fc.integer({ min: 1, max: 9 }).chain((members) => fc.tuple(fc.constant(members), fc.integer({ min: 1, max: members })));

it('finds the highest peaks, and looks at few', () => {
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (all, top) => {
      const members = all.map(([count]) => count);
      const found = highestPeaks(members, top, (number) => ({ peak: all[number]![1] }));
      const expected = all
        .map(([count, peak], number) => ({ number, count, peak }))
        .sort((a, b) => b.peak - a.peak || b.count - a.count || a.number - b.number)
        .slice(0, top);
      expect(found.map(({ number }) => number)).toEqual(expected.map(({ number }) => number));
    }),
  );
  const looked: number[] = [];
  const [first, second] = highestPeaks([...Array<number>(1000).fill(1), 5, 5, 3], 2, (number) => {
    looked.push(number);
    return { peak: number === 1001 ? 5 : 4 };
  });
  expect([first?.number, second?.number, looked]).toEqual([1001, 1000, [1000, 1001]]);
});

it('sorts numbers as numbers, whatever their signs', () => {
  const numbers = fc.oneof(fc.double({ noNaN: true }), fc.double({ noNaN: true, min: 0 }), fc.constantFrom(0, -0, Infinity, -Infinity));
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.array(numbers), (signs, all) => {
      const some = all.map((number, i) => (signs.length < 5 || signs[i] ? Math.abs(number) : number));
      expect(Array.from(sortAscending(new Float64Array(some))).map((n) => n + 0)).toEqual(some.map((n) => n + 0).sort((a, b) => a - b));
    }),
  );
  expect(Array.from(sortAscending(new Float64Array([9, 1, 8, 2, 7]).subarray(1, 4)))).toEqual([1, 2, 8]);
});
