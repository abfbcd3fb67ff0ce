// What is strange but no reason to stop (layout/oddities.ts), counted by name over the whole run.

import { ODDITIES } from '../layout/oddities.ts';

/** In the order of their numbers. */
export const ODDITY_NAMES = [
  'ack_beyond_fin',
  'ack_implausible',
  'copy_forgotten',
  'fin_invalid',
  'fragment_head_forgotten',
  'fragment_tail_forgotten',
  'fragment_without_tail',
  'hole_forgotten',
  'reuse_forgotten',
  'rst_challenged',
  'rst_invalid',
  'seq_implausible',
  'syn_ack_isn_changed',
  'syn_ack_unexpected',
  'syn_unanswered',
] as const;

export type Oddity = (typeof ODDITY_NAMES)[number];

/** Counters of oddities; merge them by adding. */
export class Oddities {
  readonly counts = new Float64Array(ODDITIES);

  /** `oddity`: a number of layout/oddities.ts. */
  add(oddity: number, count = 1): void {
    this.counts[oddity]! += count;
  }

  /** Those that occurred, by name. */
  toRecord(): Partial<Record<Oddity, number>> {
    const record: Partial<Record<Oddity, number>> = {};
    ODDITY_NAMES.forEach((name, i) => {
      if (this.counts[i]! > 0) record[name] = this.counts[i]!;
    });
    return record;
  }
}
