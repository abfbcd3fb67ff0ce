// Every figure about populations and ports again, from the connection records alone and in the plainest way: all instants, all groups.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from dist/.
import { analyze } from '../../dist/index.js';
import type { ConnectionRecord, SummaryRecord } from '../../src/index.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

/** Seconds since 1970 at which the capture of a test begins, so that nanoseconds since then are exact. */
let origin = 0;

/** Nanoseconds since the origin. */
const nanos = (text: string): number => {
  const [, whole, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text)!;
  return (Date.parse(`${whole}Z`) / 1000 - origin) * 1e9 + Number(fraction.padEnd(9, '0'));
};

interface Interval {
  from: number;
  to: number;
}

const CLOSED = new Set(['simultaneous', 'three_segment', 'four_wave', 'half_close', 'orderly']);
const RESET = new Set(['refused', 'aborted_handshake', 'rst_abort', 'data_after_close_rst', 'fin_then_rst', 'fin_answered_by_rst']);

function waitsOf(connection: ConnectionRecord): (Interval & { host: string; role: 'client' | 'server' })[] {
  return connection.time_wait.map(({ holder, start, end, ended_by }) => ({
    host: connection[holder].ip,
    role: holder,
    from: nanos(start),
    to: ended_by === 'capture_end' ? Infinity : nanos(end),
  }));
}

/** While the client's port is taken. */
function portOf(connection: ConnectionRecord): Interval {
  const { close, end_reason } = connection;
  const from = nanos(connection.start);
  const waiting = waitsOf(connection).find(({ role }) => role === 'client');
  if (waiting) return { from, to: waiting.to };
  const over = CLOSED.has(close.class) || RESET.has(close.class) || end_reason === 'reset';
  if (over && close.start !== undefined) return { from, to: nanos(close.start) + Math.round(close.duration_s! * 1e9) };
  return { from, to: end_reason === 'capture_end' && close.class !== 'no_reply' ? Infinity : nanos(connection.end) };
}

/** The figures of intervals over [from, to], looking at every instant at which something begins. */
function figures(intervals: readonly Interval[], from: number, to: number) {
  const at = (instant: number): number => intervals.filter((one) => one.from <= instant && instant < one.to).length;
  let [peak, peakAt] = [0, ''];
  for (const instant of [...new Set(intervals.map((one) => one.from))].toSorted((a, b) => a - b)) {
    const held = at(instant);
    if (held > peak) [peak, peakAt] = [held, String(instant)];
  }
  const area = intervals.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - one.from), 0);
  return { now: at(to), peak, peakAt, mean: to > from ? area / (to - from) : 0 };
}

function groupBy<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function same(found: { now: number; peak: number; peak_at?: string; mean: number }, expected: ReturnType<typeof figures>, what: string) {
  expect([found.now, found.peak, found.peak_at === undefined ? '' : String(nanos(found.peak_at))], what).toEqual([
    expected.now,
    expected.peak,
    expected.peakAt,
  ]);
  expect(found.mean, what).toBeCloseTo(expected.mean, 4);
}

async function recount(paths: readonly string[]): Promise<void> {
  const connections: ConnectionRecord[] = [];
  let summary: SummaryRecord | undefined;
  for await (const record of analyze(paths)) {
    if (record.type === 'connection') connections.push(record);
    else if (record.type === 'summary') summary = record;
  }
  if (summary?.start === undefined) return;
  origin = Math.floor(Date.parse(summary.start) / 1000);
  const [from, to] = [nanos(summary.start), nanos(summary.end!)];
  const waits = connections.flatMap(waitsOf);
  expect(summary.time_wait.entered).toBe(waits.length);
  same(summary.time_wait, figures(waits, from, to), 'all TIME_WAIT');

  const hosts = groupBy(waits, ({ host }) => host);
  expect(summary.time_wait.hosts.length).toBe(Math.min(20, hosts.size));
  for (const host of summary.time_wait.hosts) {
    const held = hosts.get(host.host)!;
    expect(host.entered).toBe(held.length);
    same(host, figures(held, from, to), host.host);
  }

  const groups = groupBy(connections, ({ client, server }) => `${client.ip} ${server.ip} ${server.port}`);
  expect([summary.ports.groups, summary.ports.others]).toEqual([groups.size, 0]);
  const peaks = [...groups.values()].map((members) => figures(members.map(portOf), from, to).peak).toSorted((a, b) => b - a);
  expect(summary.ports.worst.map(({ held }) => held.peak)).toEqual(peaks.slice(0, 20));
  for (const group of summary.ports.worst) {
    const name = `${group.client} ${group.server} ${group.server_port}`;
    const members = groups.get(name)!;
    const own = members.flatMap((connection) => waitsOf(connection).filter(({ role }) => role === 'client'));
    const ports = members.map(({ client }) => client.port);
    expect([group.connections, group.time_wait.entered], name).toEqual([members.length, own.length]);
    same(group.held, figures(members.map(portOf), from, to), name);
    same(group.time_wait, figures(own, from, to), name);
    expect(group.pressure, name).toBeCloseTo(group.held.peak / summary.ports.range, 6);
    expect(group.used_ports, name).toEqual({ count: new Set(ports).size, lowest: Math.min(...ports), highest: Math.max(...ports) });
    const reused = members.flatMap(({ time_wait }) =>
      time_wait.filter(({ holder, ended_by }) => holder === 'client' && ended_by === 'reuse'),
    );
    expect(group.reused, name).toBe(reused.length);
  }
}

describe('the figures of the summary, counted again from the connection records', () => {
  const stories = readdirSync(OURS)
    .filter((name) => name.endsWith('.pcap'))
    .toSorted();
  it('of all our captures, one by one', async () => {
    expect(stories.length).toBeGreaterThan(30);
    for (const name of stories) await recount([OURS + name]);
  });

  it('of all our captures, as one', async () => {
    await recount(stories.map((name) => OURS + name));
  });

  it.skipIf(!existsSync(LAB))('of the lab', async () => {
    const captures = readdirSync(LAB).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(captures.length).toBeGreaterThan(50);
    for (const name of captures) await recount([LAB + name]);
  });
});
