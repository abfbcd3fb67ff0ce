import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Processors that this process may keep busy: those of its affinity, and of its control group's quota (cgroup v2, cpu.max). */
export function processors(): number {
  const available = availableParallelism();
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ').map(Number);
    if (quota !== undefined && period !== undefined && quota > 0 && period > 0)
      return Math.max(1, Math.min(available, Math.ceil(quota / period)));
  } catch {
    // No control group of that kind here: nothing limits the quota.
  }
  return available;
}
