import { ipv4Text } from '../records/address.ts';
import { addressOf, endReasonOf, portOf } from '../records/connection.ts';
import { CloseTimes, CLOSE_CLASSES, closeTimes } from '../tracker/close.ts';
import { MODIFIER_NAMES } from '../tracker/modifiers.ts';
import { sequenceKey, sequenceText } from '../tracker/sequence.ts';
import * as slots from '../layout/slot.ts';
import type { Ended } from '../tracker/tracker.ts';
import { Histogram } from './histogram.ts';
import { Population, type PopulationPart } from './population.ts';
import { Tally } from './tally.ts';

const MINUTE = 60e9;
/** Silence in CLOSE_WAIT after which an endpoint is suspected of never closing (SPEC §4), ns. */
export const CLOSE_WAIT_PATIENCE = MINUTE;
/** Different close sequences that are told apart; the rest is counted together. */
const SEQUENCES = 1000;
/** Owners of CLOSE_WAIT and holders of TIME_WAIT that are told apart. */
const HOSTS = 100_000;
const TALLIES = [
  'classes',
  'initiators',
  'sequences',
  'modifiers',
  'endReasons',
  'timeWaitEnds',
  'timeWaitHolders',
  'closeWaitOwners',
] as const;
const HISTOGRAMS = ['finAck', 'halfClosed', 'lastAck', 'wholeClose'] as const;
const COUNTS = ['connections', 'timeWaitRestarts', 'closeWaitSuspects', 'closeWaitLeaks'] as const;

/** Statistics as plain data, which may be sent to another thread. */
export interface StatisticsPart {
  readonly counts: Record<(typeof COUNTS)[number], number>;
  readonly tallies: Record<(typeof TALLIES)[number], ReadonlyMap<string, number>>;
  readonly histograms: Record<(typeof HISTOGRAMS)[number], Pick<Histogram, 'bins' | 'count' | 'sum' | 'max'>>;
  readonly timeWait: PopulationPart;
}

/** What all ended connections have in common: counts, populations, durations. Parts of a run merge by merge(). */
export class Statistics {
  connections = 0;
  readonly classes = new Tally(CLOSE_CLASSES.length);
  readonly initiators = new Tally(4);
  readonly sequences = new Tally(SEQUENCES);
  readonly modifiers = new Tally(MODIFIER_NAMES.length);
  readonly endReasons = new Tally(8);
  readonly timeWait: Population;
  timeWaitRestarts = 0;
  readonly timeWaitEnds = new Tally(4);
  readonly timeWaitHolders = new Tally(HOSTS);
  closeWaitSuspects = 0;
  closeWaitLeaks = 0;
  readonly closeWaitOwners = new Tally(HOSTS);
  readonly finAck = new Histogram();
  readonly halfClosed = new Histogram();
  readonly lastAck = new Histogram();
  readonly wholeClose = new Histogram();

  readonly #times = new CloseTimes();

  /** `whole`: these are all that a run has, so that what they hold of populations may be folded. */
  constructor(whole = true) {
    this.timeWait = new Population(whole);
  }

  add(connection: Ended): void {
    const { table, slot, verdict, timeWaits } = connection;
    const { initiator } = verdict;
    const client = (table.words[slot + slots.FACTS]! & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
    this.connections++;
    this.classes.add(verdict.class);
    if (initiator !== undefined) this.initiators.add(initiator === 'both' ? 'both' : initiator === client ? 'client' : 'server');
    const sequence = sequenceKey(table, slot, client);
    if (sequence > 0) this.sequences.addKey(sequence, () => sequenceText(table, slot, client));
    else if (sequence < 0) this.sequences.add(sequenceText(table, slot, client));
    for (let i = 0, rest = verdict.modifiers; rest !== 0; i++, rest >>>= 1) if ((rest & 1) !== 0) this.modifiers.add(MODIFIER_NAMES[i]!);
    this.endReasons.add(endReasonOf(connection));
    for (let i = 0; i < timeWaits.length; i++) {
      const wait = timeWaits[i]!;
      this.timeWait.add(wait.start, wait.endedBy === 'capture_end' ? Infinity : wait.end);
      this.timeWaitRestarts += wait.restarts;
      this.timeWaitEnds.add(wait.endedBy);
      if ((table.words[slot + slots.FACTS]! & slots.IPV6) !== 0) this.timeWaitHolders.add(addressOf(connection, wait.holder));
      else this.timeWaitHolders.addKey(table.words[slot + slots.LOW + wait.holder]!, ipv4Text);
    }
    this.#closeWait(connection);
    const times = closeTimes(table, slot, verdict, this.#times);
    if (times.finAck >= 0) this.finAck.add(times.finAck);
    if (times.halfClosed >= 0) this.halfClosed.add(times.halfClosed);
    if (times.lastAck >= 0) this.lastAck.add(times.lastAck);
    if (times.duration >= 0 && (verdict.fin[0] || verdict.fin[1])) this.wholeClose.add(times.duration);
  }

  /** What another run of statistics can merge. */
  part(): StatisticsPart {
    return {
      counts: each(COUNTS, (name) => this[name]),
      tallies: each(TALLIES, (name) => this[name].counts),
      histograms: each(HISTOGRAMS, (name) => this[name]),
      timeWait: this.timeWait.part(),
    };
  }

  merge({ counts, tallies, histograms, timeWait }: StatisticsPart): void {
    for (const name of COUNTS) this[name] += counts[name];
    for (const name of TALLIES) this[name].merge(tallies[name]);
    for (const name of HISTOGRAMS) this[name].merge(histograms[name]);
    this.timeWait.merge(timeWait);
  }

  /** An endpoint still in CLOSE_WAIT at the capture's end, and for longer than a program needs to close. */
  #closeWait(connection: Ended): void {
    const { table, slot, verdict, ending, time } = connection;
    if (ending !== 'capture_end' || verdict.class !== 'half_open') return;
    const closer = verdict.fin[0] ? 0 : 1;
    const owner = closer ^ 1;
    const since = table.times[(slot >> 1) + slots.FIN_ACKED_TIME + closer]!;
    if (time - since <= CLOSE_WAIT_PATIENCE) return;
    // The peer still probes it, and it still answers: the program lives and does not close.
    if ((table.words[slot + slots.SEEN + closer]! & slots.KEEPALIVE) !== 0) this.closeWaitLeaks++;
    else this.closeWaitSuspects++;
    this.closeWaitOwners.add(`${addressOf(connection, owner)}:${portOf(connection, owner)}`);
  }
}

function each<K extends string, V>(names: readonly K[], of: (name: K) => V): Record<K, V> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, V>;
}
