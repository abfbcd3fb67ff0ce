import { SYN_IN_TIME_WAIT_CHALLENGED } from '../layout/modifiers.ts';
import { Histogram } from './histogram.ts';
import { MODIFIERS, WAIT_END, WAIT_ENDS, WAIT_FROM, WAIT_TO } from './note.ts';

const REUSE = WAIT_ENDS.indexOf('reuse');

/** New connections from ports that were still in TIME_WAIT: accepted ones, by the age of the TIME_WAIT, and challenged ones (RFC 5961). */
export class Reuses {
  /** How long the TIME_WAIT had lasted, ns. */
  readonly age = new Histogram();
  challenged = 0;

  add(rows: Float64Array, at: number): void {
    if ((rows[at + MODIFIERS]! & SYN_IN_TIME_WAIT_CHALLENGED) !== 0) this.challenged++;
    for (const holder of [0, 1]) {
      if (rows[at + WAIT_END + holder] === REUSE) this.age.add(rows[at + WAIT_TO + holder]! - rows[at + WAIT_FROM + holder]!);
    }
  }
}
