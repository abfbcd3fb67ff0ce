import * as fc from 'fast-check';
import { expect, it } from 'vitest';
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
