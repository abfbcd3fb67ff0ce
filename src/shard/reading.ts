// How the bytes of captures come into memory: what bench/RESULTS.md has measured.

import { slotsOf } from '../decode/decoder.ts';
import { LARGEST_UNITS, WINDOW_UNIT } from '../layout/batch.ts';
import type { PlannedCapture } from './plan.ts';

/** How the bytes of files come into memory: they are read, or their pages are mapped, or whatever is faster. */
export type Io = 'auto' | 'map' | 'read';

/** To map pages and to touch headers is faster than to read all bytes where records are as long as that, bytes, on the average. */
const LONG_RECORD_BYTES = 400;
/** Bytes of all files together that make up for what mapping needs, and of each. */
const LARGE_BYTES = 1 << 28;
const LARGE_FILE_BYTES = 1 << 25;
/** Units of a window (layout/batch.ts) of what is read, which has to be in the cache when it is decoded; LARGEST_UNITS of what is mapped. */
const READ_UNITS = 2;
/** Batches that a decoder needs so that threads wait for each other no more than for anything else, and windows so that each has its share. */
const ENOUGH_SLOTS = 4;
const ENOUGH_WINDOWS = 12;

export interface Reading {
  /** Bytes of a file from which on it is mapped; Infinity: none is. */
  readonly mapFrom: number;
  /** Bytes that are decoded together, at most. */
  readonly windowBytes: number;
}

/** Whether it depends on how many packets a file of so many bytes holds. */
export const dependsOnPackets = (io: Io, bytes: number): boolean => io !== 'read' && bytes >= LARGE_FILE_BYTES;

/** How files are best read by so many workers. What is done once a window is done less often where windows are larger. */
export function readingOf(io: Io, captures: readonly PlannedCapture[], workers: number): Reading {
  const large = captures.filter(({ size }) => dependsOnPackets(io, size));
  const bytes = large.reduce((sum, { size }) => sum + size, 0);
  const packets = large.reduce((sum, { packets: estimated = 0 }) => sum + estimated, 0);
  const areLong = packets > 0 && bytes / packets >= LONG_RECORD_BYTES;
  const maps = io === 'map' || (io === 'auto' && areLong && bytes >= LARGE_BYTES);
  const all = captures.reduce((sum, { size }) => sum + size, 0);
  let units = maps && areLong ? LARGEST_UNITS : READ_UNITS;
  while (units > 1 && (slotsOf(workers, units) < ENOUGH_SLOTS || all < units * WINDOW_UNIT * ENOUGH_WINDOWS * workers)) units /= 2;
  return { mapFrom: io === 'map' ? 0 : maps ? LARGE_FILE_BYTES : Infinity, windowBytes: units * WINDOW_UNIT };
}
