// How many processors a control group lets a process keep busy.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHARDS_CAPACITY } from '../../src/layout/batch.ts';
import { processors, workersFor, workOf } from '../../src/shard/parallelism.ts';

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

it('workers are as many as there is work for, and processors', () => {
  const most = processors();
  const works = [workOf(0, 0), workOf(1_000_000, 100_000_000), workOf(300_000, 300_000_000)];
  for (const work of works) expect([work < 1, workersFor(work)]).toEqual([true, 1]);
  for (const work of [workOf(1_200_000, 0), workOf(0, 1_000_000_000), workOf(700_000, 500_000_000)])
    expect([work >= 1, workersFor(work)]).toEqual([true, Math.min(2, most)]);
  expect(workersFor(workOf(1_200_000_000, 0))).toBe(Math.min(most, SHARDS_CAPACITY));
  expect([workersFor(Infinity), workersFor(Infinity, true)]).toEqual([
    Math.min(most, SHARDS_CAPACITY),
    Math.max(1, Math.min(most - 1, SHARDS_CAPACITY)),
  ]);
});
