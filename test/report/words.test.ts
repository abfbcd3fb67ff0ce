import { describe, expect, it } from 'vitest';
import { brief, count, duration, plural, share } from '../../src/report/words.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0 s'],
    [2e-9, '0.002 µs'],
    [0.000_764, '764 µs'],
    [0.000_9999, '1 ms'],
    [0.0445, '44.5 ms'],
    [0.9994, '999 ms'],
    [0.9999, '1 s'],
    [1, '1 s'],
    [5.557, '5.56 s'],
    [119.4, '119 s'],
    [119.6, '2 min 0 s'],
    [120, '2 min 0 s'],
    [3599.7, '1 h 0 min'],
    [90_061, '1 d 1 h'],
  ])('a duration of %d s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('brief ones have three digits, whole ones all of theirs', () => {
    expect([0.4567, 1.005, 42.5, 99.96, 100, 1234.5].map(brief)).toEqual(['0.457', '1', '42.5', '100', '100', '1,235']);
    expect([0, 999, 1000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([plural(1, 'host'), plural(0, 'host'), plural(1234, 'host'), share(1, 3)]).toEqual([
      '1 host',
      '0 hosts',
      '1,234 hosts',
      '33.3 %',
    ]);
  });
});
