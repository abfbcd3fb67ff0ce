import { HOLES } from './rare.ts';
import { distance } from './serial.ts';

/** Ranges of one endpoint's sequence numbers that lie below its highest one and were not seen yet: start, end, start, end ... ascending. */
export type Holes = number[];

/** Remembers [start, end) as unseen. */
export function addHole(holes: Holes, start: number, end: number): void {
  holes.push(start, end);
}

/** Forgets the oldest hole where there are too many, which one more makes them; answers whether it did. */
export function forgetHole(holes: Holes): boolean {
  if (holes.length <= HOLES * 2) return false;
  holes.splice(0, 2);
  return true;
}

/** Takes [start, end) out of the holes; answers how many bytes of it had not been seen before. */
export function fillHoles(holes: Holes, start: number, end: number): number {
  let filled = 0;
  for (let i = 0; i < holes.length; ) {
    const from = distance(holes[i]!, start) > 0 ? holes[i]! : start;
    const to = distance(holes[i + 1]!, end) < 0 ? holes[i + 1]! : end;
    const overlap = distance(to, from);
    if (overlap <= 0) {
      i += 2;
      continue;
    }
    filled += overlap;
    const rest: number[] = [];
    if (distance(from, holes[i]!) > 0) rest.push(holes[i]!, from);
    if (distance(holes[i + 1]!, to) > 0) rest.push(to, holes[i + 1]!);
    holes.splice(i, 2, ...rest);
    i += rest.length;
  }
  return filled;
}

/** How many holes an acknowledgement covers, a part of them at least, that an earlier one did not. */
export function coveredHoles(holes: Holes, before: number, ack: number): number {
  let covered = 0;
  for (let i = 0; i < holes.length; i += 2) if (distance(ack, holes[i]!) > 0 && distance(holes[i + 1]!, before) > 0) covered++;
  return covered;
}

/** Whether an acknowledgement covers all of them. */
export function areCovered(holes: Holes, ack: number): boolean {
  const end = holes.at(-1);
  return end === undefined || distance(ack, end) >= 0;
}
