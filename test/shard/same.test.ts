// The answer must not depend on how the work was cut. Threads run the built files, so this test takes Run from lib/.

import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Run } from '../../lib/merge/run.js';
import { summaryRecord } from '../../lib/merge/summary.js';
import { ACK, FIN, PSH, SYN } from '../../src/layout/tcp.ts';
import { bytes, type CapturedPacket, ethernet, fragmentHeader, ipv4, ipv6, pcap, tcp } from '../support/packets.ts';
import { pcapng } from '../support/pcapng.ts';
import { netmon, netxray } from '../support/ticks.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const captures = new URL('../captures/', import.meta.url);
const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const SECONDS = 1_700_000_000;

interface Cut {
  workers: number;
  windowBytes: number;
  io?: 'map';
}

async function answer(paths: string[], cut: Cut): Promise<string> {
  const run = await Run.open(paths, 'lines', true, { ...cut, interval: 0.05, per: { kind: 'host' } });
  const lines: Uint8Array[] = [];
  for await (const batch of run.batches()) lines.push(...(batch as Uint8Array[]));
  return `${Buffer.concat(lines).toString()}${JSON.stringify(summaryRecord(run.outcome()))}`;
}

/** Our captures, one close each. */
function stories(): string[] {
  const names = readdirSync(captures).filter((name) => /^s\d+.*\.pcap$/.test(name));
  expect(names.length).toBeGreaterThan(10);
  return names.toSorted().map((name) => new URL(name, captures).pathname);
}

/** Connections that send a whole capture as their payload, so that every cut meets record headers that are none. */
function carriers(inner: Uint8Array): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let micros = 0;
  const put = (connection: number, up: boolean, flags: number, seq: number, ack: number, payload: Uint8Array = bytes()): void => {
    const [source, destination] = up ? [40_000 + connection, 80] : [80, 40_000 + connection];
    const captured = ethernet(ipv4(tcp({ source, destination, flags, seq, ack, payload })));
    packets.push({ seconds: SECONDS + Math.floor(micros / 1e6), fraction: micros % 1e6, captured });
    micros += 500;
  };
  for (let connection = 0; connection < 40; connection++) {
    put(connection, true, SYN, 100, 0);
    put(connection, false, SYN | ACK, 700, 101);
    put(connection, true, ACK, 101, 701);
    let seq = 101;
    for (let at = connection; at < inner.length; at += 1400) {
      const payload = inner.subarray(at, at + 1400);
      put(connection, true, PSH | ACK, seq, 701, payload);
      seq += payload.length;
    }
    put(connection, true, FIN | ACK, seq, 701);
    put(connection, false, FIN | ACK, 701, seq + 1);
    put(connection, true, ACK, seq + 1, 702);
  }
  return packets;
}

/** The records of our captures. */
const records = (): Buffer => Buffer.concat(stories().map((path) => readFileSync(path).subarray(24)));

function treacherous(): string {
  const path = join(folder, 'treacherous.pcap');
  writeFileSync(path, pcap(carriers(records())));
  return path;
}

/** The same in another format, its own records in its payloads. */
function treacherousIn(name: string, make: (packets: readonly CapturedPacket[]) => Uint8Array): () => string {
  return () => {
    const inner = make(carriers(records()).slice(0, 200)).subarray(128);
    const path = join(folder, `treacherous.${name}`);
    writeFileSync(path, make(carriers(inner)));
    return path;
  };
}

/** Numbers below a limit, the same in each run (an LCG of Knuth and Lewis). */
function uniform(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** First and last fragments of few numbers, again and again: those of other connections, copies, and some that nothing belongs to. */
function fragments(): string {
  const packets: CapturedPacket[] = [];
  const random = uniform(7);
  const put = (captured: Uint8Array): void => {
    const micros = packets.length * 300;
    packets.push({ seconds: SECONDS + Math.floor(micros / 1e6), fraction: micros % 1e6, captured: ethernet(captured) });
  };
  for (let connection = 0; connection < 40; connection++) put(ipv4(tcp({ source: 40_000 + connection, flags: SYN })));
  for (let count = 0; count < 6000; count++) {
    const identification = random(30);
    const whole = tcp({
      source: 40_000 + random(40),
      seq: 100 * count,
      ack: 1,
      flags: ACK,
      payload: bytes(...Array<number>(28).fill(count & 255)),
    });
    const length = 8 + random(90);
    const inIpv6 = random(2) === 1;
    const fragment = (place: number, more: boolean, payload: Uint8Array): Uint8Array =>
      inIpv6
        ? ipv6(fragmentHeader(6, place, more, identification, payload), { next: 44 })
        : ipv4(payload, { fragment: (more ? 0x2000 : 0) | place, identification });
    const packet = random(2) === 1 ? fragment(0, true, whole) : fragment(6, false, bytes(...Array<number>(length).fill(0)));
    put(packet);
    if (random(5) === 0) put(packet);
  }
  for (let identification = 1000; identification < 6000; identification++) put(ipv4(bytes(0, 0, 0, 0), { fragment: 100, identification }));
  const path = join(folder, 'fragments.pcap');
  writeFileSync(path, pcap(packets));
  return path;
}

/** The same with times that run backwards again and again. */
function unordered(): string {
  const whole = readFileSync(treacherous());
  for (let at = 24, n = 0; at < whole.length; at += 16 + whole.readUInt32LE(at + 8), n++) {
    if (n % 7 === 3) whole.writeUInt32LE(whole.readUInt32LE(at) - (n % 21 === 3 ? 100 : 0), at);
    if (n % 5 === 2) whole.writeUInt32LE(Math.max(0, whole.readUInt32LE(at + 4) - 800), at + 4);
  }
  const path = join(folder, 'unordered.pcap');
  writeFileSync(path, whole);
  return path;
}

/** The same, its first kilobytes overwritten, or with a first time that nothing else agrees with. */
function damaged(name: string, damage: (capture: Buffer) => void): () => string {
  return () => {
    const whole = readFileSync(treacherous());
    damage(whole);
    const path = join(folder, `${name}.pcap`);
    writeFileSync(path, whole);
    return path;
  };
}

const CUTS: Cut[] = [
  { workers: 1, windowBytes: 700 },
  { workers: 2, windowBytes: 1 << 20 },
  { workers: 2, windowBytes: 40_001 },
  { workers: 3, windowBytes: 1_009 },
  { workers: 7, windowBytes: 5_003 },
  { workers: 16, windowBytes: 20_000 },
];

const LARGE_CUTS: Cut[] = [
  { workers: 1, windowBytes: 1 << 23 },
  { workers: 1, windowBytes: 1 << 23, io: 'map' },
  { workers: 2, windowBytes: 1 << 23, io: 'map' },
  { workers: 3, windowBytes: 5 << 20 },
  { workers: 18, windowBytes: 3 << 20, io: 'map' },
];

describe('the same lines and the same summary', () => {
  const whole: Cut = { workers: 1, windowBytes: 1 << 20 };

  it.each([
    ['payloads that are captures themselves', treacherous],
    ['the same in a capture of Network Monitor', treacherousIn('netmon', netmon)],
    ['the same in one of version 2.3', treacherousIn('netmon3', (packets) => netmon(packets, { minor: 3 }))],
    ['the same in one of NetXRay', treacherousIn('netxray', netxray)],
    ['times that run backwards', unordered],
    ['fragments whose numbers come again', fragments],
    ['zeros in the place of the first records', damaged('zeros', (capture) => capture.fill(0, 24, 9000))],
    ['a first time far ahead', damaged('ahead', (capture) => capture.writeUInt32LE(0x7fff_ffff, 24))],
    ['a first time far behind', damaged('behind', (capture) => capture.writeUInt32LE(7, 24))],
  ])('%s', async (_, make) => {
    const path = make();
    const expected = await answer([path], whole);
    expect(expected.split('\n').length).toBeGreaterThan(40);
    for (const cut of CUTS) expect(await answer([path], cut), JSON.stringify(cut)).toBe(expected);
  });

  it('windows of several units, full of the smallest records and of large ones', async () => {
    const path = join(folder, 'large.pcap');
    const small = carriers(bytes(1)).map(({ captured, seconds, fraction }, i) => ({
      captured: captured.subarray(0, i % 3 === 0 ? 54 : 20),
      seconds,
      fraction,
    }));
    const large = carriers(records().subarray(0, 150_000)).map(({ captured, fraction }) => ({ captured, seconds: SECONDS + 9, fraction }));
    const part = pcap(Array.from({ length: 200 }, () => small).flat());
    writeFileSync(path, bytes(part, ...Array.from({ length: 4 }, () => pcap(large).subarray(24))));
    const expected = await answer([path], whole);
    for (const cut of LARGE_CUTS) expect(await answer([path], cut), JSON.stringify(cut)).toBe(expected);
  });

  it('a block that claims megabytes, of packets more than a window has room for', async () => {
    const packets = carriers(bytes(1)).map(({ captured, seconds, fraction }) => ({
      captured: captured.subarray(0, 54),
      seconds,
      fraction,
    }));
    const part = pcapng(packets);
    const claiming = bytes(part, ...Array.from({ length: 499 }, () => part.subarray(pcapng([]).length)));
    const view = new DataView(claiming.buffer);
    let at = 0;
    for (let block = 0; block < 1000; block++) at += view.getUint32(at + 4, true);
    view.setUint32(at + 4, 8 << 20, true);
    const path = join(folder, 'claims.pcapng');
    writeFileSync(path, claiming);
    const expected = await answer([path], { workers: 1, windowBytes: 1 << 23 });
    expect(expected).toContain('"packets":120499,');
    for (const cut of [{ workers: 1, windowBytes: 1 << 20 }, { workers: 2, windowBytes: 1 << 21 }, ...LARGE_CUTS])
      expect(await answer([path], cut), JSON.stringify(cut)).toBe(expected);
  });

  it('what explain tells of a connection whose segments are fragmented', () => {
    const capture = fragments();
    const explained = (workers: number): string => {
      const args = ['explain', capture, '--connection', '10.0.0.2:40007-10.0.0.9:80', '--workers', `${workers}`];
      const { stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
      expect(stderr).toBe('');
      return stdout;
    };
    const expected = explained(1);
    expect(expected.split('\n').length).toBeGreaterThan(10);
    for (const workers of [2, 5]) expect(explained(workers)).toBe(expected);
  });

  it('a cut at every byte', async () => {
    const path = join(folder, 'short.pcap');
    writeFileSync(path, readFileSync(new URL('article.pcap', captures)));
    const expected = await answer([path], whole);
    for (let windowBytes = 1; windowBytes < 960; windowBytes += 1) expect(await answer([path], { workers: 1, windowBytes })).toBe(expected);
    for (let windowBytes = 60; windowBytes < 960; windowBytes += 97)
      expect(await answer([path], { workers: 4, windowBytes })).toBe(expected);
  });

  it('several captures as one', async () => {
    const paths = stories();
    const expected = await answer(paths, whole);
    for (const cut of CUTS) expect(await answer(paths, cut), JSON.stringify(cut)).toBe(expected);
  });

  it('a cut tail', async () => {
    const path = join(folder, 'cut.pcap');
    const content = readFileSync(treacherous());
    writeFileSync(path, content.subarray(0, content.length - 300));
    const expected = await answer([path], whole);
    expect(expected).toContain('"truncated":true');
    for (const cut of CUTS) expect(await answer([path], cut), JSON.stringify(cut)).toBe(expected);
  });
});

describe('a run with threads', () => {
  it('fails with one clear error where a capture vanishes, and leaves no thread behind', async () => {
    const path = join(folder, 'vanishes.pcap');
    writeFileSync(path, readFileSync(treacherous()));
    const run = await Run.open([path], 'lines', false, { workers: 3 });
    unlinkSync(path);
    await expect(async () => {
      for await (const _ of run.batches());
    }).rejects.toThrow(/vanishes\.pcap: offset 0: no such file/);
  });

  it.each([1, 2])('goes on without a capture that vanishes, with %i workers, and keeps what came before', async (workers) => {
    const path = join(folder, 'second.pcap');
    const later = readFileSync(treacherous());
    for (let at = 24; at < later.length; at += 16 + later.readUInt32LE(at + 8)) later.writeUInt32LE(later.readUInt32LE(at) + 1e6, at);
    writeFileSync(path, later);
    const alone = await Run.open([treacherous()], 'lines', false, { workers });
    for await (const _ of alone.batches());
    const run = await Run.open([treacherous(), path], 'lines', false, { workers });
    unlinkSync(path);
    for await (const _ of run.batches());
    expect(run.outcome().packets).toBe(alone.outcome().packets);
    expect(run.outcome().faults).toMatchObject([{ file: path, offset: 0, rule: 'no such file' }]);
  });

  it('may be left in the middle', async () => {
    const run = await Run.open([treacherous()], 'lines', false, { workers: 2, windowBytes: 5_000 });
    for await (const batch of run.batches()) if (batch.length > 0) break;
  });

  it('ends early where it is interrupted, and says so', async () => {
    const run = await Run.open([treacherous()], 'lines', false, { workers: 2, windowBytes: 5_000 });
    run.interrupt();
    for await (const _ of run.batches());
    expect(summaryRecord(run.outcome())).toMatchObject({ interrupted: true, packets: 0 });
  });

  it.each([0, -1, 1.5, 65, Number.NaN])('refuses %s workers', async (workers) => {
    await expect(Run.open([treacherous()], 'none', false, { workers })).rejects.toThrow(RangeError);
  });
});
