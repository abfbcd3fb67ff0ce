// How many processors a control group lets a process keep busy.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLarge, processors } from '../../src/shard/parallelism.ts';

/** What processors() says of eight that are available, where control groups hold these files. */
function of(files: Record<string, string>): number {
  const root = mkdtempSync(join(tmpdir(), 'groups-'));
  try {
    mkdirSync(join(root, 'cpu'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), `${text}\n`);
    return processors(8, root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('processors', () => {
  it('are all that are available without a quota', () => {
    expect(of({})).toBe(8);
    expect(of({ 'cpu.max': 'max 100000' })).toBe(8);
    expect(of({ 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' })).toBe(8);
  });

  it.each([
    ['50000', 1],
    ['200000', 2],
    ['250000', 3],
    ['9000000', 8],
  ])('are those of the quota, a part counted as one: %s us of 100000', (quota, expected) => {
    expect(of({ 'cpu.max': `${quota} 100000` })).toBe(expected);
    expect(of({ 'cpu/cpu.cfs_quota_us': quota, 'cpu/cpu.cfs_period_us': '100000' })).toBe(expected);
    expect(of({ 'cpu.max': 'max 100000', 'cpu/cpu.cfs_quota_us': quota, 'cpu/cpu.cfs_period_us': '100000' })).toBe(expected);
  });
});

it('threads are for many packets, or many bytes, or many enough of both', () => {
  expect([isLarge(0, 0), isLarge(1_000_000, 100_000_000), isLarge(300_000, 300_000_000)]).toEqual([false, false, false]);
  expect([isLarge(1_200_000, 0), isLarge(0, 1_000_000_000), isLarge(700_000, 500_000_000)]).toEqual([true, true, true]);
});
