import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from lib/.
import { analyze } from '../../lib/index.js';
import type { AnalyzeOptions, ConnectionRecord, SummaryRecord } from '../../src/index.ts';
import { reportOf } from '../support/report.ts';
import { reportText } from '../../src/report/text.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

async function tell(paths: string | readonly string[], options: AnalyzeOptions) {
  const connections: ConnectionRecord[] = [];
  for await (const record of analyze(paths, options)) {
    if (record.type === 'connection') connections.push(record);
    else if (record.type === 'summary') return { connections, summary: record };
  }
  throw new Error('no summary');
}

/** What of the ports other settings may change. */
const figures = ({ worst, range, sustained_per_s }: SummaryRecord['ports']) => ({
  range,
  sustained_per_s,
  worst: worst.slice(0, 3).map(({ client, server, server_port, held, pressure, above_80_s }) => ({
    client,
    server,
    server_port,
    held,
    pressure,
    above_80_s,
  })),
});

async function comparesWithReality(path: string): Promise<void> {
  const whatIf = [{ name: 'shorter', twoMsl: 2e9 }, { name: 'longer', twoMsl: 500e9 }, { name: 'fewer', ports: 40 }, { name: 'none' }];
  const { summary, connections } = await tell(path, { whatIf });
  const [shorter, longer, fewer, none] = summary.what_if!;
  expect(none, path).toMatchObject({ ports: figures(summary.ports), time_wait: { peak: summary.time_wait.peak } });
  expect(fewer!.ports, path).toEqual(figures((await tell(path, { ports: 40 })).summary.ports));
  // Where nothing but time ends a TIME_WAIT, another length is what --2msl does.
  if (
    connections.some(({ time_wait }) =>
      time_wait.some(({ ended_by, restarts }) => restarts > 0 || ended_by === 'rst' || ended_by === 'reuse'),
    )
  )
    return;
  for (const [found, twoMsl] of [
    [shorter!, 2],
    [longer!, 500],
  ] as const) {
    // ... unless it would last until its ports are used again, which a what-if does not follow.
    const again = new Set(connections.map(({ community_id }) => community_id)).size < connections.length;
    if (again && twoMsl > 60) continue;
    const { time_wait: real, ports } = (await tell(path, { twoMsl })).summary;
    const { now, peak, peak_at, mean } = real;
    expect(found.time_wait, path).toEqual({ now, peak, ...(peak_at !== undefined && { peak_at }), mean });
    expect(found.ports, path).toEqual(figures(ports));
  }
}

describe('what if', () => {
  const stories = readdirSync(OURS).filter((name) => /^(s\d|article).*\.pcap$/.test(name));

  it('another setting says what the run with that setting says', async () => {
    expect(stories.length).toBeGreaterThan(20);
    for (const name of stories) await comparesWithReality(OURS + name);
  });

  it.skipIf(!existsSync(LAB))('of the lab, too', async () => {
    for (const name of ['many_client_closes.server.pcap', 'simultaneous_close.client.pcap', 'close_wait_leak.client.pcap'])
      await comparesWithReality(LAB + name);
  });

  it.skipIf(!existsSync(LAB))('ports that may be taken again after a second are held for one', async () => {
    const path = `${LAB}many_client_closes.server.pcap`;
    const { summary } = await tell(path, { whatIf: [{ name: 'tw_reuse=1', reuse: true }] });
    const [reuse] = summary.what_if!;
    const [worst] = reuse!.ports.worst;
    expect(reuse!.time_wait.peak).toBe(2000);
    expect(worst!.held.peak).toBeGreaterThan(95); // 100 connections a second
    expect(worst!.held.peak).toBeLessThan(110);
    const text = reportText(reportOf(summary, 'x'), false);
    expect(text).toMatch(/as seen +2,000 +1,001 +2,000/);
    expect(text).toMatch(/tw_reuse=1 +2,000 +1,001 +103/);
  });
});
