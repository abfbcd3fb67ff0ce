/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// Windows of capture time by group (--per), against the windows of the whole and the connection records of the same run.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from lib/.
import { analyze } from '../../lib/index.js';
import type { ConnectionRecord, GroupWindowRecord, WindowRecord } from '../../src/index.ts';
import { ACK, SYN } from '../../src/layout/tcp.ts';
import type { GroupBy } from '../../src/stats/grouping.ts';
import { type CapturedPacket, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const stories = readdirSync(OURS)
  .filter((name) => /^(s\d|article|e_v6|e_plain).*\.pcap$/.test(name))
  .toSorted()
  .map((name) => OURS + name);
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Told {
  connections: ConnectionRecord[];
  /** Each window with its groups, which come right behind it. */
  windows: { whole: WindowRecord; groups: GroupWindowRecord[] }[];
}

async function tell(paths: readonly string[], per: GroupBy, interval: number): Promise<Told> {
  const told: Told = { connections: [], windows: [] };
  for await (const record of analyze(paths, { interval, per })) {
    if (record.type === 'connection') told.connections.push(record);
    else if (record.type === 'summary') return told;
    else if ('group' in record) {
      const { whole, groups } = told.windows.at(-1)!;
      expect([record.start, record.end, record.duration_s]).toEqual([whole.start, whole.end, whole.duration_s]);
      groups.push(record);
    } else told.windows.push({ whole: record, groups: [] });
  }
  throw new Error('no summary');
}

const added = (lists: readonly Record<string, number>[]): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const list of lists) for (const [name, n] of Object.entries(list)) sum[name] = (sum[name] ?? 0) + n;
  return Object.fromEntries(Object.entries(sum).filter(([, n]) => n !== 0));
};

/** What both a window and its groups have, as a flat list of counts. */
const endpointCounts = ({ resets, time_wait, close_wait }: WindowRecord | GroupWindowRecord): Record<string, number> => ({
  ...resets,
  entered: time_wait.entered,
  now: time_wait.now,
  close_wait: close_wait.now,
});
const connectionCounts = ({ opened, ended, close }: WindowRecord | GroupWindowRecord): Record<string, number> => ({
  opened,
  ended,
  ...close.class,
});

describe('windows by group', () => {
  const each: [string, GroupBy][] = [
    ['service', { kind: 'service' }],
    ['pair', { kind: 'pair' }],
    ['subnet/0', { kind: 'subnet', bits: 0 }],
  ];
  it.each(each)('by %s add up to the windows of the whole', async (_, per) => {
    for (const interval of [0.5, 20]) {
      const { windows } = await tell(stories, per, interval);
      expect(windows.length).toBeGreaterThan(10);
      expect(windows.some(({ groups }) => groups.length > 1)).toBe(true);
      for (const { whole, groups } of windows) {
        expect(added(groups.map(connectionCounts)), whole.start).toEqual(added([connectionCounts(whole)]));
        expect(added(groups.map(endpointCounts)), whole.start).toEqual(added([endpointCounts(whole)]));
      }
    }
  });

  it('by host: a connection counts at both of its hosts, what is an endpoint’s at its own', async () => {
    const { windows, connections } = await tell(stories, { kind: 'host' }, 1);
    for (const { whole, groups } of windows) {
      const twice = added([connectionCounts(whole), connectionCounts(whole)]);
      expect(added(groups.map(connectionCounts)), whole.start).toEqual(twice);
      expect(added(groups.map(endpointCounts)), whole.start).toEqual(added([endpointCounts(whole)]));
    }
    const hosts = new Set(connections.flatMap(({ client, server }) => [client.ip, server.ip]));
    const groups = windows.flatMap((window) => window.groups);
    expect(new Set(groups.map(({ group }) => group))).toEqual(hosts);
    for (const host of hosts) {
      const own = groups.filter(({ group }) => group === host);
      const its = connections.filter(({ client, server }) => client.ip === host || server.ip === host);
      const held = its.flatMap((connection) => connection.time_wait.filter(({ holder }) => connection[holder].ip === host));
      expect(
        own.reduce((sum, { opened }) => sum + opened, 0),
        host,
      ).toBe(its.length);
      expect(
        own.reduce((sum, { time_wait }) => sum + time_wait.entered, 0),
        host,
      ).toBe(held.length);
      expect(added(own.map(({ close }) => close.class)), host).toEqual(added(its.map(({ close }) => ({ [close.class]: 1 }))));
    }
  });

  it('are named by what they are', async () => {
    const names = async (per: GroupBy, file: string) =>
      new Set((await tell([OURS + file], per, 1000)).windows.flatMap(({ groups }) => groups.map(({ group }) => group)));
    expect(await names({ kind: 'service' }, 'article.pcap')).toEqual(new Set(['10.0.0.2:22']));
    expect(await names({ kind: 'pair' }, 'article.pcap')).toEqual(new Set(['10.0.0.3-10.0.0.2']));
    expect(await names({ kind: 'subnet', bits: 31 }, 'article.pcap')).toEqual(new Set(['10.0.0.2/31']));
    expect(await names({ kind: 'subnet', bits: 32 }, 'article.pcap')).toEqual(new Set(['10.0.0.2/32', '10.0.0.3/32']));
    for (const bits of [64, 128])
      expect(await names({ kind: 'subnet', bits }, 'article.pcap')).toEqual(new Set(['10.0.0.2/32', '10.0.0.3/32']));
    const [service] = await names({ kind: 'service' }, 'e_v6.pcap');
    expect(service).toMatch(/^\[[0-9a-f:]+\]:\d+$/);
    const [network] = await names({ kind: 'subnet', bits: 12 }, 'e_v6.pcap');
    expect(network).toMatch(/^[0-9a-f]{1,3}0?::\/12$/);
  });

  it('a hundred of an interval are named, the rest is counted together', async () => {
    const packets: CapturedPacket[] = [];
    const put = (host: number, flags: number, micros: number): void => {
      const [source, destination] = [`10.1.${host >> 8}.${host & 255}`, '10.0.0.9'];
      const up = flags === SYN;
      const segment = tcp({ source: up ? 5000 : 80, destination: up ? 80 : 5000, flags, seq: 1, ack: up ? 0 : 2 });
      const captured = ethernet(ipv4(segment, up ? { source, destination } : { source: destination, destination: source }));
      packets.push({ seconds: 1_600_000_000, fraction: micros, captured });
    };
    for (let host = 0; host < 150; host++) {
      put(host, SYN, host * 20);
      put(host, SYN | ACK, host * 20 + 10);
    }
    const path = join(folder, 'hosts.pcap');
    writeFileSync(path, pcap(packets));
    const { windows } = await tell([path], { kind: 'pair' }, 1);
    const [{ whole, groups } = { whole: undefined, groups: [] }] = windows;
    expect(groups).toHaveLength(101);
    expect(groups.at(-1)).toMatchObject({ group: 'others', groups: 50, opened: 50 });
    expect(groups.slice(0, -1).map(({ groups: together }) => together)).toEqual(Array(100).fill(undefined));
    expect(added(groups.map(connectionCounts))).toEqual(added([connectionCounts(whole!)]));
  });
});
