import { namedDrops } from '../decode/drops.ts';
import type { Clock } from '../records/time.ts';
import type { HostFigures } from '../stats/hosts.ts';
import { OTHERS, type Tally } from '../stats/tally.ts';
import type { Oddity } from '../tracker/oddities.ts';
import { type LeakRecord, leaksRecord } from './leaks.ts';
import { type MeasuredRecord, measuredRecord } from './measured.ts';
import type { Outcome } from './outcome.ts';
import { type PopulationRecord, populationRecord, type PortsRecord, portsRecord } from './ports.ts';
import { type Quantiles, quantiles } from './quantiles.ts';
import { type StateMatrix, stateMatrix } from './states.ts';
import { type StuckRecord, stuckRecord } from './stuck.ts';
import { type WhatIfRecord, whatIfRecord } from './what-if.ts';
import { type ResetsRecord, resetsRecord } from './resets.ts';
import { type ReuseRecord, reuseRecord } from './reuse.ts';

/** The last line of `stream` (SPEC §5). Lists by name hold the most frequent, and `others` where that is not all. */
export interface SummaryRecord {
  type: 'summary';
  /** First and last packet. */
  start?: string;
  end?: string;
  duration_s: number;
  packets: number;
  segments: number;
  connections: number;
  /** Packets that gave no segment, by reason. */
  drops: Record<string, number>;
  oddities: Partial<Record<Oddity, number>>;
  close: {
    class: Record<string, number>;
    initiator: Record<string, number>;
    sequence: Record<string, number>;
    modifiers: Record<string, number>;
    duration_s: Quantiles;
    fin_ack_s: Quantiles;
    half_closed_s: Quantiles;
    last_ack_s: Quantiles;
  };
  end_reason: Record<string, number>;
  /** At the end of the capture: connections by the states of client and server. */
  states: StateMatrix;
  time_wait: {
    profile: string;
    '2msl_s': number;
    /** Until then, holders of before the capture are invisible. */
    complete_from?: string;
    entered: number;
    restarts: number;
    ended_by: Record<string, number>;
    /** Who holds it: those with the highest peaks. */
    hosts: HostRecord[];
    /** How often those entered it that were too many to be told apart. */
    others?: number;
    /** Its length as packets prove it. */
    measured: MeasuredRecord;
  } & PopulationRecord;
  ports: PortsRecord;
  close_wait: { suspects: number; leaks: number; owners: LeakRecord[] };
  /** Endpoints that cannot finish their close. */
  stuck: StuckRecord;
  resets: ResetsRecord;
  reuse: ReuseRecord;
  /** One for each change that was asked for. */
  what_if?: WhatIfRecord[];
  /** Of many captures the first ones are named. */
  input: { captures: string[]; files: number; bytes: number; truncated: boolean; duplicates: number; time_regressions: number };
  /** A signal ended the run before its input did. */
  interrupted?: true;
}

/** A host that holds TIME_WAIT, and how often it entered it. */
export interface HostRecord extends PopulationRecord {
  host: string;
  entered: number;
}

/** Names that a list in a summary has, so that a line stays below 16 KiB. */
const TOP = 20;

/** The summary of a finished run; `top`: how many hosts and groups of ports it names. */
export function summaryRecord(outcome: Outcome, top = TOP): SummaryRecord {
  const { clock, firstTime, lastTime, profile, statistics } = outcome;
  const seen = firstTime !== undefined;
  const { waiting } = outcome.answers;
  const span = [firstTime ?? 0, seen ? lastTime : 0] as const;
  const { entered, ...waits } = waiting.together(...span);
  const hosts = waiting.snapshot(...span, top);
  const record: SummaryRecord = {
    type: 'summary',
    ...(seen && { start: clock.text(firstTime), end: clock.text(lastTime) }),
    duration_s: seen ? clock.seconds(lastTime - firstTime) : 0,
    packets: outcome.packets,
    segments: outcome.segments,
    connections: statistics.connections,
    drops: Object.fromEntries(Object.entries(namedDrops(outcome.drops)).filter(([, count]) => count > 0)),
    oddities: outcome.oddities.toRecord(),
    close: {
      class: most(statistics.classes),
      initiator: most(statistics.initiators),
      sequence: most(statistics.sequences),
      modifiers: most(statistics.modifiers),
      duration_s: quantiles(statistics.wholeClose, clock),
      fin_ack_s: quantiles(statistics.finAck, clock),
      half_closed_s: quantiles(statistics.halfClosed, clock),
      last_ack_s: quantiles(statistics.lastAck, clock),
    },
    end_reason: most(statistics.endReasons),
    states: stateMatrix(statistics.states.counts),
    time_wait: {
      profile: profile.name,
      '2msl_s': profile.twoMsl / 1e9,
      ...(seen && { complete_from: clock.text(firstTime + profile.twoMsl) }),
      entered,
      ...populationRecord(waits, clock),
      restarts: statistics.timeWaitRestarts,
      ended_by: most(statistics.timeWaitEnds),
      hosts: hosts.worst.map((figures) => hostRecord(figures, clock)),
      ...(hosts.beyond > 0 && { others: hosts.beyond }),
      measured: measuredRecord(outcome, top),
    },
    ports: portsRecord(outcome, top),
    close_wait: leaksRecord(outcome, top),
    stuck: stuckRecord(outcome, top),
    resets: resetsRecord(outcome, top),
    reuse: reuseRecord(outcome),
    ...(outcome.answers.whatIfs.length > 0 && { what_if: outcome.answers.whatIfs.map((one) => whatIfRecord(one, outcome)) }),
    input: {
      captures: outcome.names.slice(0, TOP),
      files: outcome.files,
      bytes: outcome.bytes,
      truncated: outcome.damages > 0,
      duplicates: outcome.duplicates,
      time_regressions: outcome.timeRegressions,
    },
  };
  if (outcome.interrupted) record.interrupted = true;
  return record;
}

function most(tally: Tally): Record<string, number> {
  const sorted = tally.sorted().filter(([name]) => name !== OTHERS);
  const rest = sorted.slice(TOP).reduce((sum, [, count]) => sum + count, tally.counts.get(OTHERS) ?? 0);
  return { ...Object.fromEntries(sorted.slice(0, TOP)), ...(rest > 0 && { [OTHERS]: rest }) };
}

function hostRecord(figures: HostFigures, clock: Clock): HostRecord {
  const { host, entered } = figures;
  return { host, entered, ...populationRecord(figures, clock) };
}
