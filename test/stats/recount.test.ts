// The figures of the summary that answers.test.ts leaves: counts by name, resets, CLOSE_WAIT, who is stuck, other settings, and the windows
// of every second, from the connection records alone. What packets alone tell has to fit together.

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { AnalyzeOptions, ConnectionRecord } from '../../src/index.ts';
import {
  above,
  figures,
  groupBy,
  type Interval,
  nanos,
  portOf,
  rarities,
  same,
  seconds,
  tell,
  type Told,
  tupleOf,
  waitsOf,
} from '../support/recount.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

type Role = 'client' | 'server';
const other = (role: Role): Role => (role === 'client' ? 'server' : 'client');

/** How often each name comes, the most frequent first, then by name; from the 21st on together. */
function tally(names: readonly string[]): [string, number][] {
  const counts = [...groupBy(names, (name) => name)].map(([name, all]): [string, number] => [name, all.length]);
  counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const rest = counts.slice(20).reduce((sum, [, n]) => sum + n, 0);
  return rest > 0 ? [...counts.slice(0, 20), ['others', rest]] : counts;
}

function countsByName({ connections, summary }: Told): void {
  const { close, end_reason, time_wait } = summary;
  const waits = connections.flatMap((one) => one.time_wait);
  expect(summary.connections).toBe(connections.length);
  expect(Object.entries(close.class)).toEqual(tally(connections.map((one) => one.close.class)));
  expect(Object.entries(close.initiator)).toEqual(tally(connections.flatMap((one) => one.close.initiator ?? [])));
  expect(Object.entries(close.sequence)).toEqual(tally(connections.map((one) => one.close.sequence).filter((text) => text !== '')));
  expect(Object.entries(close.modifiers)).toEqual(tally(connections.flatMap((one) => one.close.modifiers)));
  expect(Object.entries(end_reason)).toEqual(tally(connections.map((one) => one.end_reason)));
  expect(Object.entries(time_wait.ended_by)).toEqual(tally(waits.map((wait) => wait.ended_by)));
  expect(time_wait.restarts).toBe(waits.reduce((sum, wait) => sum + wait.restarts, 0));
  expect(nanos(time_wait.complete_from!)).toBe(nanos(summary.start!) + seconds(time_wait['2msl_s']));
  for (const { start, expiry, restarts } of waits)
    expect(nanos(expiry) - nanos(start) - seconds(time_wait['2msl_s'])).toSatisfy(
      (later: number) => later === 0 || (later > 0 && restarts > 0),
    );
}

/** An endpoint of a connection, under the name of its owner. */
interface Found {
  connection: ConnectionRecord;
  role: Role;
}

const nameOf = ({ host, role, server_port }: { host: string; role: string; server_port: number }): string =>
  `${host} ${role} ${server_port}`;
const ownerOf = ({ connection, role }: Found): string => nameOf({ host: connection[role].ip, role, server_port: connection.server.port });
const endpoint = ({ ip, port }: { ip: string; port: number }): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
const tuple = ({ client, server }: ConnectionRecord): string => `${endpoint(client)}-${endpoint(server)}`;

/** What was found, by owner: those with the most first, then those of whom `oldest` is the least, then as they came. */
const ranked = (found: readonly Found[], oldest: (one: Found) => number): [string, Found[]][] =>
  [...groupBy(found, ownerOf)].toSorted(([, a], [, b]) => b.length - a.length || Math.min(...a.map(oldest)) - Math.min(...b.map(oldest)));

/** Since when the passive endpoint is in CLOSE_WAIT, or the active one in FIN_WAIT2. */
const halfOpenSince = ({ close }: ConnectionRecord): number => nanos(close.start!) + seconds(close.fin_ack_s!);
const halfOpenAtEnd = ({ close, end_reason }: ConnectionRecord): boolean => close.class === 'half_open' && end_reason === 'capture_end';

/** Those whose peer still probes. */
const probed = (all: readonly Found[]): number =>
  all.filter(({ connection }) => connection.close.modifiers.includes('keepalive_after_fin')).length;

function closeWait({ connections, summary: { close_wait, end } }: Told): void {
  const to = nanos(end!);
  const found = connections
    .filter((one) => halfOpenAtEnd(one) && to - halfOpenSince(one) > 60e9)
    .map((connection): Found => ({ connection, role: other(connection.close.initiator as Role) }));
  expect([close_wait.suspects, close_wait.leaks]).toEqual([found.length - probed(found), probed(found)]);
  const owners = ranked(found, ({ connection }) => halfOpenSince(connection));
  expect(close_wait.owners.map(nameOf)).toEqual(owners.slice(0, 20).map(([name]) => name));
  close_wait.owners.forEach(({ suspects, leaks, oldest_s, connections: samples }, i) => {
    const own = owners[i]![1];
    expect([suspects, leaks]).toEqual([own.length - probed(own), probed(own)]);
    expect(oldest_s).toBeCloseTo((to - Math.min(...own.map(({ connection }) => halfOpenSince(connection)))) / 1e9, 6);
    const oldest = own.toSorted((a, b) => halfOpenSince(a.connection) - halfOpenSince(b.connection));
    expect(samples).toEqual(oldest.slice(0, 3).map(({ connection }) => tuple(connection)));
    for (const { connection, role } of own) expect(connection[role].state).toBe('CLOSE_WAIT');
  });
}

/** Who sent the RST that ended the connection, or came after its close: the log of waves has it. */
function resetBy({ close }: ConnectionRecord): Role | undefined {
  const [, arrow] = /R([<>])/.exec(close.sequence) ?? [];
  return arrow === undefined ? undefined : arrow === '>' ? 'client' : 'server';
}

const active = ({ close }: ConnectionRecord): Role => close.initiator as Role;
const passive = (one: ConnectionRecord): Role => other(active(one));
function stuck({ connections, summary }: Told): void {
  const to = nanos(summary.end!);
  const kinds = {
    no_reply: [({ close }) => close.class === 'no_reply', (): Role => 'server'],
    fin_wait2: [halfOpenAtEnd, active],
    fin_wait1: [(one) => one.close.class === 'fin_unacked' && one[active(one)].fin_retransmits > 0, active],
    last_ack: [(one) => one.close.class === 'last_ack_missing' && !resetBy(one) && one[passive(one)].fin_retransmits > 0, passive],
    half_open: [(one) => one.close.modifiers.includes('half_open_detected'), (one) => other(resetBy(one)!)],
  } satisfies Record<string, [(one: ConnectionRecord) => boolean, (one: ConnectionRecord) => Role]>;
  for (const [kind, [is, who]] of Object.entries(kinds)) {
    const { total, owners } = summary.stuck[kind as keyof typeof kinds];
    const found = connections.filter(is).map((connection): Found => ({ connection, role: who(connection) }));
    const since = ({ connection }: Found): number => (kind === 'fin_wait2' ? halfOpenSince(connection) : 0);
    const expected = ranked(found, since);
    expect(total, kind).toBe(found.length);
    expect(owners.map((one) => [nameOf(one), one.total, one.connection])).toEqual(
      expected.slice(0, 4).map(([name, own]) => [name, own.length, tuple(own.toSorted((a, b) => since(a) - since(b))[0]!.connection)]),
    );
    owners.forEach(({ oldest_s }, i) => {
      const [, own] = expected[i]!;
      if (kind === 'fin_wait2') expect(oldest_s).toBeCloseTo((to - Math.min(...own.map(since))) / 1e9, 6);
      else expect(oldest_s).toBeUndefined();
    });
  }
}

function stageOf({ close }: ConnectionRecord): string {
  if (close.modifiers.includes('rst_after_close')) return 'after_close';
  if (close.class === 'refused' || close.class === 'aborted_handshake') return 'handshake';
  return close.class === 'rst_abort' ? 'established' : 'closing';
}

const stages = (found: readonly Found[]): Record<string, number> =>
  Object.fromEntries(tally(found.map(({ connection }) => stageOf(connection))));

function resets({ connections, summary: { resets: found } }: Told): void {
  const all = connections.flatMap((connection): Found[] => {
    const role = resetBy(connection);
    return role ? [{ connection, role }] : [];
  });
  expect([found.total, found.stage]).toEqual([all.length, stages(all)]);
  const senders = ranked(all, () => 0);
  expect(found.senders.map((one) => [nameOf(one), one.total, one.stage])).toEqual(
    senders.slice(0, 20).map(([name, own]) => [name, own.length, stages(own)]),
  );
  for (const [one, own] of [[found, all], ...found.senders.map((sender, i) => [sender, senders[i]![1]] as const)] as const) {
    const silences = own.flatMap(({ connection }) => connection.close.reset_idle_s ?? []);
    expect(one.idle).toBe(silences.length);
    if (!one.idle_timeout) continue;
    const { seconds: timeout, count } = one.idle_timeout;
    expect(count).toBeGreaterThanOrEqual(Math.max(3, one.idle / 2));
    expect(count).toBe(silences.filter((silence) => Math.abs(silence - timeout) <= Math.max(0.25, timeout * 0.02)).length);
  }
  if (senders.length <= 20) expect(found.senders.reduce((sum, { idle }) => sum + idle, 0)).toBe(found.idle);
}

const CHANGES = [
  { name: 'none' },
  { name: 'shorter', twoMsl: 2e9 },
  { name: 'longer', twoMsl: 500e9 },
  { name: 'fewer', ports: 40 },
  { name: 'reuse', reuse: true },
];

/** The waits of a connection if they lasted `twoMsl`, unless something other than their time ended them. */
function altered({ time_wait }: ConnectionRecord, real: number, twoMsl: number): (Interval & { role: Role })[] {
  return time_wait.map(({ holder, start, end, expiry, ended_by }) => {
    const from = nanos(start);
    const since = nanos(expiry) - real;
    const over = (twoMsl >= real || since < from + twoMsl ? since : from) + twoMsl;
    return { role: holder, from, to: ended_by === 'reuse' || ended_by === 'rst' ? Math.min(nanos(end), over) : over };
  });
}

function whatIfs({ connections, summary }: Told): void {
  const [from, to] = [nanos(summary.start!), nanos(summary.end!)];
  const real = seconds(summary.time_wait['2msl_s']);
  const groups = groupBy(connections, ({ client, server }) => `${client.ip} ${server.ip} ${server.port}`);
  expect(summary.what_if!.map(({ change }) => change)).toEqual(CHANGES.map(({ name }) => name));
  summary.what_if!.forEach(({ time_wait, ports }, i) => {
    const {
      name,
      twoMsl = real,
      ports: range = summary.ports.range,
      reuse = false,
    }: (typeof CHANGES)[0] & { twoMsl?: number } = CHANGES[i]!;
    same(
      time_wait,
      figures(
        connections.flatMap((one) => altered(one, real, twoMsl)),
        from,
        to,
      ),
      name,
    );
    const heldBy = (members: readonly ConnectionRecord[]): Interval[] =>
      members.map((one) => {
        const wait = altered(one, real, twoMsl).find(({ role }) => role === 'client');
        return portOf(one, wait && (reuse ? Math.min(wait.to, wait.from + 1e9) : wait.to));
      });
    expect(ports.range).toBe(range);
    expect(ports.sustained_per_s).toBeCloseTo(range / (reuse ? 1 : twoMsl / 1e9), 3);
    const peaks = [...groups.values()].map((members) => figures(heldBy(members), from, to).peak).toSorted((a, b) => b - a);
    expect(ports.worst.map(({ held }) => held.peak)).toEqual(peaks.slice(0, 3));
    for (const { client, server, server_port, held, pressure, above_80_s } of ports.worst) {
      const intervals = heldBy(groups.get(`${client} ${server} ${server_port}`)!);
      same(held, figures(intervals, from, to), `${name} ${client}`);
      expect(pressure).toBeCloseTo(held.peak / range, 6);
      expect(above_80_s, `${name} ${client}`).toBeCloseTo(above(intervals, range * 0.8, to), 5);
    }
  });
  expect(summary.ports.sustained_per_s).toBeCloseTo(summary.ports.range / summary.time_wait['2msl_s'], 3);
}

/** What only packets tell has to fit together, and the files are as long as they are. */
function packets({ connections, summary }: Told, paths: readonly string[]): void {
  const { input, drops } = summary;
  const dropped = Object.values(drops).reduce((sum, n) => sum + n, 0);
  expect(summary.packets).toBe(summary.segments + input.duplicates + dropped);
  expect(connections.reduce((sum, { client, server }) => sum + client.segments + server.segments, 0)).toBe(summary.segments);
  expect([input.files, input.bytes]).toEqual([paths.length, paths.reduce((sum, path) => sum + statSync(path).size, 0)]);
  expect(input.captures.length).toBe(Math.min(20, paths.length));
  if (summary.start === undefined) return expect(summary.packets).toBe(0);
  const [from, to] = [nanos(summary.start), nanos(summary.end!)];
  expect(summary.duration_s).toBeCloseTo((to - from) / 1e9, 6);
  for (const { start, end } of connections) {
    expect(nanos(end)).toBeLessThanOrEqual(to);
    if (input.time_regressions === 0) expect(nanos(start)).toBeGreaterThanOrEqual(from);
  }
  for (const name of ['rst_invalid', 'rst_challenged'] as const) {
    const marked = connections.filter(({ close }) => close.modifiers.includes(name)).length;
    const counted = summary.oddities[name] ?? 0;
    expect(counted, name).toBeGreaterThanOrEqual(marked);
    expect(counted > 0, name).toBe(marked > 0);
  }
}

/** The state that an endpoint was in, by its list. */
function stateAt(connection: ConnectionRecord, role: Role, instant: number): string {
  const from = nanos(connection.start);
  return connection[role].states!.findLast(([, after]) => from + seconds(after) <= instant)?.[0] ?? 'UNKNOWN';
}

/**
 * Whether a connection is still remembered at an instant: it has begun, its tuple is not used again (which it is at `next`), and it has
 * not been over for the time of a TIME_WAIT. Only the end of the capture ends what was never closed.
 */
function remembered(connection: ConnectionRecord, next: number, instant: number): boolean {
  const { start, close, end_reason } = connection;
  if (nanos(start) > instant || next <= instant) return false;
  if (close.start === undefined || end_reason === 'capture_end') return true;
  const waits = waitsOf(connection);
  return instant < (waits.length > 0 ? Math.max(...waits.map(({ to }) => to)) : nanos(close.start) + seconds(close.duration_s!) + 60e9);
}

const counted = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));

/** Until the holder's ACK comes, nobody knows that it will: the FIN stands for it. */
const waiting = (own: string, peer: string): string => (own === 'FIN_WAIT2' && peer === 'LAST_ACK' ? 'TIME_WAIT' : own);

/** Of those of which both ends are CLOSED nobody sees how long they are remembered. */
const gone = (pair: unknown): boolean => pair === 'CLOSED CLOSED';

/** What every window says of its end: states, who is in CLOSE_WAIT and since when, ports held; and how many began within it. */
function windows({ connections, windows: all, summary }: Told): void {
  const tuples = groupBy(connections, tupleOf);
  const next = new Map<ConnectionRecord, number>();
  for (const own of tuples.values()) own.forEach((one, i) => next.set(one, own[i + 1] ? nanos(own[i + 1]!.start) : Infinity));
  let begun = 0;
  all.forEach(({ start, end, opened, states, close_wait, ports }, i) => {
    const last = i === all.length - 1 ? nanos(summary.end!) : nanos(end) - 1;
    const first = nanos(start);
    const here = connections.filter((one) => nanos(one.start) >= first && nanos(one.start) <= last);
    expect(opened, end).toBe(here.length);
    begun += opened;
    const rows = connections
      .filter((one) => remembered(one, next.get(one)!, last))
      .map((connection) => ({ connection, client: stateAt(connection, 'client', last), server: stateAt(connection, 'server', last) }));
    const pairs = rows.map(({ client, server }) => `${waiting(client, server)} ${waiting(server, client)}`);
    const told = Object.entries(states).flatMap(([client, row]) => Object.entries(row).map(([server, n]) => [`${client} ${server}`, n]));
    expect(Object.fromEntries(told.filter(([pair]) => !gone(pair))), end).toEqual(counted(pairs.filter((pair) => !gone(pair))));

    const since = rows.flatMap(({ connection, ...at }) =>
      (['client', 'server'] as const)
        .filter((role) => at[role] === 'CLOSE_WAIT')
        .map((role) => nanos(connection.start) + seconds(connection[role].states!.find(([name]) => name === 'CLOSE_WAIT')![1])),
    );
    expect(close_wait.now, end).toBe(since.length);
    if (since.length > 0) expect(close_wait.oldest_s, end).toBeCloseTo((nanos(end) - Math.min(...since)) / 1e9, 5);

    const holding = rows.filter(({ client }) => !['CLOSED', 'UNKNOWN', 'SYN_SENT'].includes(client));
    const held = counted(holding.map(({ connection: { client, server } }) => `${client.ip} ${server.ip} ${server.port}`));
    expect(
      ports.map((one) => one.held),
      end,
    ).toEqual(
      Object.values(held)
        .toSorted((a, b) => b - a)
        .slice(0, 10),
    );
    for (const { client, server, server_port, held: found, pressure } of ports) {
      expect(found, end).toBe(held[`${client} ${server} ${server_port}`]);
      expect(pressure, end).toBeCloseTo(found / summary.ports.range, 6);
    }
  });
  expect(begun).toBe(connections.length);
}

/** The bounds of a measured TIME_WAIT come from segments after it, which have no line. */
function measured({ summary: { time_wait } }: Told): void {
  const { hosts, others, worst } = time_wait.measured;
  expect([worst.length, others]).toEqual([Math.min(20, hosts), 0]);
  for (const { host, lower_s, upper_s, observations, left, profile_s, agrees } of worst) {
    expect(profile_s, host).toBe(time_wait['2msl_s']);
    expect([lower_s !== undefined, upper_s !== undefined], host).toEqual([observations > left, left > 0]);
    expect(agrees, host).toBe((lower_s ?? 0) <= profile_s * 1.05 && (upper_s ?? Infinity) >= profile_s * 0.95);
  }
}

async function recount(paths: readonly string[], options: AnalyzeOptions = {}): Promise<Told> {
  const told = await tell(paths, { interval: 1, transitions: true, whatIf: CHANGES, ...options });
  packets(told, paths);
  if (told.summary.start === undefined) return told;
  countsByName(told);
  resets(told);
  closeWait(told);
  stuck(told);
  whatIfs(told);
  windows(told);
  measured(told);
  return told;
}

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the rest of the figures, counted again from the connection records', () => {
  const stories = readdirSync(OURS)
    .filter((name) => name.endsWith('.pcap'))
    .toSorted();

  it('of all our captures, one by one', async () => {
    expect(stories.length).toBeGreaterThan(30);
    for (const name of stories) await recount([OURS + name]);
  });

  it('of all our captures, as one, in which there is something of nearly everything', async () => {
    const { summary } = await recount(stories.map((name) => OURS + name));
    const { stuck: found, close_wait, resets: reset } = summary;
    expect(Object.keys(reset.stage).toSorted()).toEqual(['after_close', 'closing', 'established', 'handshake']);
    expect(close_wait.suspects + close_wait.leaks).toBeGreaterThan(0);
    expect([found.fin_wait2.total, found.fin_wait1.total].every((total) => total > 0)).toBe(true);
  });

  it('where a timer resets, a last ACK never comes, and some do not close', async () => {
    const path = join(folder, 'rarities.pcap');
    writeFileSync(path, rarities());
    const { summary } = await recount([path]);
    expect(summary.resets.idle_timeout).toEqual({ seconds: 60, count: 5 });
    expect(summary.stuck.last_ack.total).toBe(3);
    expect(summary.close_wait.owners.map(({ role }) => role)).toEqual(['server', 'client']);
  });

  it.each(['rfc9293', 'bsd', 'macos', 'windows'])('as hosts by the profile %s', async (profile) => {
    for (const name of stories) await recount([OURS + name], { profile });
  });

  it.skipIf(!existsSync(LAB))('of the lab', async () => {
    const captures = readdirSync(LAB).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(captures.length).toBeGreaterThan(50);
    for (const name of captures) await recount([LAB + name]);
  });
});
