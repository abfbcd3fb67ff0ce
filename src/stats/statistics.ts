import { closeTimes, endReasonOf } from '../records/connection.ts';
import { CLOSE_CLASSES } from '../tracker/close.ts';
import { MODIFIER_NAMES } from '../tracker/modifiers.ts';
import { sequenceText } from '../tracker/sequence.ts';
import * as slots from '../tracker/slot.ts';
import type { Ended } from '../tracker/tracker.ts';
import { Histogram } from './histogram.ts';

/** Different close sequences that are told apart; the rest is counted together. */
const SEQUENCES = 1000;
/** Name under which what goes beyond a limit is counted. */
export const OTHERS = 'others';

/** Counts by name, at most `limit` names; what comes beyond goes to OTHERS. */
export class Tally {
  readonly counts = new Map<string, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(name: string, count = 1): void {
    const known = this.counts.get(name);
    if (known !== undefined) this.counts.set(name, known + count);
    else if (this.counts.size < this.#limit) this.counts.set(name, count);
    else this.counts.set(OTHERS, (this.counts.get(OTHERS) ?? 0) + count);
  }

  merge(other: Pick<Tally, 'counts'>): void {
    for (const [name, count] of other.counts) this.add(name, count);
  }

  /** Most frequent first, then by name. */
  sorted(): [string, number][] {
    return [...this.counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }
}

/** What all ended connections have in common: counts, populations, durations. Parts of a run merge by merge(). */
export class Statistics {
  connections = 0;
  readonly classes = new Tally(CLOSE_CLASSES.length);
  readonly initiators = new Tally(4);
  readonly sequences = new Tally(SEQUENCES);
  readonly modifiers = new Tally(MODIFIER_NAMES.length);
  readonly endReasons = new Tally(8);
  timeWaitRestarts = 0;
  readonly timeWaitEnds = new Tally(4);
  readonly finAck = new Histogram();
  readonly halfClosed = new Histogram();
  readonly lastAck = new Histogram();
  readonly wholeClose = new Histogram();

  add(connection: Ended): void {
    const { table, slot, verdict } = connection;
    const client = (table.words[slot + slots.FACTS]! & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
    this.connections++;
    this.classes.add(verdict.class);
    if (verdict.initiator !== undefined)
      this.initiators.add(verdict.initiator === 'both' ? 'both' : verdict.initiator === client ? 'client' : 'server');
    const sequence = sequenceText(table, slot, client);
    if (sequence !== '') this.sequences.add(sequence);
    for (let i = 0, rest = verdict.modifiers; rest !== 0; i++, rest >>>= 1) if ((rest & 1) !== 0) this.modifiers.add(MODIFIER_NAMES[i]!);
    this.endReasons.add(endReasonOf(connection));
    for (const wait of connection.timeWaits) {
      this.timeWaitRestarts += wait.restarts;
      this.timeWaitEnds.add(wait.endedBy);
    }
    const times = closeTimes(connection);
    if (times.finAck !== undefined) this.finAck.add(times.finAck);
    if (times.halfClosed !== undefined) this.halfClosed.add(times.halfClosed);
    if (times.lastAck !== undefined) this.lastAck.add(times.lastAck);
    if (times.duration !== undefined && (verdict.fin[0] || verdict.fin[1])) this.wholeClose.add(times.duration);
  }

  merge(other: Statistics): void {
    this.connections += other.connections;
    this.timeWaitRestarts += other.timeWaitRestarts;
    for (const tally of ['classes', 'initiators', 'sequences', 'modifiers', 'endReasons', 'timeWaitEnds'] as const) {
      this[tally].merge(other[tally]);
    }
    for (const histogram of ['finAck', 'halfClosed', 'lastAck', 'wholeClose'] as const) this[histogram].merge(other[histogram]);
  }
}
