// The block of words in which host and decoder talk; src/layout/framing.ts says what each word means.

import { CLOCK, DROPS, FIRST, ORIGIN, STATE_WORDS } from '../src/layout/framing.ts';
import { STATE } from './memory.ts';

export function word(index: i32): i32 {
  return load<i32>(STATE + ((<usize>index) << 2));
}

export function answer(index: i32, value: i32): void {
  store<i32>(STATE + ((<usize>index) << 2), value);
}

/** Whole seconds since 1970 at which the clock reads 0. */
export function clockOrigin(): f64 {
  return load<f64>(STATE, ORIGIN << 2);
}

/** Largest timestamp so far, ns since the origin. */
export function clock(): f64 {
  return load<f64>(STATE, CLOCK << 2);
}

export function setClock(time: f64): void {
  store<f64>(STATE, time, CLOCK << 2);
}

export function setFirst(time: f64): void {
  store<f64>(STATE, time, FIRST << 2);
}

/** Counts one packet under a drop reason. */
export function drop(reason: i32): void {
  const address = STATE + ((<usize>reason) << 2);
  store<i32>(address, load<i32>(address, DROPS << 2) + 1, DROPS << 2);
}

/** All answers start from 0 at each call; what comes before them is the host's and the clock. */
export function clearAnswers(): void {
  memory.fill(STATE + ((CLOCK + 2) << 2), 0, (STATE_WORDS - CLOCK - 2) << 2);
}
