// What those who decoded a run have counted, as if one had done it all, and what it says of the captures.

import { type Fault, miscount } from '../capture/fault.ts';
import { type Counts, nothingCounted, TROUBLES } from '../shard/decoding.ts';
import type { PlannedCapture } from '../shard/plan.ts';

export function addUp(all: readonly Counts[]): Counts {
  const sum = nothingCounted();
  for (const { packets, packetsOf, timeRegressions, drops, first, troubles, damages } of all) {
    sum.packets += packets;
    packetsOf.forEach((count, capture) => void (sum.packetsOf[capture] = (sum.packetsOf[capture] ?? 0) + count));
    sum.timeRegressions += timeRegressions;
    drops.forEach((count, reason) => void (sum.drops[reason]! += count));
    if (first.window < sum.first.window) sum.first = first;
    sum.troubles.push(...troubles);
    sum.damages += damages;
  }
  sum.troubles.sort((a, b) => a.window - b.window);
  return sum;
}

/** What was wrong, in the order of the captures: as much of it as was kept. */
export function faultsOf(captures: readonly PlannedCapture[], { troubles }: Counts): Fault[] {
  const faults: Fault[] = [];
  for (const { capture, trouble } of troubles.slice(0, TROUBLES)) {
    if ('rule' in trouble) faults.push({ file: captures[capture]!.path, ...trouble });
    else faults.push({ ...faults.pop()!, ...trouble });
  }
  return faults;
}

/** Captures that do not hold as many records as their headers count. */
export function miscountsOf(captures: readonly PlannedCapture[], { packetsOf }: Counts): Fault[] {
  return captures.flatMap(({ path, size, count }, capture) => {
    const found = packetsOf[capture] ?? 0;
    return count === undefined || count === found ? [] : [miscount(path, size, count, found)];
  });
}
