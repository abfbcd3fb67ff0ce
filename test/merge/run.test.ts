/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// Whole runs over files, through the library: the answer must not depend on how the capture was written down or read.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type AnalyzeOptions,
  analyze,
  CaptureError,
  type ConnectionRecord,
  type GroupWindowRecord,
  type SummaryRecord,
  type WindowRecord,
} from '../../src/index.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/layout/tcp.ts';
import { Run } from '../../src/merge/run.ts';
import { summaryRecord } from '../../src/merge/summary.ts';
import { type CapturedPacket, type CaptureFields, documentation, ethernet, ipv4, ipv6, LINKS, pcap, tcp } from '../support/packets.ts';

const CAPTURES = fileURLToPath(new URL('../captures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function written(content: Uint8Array): string {
  const path = join(folder, `${files++}.pcap`);
  writeFileSync(path, content);
  return path;
}

async function analysed(captures: string | readonly string[], options: AnalyzeOptions = {}) {
  const records: (ConnectionRecord | WindowRecord | GroupWindowRecord | SummaryRecord)[] = [];
  for await (const record of analyze(captures, options)) records.push(record);
  const summary = records.pop();
  if (summary?.type !== 'summary') throw new Error('the last record is no summary');
  return { connections: records as ConnectionRecord[], summary };
}

/** Half a dozen connections that end in different ways, as IP packets with their times in µs. */
function traffic(six = false): { time: number; ip: Uint8Array<ArrayBuffer> }[] {
  const closes: Record<string, [fromClient: boolean, flags: number, seq: number, ack: number, payload?: number][]> = {
    four: [
      [true, FIN | ACK, 101, 301],
      [false, ACK, 301, 102],
      [false, FIN | ACK, 301, 102],
      [true, ACK, 102, 302],
    ],
    three: [
      [false, FIN | ACK, 301, 101],
      [true, FIN | ACK, 101, 302],
      [false, ACK, 302, 102],
    ],
    half: [
      [true, FIN | ACK, 101, 301],
      [false, ACK, 301, 102],
      [false, ACK | PSH, 301, 102, 700],
      [false, FIN | ACK, 1001, 102],
      [true, ACK, 102, 1002],
    ],
    reset: [[true, RST | ACK, 101, 301]],
    open: [[true, ACK, 101, 301]],
  };
  const packets: { time: number; ip: Uint8Array<ArrayBuffer> }[] = [];
  Object.values(closes).forEach((close, i) => {
    const segments: [boolean, number, number, number, number?][] = [
      [true, SYN, 0, 0],
      [false, SYN | ACK, 0, 1],
      [true, ACK, 1, 1],
      [true, ACK | PSH, 1, 1, 100],
      [false, ACK | PSH, 1, 101, 300],
      ...close,
    ];
    segments.forEach(([fromClient, flags, seq, ack, payload = 0], n) => {
      const ports = fromClient ? { source: 40000 + i, destination: 80 } : { source: 80, destination: 40000 + i };
      const segment = tcp({
        ...ports,
        flags,
        seq: ((fromClient ? 4_294_967_200 : 7000) + seq) % 2 ** 32,
        ack: (flags & ACK) === 0 ? 0 : ((fromClient ? 7000 : 4_294_967_200) + ack) % 2 ** 32,
        payload: new Uint8Array(payload).fill(n),
      });
      const [client, server] = six ? [documentation(2), documentation(9)] : ['10.0.0.2', '10.0.0.9'];
      const [source, destination] = fromClient ? [client, server] : [server, client];
      packets.push({
        time: i * 300_000 + n * 100_000,
        ip: six
          ? ipv6(segment, { source: source as number[], destination: destination as number[] })
          : ipv4(segment, { source: source as string, destination: destination as string, identification: i * 100 + n }),
      });
    });
  });
  return packets.sort((a, b) => a.time - b.time);
}

function captured(
  wrap: (ip: Uint8Array<ArrayBuffer>) => Uint8Array,
  fields: CaptureFields & { cut?: number } = {},
  six = false,
): Uint8Array {
  const packets = traffic(six).map(({ time, ip }): CapturedPacket => {
    const bytes = wrap(ip);
    return {
      seconds: 1_600_000_000 + Math.floor(time / 1e6),
      fraction: (time % 1e6) * (fields.nanoseconds ? 1000 : 1),
      original: bytes.length,
      captured: fields.cut === undefined ? bytes : bytes.subarray(0, fields.cut),
    };
  });
  return pcap(packets, fields);
}

/** What must be the same: all but the size of the files. */
async function answer(capture: Uint8Array | string, options: AnalyzeOptions = {}) {
  const { connections, summary } = await analysed(typeof capture === 'string' ? capture : written(capture), {
    transitions: true,
    ...options,
  });
  const { input: _input, ...rest } = summary;
  return { connections, summary: rest };
}

describe('the same connections', () => {
  const reference = () => answer(captured(ethernet));

  it('end in five ways', async () => {
    const { connections } = await reference();
    expect(connections.map(({ close, client, server }) => `${close.class} ${client.bytes} ${server.bytes}`).sort()).toEqual([
      'four_wave 100 300',
      'half_close 100 1000',
      'not_closed 100 300',
      'rst_abort 100 300',
      'three_segment 100 300',
    ]);
  });

  for (const six of [false, true]) {
    for (const { name, linkType, wrap } of LINKS) {
      it(`over ${name}, IPv${six ? 6 : 4}`, async () => {
        expect(await answer(captured(wrap, { linkType }, six))).toEqual(await answer(captured(ethernet, {}, six)));
      });
    }
  }

  it('in either byte order', async () => {
    expect(await answer(captured(ethernet, { bigEndian: true }))).toEqual(await reference());
  });

  it('with the headers only: 54 bytes of each packet', async () => {
    expect(await answer(captured(ethernet, { cut: 54, snaplen: 54 }))).toEqual(await reference());
  });

  it('in nanoseconds, the digits of the times aside', async () => {
    const microseconds = (_key: string, value: unknown): unknown =>
      typeof value === 'number' ? Number(value.toFixed(6)) : typeof value === 'string' ? value.replace(/(\.\d{6})000Z$/, '$1Z') : value;
    const shorter = (value: unknown): unknown => JSON.parse(JSON.stringify(value, microseconds)) as unknown;
    expect(shorter(await answer(captured(ethernet, { nanoseconds: true })))).toEqual(await reference());
  });

  it('over IPv6 as over IPv4, the addresses aside', async () => {
    const facts = async (six: boolean) =>
      // oxlint-disable-next-line no-map-spread
      (await answer(captured(ethernet, {}, six))).connections.map(
        ({ community_id: _id, client: { ip: _a, ...client }, server: { ip: _b, ...server }, ...record }) => ({ ...record, client, server }),
      );
    expect(await facts(true)).toEqual(await facts(false));
  });
});

describe('windows of any size give the same lines', () => {
  const names = [...readdirSync(CAPTURES), ...readdirSync(join(CAPTURES, 'lab')).map((name) => `lab/${name}`)].filter((name) =>
    name.endsWith('.pcap'),
  );
  for (const name of names) {
    it(name, async () => {
      const whole = await analysed(join(CAPTURES, name), { transitions: true });
      for (const windowBytes of [1, 40, 77, 1000]) {
        const cut = await analysed(join(CAPTURES, name), { transitions: true, windowBytes });
        expect(cut.connections, String(windowBytes)).toEqual(whole.connections);
        expect(cut.summary, String(windowBytes)).toEqual(whole.summary);
      }
    });
  }
});

describe('a run', () => {
  const article = join(CAPTURES, 'article.pcap');

  it('fails where no capture can be read, and names the first', async () => {
    await expect(analysed([join(folder, 'a'), join(folder, 'b')])).rejects.toThrow(CaptureError);
    await expect(analysed([join(folder, 'a'), join(folder, 'b')])).rejects.toThrow(/a: offset 0: no such file/);
  });

  it('that is interrupted reports what has been read', async () => {
    const path = written(captured(ethernet));
    const run = await Run.open([path], 'records', false, { windowBytes: 200 });
    const records: ConnectionRecord[] = [];
    let turns = 0;
    for await (const batch of run.batches()) {
      records.push(...(batch as ConnectionRecord[]));
      if (++turns === 2) run.interrupt();
    }
    const summary = summaryRecord(run.outcome());
    expect(summary).toMatchObject({ interrupted: true, connections: records.length });
    expect(summary.packets).toBeGreaterThan(0);
    expect(summary.packets).toBeLessThan(traffic().length);
    expect(records.reduce((sum, { client, server }) => sum + client.segments + server.segments, 0)).toBe(summary.segments);
  });

  it('without connections keeps the statistics', async () => {
    const run = await Run.open([article], 'none', false, {});
    for await (const batch of run.batches()) expect(batch).toEqual([]);
    expect(summaryRecord(run.outcome())).toMatchObject({
      connections: 1,
      close: { class: { four_wave: 1 } },
      time_wait: { entered: 1, peak: 1 },
    });
  });

  it('over a capture whose clock goes back counts it, and time never runs backwards in the records', async () => {
    const { summary, connections } = await analysed(join(CAPTURES, 'e_back.pcap'), { transitions: true });
    expect(summary.input.time_regressions).toBeGreaterThan(0);
    for (const { client, server, duration_s } of connections) {
      expect(duration_s).toBeGreaterThanOrEqual(0);
      for (const { states = [] } of [client, server])
        expect(states.map(([, at]) => at)).toEqual(states.map(([, at]) => at).toSorted((a, b) => a - b));
    }
  });
});

describe('the summary', () => {
  it('states from when on the population is complete, and what it was', async () => {
    const { summary } = await analysed(join(CAPTURES, 's13_reuse_after_300s.pcap'));
    const { time_wait, start } = summary;
    expect(time_wait).toMatchObject({ profile: 'linux', '2msl_s': 60, entered: 2, peak: 1, ended_by: { expiry: 1, capture_end: 1 } });
    expect(Date.parse(time_wait.complete_from!) - Date.parse(start!)).toBe(60_000);
  });

  it('weighs who still waits at the end with the time until then', async () => {
    const { summary } = await analysed(join(CAPTURES, 's12_reuse_tw_2s.pcap'));
    const { connections } = await analysed(join(CAPTURES, 's12_reuse_tw_2s.pcap'));
    const held = connections
      .flatMap(({ time_wait }) => time_wait)
      .reduce((sum, { start, end }) => sum + (Date.parse(end) - Date.parse(start)) / 1000, 0);
    expect(summary.time_wait.mean).toBeCloseTo(held / summary.duration_s, 2);
    const later = traffic().filter(({ ip }) => ip.length > 0);
    const capture = pcap([
      ...later.map(({ time, ip }) => ({ seconds: 1_600_000_000 + Math.floor(time / 1e6), fraction: time % 1e6, captured: ethernet(ip) })),
      { seconds: 1_600_000_030, captured: ethernet(ipv4(tcp({ flags: SYN, source: 5 }), { source: '1.2.3.4' })) },
    ]);
    const waiting = await analysed(written(capture));
    const area = waiting.connections
      .flatMap(({ time_wait }) => time_wait)
      .reduce((sum, { start, end }) => sum + (Date.parse(end) - Date.parse(start)) / 1000, 0);
    expect(area).toBeGreaterThan(80);
    expect(waiting.summary.time_wait.mean).toBeCloseTo(area / waiting.summary.duration_s, 3);
  });
});
