// The block of words in which a tracker and its short path talk; src/layout/tracking.ts says what each word means.

import { TRACKING } from './memory.ts';

export function tell(index: i32, value: i32): void {
  store<i32>(TRACKING + ((<usize>index) << 2), value);
}

export function count(index: i32): void {
  const address = TRACKING + ((<usize>index) << 2);
  store<i32>(address, load<i32>(address) + 1);
}

export function told(index: i32): i32 {
  return load<i32>(TRACKING + ((<usize>index) << 2));
}
