// Captures of a few packets in which the figures that are told twice once differed: in the last window and in the summary, by group and in all, under
// another setting and under the same one.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ConnectionRecord, GroupWindowRecord, WindowRecord } from '../../src/index.ts';
import { tell } from '../support/recount.ts';

const ODD = fileURLToPath(new URL('../captures/odd/', import.meta.url));
const captures = readdirSync(ODD).toSorted();

const sumOf = (counts: Record<string, number>, name: string, by: number): Record<string, number> => ({
  ...counts,
  [name]: (counts[name] ?? 0) + by,
});

describe('what is told twice is the same', () => {
  it.each(captures)('in the last window and in the summary: %s', async (name) => {
    for (const interval of [1, 10, 60]) {
      const { windows, summary } = await tell([ODD + name], { interval });
      const { states, time_wait } = windows.at(-1)!;
      expect([interval, states, time_wait.now]).toEqual([interval, summary.states, summary.time_wait.now]);
    }
  });

  it.each(captures)('of the connections of each service, and of its windows: %s', async (name) => {
    const { connections, windows } = await tell([ODD + name], { interval: 10, per: { kind: 'service' } });
    const servers = connections.map(({ server: { ip, port } }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`));
    const begun = servers.reduce((counts, server) => sumOf(counts, server, 1), {});
    for (const count of ['opened', 'ended'] as const) {
      const groups = windows.flatMap((window: WindowRecord | GroupWindowRecord) => ('group' in window ? [window] : []));
      const told = groups.reduce<Record<string, number>>((counts, window) => sumOf(counts, window.group, window[count]), {});
      expect(Object.fromEntries(Object.entries(told).filter(([, n]) => n !== 0))).toEqual(begun);
    }
  });

  it.each(captures)('as seen, and under settings that change nothing: %s', async (name) => {
    const whatIf = [{ name: 'none' }, { name: 'as it is', twoMsl: 60e9 }, { name: 'the same ports', ports: 28_232 }];
    const { summary } = await tell([ODD + name], { whatIf });
    const { now, peak, mean } = summary.time_wait;
    const ports = summary.ports.worst.map(({ client, held }) => ({ client, held }));
    for (const { change, time_wait, ports: found } of summary.what_if!) {
      expect({ change, ...time_wait }).toMatchObject({ change, now, peak, mean });
      expect(found.worst).toMatchObject(ports.slice(0, 3));
    }
  });
});

it('a lone moment holds no port', async () => {
  const { summary } = await tell([`${ODD}lone_syn.pcap`], {});
  expect(summary.ports.worst.map(({ client, held }) => [client, held.peak])).toEqual([
    ['10.0.0.5', 1],
    ['10.0.0.1', 0],
  ]);
});

it('a TIME_WAIT that was restarted twice lasts longer under a longer 2MSL', async () => {
  const path = `${ODD}time_wait_restarted_twice.pcap`;
  const { summary } = await tell([path], { whatIf: [{ name: 'longer', twoMsl: 90e9 }] });
  const { summary: real } = await tell([path], { twoMsl: 90 });
  expect(summary.what_if![0]!.time_wait.mean).toBe(real.time_wait.mean);
});

it('an RST whose number counts a FIN is behind it, in whatever order they were captured', async () => {
  for (const name of ['rst_before_its_fin', 'doubtful_rst_before_its_fin']) {
    const { connections } = await tell([`${ODD}${name}.pcap`], {});
    const [{ close }] = connections as [ConnectionRecord];
    expect([name, close]).toMatchObject([name, { class: 'fin_then_rst', sequence: 'F> R>' }]);
    expect(close.modifiers).toContain('out_of_order');
  }
});

it('times before 1970 are those that the capture tells', async () => {
  const { connections, windows, summary } = await tell([`${ODD}before_1970.pcapng`], { interval: 10 });
  expect([summary.start, summary.end]).toEqual(['1969-12-31T23:58:20.000000Z', '1969-12-31T23:59:30.000000Z']);
  expect([windows.length, windows[0]!.start]).toEqual([8, summary.start]);
  expect(connections.flatMap(({ time_wait }) => time_wait)).toMatchObject([{ expiry: '1969-12-31T23:59:21.600000Z', ended_by: 'expiry' }]);
});
