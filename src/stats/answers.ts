import { WaitingHosts } from './hosts.ts';
import { Leaks } from './leaks.ts';
import { PortPressure } from './ports.ts';
import { ResetSenders } from './resets.ts';
import { Reuses } from './reuses.ts';

/**
 * What needs the connections of all shards together: populations over capture time, who holds them, and what they cost. Rows (note.ts)
 * are added in the order of precedes(), so that every answer, and every limit, is the same however the work was divided.
 */
export class Answers {
  readonly waiting = new WaitingHosts();
  readonly ports: PortPressure;
  readonly leaks = new Leaks();
  readonly resets = new ResetSenders();
  readonly reuses = new Reuses();

  /** `range`: ephemeral ports of a client. */
  constructor(range: number) {
    this.ports = new PortPressure(range);
  }

  add(rows: Float64Array, at: number): void {
    this.waiting.add(rows, at);
    this.ports.add(rows, at);
    this.leaks.add(rows, at);
    this.resets.add(rows, at);
    this.reuses.add(rows, at);
  }
}
