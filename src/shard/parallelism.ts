import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Where a control group has its quota of processor time and the period that it is for, us: cgroup v2 in one file, v1 in two. */
const QUOTAS = [['cpu.max'], ['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us']];

/**
 * Processors that this process may keep busy: those of its affinity, and of its control group's quota.
 * @param groups where control groups are mounted
 */
export function processors(available = availableParallelism(), groups = '/sys/fs/cgroup'): number {
  for (const names of QUOTAS) {
    const files = names.map((name) => `${groups}/${name}`);
    if (!files.every((file) => existsSync(file))) continue;
    const [quota, period] = files.flatMap((file) => readFileSync(file, 'utf8').trim().split(' ').map(Number));
    // Without a limit the quota is `max`, or -1.
    if (quota !== undefined && period !== undefined && quota > 0 && period > 0)
      return Math.max(1, Math.min(available, Math.ceil(quota / period)));
  }
  return available;
}
