// What the tests that count figures again have in common: capture time as numbers, and how many of something there were, in the plainest way.

import { expect } from 'vitest';
// Threads run the built files, so what runs is taken from lib/.
import { analyze } from '../../lib/index.js';
import type { AnalyzeOptions, ConnectionRecord, SummaryRecord, WindowRecord } from '../../src/index.ts';
import { ACK, FIN, RST, SYN } from '../../src/layout/tcp.ts';
import { type CapturedPacket, ethernet, ipv4, pcap, tcp } from './packets.ts';

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

export type Line = [seconds: number, port: number, fromClient: boolean, flags: number, seq: number, ack: number];

/** Segments between one client and one server, as a capture. */
export function captureOf(lines: readonly Line[]): Uint8Array {
  const packets = lines.map(([time, port, up, flags, seq, ack], i): CapturedPacket => {
    const [source, destination] = up ? ['10.0.0.2', '10.0.0.9'] : ['10.0.0.9', '10.0.0.2'];
    const segment = tcp({ source: up ? port : 80, destination: up ? 80 : port, flags, seq, ack });
    return {
      seconds: 1_600_000_000 + Math.floor(time),
      fraction: Math.round((time % 1) * 1e6),
      captured: ethernet(ipv4(segment, { source, destination, identification: i + 1 })),
    };
  });
  return pcap(packets);
}

/** A connection that is opened, and what then comes of it, so many seconds later. */
function opened(
  at: number,
  port: number,
  then: readonly [seconds: number, fromClient: boolean, flags: number, seq: number, ack: number][],
): Line[] {
  const handshake: Line[] = [
    [at, port, true, SYN, 100, 0],
    [at + 0.01, port, false, SYN | ACK, 500, 101],
    [at + 0.02, port, true, ACK, 101, 501],
  ];
  return handshake.concat(then.map(([after, ...segment]): Line => [at + after, port, ...segment]));
}

/** What no capture of ours has: a timer that resets, FINs of a second closer that nobody acknowledges, CLOSE_WAIT of both sides. */
export function rarities(): Uint8Array {
  const lines: Line[] = [];
  for (let i = 0; i < 5; i++) {
    lines.push(
      ...opened(i, 40_000 + i, [[60, false, RST | ACK, 501, 101]]),
      ...opened(i, 41_000 + i, [
        [0.1, true, FIN | ACK, 101, 501],
        [0.2, false, ACK, 501, 102],
        [0.3, false, FIN | ACK, 501, 102],
        [0.6, false, FIN | ACK, 501, 102],
        [0.7, false, i > 2 ? RST | ACK : ACK, 502, 102],
      ]),
      ...opened(i, 42_000 + i, [
        [1, true, FIN | ACK, 101, 501],
        [1.1, false, ACK, 501, 102],
      ]),
      ...opened(i * 15, 43_000 + i, [
        [2, false, FIN | ACK, 501, 101],
        [2.1, true, ACK, 101, 502],
      ]),
    );
  }
  return captureOf(lines.toSorted((a, b) => a[0] - b[0]));
}
