import type { Clock } from '../records/time.ts';
import { sortAscending } from '../stats/ascending.ts';
import type { Intervals } from '../stats/intervals.ts';
import { spanOf, type WindowPart } from '../stats/window-part.ts';
import type { Quantiles } from './quantiles.ts';
import { type StateMatrix, stateMatrix } from './states.ts';
import type { HeldPorts, HeldRecord } from './window-ports.ts';

/**
 * One interval of capture time (SPEC §5). Counts add up, over all windows, to those of the summary. What a later segment shows in another
 * light is taken back in the window of that segment: of closes and of TIME_WAIT there may be a negative number.
 */
export interface WindowRecord {
  type: 'window';
  start: string;
  /** The end of the capture, where that came within the interval. */
  end: string;
  duration_s: number;
  /** Connections that began, and records that ended. */
  opened: number;
  ended: number;
  /** Closes that became known. */
  close: {
    class: Record<string, number>;
    initiator: Record<string, number>;
    sequence: Record<string, number>;
    duration_s: Quantiles;
    fin_ack_s: Quantiles;
    half_closed_s: Quantiles;
    last_ack_s: Quantiles;
  };
  /** RSTs that ended a connection, or came after its close, by stage. */
  resets: Record<string, number>;
  time_wait: { entered: number; restarted: number; expired: number; reused: number; assassinated: number; now: number; peak: number };
  close_wait: { now: number; oldest_s?: number };
  /** At the end of the interval: connections by the states of client and server. */
  states: StateMatrix;
  /** At the end of the interval: clients with the most ports taken towards one server address and port. */
  ports: HeldRecord[];
}

/** Names in a list, so that a line stays below 16 KiB. */
const TOP = 10;

/** `held`: knows the windows before. */
export function windowRecord(whole: WindowPart, intervals: Intervals, clock: Clock, held: HeldPorts): WindowRecord {
  const { timeWait, closeWait, oldest } = whole;
  const { start, end } = spanOf(whole, intervals);
  const [duration, finAck, halfClosed, lastAck] = whole.durations.map((list) => quantiles(list, clock));
  return {
    type: 'window',
    start: clock.text(start),
    end: clock.text(end),
    duration_s: clock.seconds(end - start),
    opened: whole.opened,
    ended: whole.ended,
    close: {
      class: ranked(whole.classes),
      initiator: ranked(whole.initiators),
      sequence: ranked(whole.sequences),
      duration_s: duration!,
      fin_ack_s: finAck!,
      half_closed_s: halfClosed!,
      last_ack_s: lastAck!,
    },
    resets: ranked(whole.resets),
    time_wait: { ...timeWait, ...waiting(whole) },
    close_wait: { now: closeWait, ...(closeWait > 0 && { oldest_s: clock.seconds(end - oldest) }) },
    states: stateMatrix(whole.states),
    ports: held.next(whole.held),
  };
}

/** Sockets in TIME_WAIT at the end, and at most. Who leaves makes room for who comes at the same time. */
function waiting({ waiting: before, entering, leaving }: WindowPart): { now: number; peak: number } {
  const comes = sortAscending(Float64Array.from(entering));
  const goes = sortAscending(Float64Array.from(leaving));
  let peak = before;
  let gone = 0;
  for (const [come, time] of comes.entries()) {
    while (gone < goes.length && goes[gone]! <= time) gone++;
    peak = Math.max(peak, before + come + 1 - gone);
  }
  return { now: before + comes.length - goes.length, peak };
}

/** Those that count most, then by name; the rest together. */
export function ranked(counts: ReadonlyMap<string, number>): Record<string, number> {
  const sorted = [...counts].filter(([, n]) => n !== 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const rest = sorted.slice(2 * TOP).reduce((sum, [, n]) => sum + n, 0);
  return { ...Object.fromEntries(sorted.slice(0, 2 * TOP)), ...(rest !== 0 && { others: rest }) };
}

function quantiles(list: number[], clock: Clock): Quantiles {
  if (list.length === 0) return { count: 0 };
  const sorted = sortAscending(Float64Array.from(list));
  const at = (q: number): number => clock.seconds(sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!);
  return { count: list.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
