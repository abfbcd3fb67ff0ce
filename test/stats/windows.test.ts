// Windows of capture time against the connection records of the same run.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from lib/.
import { analyze } from '../../lib/index.js';
import { Run } from '../../lib/merge/run.js';
import type { ConnectionRecord, SummaryRecord, WindowRecord } from '../../src/index.ts';
import { ACK, FIN, RST, SYN } from '../../src/layout/tcp.ts';
import { WindowQueue } from '../../src/merge/window-queue.ts';
import { Intervals } from '../../src/stats/intervals.ts';
import { emptyPart, type WindowPart } from '../../src/stats/window-part.ts';
import { type CapturedPacket, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));
const stories = readdirSync(OURS)
  .filter((name) => /^(s\d|article).*\.pcap$/.test(name))
  .toSorted()
  .map((name) => OURS + name);

/** One port held towards a server's port. */
const holding = (port: number): WindowPart['held'] => [
  {
    keys: Float64Array.of(0, 0, 0, 1, 0, 0, 0, 2, port),
    counts: Float64Array.of(1),
  },
];

interface Told {
  connections: ConnectionRecord[];
  windows: WindowRecord[];
  summary: SummaryRecord;
  /** All of it, in order. */
  types: string[];
}

async function tell(paths: readonly string[], interval: number): Promise<Told> {
  const connections: ConnectionRecord[] = [];
  const windows: WindowRecord[] = [];
  const types: string[] = [];
  for await (const record of analyze(paths, { interval })) {
    types.push(record.type);
    if (record.type === 'connection') connections.push(record);
    else if (record.type === 'window') windows.push(record as WindowRecord);
    else return { connections, windows, summary: record, types };
  }
  throw new Error('no summary');
}

/** Counts by name of all windows together, without zeros. */
function total(windows: readonly WindowRecord[], of: (window: WindowRecord) => Record<string, number>): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const window of windows) for (const [name, n] of Object.entries(of(window))) sum[name] = (sum[name] ?? 0) + n;
  return Object.fromEntries(Object.entries(sum).filter(([, n]) => n !== 0));
}

/** A time as ns since 1970. */
const nanoseconds = (text: string): bigint =>
  BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000_000n + BigInt(text.slice(20, -1).padEnd(9, '0'));

/**
 * The most TIME_WAITs at once in a window, by the records; at its beginning those count that end there, and the capture's end is the last
 * one's own. `early`: as if each had begun with the last FIN, and not with the last ACK, which may come behind the window's end.
 */
function peakIn({ start, end }: WindowRecord, isLast: boolean, connections: readonly ConnectionRecord[], early: boolean): number {
  const [from, to] = [nanoseconds(start), nanoseconds(end) + (isLast ? 1n : 0n)];
  const events: { time: bigint; by: number }[] = [];
  let held = 0;
  for (const { close, time_wait: waits } of connections)
    for (const wait of waits) {
      const before = early && wait.basis === 'ack' ? BigInt(Math.round((close.last_ack_s ?? 0) * 1e9)) : 0n;
      const begins = nanoseconds(wait.start) - before;
      const ends = wait.ended_by === 'capture_end' ? to : nanoseconds(wait.end);
      if (begins < from && ends >= from) held++;
      if (begins >= from && begins < to) events.push({ time: begins, by: 1 });
      if (ends >= from && ends < to) events.push({ time: ends, by: -1 });
    }
  events.sort((one, other) => (one.time === other.time ? one.by - other.by : one.time < other.time ? -1 : 1));
  let peak = held;
  for (const { by } of events) peak = Math.max(peak, (held += by));
  return peak;
}

function addsUp({ connections, windows, summary }: Told, what: string): void {
  const { close, time_wait: wait } = summary;
  expect(
    total(windows, ({ opened, ended }) => ({ opened, ended })),
    what,
  ).toEqual({ opened: connections.length, ended: connections.length });
  expect(
    total(windows, (window) => window.close.class),
    what,
  ).toEqual(close.class);
  expect(
    total(windows, (window) => window.close.initiator),
    what,
  ).toEqual(close.initiator);
  expect(
    total(windows, (window) => window.close.sequence),
    what,
  ).toEqual(close.sequence);
  for (const name of ['duration_s', 'fin_ack_s', 'half_closed_s', 'last_ack_s'] as const)
    expect(total(windows, (window) => ({ count: window.close[name].count })).count ?? 0, `${what} ${name}`).toBe(close[name].count);
  const found = total(windows, ({ time_wait: { entered, restarted, expired, reused, assassinated } }) => ({
    entered,
    restarted,
    expired,
    reused,
    assassinated,
  }));
  const { expiry = 0, reuse = 0, rst = 0, capture_end = 0 } = wait.ended_by;
  const all = { entered: wait.entered, restarted: wait.restarts, expired: expiry, reused: reuse, assassinated: rst };
  expect(found, what).toEqual(Object.fromEntries(Object.entries(all).filter(([, n]) => n !== 0)));
  let now = 0;
  for (const window of windows) {
    const { time_wait: one, states, start, end, duration_s } = window;
    now += one.entered - one.expired - one.reused - one.assassinated;
    expect(one.now, `${what} ${start}`).toBe(now);
    expect(one.peak).toBeGreaterThanOrEqual(one.now);
    const [least, most] = [false, true].map((early) => peakIn(window, window === windows.at(-1), connections, early));
    expect(one.peak, `${what} ${start}`).toBeGreaterThanOrEqual(least!);
    expect(one.peak, `${what} ${start}`).toBeLessThanOrEqual(most!);
    const waiting = Object.entries(states).flatMap(([client, row]) =>
      Object.entries(row).map(([server, n]) => n * [client, server].filter((state) => state === 'TIME_WAIT').length),
    );
    expect(
      waiting.reduce((sum, n) => sum + n, 0),
      `${what} ${start}`,
    ).toBe(one.now);
    expect((Date.parse(end) - Date.parse(start)) / 1000).toBeCloseTo(duration_s, 2);
  }
  expect(windows.at(-1)?.time_wait.now ?? 0, what).toBe(capture_end);
}

describe('windows of capture time', () => {
  it.each([0.01, 1, 10, 100_000])('of %s s add up to the summary', async (interval) => {
    for (const path of stories) addsUp(await tell([path], interval), path);
    addsUp(await tell(stories, interval), 'all');
  });

  it('come between the connection lines in the order of time', async () => {
    const { types, connections, windows } = await tell(stories, 1);
    expect(windows.length).toBeGreaterThan(10);
    // What stands between two window lines are the records that the later one counts as ended.
    const between: number[] = [];
    let since = 0;
    for (const type of types) {
      if (type === 'connection') since++;
      else if (type === 'window') {
        between.push(since);
        since = 0;
      }
    }
    expect(between).toEqual(windows.map(({ ended }) => ended));
    expect(between.reduce((sum, n) => sum + n, 0)).toBe(connections.length);
    for (let i = 1; i < windows.length; i++) expect(windows[i]!.start >= windows[i - 1]!.end).toBe(true);
  });

  it('begin at multiples of the interval, and pass over times at which there is nothing', async () => {
    const { windows } = await tell([`${OURS}s13_reuse_after_300s.pcap`], 10);
    expect(windows.length).toBeGreaterThan(2);
    expect(windows.length).toBeLessThan(20);
    for (const { start } of windows) expect(Date.parse(start) % 10_000).toBe(0);
  });

  it('are none where no interval was asked for', async () => {
    for await (const record of analyze(stories)) expect(record.type).not.toBe('window');
  });

  it.skipIf(!existsSync(LAB))('have the TIME_WAIT, the ports and the states that the connection records have at their ends', async () => {
    for (const name of ['many_client_closes.server.pcap', 'port_churn.server.pcap', 'close_wait_leak.client.pcap']) {
      const told = await tell([LAB + name], 0.5);
      addsUp(told, name);
      const waits = told.connections.flatMap(({ time_wait }) => time_wait);
      for (const { end, time_wait: one, ports, states } of told.windows.slice(0, -1)) {
        const held = waits.filter((wait) => wait.start <= end && (wait.ended_by === 'capture_end' || wait.end > end));
        expect(one.now, `${name} ${end}`).toBe(held.length);
        const waiting = Object.entries(states).flatMap(([client, row]) =>
          Object.entries(row).map(([server, n]) => n * (Number(client === 'TIME_WAIT') + Number(server === 'TIME_WAIT'))),
        );
        expect(waiting.reduce((sum, n) => sum + n, 0)).toBe(held.length);
        expect(ports.reduce((sum, group) => sum + group.held, 0)).toBeGreaterThanOrEqual(held.length);
      }
    }
  });
});

const BEGINNING = 1_600_000_000;

const packet = (seconds: number, port: number, flags: number, seq: number, ack: number): CapturedPacket => ({
  seconds: BEGINNING + seconds,
  captured: ethernet(ipv4(tcp({ source: port, flags, seq, ack }), { identification: port + seq })),
});

/** The same of its server. */
const reply = (seconds: number, port: number, flags: number, seq: number, ack: number): CapturedPacket => ({
  seconds: BEGINNING + seconds,
  captured: ethernet(
    ipv4(tcp({ source: 80, destination: port, flags, seq, ack }), {
      source: '10.0.0.9',
      destination: '10.0.0.2',
      identification: port + seq,
    }),
  ),
});

describe('a refusal that is taken back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([1, 2, 100])('leaves windows of %i s that add up', async (interval) => {
    const path = join(folder, 'refused.pcap');
    const port = 40_000;
    const packets = [
      packet(0, port, SYN, 100, 0),
      reply(1, port, RST | ACK, 0, 101),
      packet(3, port, SYN, 100, 0),
      reply(4, port, SYN | ACK, 300, 101),
      packet(5, port, ACK, 101, 301),
      packet(7, port, FIN | ACK, 101, 301),
      reply(8, port, FIN | ACK, 301, 102),
      packet(9, port, ACK, 102, 302),
    ];
    writeFileSync(path, pcap(packets));
    const told = await tell([path], interval);
    expect(told.summary.close.class).toEqual({ three_segment: 1 });
    addsUp(told, `${interval} s`);
  });
});

/** A connection whose last ACK is not in the capture: TIME_WAIT begins at `time`, after `before` seconds in which the connection was open. */
const closed = (time: number, port: number, before = 1, seq = 100): CapturedPacket[] => [
  packet(time - before, port, SYN, seq, 0),
  reply(time - before, port, SYN | ACK, 500 + seq, seq + 1),
  packet(time - before, port, ACK, seq + 1, 501 + seq),
  packet(time - 1, port, FIN | ACK, seq + 1, 501 + seq),
  reply(time, port, FIN | ACK, 501 + seq, seq + 2),
];

describe('a TIME_WAIT whose last ACK is not in the capture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function waits(packets: readonly CapturedPacket[], interval: number): Promise<number[][]> {
    const path = join(folder, 'a.pcap');
    writeFileSync(path, pcap(packets.toSorted((one, other) => one.seconds! - other.seconds!)));
    const told = await tell([path], interval);
    addsUp(told, `${interval} s`);
    return told.windows.map(({ time_wait: { entered, expired, now, peak } }) => [entered, expired, now, peak]);
  }

  it('is over when it is, not when the 4-tuple is used again', async () => {
    // From 5 to 65, used again at 100; the other from 70 on. (The story begins 40 s after a full minute.)
    const packets = [...closed(5, 40_000), ...closed(100, 40_000, 1, 100_000), ...closed(70, 40_001), packet(110, 40_002, ACK, 1, 1)];
    expect(await waits(packets, 3600)).toEqual([[3, 1, 2, 2]]);
    const first = [...closed(5, 40_000), packet(100, 40_000, SYN, 100_000, 0), ...closed(70, 40_001), packet(110, 40_002, ACK, 1, 1)];
    expect(await waits(first, 3600)).toEqual([[2, 1, 1, 1]]);
    for (const interval of [1, 10, 60]) await waits(packets.concat(closed(90, 40_003)), interval);
  });

  it('that no window saw was there all the same', async () => {
    const packets = [...closed(25, 40_000), packet(200, 40_000, SYN, 100_000, 0), reply(200, 40_000, SYN | ACK, 900, 100_001)];
    expect(await waits(packets, 1200)).toEqual([[1, 1, 0, 1]]);
  });

  it('leaves in the window that begins when it is over, as one does whose last ACK is', async () => {
    const acked = [...closed(20, 40_000), packet(20, 40_000, ACK, 102, 602)];
    for (const packets of [closed(20, 40_001), acked, [...acked, ...closed(20, 40_001)]]) {
      const told = await waits([...packets, packet(90, 40_002, ACK, 1, 1)], 20);
      expect(told.map(([, expired]) => expired)).toEqual([0, 0, 0, 0, Math.ceil(packets.length / 6)]);
    }
  });
});

describe('closes that look like earlier ones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Ways to end: segments behind a handshake, as seconds, from the client or not, flags, and its numbers above those of the handshake. */
  const WAYS: readonly (readonly [number, boolean, number, number, number])[][] = [
    [
      [1, true, FIN | ACK, 0, 0],
      [1.5, false, ACK, 0, 1],
      [4, false, FIN | ACK, 0, 1],
      [4.2, true, ACK, 1, 1],
    ],
    [
      [1, false, FIN | ACK, 0, 0],
      [1.1, true, FIN | ACK, 0, 1],
      [1.2, false, ACK, 1, 1],
    ],
    [
      [1, true, FIN | ACK, 0, 0],
      [1, false, FIN | ACK, 0, 0],
      [1.1, true, ACK, 1, 1],
      [1.1, false, ACK, 1, 1],
    ],
    [[2, true, RST, 0, 0]],
    [
      [1, true, FIN | ACK, 0, 0],
      [1.1, false, ACK, 0, 1],
      [3, false, RST, 0, 0],
    ],
    [
      [1, true, FIN | ACK, 0, 0],
      [1.1, false, ACK, 0, 1],
    ],
    [
      [1, true, FIN | ACK, 0, 0],
      [1.1, false, FIN | ACK, 0, 1],
    ],
    [
      [1, true, FIN | ACK, 0, 0],
      [1.1, false, FIN | ACK, 0, 1],
      [1.2, true, ACK, 1, 1],
      [3, true, RST, 1, 0],
    ],
    // It repeats its FIN into a TIME_WAIT, which a new connection ends.
    [
      [1, true, FIN | ACK, 0, 0],
      [1.1, false, FIN | ACK, 0, 1],
      [1.2, true, ACK, 1, 1],
      [1.6, false, FIN | ACK, 0, 1],
      [1.7, true, ACK, 1, 1],
      [9, true, SYN, 100_000, 0],
      [9.1, false, SYN | ACK, 100_000, 100_001],
    ],
    [],
  ];
  const packets = Array.from({ length: 400 }, (_, i) => {
    const port = 40_000 + i;
    const at = i * 0.13;
    const opening = [packet(at, port, SYN, 10, 0), reply(at, port, SYN | ACK, 50, 11), packet(at, port, ACK, 11, 51)];
    const way = WAYS[(i * 7 + (i >> 5)) % WAYS.length]!;
    return opening.concat(
      way.map(([after, isClient, flags, seq, ack]) =>
        isClient
          ? packet(at + after * (1 + (i % 3)), port, flags, 11 + seq, 51 + ack)
          : reply(at + after * (1 + (i % 3)), port, flags, 51 + seq, 11 + ack),
      ),
    );
  })
    .flat()
    .toSorted((a, b) => a.seconds! - b.seconds!);

  it.each([{}, { twoMsl: 3 }, { per: { kind: 'host' } as const, twoMsl: 6 }, { idleTimeout: 20 }])(
    'count as if each was judged by itself, with %o',
    async (options) => {
      const path = join(folder, 'alike.pcap');
      writeFileSync(path, pcap(packets));
      for (const interval of [1, 10, 1000]) {
        const judged: string[] = [];
        for await (const record of analyze([path], { ...options, interval }))
          if (record.type !== 'connection' && record.type !== 'summary') judged.push(JSON.stringify(record));
        expect(judged.length).toBeGreaterThan(0);
        for (const form of ['none', 'lines'] as const) {
          for (const workers of [1, 2]) {
            const run = await Run.open([path], form, false, { ...options, interval, workers });
            let text = '';
            for await (const items of run.batches()) for (const item of items) text += Buffer.from(item as Uint8Array).toString();
            const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('{"type":"connection"'));
            expect(lines, `${form} ${workers}`).toEqual(judged);
          }
        }
      }
    },
  );
});

describe('silence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('in which a TIME_WAIT runs out that no timer is kept for has it once', async () => {
    const packets = [
      packet(0, 1000, SYN, 10, 0),
      reply(0, 1000, SYN | ACK, 50, 11),
      packet(0, 1000, FIN | ACK, 11, 51),
      reply(0, 1000, FIN | ACK, 51, 12), // its ACK is not in the capture
      packet(300, 2000, SYN, 10, 0),
    ];
    const path = join(folder, 'unanswered.pcap');
    writeFileSync(path, pcap(packets));
    for (const interval of [1, 7, 50]) {
      const told = await tell([path], interval);
      addsUp(told, `${interval} s`);
      const held = told.windows.filter(({ time_wait }) => time_wait.now > 0).length;
      expect(held * interval).toBeGreaterThanOrEqual(50);
      expect(held * interval).toBeLessThanOrEqual(63);
    }
    // All of it within one window.
    const { windows } = await tell([path], 1000);
    expect(windows.map(({ time_wait: { entered, expired, now, peak } }) => [entered, expired, now, peak])).toEqual([[1, 1, 0, 1]]);
  });

  it('has windows that leave as they come, however many of them one window of the file has', async () => {
    // Five thousand TIME_WAITs are passed over for each of six hundred windows: all within two megabytes.
    const packets = Array.from({ length: 5000 }, (_, i) => [
      packet(1, 1000 + i, SYN, 10, 0),
      reply(1, 1000 + i, SYN | ACK, 50, 11),
      packet(1, 1000 + i, FIN | ACK, 11, 51),
      reply(1, 1000 + i, FIN | ACK, 51, 12),
      packet(1, 1000 + i, ACK, 12, 52),
    ]).flat();
    // Of so many connections that each shard has some, in each window: it has no part of those in which it has none.
    for (let time = 2; time < 600; time++) for (let i = 0; i < 20; i++) packets.push(packet(time, 9000 + i, ACK, 5, 5));
    const path = join(folder, 'slow.pcap');
    writeFileSync(path, pcap(packets));
    for (const workers of [1, 2]) {
      const run = await Run.open([path], 'none', false, { interval: 1, per: { kind: 'host' }, twoMsl: 1e6, workers });
      const batches: number[] = [];
      for await (const items of run.batches()) if (items.length > 0) batches.push(items.length);
      expect(batches.length).toBeGreaterThan(2);
      expect(Math.max(...batches)).toBeLessThan(600);
    }
  });

  const HOUR = 3600;

  /** An hour in which one connection is open, and the FIN of another one's server was never seen; behind it, a segment. */
  function capture(): string {
    const path = join(folder, 'silence.pcap');
    writeFileSync(
      path,
      pcap([
        packet(0, 40_000, SYN, 100, 0),
        packet(0, 40_000, ACK, 101, 501),
        packet(0, 40_001, SYN, 100, 0),
        packet(0, 40_001, ACK, 101, 501),
        packet(1, 40_001, FIN | ACK, 101, 501),
        packet(2, 40_001, ACK, 102, 502),
        packet(HOUR, 40_000, ACK, 101, 501),
      ]),
    );
    return path;
  }

  const path = capture();

  it('has its windows, one behind the other, and a TIME_WAIT that no packet ends leaves in time', async () => {
    const { windows } = await tell([path], 0.1);
    expect(windows.length).toBe(HOUR * 10 + 1);
    for (let i = 1; i < windows.length; i++) expect(windows[i]!.start).toBe(windows[i - 1]!.end);
    const waits = windows.filter(({ states }) => 'TIME_WAIT' in states);
    expect([waits[0]?.end, waits.length]).toEqual(['2020-09-13T12:26:42.100000Z', 600]);
    expect(windows.slice(0, -1).map(({ states }) => states.ESTABLISHED?.ESTABLISHED)).toEqual([
      ...Array(10).fill(2),
      ...Array(HOUR * 10 - 10).fill(1),
    ]);
  });

  it('takes no memory, however many windows there are, and is the same for any number of workers', () => {
    const [one, two, three] = ['1', '2', '3'].map((workers) =>
      spawnSync(
        process.execPath,
        ['--max-old-space-size=24', CLI, 'stream', '--only', 'window', '--interval', '100ms', '--workers', workers, path],
        { encoding: 'utf8', maxBuffer: 1 << 28 },
      ),
    );
    expect([one!.stderr, one!.status]).toEqual(['', 0]);
    expect(one!.stdout.split('\n').length).toBe(HOUR * 10 + 2);
    expect(two!.stdout === one!.stdout && three!.stdout === one!.stdout).toBe(true);
  });
});

describe('a silence of a year', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['1', '2'])('does not keep %s workers from ending when they are interrupted', async (workers) => {
    const path = join(folder, 'year.pcap');
    writeFileSync(path, pcap([packet(0, 40_000, SYN, 100, 0), packet(365 * 86_400, 40_000, ACK, 101, 501)]));
    const args = ['stream', '--interval', '1ms', '--workers', workers, path];
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let last = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (last === '') child.kill('SIGINT');
      last = (last + text).slice(-8192);
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(130);
    expect(JSON.parse(last.trim().split('\n').at(-1)!)).toMatchObject({ type: 'summary', interrupted: true, packets: 2 });
  });
});

describe('windows of several shards', () => {
  it('are one of each number, in order, however often each shard repeats its own', () => {
    const runs = fc.array(fc.record({ gap: fc.nat(3), repeats: fc.nat(5), opened: fc.nat(9) }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(runs, { minLength: 1, maxLength: 3 }), fc.boolean(), (shards, cut) => {
        const queue = new WindowQueue(new Intervals(0, 1e9));
        const expected = new Map<number, number>();
        for (const shard of shards) {
          let number = 0;
          for (const { gap, repeats, opened } of shard) {
            number += gap;
            queue.add([{ ...emptyPart(0), number, repeats, opened }]);
            for (let last = number + repeats; number <= last; number++) expected.set(number, (expected.get(number) ?? 0) + opened);
          }
        }
        if (cut) queue.add([{ ...emptyPart(0), number: 1000, end: 1e12 + 5 }]);
        const found: [number, number][] = [];
        while (queue.isOver(999e9)) {
          const [{ number, opened }] = queue.take() as [WindowPart];
          expect(queue.isOver(number * 1e9)).toBe(false);
          found.push([number, opened]);
        }
        expect(found).toEqual([...expected].toSorted(([a], [b]) => a - b));
        expect([queue.isEmpty, queue.isOver(Infinity)]).toEqual([!cut, false]);
        if (cut) expect(queue.take()).toMatchObject([{ number: 1000, end: 1e12 + 5 }]);
        expect(queue.isEmpty).toBe(true);
      }),
    );
  });

  it('that repeat each other in all shards are added up once', () => {
    const queue = new WindowQueue(new Intervals(0, 1e9));
    queue.add([{ ...emptyPart(0), repeats: 3, held: holding(80) }]);
    queue.add([{ ...emptyPart(0), repeats: 5, held: holding(443) }]);
    const found = Array.from({ length: 6 }, () => queue.take()[0]!);
    expect(queue.isEmpty).toBe(true);
    expect(found.map(({ number, held }) => [number, held.length])).toEqual([0, 1, 2, 3, 4, 5].map((n) => [n, n < 4 ? 2 : 1]));
    expect(new Set(found.map((part) => part.held)).size).toBe(2);
  });

  it('of which many in a row are alike are told by one, however each shard has cut its own, and whenever they are taken', () => {
    // What each shard sees of each window: a connection that is there, and now and then one that begins.
    const shard = fc.array(fc.record({ length: fc.integer({ min: 1, max: 9 }), opened: fc.nat(1), open: fc.nat(1) }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(shard, { minLength: 1, maxLength: 3 }), fc.nat(4), fc.infiniteStream(fc.nat(9)), (shards, most, dice) => {
        const roll = (): number => dice.next().value as number;
        const parts = shards.flatMap((runs) => {
          let number = 0;
          return runs.flatMap(({ length, opened, open }) => {
            const all = Array.from({ length }, (_, i) => {
              const states = new Map(open === 0 ? [] : [['ESTABLISHED ESTABLISHED', open]]);
              return { ...emptyPart(0), number: number + i, opened: i === 0 ? opened : 0, states };
            });
            number += length;
            return all;
          });
        });
        /** The same parts, those that repeat the one before as one, or cut anywhere. */
        const runs = (cut: () => boolean): WindowPart[] => {
          const found: WindowPart[] = [];
          for (const part of parts) {
            const before = found.at(-1);
            const joins = before && before.number + before.repeats + 1 === part.number && before.opened + part.opened === 0;
            if (joins && before.states.size === part.states.size && !cut()) before.repeats++;
            else found.push({ ...part });
          }
          return found;
        };
        const told = (mine: WindowPart[], hurry: () => number): (readonly [number, number, number, number])[] => {
          const queue = new WindowQueue(new Intervals(0, 1e9), most);
          queue.add(mine);
          queue.add([{ ...emptyPart(0), number: 100, end: 100e9 + 5 }]);
          const found: WindowPart[] = [];
          for (let time = 0; time < 100; time += hurry()) while (queue.isOver(time * 1e9)) found.push(...queue.take(time * 1e9));
          while (!queue.isEmpty) found.push(...queue.take());
          return found.map(({ number, since = number, opened, states }) => [since, number, opened, [...states.values()][0] ?? 0]);
        };
        const one = told(
          runs(() => true),
          () => 1000,
        );
        expect(
          told(
            runs(() => false),
            () => 1000,
          ),
        ).toEqual(one);
        expect(
          told(
            runs(() => roll() < 3),
            () => 1 + roll(),
          ),
        ).toEqual(one);
        // The same, window by window.
        const expected: [number, number, number, number][] = [];
        const sum = (number: number, of: (part: WindowPart) => number): number =>
          parts.filter((part) => part.number === number).reduce((all, part) => all + of(part), 0);
        let alike = 0;
        for (const number of [...new Set(parts.map((part) => part.number))].toSorted((a, b) => a - b)) {
          const [opened, open] = [sum(number, (part) => part.opened), sum(number, ({ states }) => [...states.values()][0] ?? 0)];
          const before = expected.at(-1);
          alike = before?.[1] === number - 1 && before[3] === open && opened === 0 ? alike + 1 : 0;
          if (alike > most + 1) before![1] = number;
          else expected.push([number, number, opened, open]);
        }
        expect(one).toEqual([...expected, [100, 100, 0, 0]]);
      }),
    );
  });

  it('need an interval of at least a millisecond; one without end is none', async () => {
    const [path = ''] = stories;
    for (const interval of [0, -1, 1e-10, 0.0009, Number.NaN]) await expect(tell([path], interval)).rejects.toThrow(/an interval of/);
    expect((await tell([path], Infinity)).windows).toEqual([]);
  });
});

describe('the numbers of windows', () => {
  it('are found by time, whatever is rounded off', () => {
    const times = fc.double({ min: 0, max: 2 ** 60, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 4e9 }), fc.integer({ min: 1e6, max: 1e15 }), times, (origin, length, time) => {
        const intervals = new Intervals(origin, length);
        const over = intervals.over(time);
        expect(over).toBeGreaterThanOrEqual(-1);
        if (over >= 0) expect(intervals.end(over)).toBeLessThanOrEqual(time);
        expect(intervals.end(over + 1)).toBeGreaterThan(time);
        expect(intervals.last(over + 1)).toBeLessThan(intervals.end(over + 1));
        expect(intervals.over(intervals.last(over + 1))).toBe(over);
      }),
    );
  });
});
