// What the tests that count figures again have in common: capture time as numbers, and how many of something there were, in the plainest way.

import { expect } from 'vitest';
// Threads run the built files, so what runs is taken from dist/.
import { analyze } from '../../dist/index.js';
import type { AnalyzeOptions, ConnectionRecord, SummaryRecord, WindowRecord } from '../../src/index.ts';

/** Everything that a run told. */
export interface Told {
  connections: ConnectionRecord[];
  windows: WindowRecord[];
  summary: SummaryRecord;
}

export async function tell(paths: readonly string[], options: AnalyzeOptions): Promise<Told> {
  const connections: ConnectionRecord[] = [];
  const windows: WindowRecord[] = [];
  for await (const record of analyze(paths, options)) {
    if (record.type === 'connection') connections.push(record);
    else if (record.type === 'window') windows.push(record as WindowRecord);
    else {
      origin = Math.floor(Date.parse(record.start ?? '1970-01-01T00:00:00Z') / 1000);
      return { connections, windows, summary: record };
    }
  }
  throw new Error('no summary');
}

/** Seconds since 1970 at which the capture that was told last begins, so that nanoseconds since then are exact. */
let origin = 0;

/** Nanoseconds since the origin. */
export const nanos = (text: string): number => {
  const [, whole, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text)!;
  return (Date.parse(`${whole}Z`) / 1000 - origin) * 1e9 + Number(fraction.padEnd(9, '0'));
};

export const seconds = (duration: number): number => Math.round(duration * 1e9);

export interface Interval {
  from: number;
  to: number;
}

export const CLOSED: ReadonlySet<string> = new Set(['simultaneous', 'three_segment', 'four_wave', 'half_close', 'orderly']);
export const RESET: ReadonlySet<string> = new Set([
  'refused',
  'aborted_handshake',
  'rst_abort',
  'data_after_close_rst',
  'fin_then_rst',
  'fin_answered_by_rst',
]);

export function waitsOf(connection: ConnectionRecord): (Interval & { host: string; role: 'client' | 'server' })[] {
  return connection.time_wait.map(({ holder, start, end, ended_by }) => ({
    host: connection[holder].ip,
    role: holder,
    from: nanos(start),
    to: ended_by === 'capture_end' ? Infinity : nanos(end),
  }));
}

/** While the client's port is taken; `to`: until when, where the client held TIME_WAIT. */
export function portOf(connection: ConnectionRecord, to?: number): Interval {
  const { close, end_reason } = connection;
  const from = nanos(connection.start);
  const waiting = waitsOf(connection).find(({ role }) => role === 'client');
  if (waiting) return { from, to: to ?? waiting.to };
  const over = CLOSED.has(close.class) || RESET.has(close.class) || end_reason === 'reset';
  if (over && close.start !== undefined) return { from, to: nanos(close.start) + seconds(close.duration_s!) };
  return { from, to: end_reason === 'capture_end' && close.class !== 'no_reply' ? Infinity : nanos(connection.end) };
}

/** The figures of intervals over [from, to], looking at every instant at which something begins. */
export function figures(intervals: readonly Interval[], from: number, to: number) {
  const at = (instant: number): number => intervals.filter((one) => one.from <= instant && instant < one.to).length;
  let [peak, peakAt] = [0, ''];
  for (const instant of [...new Set(intervals.map((one) => one.from))].toSorted((a, b) => a - b)) {
    const held = at(instant);
    if (held > peak) [peak, peakAt] = [held, String(instant)];
  }
  const area = intervals.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - one.from), 0);
  return { now: at(to), peak, peakAt, mean: to > from ? area / (to - from) : 0 };
}

/** Seconds up to `to` during which more than so many intervals were held. */
export function above(intervals: readonly Interval[], limit: number, to: number): number {
  const instants = [...new Set(intervals.flatMap((one) => [one.from, Math.min(one.to, to)]))].toSorted((a, b) => a - b);
  let sum = 0;
  instants.forEach((instant, i) => {
    const tight = intervals.filter((one) => one.from <= instant && instant < one.to).length > limit;
    if (tight) sum += (instants[i + 1] ?? to) - instant;
  });
  return sum / 1e9;
}

export function groupBy<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export function same(
  found: { now: number; peak: number; peak_at?: string; mean: number },
  expected: ReturnType<typeof figures>,
  what: string,
) {
  expect([found.now, found.peak, found.peak_at === undefined ? '' : String(nanos(found.peak_at))], what).toEqual([
    expected.now,
    expected.peak,
    expected.peakAt,
  ]);
  expect(found.mean, what).toBeCloseTo(expected.mean, 4);
}

export const tupleOf = ({ client, server }: ConnectionRecord): string =>
  [`${client.ip} ${client.port}`, `${server.ip} ${server.port}`].toSorted().join(' ');
