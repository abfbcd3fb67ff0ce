// Every figure about populations and ports again, from the connection records alone and in the plainest way: all instants, all groups.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { AnalyzeOptions, ConnectionRecord, SummaryRecord, WindowRecord } from '../../src/index.ts';
import { ACK, FIN, RST, SYN } from '../../src/layout/tcp.ts';
import {
  above,
  captureOf,
  figures,
  groupBy,
  type Interval,
  type Line,
  nanos,
  portOf,
  same,
  tell,
  tupleOf,
  waitsOf,
} from '../support/recount.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

/** Bins of a histogram are so wide, as a share of the value. */
const BIN = 0.004;

/** Quantiles against the values themselves. */
function quantilesOf(
  found: { count: number; p50?: number; p90?: number; p99?: number; max?: number },
  values: number[],
  what: string,
): void {
  expect(found.count, what).toBe(values.length);
  if (values.length === 0) return expect(Object.keys(found), what).toEqual(['count']);
  const sorted = values.toSorted((a, b) => a - b);
  expect(found.max, what).toBeCloseTo(sorted.at(-1)!, 6);
  for (const [name, q] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
  ] as const) {
    const exact = sorted[Math.ceil(q * sorted.length) - 1]!;
    expect(Math.abs(found[name]! - exact), `${what} ${name}: ${found[name]} for ${exact}`).toBeLessThanOrEqual(exact * BIN + 1e-6);
  }
}

const valuesOf = (connections: readonly ConnectionRecord[], name: 'duration_s' | 'fin_ack_s' | 'half_closed_s' | 'last_ack_s'): number[] =>
  connections.flatMap(({ close }) => (close[name] === undefined || close.basis === 'rst' ? [] : [close[name]]));

/** The times of closes, of TIME_WAITs that were met, and the distances of numbers. */
function spreads(summary: SummaryRecord, connections: readonly ConnectionRecord[]): void {
  for (const name of ['duration_s', 'fin_ack_s', 'half_closed_s', 'last_ack_s'] as const)
    quantilesOf(summary.close[name], valuesOf(connections, name), name);
  const { reuse } = summary;
  const reuses = connections.flatMap((connection) => connection.reuse ?? []);
  for (const verdict of ['accepted', 'challenged', 'refused', 'ignored'] as const)
    expect(reuse[verdict], verdict).toBe(reuses.filter((one) => one.verdict === verdict).length);
  quantilesOf(
    reuse.age_s,
    reuses.map(({ age_s }) => age_s),
    'age',
  );
  quantilesOf(
    reuse.challenged_age_s,
    reuses.filter(({ verdict }) => verdict === 'challenged').map(({ age_s }) => age_s),
    'challenged age',
  );
  quantilesOf(
    reuse.gap_s,
    reuses.map(({ gap_s }) => gap_s),
    'gap',
  );
  for (const name of ['isn_delta', 'tsval_delta'] as const) {
    const deltas = reuses.flatMap((one) => one[name] ?? []).toSorted((a, b) => a - b);
    const { count, not_above, ...found } = reuse[name];
    expect([count, not_above], name).toEqual([deltas.length, deltas.filter((delta) => delta <= 0).length]);
    for (const [q, value] of Object.entries(found)) {
      const exact = deltas[Math.ceil((Number(q.slice(1)) / 100) * deltas.length) - 1]!;
      expect(Math.abs(value - exact), `${name} ${q}`).toBeLessThanOrEqual(Math.abs(exact) * BIN + 0.5);
    }
  }
  // Whoever began from a port in TIME_WAIT ended that, and who was challenged did not.
  const ended = connections.filter(({ time_wait }) => time_wait.some(({ ended_by }) => ended_by === 'reuse'));
  const began = connections.filter((one) => one.reuse?.[0] && one.reuse[0].verdict !== 'challenged');
  expect(began.length).toBeGreaterThanOrEqual(ended.length);
}

/**
 * Who was where when the capture ended: those that still wait, never ended, or ended less than a TIME_WAIT ago on a tuple not used since.
 * Where both are CLOSED there is nothing left, and nobody sees how long it is remembered.
 */
function statesAtEnd(connections: readonly ConnectionRecord[], to: number): Record<string, Record<string, number>> {
  const states: Record<string, Record<string, number>> = {};
  connections.forEach((connection, i) => {
    const { client, server, time_wait, end_reason, close } = connection;
    const over = time_wait.some(({ ended_by }) => ended_by === 'expiry' || ended_by === 'reuse');
    const waits = time_wait.some(({ ended_by }) => ended_by === 'capture_end');
    const recent = close.start !== undefined && nanos(close.start) + close.duration_s! * 1e9 + 60e9 > to;
    const later = connections.slice(i + 1).some((other) => tupleOf(other) === tupleOf(connection));
    if (!(waits || end_reason === 'capture_end' || (!over && end_reason !== 'tuple_reused' && recent && !later))) return;
    if (client.state === 'CLOSED' && server.state === 'CLOSED') return;
    const row = (states[client.state ?? 'UNKNOWN'] ??= {});
    row[server.state ?? 'UNKNOWN'] = (row[server.state ?? 'UNKNOWN'] ?? 0) + 1;
  });
  return states;
}

/** Without those of which both ends are CLOSED. */
function alive({ CLOSED: { CLOSED: _gone, ...half } = {}, ...states }: SummaryRecord['states']): SummaryRecord['states'] {
  return Object.keys(half).length > 0 ? { ...states, CLOSED: half } : states;
}

/** How many were in TIME_WAIT at most within each window, where all of it was known as it came. */
function windowPeaks(windows: readonly WindowRecord[], connections: readonly ConnectionRecord[]): void {
  if (connections.some(({ time_wait }) => time_wait.some(({ basis, restarts }) => basis === 'fin' || restarts > 0))) return;
  const ends = windows.map(({ end }) => nanos(end));
  // At the end of a window the last ACK may still be on its way: then it is the FIN that tells of TIME_WAIT.
  const waits = connections.flatMap((connection) =>
    waitsOf(connection).map(({ from, to }) => {
      const fin = from - Math.round((connection.close.last_ack_s ?? 0) * 1e9);
      return { from: ends.some((end) => end > fin && end <= from) ? fin : from, to };
    }),
  );
  const held = (instant: number): number => waits.filter((one) => one.from <= instant && instant < one.to).length;
  for (const { start, end, time_wait } of windows.slice(0, -1)) {
    const [first, last] = [nanos(start), nanos(end)];
    const begins = waits.map((one) => one.from).filter((instant) => instant >= first && instant < last);
    expect(time_wait.peak, start).toBe(Math.max(held(first - 1), ...begins.map(held)));
    expect(time_wait.now, start).toBe(held(last - 1));
  }
}

/** Counts all figures of a run again; answers the groups of ports that it names. */
async function recount(paths: readonly string[], options: AnalyzeOptions = {}): Promise<Group[]> {
  const { connections, windows, summary } = await tell(paths, { interval: 7, ...options });
  if (summary.start === undefined) return [];
  const [from, to] = [nanos(summary.start), nanos(summary.end!)];
  spreads(summary, connections);
  expect(summary.states).toEqual(windows.at(-1)?.states ?? {});
  expect(alive(summary.states)).toEqual(statesAtEnd(connections, to));
  windowPeaks(windows, connections);
  for (const { lower_s = 0, upper_s = Infinity, host } of summary.time_wait.measured.worst) {
    // All that is captured here is Linux, or plays it.
    expect(lower_s, host).toBeLessThanOrEqual(62.1);
    expect(upper_s, host).toBeGreaterThanOrEqual(60);
  }
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
  const peaks = [...groups.values()]
    .map(
      (members) =>
        figures(
          members.map((one) => portOf(one)),
          from,
          to,
        ).peak,
    )
    .toSorted((a, b) => b - a);
  expect(summary.ports.worst.map(({ held }) => held.peak)).toEqual(peaks.slice(0, 20));
  for (const group of summary.ports.worst) {
    const name = `${group.client} ${group.server} ${group.server_port}`;
    const members = groups.get(name)!;
    const own = members.flatMap((connection) => waitsOf(connection).filter(({ role }) => role === 'client'));
    const ports = members.map(({ client }) => client.port);
    expect([group.connections, group.time_wait.entered], name).toEqual([members.length, own.length]);
    same(
      group.held,
      figures(
        members.map((one) => portOf(one)),
        from,
        to,
      ),
      name,
    );
    same(group.time_wait, figures(own, from, to), name);
    expect(group.pressure, name).toBeCloseTo(group.held.peak / summary.ports.range, 6);
    expect(group.used_ports, name).toEqual({ count: new Set(ports).size, lowest: Math.min(...ports), highest: Math.max(...ports) });
    const reused = members.flatMap(({ time_wait }) =>
      time_wait.filter(({ holder, ended_by }) => holder === 'client' && ended_by === 'reuse'),
    );
    expect(group.reused, name).toBe(reused.length);
    pressure(group, summary, members, own, to);
  }
  return summary.ports.worst;
}

type Group = SummaryRecord['ports']['worst'][0];

/** How long the ports were tight, when they were exhausted, when they will be. */
function pressure(
  group: Group,
  { ports: { range } }: SummaryRecord,
  members: readonly ConnectionRecord[],
  waits: readonly Interval[],
  to: number,
): void {
  const held = members.map((one) => portOf(one));
  const now = held.filter((one) => one.to === Infinity || one.to > to).length;
  expect(group.above_80_s, group.client).toBeCloseTo(above(held, range * 0.8, to), 5);

  const ports = new Set(members.map(({ client }) => client.port)).size;
  const exhausted = group.reused > 0 && ports >= 8 && group.held.peak === ports && members.length > ports;
  expect(group.exhausted_at, group.client).toBe(exhausted ? group.held.peak_at : undefined);

  const span = (to - Math.min(...held.map((one) => one.from))) / 1e9;
  expect(group.rate_per_s, group.client).toBeCloseTo(span > 0 ? members.length / span : 0, 3);
  const rate = span > 0 ? waits.length / span : 0;
  const open = now - waits.filter((one) => one.to > to).length;
  const enough = waits.length >= (range - now) * 0.1;
  if (now < range && span > 0 && span < 60 && enough && open + rate * 60 > range)
    expect(nanos(group.forecast_at!) - to, group.client).toBeCloseTo(((range - now) / rate) * 1e9, -4);
  else expect(group.forecast_at, group.client).toBeUndefined();
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

  it('where the ports are so few that they are tight, exhausted, or will be', async () => {
    const groups: Group[] = [];
    for (const ports of [1, 2, 3, 10]) {
      for (const path of [...stories.filter((name) => name.startsWith('s')).map((name) => OURS + name), busy(3), busy(12)])
        groups.push(...(await recount([path], { ports })));
    }
    expect(groups.some(({ above_80_s }) => above_80_s > 1)).toBe(true);
    expect(groups.some(({ exhausted_at }) => exhausted_at !== undefined)).toBe(true);
    expect(groups.some(({ forecast_at }) => forecast_at !== undefined)).toBe(true);
  });

  it.skipIf(!existsSync(LAB))('of the lab', async () => {
    const captures = readdirSync(LAB).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(captures.length).toBeGreaterThan(50);
    for (const name of captures) await recount([LAB + name]);
    for (const ports of [49, 50, 62, 1000]) await recount([`${LAB}port_churn.server.pcap`], { ports });
  });
});

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function captured(lines: readonly Line[]): string {
  const path = join(folder, `${files++}.pcap`);
  writeFileSync(path, captureOf(lines));
  return path;
}

/** A connection that the client closes first; numbers begin at `isn` for both. */
const closedAt = (seconds: number, port: number, isn = 100): Line[] => [
  [seconds, port, true, SYN, isn, 0],
  [seconds + 0.01, port, false, SYN | ACK, isn, isn + 1],
  [seconds + 0.02, port, true, ACK, isn + 1, isn + 1],
  [seconds + 0.03, port, true, FIN | ACK, isn + 1, isn + 1],
  [seconds + 0.04, port, false, FIN | ACK, isn + 1, isn + 2],
  [seconds + 0.05, port, true, ACK, isn + 2, isn + 2],
];

/** Thirty connections in three seconds, of so many ports in turn. */
const busy = (ports: number): string =>
  captured(Array.from({ length: 30 }, (_, turn) => closedAt(turn / 10, 40_000 + (turn % ports), 1000 * (turn + 1))).flat());

const summaryOf = async (path: string, options: AnalyzeOptions = {}): Promise<SummaryRecord> => (await tell([path], options)).summary;

describe('the measured TIME_WAIT', () => {
  const short = captured([
    ...closedAt(0, 5000),
    [25.05, 5000, false, FIN | ACK, 101, 102],
    [25.06, 5000, true, ACK, 102, 102],
    [56.05, 5000, false, FIN | ACK, 101, 102],
    [56.06, 5000, true, RST, 102, 0],
  ]);

  it('of a host that has half a minute, whatever the profile, within it or after its time', async () => {
    for (const profile of ['linux', 'macos', 'windows', 'rfc9293', 'bsd']) {
      const { time_wait, drops, packets, segments } = await summaryOf(short, { profile });
      const profile_s = time_wait['2msl_s'];
      expect(time_wait.measured, profile).toEqual({
        hosts: 1,
        others: 0,
        worst: [{ host: '10.0.0.2', observations: 2, left: 1, profile_s, agrees: profile === 'macos', lower_s: 25, upper_s: 31.01 }],
      });
      // By the profile of macOS its time is over at 55.05 s.
      expect([drops, packets - segments], profile).toEqual(profile === 'macos' ? [{ after_time_wait: 2 }, 2] : [{}, 0]);
    }
  });

  it('is the same for any number of workers', async () => {
    const one = await summaryOf(short, { profile: 'macos', workers: 1 });
    for (const workers of [2, 5]) expect(await summaryOf(short, { profile: 'macos', workers, windowBytes: 200 })).toEqual(one);
  });
});
