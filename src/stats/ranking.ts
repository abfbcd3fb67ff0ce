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
  const best: Ranked<T>[] = [];
  /** Has those looked at whose keys are given, in ascending order, from the last one on. */
  const look = (keys: Float64Array): void => {
    for (let place = keys.length - 1; place >= 0; place--) {
      const key = keys[place]!;
      const count = Math.floor(key / members.length);
      if (best.length === top && count <= best[top - 1]!.figures.peak) return;
      const number = members.length - 1 - (key - count * members.length);
      const figures = figuresOf(number);
      let at = best.length;
      while (at > 0 && best[at - 1]!.figures.peak < figures.peak) at--;
      if (at === top) continue;
      best.splice(at, 0, { number, figures });
      if (best.length > top) best.pop();
    }
  };
  const first = largest(members, top);
  look(first);
  if (best.length === top) look(keysOf(members, best[top - 1]!.figures.peak, first[0]!));
  return best;
}

/** What orders one of many by its members, then by its number, turned round: a typed array sorts such numbers many times faster than a comparator does. */
const keyOf = (members: ArrayLike<number>, number: number): number => (members[number]! + 1) * members.length - 1 - number;

/** The `top` largest keys, in ascending order. */
function largest(members: ArrayLike<number>, top: number): Float64Array {
  const keys = new Float64Array(Math.min(top, members.length)); // in descending order meanwhile
  let count = 0;
  let least = -1; // members of the last one, once there are `top`: most have no more, and of as many the first ones come first
  for (let number = 0; number < members.length; number++) {
    if (members[number]! <= least) continue;
    const key = keyOf(members, number);
    let at = count < keys.length ? count++ : count - 1;
    for (; at > 0 && keys[at - 1]! < key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
    if (count === keys.length) least = Math.floor(keys[count - 1]! / members.length);
  }
  return sortAscending(keys);
}

/** Keys below `limit` of those with more than so many members, in ascending order. */
function keysOf(members: ArrayLike<number>, least: number, limit: number): Float64Array {
  const keys: number[] = [];
  for (let number = 0; number < members.length; number++) {
    if (members[number]! <= least) continue;
    const key = keyOf(members, number);
    if (key < limit) keys.push(key);
  }
  return sortAscending(Float64Array.from(keys));
}
