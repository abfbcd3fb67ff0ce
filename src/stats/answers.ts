import { WaitingHosts } from './hosts.ts';
import { Leaks } from './leaks.ts';
import { PortPressure } from './ports.ts';
import { ResetSenders } from './resets.ts';
import { StuckEndpoints } from './stuck.ts';
import { type Change, WhatIf } from './what-if.ts';

/**
 * What needs the connections of all shards together: populations over capture time, who holds them, and what they cost. Rows (note.ts)
 * are added in the order of precedes(), so that every answer, and every limit, is the same however the work was divided.
 */
export class Answers {
  readonly waiting = new WaitingHosts();
  readonly ports: PortPressure;
  readonly leaks = new Leaks();
  readonly resets = new ResetSenders();
  readonly stuck = new StuckEndpoints();

  readonly whatIfs: readonly WhatIf[];

  /** `range`: ephemeral ports of a client; `twoMsl`: length of TIME_WAIT, ns; `changes`: what else is to be computed. */
  constructor(range: number, twoMsl: number, changes: readonly Change[] = []) {
    this.ports = new PortPressure(range);
    this.whatIfs = changes.map((change) => new WhatIf(change, range, twoMsl));
  }

  add(rows: Float64Array, at: number): void {
    this.waiting.add(rows, at);
    this.ports.add(rows, at);
    this.leaks.add(rows, at);
    this.resets.add(rows, at);
    this.stuck.add(rows, at);
    for (const whatIf of this.whatIfs) whatIf.add(rows, at);
  }
}
