import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SHARDS_CAPACITY } from '../layout/batch.ts';

/** Where a control group has its quota of processor time and the period that it is for, us: cgroup v2 in one file, v1 in two. */
const QUOTAS = [['cpu.max'], ['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us']];

/** So many packets, or so many bytes without a packet, are done before two threads make up for their start: bench/RESULTS.md. */
const MANY_PACKETS = 1_200_000;
const MANY_BYTES = 1_000_000_000;

/** How much work captures are, in what two threads pay for. To follow a packet costs as much as to read some 800 bytes. */
export function workOf(packets: number, bytes: number): number {
  return packets / MANY_PACKETS + bytes / MANY_BYTES;
}

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

/**
 * Workers where nobody says how many: each compiles its own code, and has to make up for that.
 * @param work as workOf() tells; Infinity where nobody knows
 * @param compressed one processor is what decompresses
 */
export function workersFor(work: number, compressed = false): number {
  return Math.max(1, Math.min(processors() - (compressed ? 1 : 0), SHARDS_CAPACITY, Math.floor(work * 2)));
}
