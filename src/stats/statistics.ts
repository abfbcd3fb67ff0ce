import { CloseTimes, CLOSE_CLASSES, closeTimes } from '../tracker/close.ts';
import { MODIFIER_NAMES } from '../tracker/modifiers.ts';
import { reuses } from '../tracker/reuse.ts';
import * as slots from '../layout/slot.ts';
import type { Ended } from '../tracker/ended.ts';
import { Histogram, type HistogramPart } from './histogram.ts';
import { type MeasuredPart, MeasuredWaits } from './measured.ts';
import { Reuses, type ReusesPart } from './reuses.ts';
import { Tally } from './tally.ts';
import { type Traits, traitsOf } from './traits.ts';

/** Different close sequences that are told apart; the rest is counted together. */
const SEQUENCES = 1000;
const TALLIES = ['classes', 'initiators', 'sequences', 'modifiers', 'endReasons', 'timeWaitEnds', 'states'] as const;
/** Pairs of states: more than there are. */
const STATES = 1 << 7;
const HISTOGRAMS = ['finAck', 'halfClosed', 'lastAck', 'wholeClose'] as const;
const COUNTS = ['connections', 'timeWaitRestarts'] as const;

/** Statistics as plain data, which may be sent to another thread. */
export interface StatisticsPart {
  readonly counts: Record<(typeof COUNTS)[number], number>;
  readonly tallies: Record<(typeof TALLIES)[number], ReadonlyMap<string, number>>;
  readonly histograms: Record<(typeof HISTOGRAMS)[number], HistogramPart>;
  readonly reuses: ReusesPart;
  readonly measured: MeasuredPart;
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
  /** Those that the capture's end ended, by the states of client and server. */
  readonly states = new Tally(STATES);
  readonly finAck = new Histogram();
  readonly halfClosed = new Histogram();
  readonly lastAck = new Histogram();
  readonly wholeClose = new Histogram();
  readonly reuses = new Reuses();
  readonly measured = new MeasuredWaits();

  readonly #times = new CloseTimes();

  add(connection: Ended): void {
    const { table, slot, verdict, timeWaits } = connection;
    this.count(traitsOf(connection), 1);
    for (const { restarts } of timeWaits) this.timeWaitRestarts += restarts;
    if ((table.words[slot + slots.FACTS]! & slots.HAS_RARE) !== 0) for (const reuse of reuses(table, slot)) this.reuses.add(reuse);
    const times = closeTimes(table, slot, verdict, this.#times);
    if (times.finAck >= 0) this.finAck.add(times.finAck);
    if (times.halfClosed >= 0) this.halfClosed.add(times.halfClosed);
    if (times.lastAck >= 0) this.lastAck.add(times.lastAck);
    if (times.duration >= 0 && (verdict.fin[0] || verdict.fin[1])) this.wholeClose.add(times.duration);
  }

  /** Counts connections that have the same traits. */
  count(traits: Traits, connections: number): void {
    this.connections += connections;
    this.classes.add(traits.class, connections);
    if (traits.initiator) this.initiators.add(traits.initiator, connections);
    if (traits.sequence !== '') this.sequences.add(traits.sequence, connections);
    for (const modifier of traits.modifiers) this.modifiers.add(modifier, connections);
    this.endReasons.add(traits.endReason, connections);
    for (const end of traits.timeWaitEnds) this.timeWaitEnds.add(end, connections);
    if (traits.states) this.states.add(traits.states, connections);
  }

  /** What another run of statistics can merge. */
  part(): StatisticsPart {
    return {
      counts: each(COUNTS, (name) => this[name]),
      tallies: each(TALLIES, (name) => this[name].counts),
      histograms: each(HISTOGRAMS, (name) => this[name]),
      reuses: this.reuses,
      measured: this.measured.part(),
    };
  }

  merge({ counts, tallies, histograms, reuses: part, measured }: StatisticsPart): void {
    for (const name of COUNTS) this[name] += counts[name];
    for (const name of TALLIES) this[name].merge(tallies[name]);
    for (const name of HISTOGRAMS) this[name].merge(histograms[name]);
    this.reuses.merge(part);
    this.measured.merge(measured);
  }
}

function each<K extends string, V>(names: readonly K[], of: (name: K) => V): Record<K, V> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, V>;
}
