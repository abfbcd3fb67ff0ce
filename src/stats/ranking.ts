import { sortAscending } from './ascending.ts';

/** One of many, by its number, and what it is ranked by. */
export interface Ranked<T> {
  readonly number: number;
  readonly figures: T;
}

/**
 * The `top` of those numbered 0, 1, ... with the highest peaks, then the most members, then the lowest numbers. A peak is never higher
 * than the members are many: so they are looked at in the order of those, and only as long as there may be a higher one.
 */
export function highestPeaks<T extends { readonly peak: number }>(
  members: ArrayLike<number>,
  top: number,
  figuresOf: (number: number) => T,
): Ranked<T>[] {
  // A typed array sorts numbers many times faster than a comparator does: members above, and the number, turned round, below.
  const keys = new Float64Array(members.length);
  for (let number = 0; number < keys.length; number++) keys[number] = (members[number]! + 1) * keys.length - 1 - number;
  sortAscending(keys);
  const best: Ranked<T>[] = [];
  for (let place = keys.length - 1; place >= 0; place--) {
    const count = Math.floor(keys[place]! / members.length);
    if (best.length === top && count <= best[top - 1]!.figures.peak) break;
    const number = members.length - 1 - (keys[place]! - count * members.length);
    const figures = figuresOf(number);
    let at = best.length;
    while (at > 0 && best[at - 1]!.figures.peak < figures.peak) at--;
    if (at === top) continue;
    best.splice(at, 0, { number, figures });
    if (best.length > top) best.pop();
  }
  return best;
}
