// Whatever captures come in: as files, sets, folders, streams, while they grow, merged. Through the built command line.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { ACK, FIN, SYN } from '../src/layout/tcp.ts';
import { bytes, type CapturedPacket, ethernet, ipv4, pcap, snoop, tcp } from './support/packets.ts';
import { block, enhancedPacket, interfaceDescription, pcapng, sectionHeader } from './support/pcapng.ts';
import { netmon, netxray } from './support/ticks.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const CAPTURES = fileURLToPath(new URL('captures/', import.meta.url));
const ALL = join(CAPTURES, 'all_eth.pcap');
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  type: string;
  client: { port: number };
  close: { class: string };
  packets: number;
  connections: number;
  input: { captures: string[]; files: number; bytes: number; truncated: boolean; time_regressions: number; duplicates: number };
}

function stream(args: string[], stdin?: string | Buffer) {
  const ran = spawnSync(process.execPath, [CLI, 'stream', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 60_000,
    stdio: [stdin === undefined ? 'ignore' : openSync(stdin, 'r'), 'pipe', 'pipe'],
  });
  const texts = ran.stdout.split('\n').filter((line) => line !== '');
  const lines = texts.map((line) => JSON.parse(line) as Line);
  return {
    status: ran.status,
    stderr: ran.stderr,
    /** All but the summary's `input`, which tells the captures apart. */
    text: texts.map((line) => line.replace(/"input":\{.*?\}/, '')).join('\n'),
    connections: lines.filter(({ type }) => type === 'connection'),
    summaries: lines.filter(({ type }) => type === 'summary'),
  };
}

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A whole connection of a client's port: 7 packets, one each 10 ms from `second` on. */
function packetsOf(port: number, second: number): CapturedPacket[] {
  const segments: [up: boolean, flags: number, seq: number, ack: number][] = [
    [true, SYN, 100, 0],
    [false, SYN | ACK, 500, 101],
    [true, ACK, 101, 501],
    [true, FIN | ACK, 101, 501],
    [false, ACK, 501, 102],
    [false, FIN | ACK, 501, 102],
    [true, ACK, 102, 502],
  ];
  return segments.map(([up, flags, seq, ack], i) => ({
    seconds: 1_700_000_000 + second,
    fraction: i * 10_000,
    captured: ethernet(
      ipv4(
        tcp({ source: up ? port : 80, destination: up ? 80 : port, flags, seq, ack }),
        up ? { source: '10.0.0.1', destination: '10.0.0.2' } : { source: '10.0.0.2', destination: '10.0.0.1' },
      ),
    ),
  }));
}

const u32 = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
/** A frame of one raw block (RFC 8878 §3.1.1). */
const frame = (content: Uint8Array): Uint8Array => {
  const header = u32((content.length << 3) | 1).subarray(0, 3);
  return bytes(0x28, 0xb5, 0x2f, 0xfd, 0xa0, u32(content.length), header, content);
};

const expected = stream([ALL]);

describe('a stream', () => {
  it.each(['all_eth.pcap', 'all_eth.pcap.gz', 'all_eth.pcap.zst', 'all_eth.pcap.lz4', 'all_eth.pcap.xz'])(
    'of %s gives what the file does, by name, on standard input and through a pipe, with any number of workers',
    (name) => {
      expect(expected.connections.length).toBe(32);
      const path = join(CAPTURES, name);
      for (const workers of ['1', '2', '5']) expect(stream(['--workers', workers, path]).text, workers).toBe(expected.text);
      expect(stream(['-'], path).text).toBe(expected.text);
      const piped = spawnSync('sh', ['-c', `cat '${path}' | '${process.execPath}' '${CLI}' stream -`], { encoding: 'utf8' });
      expect(piped.stdout.trimEnd().replace(/"input":\{.*?\}/, '')).toBe(expected.text);
    },
  );

  it('is the same where a few bytes of its header come first, as frames of zstd may have it', () => {
    const whole = readFileSync(ALL);
    const first = frame(whole.subarray(0, 3));
    // Up to where as much ends as is read of a file at once.
    const skipped = new Uint8Array(262_144 - first.length - 8);
    const path = file('few.zst', bytes(0x50, 0x2a, 0x4d, 0x18, u32(skipped.length), skipped, first, frame(whole.subarray(3))));
    for (const captures of [stream([path]), stream(['-'], path)]) expect(captures.text).toBe(expected.text);
  });

  it('of much more xz than is looked at to begin with is read to its end', () => {
    const one = readFileSync(`${ALL}.xz`);
    const much = Array.from({ length: Math.ceil((4 << 20) / one.length) }, () => one);
    const { status, summaries } = stream(['--only', 'summary', file('much.xz', bytes(...much))]);
    expect(status).toBe(3); // file headers in its midst are no records
    expect(summaries[0]!.packets).toBeGreaterThan(much.length * (expected.summaries[0]!.packets - 20));
  });

  it('is not what comes of a folder, of which it is told that it is one', () => {
    for (const args of [['-'], ['--follow', '-'], ['--each', '-']])
      expect(stream(args, folder)).toMatchObject({
        status: 1,
        stderr: 'fourwaves: standard input: offset 0: a directory is not a capture\n',
      });
    expect(stream([ALL, '-'], folder)).toMatchObject({ status: 3 });
  });

  it('that is cut gives what comes before, with status 3', () => {
    const content = readFileSync(`${ALL}.gz`);
    const { status, stderr, summaries } = stream([file('cut.gz', content.subarray(0, content.length / 2))]);
    expect([status, summaries[0]!.input.truncated]).toEqual([3, true]);
    expect(summaries[0]!.packets).toBeGreaterThan(50);
    expect(stderr).toMatch(/cut\.gz: offset \d+: the gzip stream is cut/);
  });

  it('that is damaged gives what comes before, with status 3', () => {
    const content = new Uint8Array(readFileSync(`${ALL}.gz`));
    content.fill(0x55, 3000, 3100);
    const { status, stderr, summaries } = stream([file('damaged.gz', content)]);
    expect(status).toBe(3);
    expect(summaries[0]!.packets).toBeGreaterThan(50);
    expect(stderr).toMatch(/damaged\.gz: offset \d+: the gzip stream is damaged/);
  });

  it.each([
    ['whose checksum is wrong', -8, [], 'its checksum is wrong'],
    ['whose length is wrong', -1, [], 'its length is wrong'],
    ['with other bytes behind it', undefined, [1, 2, 3], 'neither a member nor zeros follow its end'],
  ])('of gzip %s has all packets, one complaint, and status 3', (what, at, behind, rule) => {
    const content = Buffer.from(gzipSync(readFileSync(ALL)));
    if (at !== undefined) content[content.length + at]! ^= 1;
    const { status, stderr, text } = stream([file(`${what}.gz`, bytes(content, ...behind))]);
    expect([status, text]).toEqual([3, expected.text]);
    expect(stderr.trimEnd()).toMatch(new RegExp(`^fourwaves: .*: offset \\d+: the gzip stream is damaged \\(${rule}\\)$`));
  });

  it('that is damaged is read on as the file would be', () => {
    const content = new Uint8Array(readFileSync(ALL));
    content.fill(0xee, 5000, 5200);
    content.fill(0, 20_000, 20_003);
    const path = file('garbled.pcap', content);
    const [read, streamed] = [stream([path]), stream(['-'], path)];
    expect(read.status).toBe(3);
    expect(streamed.text).toBe(read.text);
    expect(streamed.stderr).toBe(read.stderr.replaceAll(path, 'standard input'));
  });

  it.each<[string, (content: Buffer) => void]>([
    ['damaged in its first kilobytes', (content) => content.fill(0, 24, 5000)],
    ['begun with a time far ahead', (content) => content.writeUInt32LE(0x7fff_ffff, 24)],
  ])('that is %s is read as the file would be', (name, damage) => {
    const content = readFileSync(ALL);
    damage(content);
    const path = file(`${name}.pcap`, content);
    const [read, streamed, packed] = [stream([path]), stream(['-'], path), stream([file(`${name}.gz`, gzipSync(content))])];
    expect(read.connections.length).toBeGreaterThan(30);
    expect([streamed.text, packed.text]).toEqual([read.text, read.text]);
  });

  it.each([
    ['nothing', bytes(), 'an empty file is not a capture'],
    ['text', new TextEncoder().encode('hello, world, this is no capture at all'), 'not a capture: it seems to be text'],
    [
      'what an Endace card captured',
      bytes(...[0, 1].map((i) => bytes(0, 0, 0, 0, 0xc0 + i, 0x77, 0x8c, 0x65, 2, 4, 0, 80, 0, 0, 0, 64, new Uint8Array(64)))),
      'not a capture: it seems to be a capture of an Endace card (ERF)',
    ],
    ['text that was compressed', gzipSync('hello, world, this is no capture at all'), 'not a capture: it seems to be text'],
  ])('of %s is refused with status 1', (_name, content, rule) => {
    const { status, stderr } = stream(['-'], file('none', content));
    expect(status).toBe(1);
    expect(stderr).toBe(`fourwaves: standard input: offset 0: ${rule}\n`);
  });
});

const canConvert = spawnSync('editcap', ['--version']).status === 0;

describe('a capture that Wireshark has converted', () => {
  it.skipIf(!canConvert).each(['netmon2', 'ngwsniffer_2_0'])(
    'to %s is read as it was, in any number of windows (skipped without editcap)',
    (format) => {
      const path = join(folder, `converted.${format}`);
      const { status } = spawnSync('editcap', ['-F', format, ALL, path], { env: { ...process.env, TZ: 'UTC' } });
      expect(status).toBe(0);
      for (const workers of ['1', '3']) expect(stream(['--workers', workers, path]).text).toBe(expected.text);
      expect(stream(['-'], path).text).toBe(expected.text);
    },
  );
});

describe('a set of captures', () => {
  const whole = Array.from({ length: 12 }, (_, i) => packetsOf(40_000 + i, 2 * i)).flat();
  /** Parts of one capture, as rotation makes them, in the order of their names turned round. */
  const rotated = (suffix: string, make: (packets: CapturedPacket[]) => Uint8Array): string[] =>
    [0, 1, 2, 3].map((part) => file(`rotated.${suffix}/${9 - part}.${suffix}`, make(whole.slice(part * 21, part * 21 + 21))));
  const one = stream([file('whole.pcap', pcap(whole))]);

  it.each<[string, (packets: CapturedPacket[]) => Uint8Array]>([
    ['pcap', pcap],
    ['pcapng', pcapng],
    ['snoop', snoop],
    ['snoop.gz', (packets) => gzipSync(snoop(packets))],
    ['netmon', netmon],
    ['netmon.gz', (packets) => gzipSync(netmon(packets, { minor: 1 }))],
    ['netxray', netxray],
    ['netxray.gz', (packets) => gzipSync(netxray(packets))],
    ['gz', (packets) => gzipSync(pcap(packets))],
    ['pcapng.gz', (packets) => gzipSync(pcapng(packets))],
    ['big-endian.gz', (packets) => gzipSync(pcap(packets, { bigEndian: true }))],
  ])('of rotated %s files is one, in the order of time, connections carried on', (suffix, make) => {
    const paths = rotated(suffix, make);
    expect(one.connections.length).toBe(12);
    const set = stream(paths.toReversed());
    expect([set.status, set.stderr]).toEqual([0, '']);
    expect(set.text).toBe(one.text);
    expect(set.summaries[0]!.input).toMatchObject({ captures: paths, files: 4, time_regressions: 0 });
    const inFolder = stream([join(folder, `rotated.${suffix}`)]);
    expect(inFolder.text).toBe(one.text);
  });

  it('that overlap is merged by time', () => {
    const up = whole.filter((_, i) => i % 2 === 0);
    const down = whole.filter((_, i) => i % 2 === 1);
    const paths = [file('up.pcap', pcap(up)), file('down.pcapng', pcapng(down, { bigEndian: true }))];
    for (const order of [paths, paths.toReversed()]) {
      const set = stream(order);
      expect([set.status, set.stderr]).toEqual([0, '']);
      expect(set.text).toBe(one.text);
      const { time_regressions, bytes: read } = set.summaries[0]!.input;
      expect([time_regressions, read]).toEqual([0, paths.reduce((sum, path) => sum + statSync(path).size, 0)]);
    }
  });

  it('whose first packets come behind megabytes of other blocks are in the order of those packets', () => {
    const [first, second] = [pcapng(whole.slice(0, 42)), pcapng(whole.slice(42))];
    // Secrets (pcapng, "Decryption Secrets Block"), in front of all else that follows the section header.
    const secrets = Array.from({ length: 3 }, () => block(10, new Uint8Array(1_000_000).fill(0x41)));
    const behind = (content: Uint8Array): Uint8Array => bytes(sectionHeader(), ...secrets, content.subarray(sectionHeader().length));
    const late = behind(first);
    for (const contents of [
      [late, second],
      [gzipSync(late), second],
      [late, gzipSync(second)],
    ]) {
      const set = stream(contents.map((content, i) => file(`late.${9 - i}.cap`, content)));
      expect([set.status, set.stderr, set.text]).toEqual([0, '', one.text]);
    }
    expect(stream(['-'], file('late.pcapng', behind(pcapng(whole)))).text).toBe(one.text);
  });

  it('of which one has a wrong length loses no other packet when it is merged', () => {
    const content = Uint8Array.from(pcap(whole));
    const view = new DataView(content.buffer);
    let at = 24;
    for (let i = 0; i < 9; i++) at += 16 + view.getUint32(at + 8, true);
    view.setUint32(at + 8, view.getUint32(at + 8, true) + 1000, true);
    const silent = ethernet(new Uint8Array(46), 0x0806);
    const ends: CapturedPacket[] = [whole[0]!, whole.at(-1)!].map(({ seconds = 0 }) => ({ seconds, captured: silent }));
    const [damaged, others] = [file('length.pcap', content), file('ends.pcap', pcap(ends))];
    const [alone, merged] = [stream([damaged]), stream([damaged, others])];
    expect([alone.status, merged.status]).toEqual([3, 3]);
    expect(alone.summaries[0]!.packets).toBeGreaterThan(whole.length - 3);
    expect(merged.summaries[0]!.packets).toBe(alone.summaries[0]!.packets + ends.length);
    expect(stream([damaged, others, '--only', 'connection']).text).toBe(stream([damaged, '--only', 'connection']).text);
    expect(merged.stderr).toContain('length.pcap: offset');
  });

  it('that overlap, and have something behind their records, is merged by time', () => {
    const thirds = [0, 1, 2].map((third) => whole.filter((_, i) => i % 3 === third));
    const contents = [netmon(thirds[0]!), gzipSync(netmon(thirds[1]!, { minor: 2 })), netxray(thirds[2]!)];
    const set = stream(contents.map((content, i) => file(`third.${i}.cap`, content)));
    expect([set.status, set.stderr, set.text]).toEqual([0, '', one.text]);
  });

  it.each<[string, (packets: CapturedPacket[]) => Uint8Array]>([
    ['Network Monitor', (packets) => netmon(packets, { count: 100 })],
    ['NetXRay', (packets) => netxray(packets, { count: 100, end: 1 << 20 })],
  ])('of fewer records than a header of %s counts says so', (name, make) => {
    const [first, second] = [file(`${name}.1.cap`, make(whole.slice(0, 42))), file(`${name}.2.cap`, make(whole.slice(42)))];
    const rule = 'the header counts 100 records, and 42 were found';
    for (const paths of [[first], [first, second], [file(`${name}.gz`, gzipSync(readFileSync(first)))]]) {
      const { status, stderr, summaries } = stream(paths);
      expect([status, summaries[0]!.packets, summaries[0]!.input.truncated]).toEqual([3, 42 * paths.length, true]);
      expect(stderr.split(rule).length, stderr).toBe(1 + paths.length);
    }
    expect(stream(['-'], first).stderr).toContain(`standard input: offset`);
  });

  it('that begin years apart, each with several packets at its very start, is one', () => {
    const years = [0, 1, 2].map((year) => {
      const second = year * 31_536_000;
      const packets = packetsOf(40_000 + year, second);
      for (const packet of packets.slice(0, 3)) packet.fraction = 0;
      return file(`year.${year}.cap`, netmon(packets, { begin: (1_700_000_000n + BigInt(second)) * 1000n }));
    });
    const set = stream(years);
    expect([set.status, set.stderr, set.summaries[0]!.packets, set.connections.length]).toEqual([0, '', 21, 3]);
  });

  it('that overlap may be many', () => {
    const parts = Array.from({ length: 14 }, (_, part) => file(`many.${part}.pcap`, pcap(whole.filter((_one, i) => i % 14 === part))));
    const set = stream(parts);
    expect([set.status, set.stderr, set.text]).toEqual([0, '', one.text]);
  });

  it('that overlap goes on where one of them is cut or damaged', () => {
    const halves = [0, 1].map((half) => gzipSync(pcap(whole.filter((_, i) => i % 2 === half))));
    const [up, down] = halves.map((content, i) => file(`half.${i}.gz`, content));
    expect(stream([up!, down!]).text).toBe(one.text);
    const cut = file('half.cut.gz', halves[1]!.subarray(0, -100));
    const set = stream([up!, cut]);
    expect([set.status, set.summaries[0]!.input.truncated]).toEqual([3, true]);
    expect(set.stderr).toMatch(/half\.cut\.gz: offset \d+: the gzip stream is cut/);
    expect(set.summaries[0]!.packets).toBeGreaterThan(whole.length / 2);
  });

  it('that overlap may all be compressed by xz, of which the decompressor has only one stream open at a time', () => {
    const long = join(CAPTURES, 'long.pcap.xz'); // more than comes out of it at once
    const paths = ['a', 'b', 'c'].map((name) => file(`long.${name}.xz`, readFileSync(long)));
    const set = stream(paths);
    expect([set.status, set.stderr]).toEqual([0, '']);
    expect(set.summaries[0]).toMatchObject({ packets: 3 * 307, connections: 1, input: { duplicates: 2 * 307 } });
  });

  it('that overlap goes on behind damage at the beginning of one, and by the time on which its packets agree', () => {
    const [up, down] = [0, 1].map((half) => pcap(whole.filter((_, i) => i % 2 === half)));
    const first = file('begins.0.pcap', up!);
    const zeros = down!.slice();
    zeros.fill(0, 24, 100);
    const damaged = stream([first, file('begins.1.pcap', zeros)]);
    expect([damaged.status, damaged.summaries[0]!.packets]).toEqual([3, whole.length - 2]);
    expect(damaged.stderr).toMatch(/begins\.1\.pcap: offset 24: .*; \d+ bytes were passed over/);
    const ahead = down!.slice();
    new DataView(ahead.buffer).setUint32(24, 0x7fff_ffff, true);
    const set = stream([first, file('begins.2.pcap', ahead)]);
    expect([set.status, set.summaries[0]!.packets, set.summaries[0]!.input.time_regressions]).toEqual([0, whole.length, 0]);
    expect(set.connections.map(({ close }) => close.class)).toEqual(one.connections.map(({ close }) => close.class));
  });

  it.each<[string, (packets: CapturedPacket[]) => Uint8Array]>([
    ['pcap', pcap],
    ['pcapng', pcapng],
    ['Network Monitor', (packets) => netmon(packets)],
  ])('that overlap loses nothing behind a %s record whose time is far from that of all others', (name, make) => {
    const [up, down] = [0, 1].map((half) => whole.filter((_, i) => i % 2 === half));
    const first = file(`far.${name}.0.cap`, make(up!));
    for (const years of [-10, 5]) {
      const far = 20;
      const wrong = down!.with(far, { ...down![far]!, seconds: down![far]!.seconds! + years * 31_536_000 });
      const set = stream([first, file(`far.${name}.${years}.cap`, make(wrong))]);
      expect([set.status, set.stderr, set.summaries[0]!.packets]).toEqual([0, '', whole.length]);
      expect(set.summaries[0]!.input.time_regressions).toBe(1);
      const touched = one.connections.filter(({ client }) => client.port === 40_000 + Math.floor((2 * far + 1) / 7));
      expect(touched).toHaveLength(1);
      const others = (connections: typeof one.connections): typeof one.connections =>
        connections.filter(({ client }) => client.port !== touched[0]!.client.port);
      expect(others(set.connections)).toEqual(others(one.connections));
      expect(set.connections.map(({ close }) => close.class)).toEqual(one.connections.map(({ close }) => close.class));
    }
  });

  it('taken on two interfaces counts each packet once', () => {
    const paths = ['a', 'b'].map((name) => file(`copy.${name}.pcap`, pcap(packetsOf(40_000, 0))));
    const { summaries } = stream(paths);
    expect(summaries[0]).toMatchObject({ packets: 14, connections: 1, input: { duplicates: 7 } });
  });

  it('of which one breaks off, or is damaged, loses only what that one has lost', () => {
    const [first, second, third] = [0, 1, 2].map((part) => whole.slice(part * 28, part * 28 + 28));
    const cut = gzipSync(pcap(second!));
    const garbled = pcap(second!);
    garbled.fill(0xee, 24 + 70 * 7 + 8, 24 + 70 * 8);
    const parts = (middle: string): string[] => [file('part.1.pcap', pcap(first!)), middle, file('part.3.gz', gzipSync(pcap(third!)))];
    const cutSet = stream(parts(file('part.2.gz', cut.subarray(0, cut.length - 30))));
    expect([cutSet.status, cutSet.stderr]).toEqual([3, expect.stringMatching(/part\.2\.gz: offset \d+: the gzip stream is cut/)]);
    expect(cutSet.summaries[0]!.packets).toBeGreaterThan(2 * 28 + 14);
    expect(cutSet.connections.slice(-4).map(({ client }) => client.port)).toEqual([40_008, 40_009, 40_010, 40_011]);
    const garbledSet = stream(parts(file('part.2.pcap', garbled)));
    expect([garbledSet.status, garbledSet.stderr]).toEqual([
      3,
      expect.stringMatching(/part\.2\.pcap: offset \d+: .*; \d+ bytes were passed over/),
    ]);
    expect(garbledSet.summaries[0]!.packets).toBe(3 * 28 - 1);
  });

  it('may overlap and be compressed, each in whatever way', () => {
    for (const suffix of ['gz', 'zst', 'lz4', 'xz']) {
      const paths = [ALL, `${ALL}.${suffix}`, `${ALL}.${suffix}`];
      const { status, summaries, connections } = stream(paths);
      expect([suffix, status, summaries[0]!.packets, connections.length]).toEqual([suffix, 0, 3 * expected.summaries[0]!.packets, 32]);
    }
  });

  it('is analysed file by file where that is asked for', () => {
    const paths = rotated('pcap', pcap);
    const each = stream(['--each', ...paths]);
    expect(each.summaries.map(({ input }) => input.captures)).toEqual(paths.map((path) => [path]));
    const reports = spawnSync(process.execPath, [CLI, '--json', '--each', join(folder, 'rotated.pcap')], { encoding: 'utf8' });
    expect((JSON.parse(reports.stdout) as Line[]).map(({ packets }) => packets)).toEqual([21, 21, 21, 21]);
  });

  it('may have members that are none: they are faults by name, and left out of folders', () => {
    const good = file('mixed/good.pcap', pcap(packetsOf(40_000, 0)));
    const bad = file('mixed/readme.txt', new TextEncoder().encode('These are captures.\n'));
    expect(stream([good, bad])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('readme.txt: offset 0: not a capture') as string,
    });
    const leftOut = `fourwaves: left out: ${bad}: offset 0: not a capture: it seems to be text\n`;
    for (const args of [[], ['--each']]) expect(stream([...args, join(folder, 'mixed')])).toMatchObject({ status: 0, stderr: leftOut });
    expect(stream(['--each', good, bad])).toMatchObject({ status: 3 });
    rmSync(good);
    for (const args of [[], ['--each']]) {
      const none = stream([...args, join(folder, 'mixed')]);
      expect([none.status, none.stderr]).toEqual([1, expect.stringContaining(bad)]);
    }
    mkdirSync(join(folder, 'empty'));
    expect(stream([join(folder, 'empty')])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('the folder holds no files') as string,
    });
  });

  it.skipIf(process.platform === 'win32')(
    'may have members that cannot be read, or are no files: the first are faults, also in folders, and nobody waits for the others',
    () => {
      const place = join(folder, 'members');
      const good = file('members/good.pcap', pcap(packetsOf(40_000, 0)));
      const inner = file('members/inner/good.pcap', pcap(packetsOf(40_001, 0)));
      const pipe = join(place, 'pipe');
      spawnSync('mkfifo', [pipe]);
      const told = ['inner: offset 0: a folder in a folder', 'pipe: offset 0: no file'].map((rule) => `left out: ${join(place, rule)}`);
      for (const args of [[place], ['--each', place]]) {
        const { status, stderr, connections } = stream(args);
        expect([status, connections.length]).toEqual([0, 1]);
        for (const message of told) expect(stderr).toContain(message);
      }
      const cut = file('members/cut.pcap', pcap([]).subarray(0, 20));
      symlinkSync(join(place, 'nowhere'), join(place, 'link'));
      const { status, stderr, text } = stream([place]);
      expect([status, text]).toEqual([3, stream([good]).text]);
      for (const rule of ['link: offset 0: no such file', 'cut.pcap: offset 20: the file ends within its header'])
        expect(stderr).toContain(`fourwaves: ${join(place, rule)}`);
      for (const name of [good, cut, join(place, 'link')]) rmSync(name);
      for (const args of [[place], ['--each', place]]) expect(stream(args)).toMatchObject({ status: 1 });
      expect(stream([join(inner, '..')])).toMatchObject({ status: 0, stderr: '' });
    },
  );

  it.skipIf(process.platform !== 'linux')('may have members whose names are not UTF-8: they are faults that say what to do', () => {
    const place = join(folder, 'names');
    const good = file('names/good.pcap', pcap(packetsOf(40_000, 0)));
    const latin = Buffer.concat([Buffer.from(join(place, 'caf')), Buffer.of(0xe9)]);
    writeFileSync(latin, pcap(packetsOf(40_001, 1)));
    const shown = join(place, 'caf\uFFFD');
    const advice = 'rename it, or give it as standard input (- < FILE)';
    const message = `fourwaves: ${shown}: offset 0: no such file, because its name is not UTF-8, it seems: ${advice}`;
    const { status, stderr, text } = stream([place]);
    expect([status, text, stderr]).toEqual([3, stream([good]).text, `${message}; nothing that could be read follows\n`]);
    expect(stream(['--each', place])).toMatchObject({ status: 3, stderr: `${message}\n` });
    // Arguments of spawn are strings: a shell hands on the bytes.
    for (const command of ['', 'stream --follow']) {
      const ran = spawnSync('sh', ['-c', `exec '${process.execPath}' '${CLI}' ${command} '${place}'/caf*`], { encoding: 'utf8' });
      expect(ran).toMatchObject({ status: 1, stderr: `${message}\n` });
    }
    expect(stream([place, '-'], latin).connections.map(({ client }) => client.port)).toEqual([40_000, 40_001]);
  });

  it('does not wait for compressed members that are none', () => {
    const good = file('logs/good.pcap', pcap(packetsOf(40_000, 0)));
    // More than a thread decompresses before somebody takes it.
    const bad = file('logs/large.zst', bytes(...Array.from({ length: 100 }, () => frame(new Uint8Array(100_000)))));
    expect(stream([bad])).toMatchObject({ status: 1, stderr: expect.stringContaining('not a capture') as string });
    for (const args of [[], ['--each']])
      expect(stream([...args, join(folder, 'logs')])).toMatchObject({ status: 0, text: stream([good]).text });
  });

  it('of a thousand files does not need as many descriptors', () => {
    for (let i = 0; i < 1000; i++) file(`thousand/${i}.pcap`, pcap(packetsOf(30_000 + i, i)));
    for (let i = 0; i < 300; i++) file(`thousand/${i}.gz`, gzipSync(pcap(packetsOf(50_000 + i, i))));
    const ran = spawnSync('sh', ['-c', `ulimit -n 100; exec '${process.execPath}' '${CLI}' --json '${join(folder, 'thousand')}'`], {
      encoding: 'utf8',
    });
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toMatchObject({ packets: 9100, connections: 1300, input: { files: 1300, time_regressions: 0 } });
  });
});

/** What a program prints, line by line, while it runs. */
class Live {
  readonly lines: Line[] = [];
  messages = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(command: string, args: string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => void (this.messages += text));
    let rest = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      this.lines.push(...parts.map((line) => JSON.parse(line) as Line));
    });
    this.ended = new Promise((resolve) => void this.child.once('close', resolve));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed meanwhile
  }
};

describe('a capture that is still being made', () => {
  const content = pcap([...packetsOf(40_000, 0), ...packetsOf(40_001, 100), ...packetsOf(40_002, 200)]);

  it('gives its lines as they come through a pipe', async () => {
    const live = new Live(process.execPath, [CLI, 'stream', '-']);
    // The second connection's packets end the first one's TIME_WAIT; the third ones come only after its line was seen.
    const third = content.length - (7 * (content.length - 24)) / 21;
    live.child.stdin!.write(content.subarray(0, 10));
    live.child.stdin!.write(content.subarray(10, third));
    await live.until(() => live.lines.length === 1);
    live.child.stdin!.end(content.subarray(third));
    expect(await live.ended).toBe(0);
    expect(live.lines.map(({ type, client }) => [type, client?.port])).toEqual([
      ['connection', 40_000],
      ['connection', 40_001],
      ['connection', 40_002],
      ['summary', undefined],
    ]);
  });

  it('is followed through rotation until a signal, which it answers with a summary and its status', async () => {
    const path = join(folder, 'growing.pcap');
    writeFileSync(path, content.subarray(0, 300));
    const live = new Live(process.execPath, [CLI, 'stream', '--follow', path]);
    await new Promise((resolve) => void setTimeout(resolve, 300));
    appendFileSync(path, content.subarray(300));
    await live.until(() => live.lines.length === 2);
    renameSync(path, `${path}.1`);
    // Whoever writes it learns of that later, and makes the new one only then.
    await new Promise((resolve) => void setTimeout(resolve, 500));
    appendFileSync(`${path}.1`, pcap(packetsOf(40_004, 250)).subarray(24));
    writeFileSync(path, pcapng(packetsOf(40_003, 300)));
    await live.until(() => live.lines.length === 3);
    live.child.kill('SIGINT');
    expect(await live.ended).toBe(130);
    expect(live.messages).toBe('');
    expect(live.lines.at(-1)).toMatchObject({
      type: 'summary',
      packets: 35,
      connections: 5,
      interrupted: true,
      input: { truncated: false },
    });
  });

  it('whose name is taken by what is no capture goes on with the next one, and tells of it at once, and once', async () => {
    const others: [what: string, content: Uint8Array, rule: string][] = [
      [
        'compressed data',
        gzipSync(content),
        'a compressed file is not followed; tail -c +1 -f FILE | fourwaves stream - reads one as it grows',
      ],
      ['text', Buffer.from('These are captures.\n'.repeat(50)), 'not a capture: it seems to be text'],
      ['little text', Buffer.from('Captures:\n'), 'not a capture: it seems to be text'],
    ];
    for (const [what, other, rule] of others) {
      const path = file(`taken/${what}`, content);
      const live = new Live(process.execPath, [CLI, 'stream', '--follow', path]);
      await live.until(() => live.lines.length === 2);
      renameSync(file('taken/other', other), path);
      await live.until(() => live.messages.endsWith('\n'));
      renameSync(file('taken/next', pcap([...packetsOf(40_003, 300), ...packetsOf(40_004, 400)])), path);
      await live.until(() => live.lines.length === 4);
      live.child.kill('SIGINT');
      expect(await live.ended).toBe(130);
      expect(live.messages).toBe(`fourwaves: ${path}: offset 0: ${rule}; the next file of its name is waited for\n`);
      expect(live.lines.at(-1)).toMatchObject({ type: 'summary', packets: 35, connections: 5, input: { files: 1, truncated: true } });
    }
  });

  it.skipIf(process.platform !== 'linux')(
    'whose name is taken by what cannot be opened, or read, goes on with the next file, too',
    async () => {
      const path = file('held.pcap', content);
      const live = new Live(process.execPath, [CLI, 'stream', '--follow', path]);
      await live.until(() => live.lines.length === 2);
      const socket = createServer();
      await new Promise<void>((resolve) => void socket.listen(`${path}.socket`, resolve));
      renameSync(`${path}.socket`, path);
      await live.until(() => live.messages.endsWith('\n'));
      expect(live.messages).toMatch(/held\.pcap: offset 0: .*ENXIO.*; the next file of its name is waited for\n$/);
      expect(spawnSync('mkfifo', [`${path}.pipe`]).status).toBe(0);
      renameSync(`${path}.pipe`, path);
      await new Promise((resolve) => void setTimeout(resolve, 500)); // it has been looked at
      renameSync(file('held.next', pcap(packetsOf(40_003, 300))), path);
      await live.until(() => live.lines.length === 3);
      socket.close();
      live.child.kill('SIGINT');
      expect(await live.ended).toBe(130);
      expect(live.messages.match(/\n/g)).toHaveLength(1);
    },
  );

  it('is written anew where it was no capture, longer or shorter than that', async () => {
    for (const length of [10_000, 50]) {
      const path = file('anew.pcap', content);
      const live = new Live(process.execPath, [CLI, 'stream', '--follow', path]);
      await live.until(() => live.lines.length === 2);
      renameSync(file('other.pcap', new Uint8Array(length)), path);
      await live.until(() => live.messages.endsWith('\n'));
      await new Promise((resolve) => void setTimeout(resolve, 300)); // it has been looked at once more
      writeFileSync(path, pcap(packetsOf(40_003, 300)));
      await live.until(() => live.lines.length === 3);
      live.child.kill('SIGTERM');
      expect(await live.ended).toBe(143);
    }
  });

  it('is refused where it is none to begin with, and a way named where it is compressed', () => {
    const rule = 'a compressed file is not followed; tail -c +1 -f FILE | fourwaves stream - reads one as it grows';
    for (const suffix of ['gz', 'zst', 'lz4', 'xz'])
      expect(stream(['--follow', `${ALL}.${suffix}`])).toMatchObject({
        status: 1,
        stderr: `fourwaves: ${ALL}.${suffix}: offset 0: ${rule}\n`,
      });
    const text = file('none.txt', Buffer.from('Captures:\n'));
    expect(stream(['--follow', text])).toMatchObject({
      status: 1,
      stderr: `fourwaves: ${text}: offset 0: not a capture: it seems to be text\n`,
    });
  });

  it.skipIf(process.platform === 'win32')('and compressed is read as it grows in the way that is named', async () => {
    const path = file('growing.gz', gzipSync(content));
    const tail = spawn('tail', ['-c', '+1', '-f', path], { stdio: ['ignore', 'pipe', 'ignore'] });
    const live = new Live(process.execPath, [CLI, 'stream', '-']);
    tail.stdout.pipe(live.child.stdin!);
    await live.until(() => live.lines.length === 2);
    appendFileSync(path, gzipSync(pcap(packetsOf(40_003, 300)).subarray(24)));
    await live.until(() => live.lines.length === 3);
    tail.kill();
    expect(await live.ended).toBe(0);
  });

  it('that is not there yet is waited for, with a message that says so', async () => {
    const path = join(folder, 'later.pcap');
    const live = new Live(process.execPath, [CLI, 'stream', '--follow', path]);
    await live.until(() => live.messages.endsWith('\n'));
    writeFileSync(path, content);
    await live.until(() => live.lines.length === 2);
    live.child.kill('SIGINT');
    expect(await live.ended).toBe(130);
    expect(live.messages).toBe(`fourwaves: ${path}: not there yet, and waited for\n`);
  });

  it.skipIf(process.platform !== 'linux')('that nobody writes yet is waited for, until a signal', async () => {
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    for (const args of [[pipe], ['--json', pipe], ['stream', '--follow', pipe]]) {
      const waiting = new Live(process.execPath, [CLI, ...args]);
      const descriptors = `/proc/${waiting.child.pid}/fd`;
      await waiting.until(() => readdirSync(descriptors).some((name) => linkOf(join(descriptors, name)) === pipe));
      waiting.child.kill('SIGINT');
      expect(await waiting.ended, args.join(' ')).toBe(130);
      expect(waiting.lines).toEqual([]);
    }
    const live = new Live(process.execPath, [CLI, 'stream', pipe]);
    writeFileSync(pipe, content); // as soon as it is opened
    expect(await live.ended).toBe(0);
    expect(live.lines.map(({ type }) => type)).toEqual(['connection', 'connection', 'connection', 'summary']);
  });

  it('that is followed is told from a folder, and from a link that leads nowhere', () => {
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    expect(stream(['--follow', folder])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('a directory is not a capture') as string,
    });
    for (const args of [[loop], ['--follow', loop], ['--each', loop]])
      expect(stream(args)).toMatchObject({ status: 1, stderr: `fourwaves: ${loop}: offset 0: symbolic links that lead in a circle\n` });
  });

  it('whose messages nobody reads ends quietly', () => {
    const ran = spawnSync('bash', ['-c', `('${process.execPath}' '${CLI}' nowhere; echo $? >&3) 2>&1 | true`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    expect(ran.output[3]).toBe('1\n');
  });

  const canCapture = process.getuid?.() === 0 && existsSync('/usr/bin/tcpdump');
  it.skipIf(!canCapture)(
    'is real traffic through tcpdump, ended by SIGINT (skipped without tcpdump, or the right to capture)',
    async () => {
      const server = createServer({ allowHalfOpen: false }, (socket: Socket) => void socket.end('bye'));
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const tcpdump = spawn('tcpdump', ['-i', 'lo', '-U', '-w', '-', 'tcp', 'port', String(port)], { stdio: ['ignore', 'pipe', 'ignore'] });
      const live = new Live(process.execPath, [CLI, 'stream', '--2msl', '0.2', '-']);
      live.child.stdin!.on('error', () => void tcpdump.kill()); // what it still captures, nobody reads
      tcpdump.stdout.on('data', (chunk: Buffer) => void live.child.stdin!.write(chunk));
      const meet = async (): Promise<void> => {
        const socket = connect(port, '127.0.0.1').resume();
        await new Promise((resolve) => void socket.once('close', resolve));
      };
      // Nobody knows when tcpdump is ready: connections are made until one was seen while all still runs.
      await live.until(() => {
        void meet();
        return live.lines.length >= 3;
      });
      expect(live.lines.every(({ type }) => type === 'connection')).toBe(true);
      live.child.kill('SIGINT');
      expect(await live.ended).toBe(130);
      tcpdump.kill();
      server.close();
      expect(live.lines.at(-1)).toMatchObject({ type: 'summary', interrupted: true });
      expect(live.lines.some(({ type, close }) => type === 'connection' && close.class !== 'unknown')).toBe(true);
    },
  );
});

describe('a capture of two interfaces that are written in turns, as dumpcap does', () => {
  const SEGMENTS = [
    [0, SYN],
    [1, SYN | ACK],
    [0, ACK],
    [0, FIN | ACK],
    [1, FIN | ACK],
    [0, ACK],
  ] as const;
  const [CLIENT, SERVER] = ['10.0.0.2', '10.0.0.1'];
  /** Every packet is seen by both, 30 us apart; a turn is 150 ms. */
  const turns = (copies: readonly number[]): Uint8Array => {
    const blocks = Array.from({ length: 8 }, (_, turn) =>
      copies.flatMap((copy) =>
        SEGMENTS.flatMap(([from, flags], i) =>
          [0, 1, 2].map((one) => {
            const at = turn * 150_000 + one * 40_000 + i * 5000 + copy * 30;
            const ends = [40_000 + turn * 3 + one, 80] as const;
            const [source, destination] = from === 0 ? ends : [ends[1], ends[0]];
            const seq = flags & SYN ? 100 : i < 4 ? 101 : from === 0 && i === 5 ? 102 : 101;
            const ack = flags === SYN ? 0 : i < 4 ? 101 : 102;
            const segment = tcp({ source, destination, flags, seq, ack });
            const captured = ethernet(
              ipv4(segment, {
                identification: i + 1,
                ...(from === 0 ? { source: CLIENT, destination: SERVER } : { source: SERVER, destination: CLIENT }),
              }),
            );
            return { at, block: enhancedPacket({ captured, interface: copy, seconds: 1_600_000_000, fraction: at }) };
          }),
        ).sort((a, b) => a.at - b.at),
      ),
    );
    return bytes(sectionHeader(), interfaceDescription(), interfaceDescription(), ...blocks.flat().map(({ block: written }) => written));
  };

  it.each([1, 3])('has each packet once: %i workers', (workers) => {
    const results = [[0, 1], [0]].map((copies) => {
      const path = join(folder, `turns-${copies.length}.pcapng`);
      writeFileSync(path, turns(copies));
      const { stdout, status } = spawnSync(process.execPath, [CLI, 'stream', '--workers', `${workers}`, path], { encoding: 'utf8' });
      expect(status).toBe(0);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line & { segments: number; input: { duplicates: number } });
      const { segments, input } = lines.at(-1)!;
      return { closes: lines.slice(0, -1).map(({ client, close }) => [client.port, close]), segments, duplicates: input.duplicates };
    });
    expect(results[0]).toEqual({ ...results[1], duplicates: 144 });
    expect(results[1]).toMatchObject({ segments: 144, duplicates: 0 });
  });
});
