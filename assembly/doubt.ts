// When a record's time is doubted, and what is found by the records behind it: for all formats.

import { DOUBTED_S, DOUBTED_TICKS_S } from '../src/layout/framing.ts';

/** Farther from the capture clock than that a time is doubted, ns. */
export const DOUBTED: f64 = <f64>DOUBTED_S * 1e9;
/** And farther ahead of it than that, where times are ticks, ns. */
export const DOUBTED_TICKS: f64 = <f64>DOUBTED_TICKS_S * 1e9;

/** It is a record, and its time is right; only its time is wrong; it is none; what would tell has not come yet. */
export const FOLLOWS_RECORD = 0;
export const FOLLOWS_CLOCK = 1;
export const FOLLOWS_NOTHING = 2;
export const FOLLOWS_LATER = 3;
