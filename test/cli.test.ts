/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// The built command line, as a user runs it.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ACK, FIN, SYN } from '../src/layout/tcp.ts';
import type { SummaryRecord } from '../src/merge/summary.ts';
import type { WindowRecord } from '../src/merge/window.ts';
import type { ConnectionRecord } from '../src/records/connection.ts';
import { type CapturedPacket, ethernet, ipv4, pcap, pcapHeader, pcapRecord, tcp } from './support/packets.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const CAPTURES = fileURLToPath(new URL('captures/', import.meta.url));
const ARTICLE = join(CAPTURES, 'article.pcap');
/** The connection of the article. */
const SSH = '10.0.0.3:55692-10.0.0.2:22';
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

if (!existsSync(CLI)) throw new Error(`${CLI} is not built: npm run build`);

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000 });
  return { status, stdout, stderr };
}

type Line = ConnectionRecord | WindowRecord | SummaryRecord;

function stream(...args: string[]) {
  const ran = run('stream', ...args);
  const lines = ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return {
    ...ran,
    lines,
    connections: lines.filter((line) => line.type === 'connection'),
    summary: lines.find((line) => line.type === 'summary'),
  };
}

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A whole connection, `at` seconds after the others', of the client's port. */
function connection(port: number, at = 0): CapturedPacket[] {
  const segments: [fromClient: boolean, flags: number, seq: number, ack: number][] = [
    [true, SYN, 100, 0],
    [false, SYN | ACK, 500, 101],
    [true, ACK, 101, 501],
    [true, FIN | ACK, 101, 501],
    [false, ACK, 501, 102],
    [false, FIN | ACK, 501, 102],
    [true, ACK, 102, 502],
  ];
  return segments.map(([fromClient, flags, seq, ack], i) => {
    const [source, destination] = fromClient ? (['10.0.0.2', '10.0.0.9'] as const) : (['10.0.0.9', '10.0.0.2'] as const);
    const ports = fromClient ? { source: port, destination: 80 } : { source: 80, destination: port };
    return {
      seconds: 1_600_000_000 + at,
      fraction: i * 10_000,
      captured: ethernet(ipv4(tcp({ ...ports, flags, seq, ack }), { source, destination, identification: i + 1 })),
    };
  });
}

/** Whether `actual` holds all that `expected` says; lists of words may hold more. */
function expectHeld(actual: unknown, expected: unknown, path: string): void {
  if (Array.isArray(expected) && expected.every((item) => typeof item === 'string')) {
    expect(actual, path).toEqual(expect.arrayContaining(expected));
  } else if (Array.isArray(expected)) {
    expect(actual, path).toHaveLength(expected.length);
    expected.forEach((item, i) => expectHeld((actual as unknown[])[i], item, `${path}[${i}]`));
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected))
      expectHeld((actual as Record<string, unknown> | undefined)?.[key], value, `${path}.${key}`);
  } else expect(actual, path).toBe(expected);
}

describe('the command line', () => {
  it('--help prints the usage and every option, --version the version', () => {
    const help = run('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    for (const word of [
      'Usage',
      'stream',
      'explain',
      '--connection',
      '--json',
      '--only',
      '--transitions',
      '--profile',
      '--2msl',
      '--idle-timeout',
      'Exit status',
    ]) {
      expect(help.stdout).toContain(word);
    }
    expect(run('-h').stdout).toBe(help.stdout);
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('report is what is done without a command', () => {
    const report = run('report', ARTICLE);
    expect(report).toMatchObject({ status: 0, stderr: '' });
    expect(run(ARTICLE)).toEqual(report);
  });

  it('many threads leave standard error empty', () => {
    expect(run('stream', '--workers', '12', ARTICLE)).toEqual({ ...run('stream', '--workers', '1', ARTICLE), stderr: '' });
  });

  it('a filter that cannot be understood is shown with the place', () => {
    const { status, stderr } = run('--filter', 'host 1.2.3', ARTICLE);
    expect([status, stderr]).toEqual([
      2,
      "fourwaves: --filter: '1.2.3' is no IP address, and names are not looked up\n  host 1.2.3\n       ^\nTry 'fourwaves --help'.\n",
    ]);
  });

  it('an option that has one value is not given two, whatever they are; others may be repeated', () => {
    const options = ['--filter', '--connection', '--workers', '--2msl', '--interval', '--io', '--html'];
    for (const option of options) {
      for (const args of [
        [option, '1', ARTICLE, option, '2'],
        [`${option}=1`, `${option}=1`, ARTICLE],
      ]) {
        const { status, stdout, stderr } = run(...args);
        const message = `fourwaves: ${option} is given twice: it has one value\nTry 'fourwaves --help'.\n`;
        expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: message });
      }
    }
    const { status, stdout } = run('--json', '--what-if', '2msl=10', '--json', '--what-if', '2msl=20', ARTICLE);
    expect([status, (JSON.parse(stdout) as SummaryRecord).what_if?.length]).toEqual([0, 2]);
  });

  const misuses: [string, string[]][] = [
    ['no capture', []],
    ['no capture to report', ['report']],
    ['no capture to stream', ['stream']],
    ['standard input twice', ['-', '-']],
    ['an unknown option', ['--frobnicate', ARTICLE]],
    ['an unknown profile', ['--profile', 'amiga', ARTICLE]],
    ['a profile that every object has', ['--profile', 'toString', ARTICLE]],
    ['2MSL that is no number', ['--2msl', 'long', ARTICLE]],
    ['2MSL of zero', ['--2msl', '0', ARTICLE]],
    ['2MSL below zero', ['--2msl=-1', ARTICLE]],
    ['an empty 2MSL', ['--2msl', '', ARTICLE]],
    ['an option without its value', [ARTICLE, '--2msl']],
    ['an unknown type of line', ['stream', '--only', 'connection,packet', ARTICLE]],
    ['no type of line', ['stream', '--only', '', ARTICLE]],
    ['an option of another command', ['report', '--transitions', ARTICLE]],
    ['a page of stream', ['stream', '--html', join(folder, 'stream.html'), ARTICLE]],
    ['a page where there is no folder', ['--html', join(folder, 'nowhere', 'page.html'), ARTICLE]],
    ['an option of report given to stream', ['stream', '--json', ARTICLE]],
    ['an option of report and stream given to explain', ['explain', '--top', '3', '--connection', SSH, ARTICLE]],
    ['no connection to explain', ['explain', ARTICLE]],
    ['no capture to explain a connection of', ['explain', '--connection', SSH]],
    ['a connection without ports', ['explain', '--connection', '10.0.0.3-10.0.0.2', ARTICLE]],
    ['a connection of names', ['explain', '--connection', 'client:55692-server:22', ARTICLE]],
    ['a connection of a port that there cannot be', ['explain', '--connection', '10.0.0.3:55692-10.0.0.2:65536', ARTICLE]],
    ['a connection of two families', ['explain', '--connection', '10.0.0.3:55692-[::1]:22', ARTICLE]],
    ['an IPv6 address with a zone', ['explain', '--connection', '[fe80::1%eth0]:1-[::1]:2', ARTICLE]],
    ['nothing but windows, and no interval', ['stream', '--only', 'window', ARTICLE]],
    ['the same said twice', ['stream', '--only', 'window,window', ARTICLE]],
    ['2MSL that is no decimal number', ['--2msl', '0x10', ARTICLE]],
    ['2MSL behind a space', ['--2msl', ' 7', ARTICLE]],
    ['workers that are no decimal number', ['--workers', '1e0', ARTICLE]],
    ['a number of hosts that is none', ['--top', '0x8', ARTICLE]],
    ['a first port that there cannot be', ['explain', '--connection', '10.0.0.3:65536-10.0.0.2:22', ARTICLE]],
    ['an IPv6 address without brackets', ['explain', '--connection', '::1:55692-::2:22', ARTICLE]],
  ];
  for (const [what, args] of misuses) {
    it(`${what} is misuse: status 2, a word on standard error, nothing on standard output`, () => {
      const { status, stdout, stderr } = run(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^fourwaves: .+\nTry 'fourwaves --help'\.\n$/);
      expect(stderr).not.toContain('    at ');
    });
  }
});

describe('--html', () => {
  const path = join(folder, 'page.html');

  it('writes a page instead of text, and with --json both', () => {
    expect(run('report', '--html', path, ARTICLE)).toEqual({ status: 0, stdout: '', stderr: '' });
    const page = readFileSync(path, 'utf8');
    expect(page).toMatch(/^<!doctype html>\n[^]*<h2>TIME_WAIT <small>linux, 60 s<\/small><\/h2>[^]*<\/html>\n$/);
    expect(run('report', '--html', path, '--json', ARTICLE)).toEqual(run('report', '--json', ARTICLE));
    expect(readFileSync(path, 'utf8')).toBe(page);
  });

  it('prints several reports with an empty line between them', () => {
    const [one, other] = [run('report', ARTICLE).stdout, run('report', join(CAPTURES, 's10_never_closed.pcap')).stdout];
    expect(run('report', '--each', ARTICLE, join(CAPTURES, 's10_never_closed.pcap')).stdout).toBe(`${one}\n${other}`);
  });

  it('writes one page of several reports', () => {
    expect(run('report', '--html', path, '--each', ARTICLE, join(CAPTURES, 's10_never_closed.pcap'))).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(readFileSync(path, 'utf8').match(/<article>/g)).toHaveLength(2);
  });

  it('leaves the page alone where there is nothing to report', () => {
    writeFileSync(path, 'the page of yesterday');
    expect(run('report', '--html', path, join(folder, 'missing.pcap'))).toMatchObject({ status: 1, stdout: '' });
    expect(readFileSync(path, 'utf8')).toBe('the page of yesterday');
  });

  it.skipIf(!existsSync('/dev/full'))('goes into what cannot be cut, too, and says what cannot be written: status 1', () => {
    const through = spawnSync('sh', ['-c', `"${process.execPath}" "${CLI}" --html /dev/stdout "${ARTICLE}" | cat`], { encoding: 'utf8' });
    expect(through).toMatchObject({ stderr: '', stdout: expect.stringMatching(/^<!doctype html>[^]*<\/html>\n$/) as string });
    const full = run('report', '--html', '/dev/full', ARTICLE);
    expect(full).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^fourwaves: \/dev\/full: ENOSPC.*\n$/) as string });
  });

  it('leaves no empty page where there is none', () => {
    const fresh = join(folder, 'fresh.html');
    expect(run('report', '--html', fresh, join(folder, 'missing.pcap'))).toMatchObject({ status: 1, stdout: '' });
    expect(existsSync(fresh)).toBe(false);
  });

  it('may lie in the folder that is analysed', () => {
    const around = join(folder, 'around');
    mkdirSync(around);
    writeFileSync(join(around, 'ssh.pcap'), readFileSync(ARTICLE));
    for (let i = 0; i < 2; i++) expect(run('report', '--html', join(around, 'page.html'), around)).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(join(around, 'page.html'), 'utf8')).toContain('<p>1 connection in 11 packets');
  });

  it('does not write over what comes on standard input', () => {
    const capture = file('input.pcap', readFileSync(ARTICLE));
    const ran = spawnSync('sh', ['-c', `"${process.execPath}" "${CLI}" --html "${capture}" - < "${capture}"`], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(readFileSync(capture)).toEqual(readFileSync(ARTICLE));
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe that is to be read, too', () => {
    const pipe = join(folder, 'both');
    spawnSync('mkfifo', [pipe]);
    const ran = spawnSync(process.execPath, [CLI, '--html', pipe, pipe], { encoding: 'utf8', timeout: 20_000 });
    expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('that is what is to be read') as string });
  });

  it('does not write over a capture, whatever that is called', () => {
    const inside = join(folder, 'captures');
    mkdirSync(inside);
    for (const name of ['ssh.pcap', 'ssh.html', 'ssh']) {
      const capture = join(inside, name);
      writeFileSync(capture, readFileSync(ARTICLE));
      for (const args of [[capture], [inside]]) {
        expect(run('report', '--html', join(inside, '..', 'captures', name), ...args)).toMatchObject({ status: 2, stdout: '' });
        expect(readFileSync(capture)).toEqual(readFileSync(ARTICLE));
      }
    }
  });
});

describe('explain', () => {
  const explained = run('explain', '--connection', SSH, ARTICLE);

  it('draws the connection, and says nothing else', () => {
    expect(explained).toMatchObject({ status: 0, stderr: '' });
    expect(explained.stdout).toContain('    2.184725  FIN_WAIT2     <-------------------------------- ACK ack 2 --  CLOSE_WAIT\n');
  });

  it('draws the same with several threads, mapped, and from standard input', () => {
    expect(run('explain', '--connection', SSH, '--workers', '3', ARTICLE)).toEqual(explained);
    expect(run('explain', '--connection', SSH, '--io', 'map', ARTICLE)).toEqual(explained);
    const piped = spawnSync(process.execPath, [CLI, 'explain', '--connection', SSH, '-'], {
      input: readFileSync(ARTICLE),
      encoding: 'utf8',
    });
    expect({ status: piped.status, stdout: piped.stdout, stderr: piped.stderr }).toEqual(explained);
  });

  it('draws what a later capture shows: that TIME_WAIT is over', () => {
    const both = run('explain', '--connection', SSH, join(CAPTURES, 's10_never_closed.pcap'), ARTICLE);
    expect(both.stdout).toContain('  TIME_WAIT  client, 2021-06-10T17:31:59.809483Z to 2021-06-10T17:32:59.809483Z: expiry\n');
    expect(both.stdout.endsWith(`\n${'62.185033'.padStart(12)}  CLOSED\n`)).toBe(true);
  });

  it('is drawn in README as it is', () => {
    expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8')).toContain(`${SSH}\n${explained.stdout}\`\`\`\n`);
  });

  it('draws IPv6, whose addresses stand in brackets', () => {
    const path = join(CAPTURES, 'e_v6.pcap');
    const { client, server } = stream(path).connections[0]!;
    const name = `[${client.ip}]:${client.port}-[${server.ip}]:${server.port}`;
    const ladder = run('explain', '--connection', name, path);
    expect(ladder).toMatchObject({ status: 0, stderr: '' });
    expect(ladder.stdout.split('\n')[0]).toBe(name);
  });

  it('says so where there is no such connection: status 1', () => {
    expect(run('explain', '--connection', '10.0.0.3:55692-10.0.0.2:23', ARTICLE)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'fourwaves: none of the 11 packets was found to be a segment of 10.0.0.3:55692-10.0.0.2:23 (not_ip 2, filtered 9)\n',
    });
  });

  it('says, too, why nothing of it could be found', () => {
    const usb = run('explain', '--connection', SSH, file('usb.pcap', pcapHeader({ linkType: 189 })), ARTICLE);
    expect(usb.status).toBe(0);
    const unknown = pcap([{ captured: Uint8Array.of(1, 2, 3) }], { linkType: 189 });
    const { status, stderr } = run('explain', '--connection', SSH, file('usb.pcap', unknown));
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /1 packet has a link type that is not supported, or that no header tells \(headers have 189\)\n.*the only packet is not a segment of 10\.0\.0\.3:55692/,
    );
  });

  it('tells what came before the end of a cut capture: status 3', () => {
    const cut = run('explain', '--connection', SSH, file('cut-ssh.pcap', readFileSync(ARTICLE).subarray(0, -5)));
    expect(cut.status).toBe(3);
    expect(cut.stdout).toContain('FIN_WAIT1');
    expect(cut.stderr).toMatch(/the file ends within its last record/);
  });
});

describe('captures that cannot be read at all: status 1, the message names file, offset and rule', () => {
  const cases: [string, () => string, RegExp][] = [
    ['a missing file', () => join(folder, 'missing.pcap'), /offset 0: no such file/],
    [
      'a folder without captures',
      () => (mkdirSync(join(folder, 'empty'), { recursive: true }), join(folder, 'empty')),
      /director|folder|capture/,
    ],
    ['an empty file', () => file('empty.pcap', ''), /offset 0: .*empty/],
    ['a text file', () => file('text.pcap', 'Dear Sir or Madam,\n'), /offset 0: not a capture.*text/],
    ['a file of zeros', () => file('zeros.pcap', new Uint8Array(1000)), /offset 0: not a capture/],
    ['a header that is cut', () => file('header.pcap', pcapHeader().subarray(0, 20)), /offset 20: .*header/],
    ['an unknown version', () => file('version.pcap', pcapHeader().fill(9, 4, 5)), /offset 4: .*version/],
  ];
  for (const [what, make, rule] of cases) {
    it(what, () => {
      const path = make();
      // Threads that were asked for have started by then, and have to end.
      for (const command of [['report'], ['stream'], ['report', '--workers', '2']]) {
        const { status, stdout, stderr } = run(...command, path);
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
        expect(stderr).toContain(path);
        expect(stderr).toMatch(rule);
        expect(stderr).not.toContain('    at ');
      }
    });
  }

  it('a broken first record', () => {
    const record = pcapRecord(connection(4000).at(0)!);
    new DataView(record.buffer).setUint32(8, 0x7fffffff, true);
    const path = file('broken.pcap', Uint8Array.from([...pcapHeader(), ...record]));
    const { status, stderr } = stream(path);
    expect(status).toBe(1);
    expect(stderr).toContain(`${path}: offset 24: `);
  });
});

describe('captures with nothing to analyse say so on standard error', () => {
  it('no packets', () => {
    const { status, summary, stderr } = stream(file('none.pcap', pcapHeader()));
    expect(status).toBe(0);
    expect(summary).toMatchObject({ packets: 0, segments: 0, connections: 0, duration_s: 0 });
    expect(summary).not.toHaveProperty('start');
    expect(stderr).toMatch(/no packets/);
  });

  it('an unsupported link type', () => {
    const { status, summary, stderr } = stream(file('usb.pcap', pcap(connection(4000), { linkType: 189 })));
    expect(status).toBe(0);
    expect(summary).toMatchObject({ packets: 7, segments: 0, connections: 0, drops: { link_type: 7 } });
    expect(stderr).toMatch(/link type.*189/);
  });

  it('a name that a terminal would take for commands', () => {
    const name = file('red\u001b[31m\nfourwaves: all is well.pcap', pcap(connection(4000)).slice(0, -1));
    const { status, stdout, stderr } = run(name);
    expect(status).toBe(3);
    for (const text of [stdout, stderr, run(`${name}2`).stderr, run('--html', join(folder, 'red.html'), name).stderr]) {
      expect(text).toContain('red\\x1b[31m\\x0afourwaves: all is well.pcap');
      expect(text).not.toContain('\u001b');
    }
    expect(readFileSync(join(folder, 'red.html'), 'utf8')).not.toContain('\u001b');
  });

  it('no TCP', () => {
    const udp = { captured: ethernet(ipv4(new Uint8Array(20), { protocol: 17 })) };
    const { status, summary, stderr } = stream(file('udp.pcap', pcap([udp, udp])));
    expect(status).toBe(0);
    expect(summary).toMatchObject({ packets: 2, drops: { not_tcp: 2 } });
    expect(stderr).toMatch(/TCP/);
    expect(run(file('udp.pcap', pcap([udp, udp]))).stderr).toBe(stderr);
  });
});

describe('captures that can be read in part: status 3, everything before is reported', () => {
  const whole = pcap([...connection(4000), ...connection(4001, 1)]);
  const lastRecord = whole.length - (16 + 54);

  it('a cut tail', () => {
    for (const [cut, path] of [
      [5, file('tail.pcap', whole.subarray(0, whole.length - 5))],
      [60, file('header-cut.pcap', whole.subarray(0, whole.length - 60))],
    ] as const) {
      const { status, stderr, summary, connections } = stream(path);
      expect(status, `${cut} bytes`).toBe(3);
      expect(stderr).toContain(`${path}: offset ${lastRecord}: `);
      expect(summary).toMatchObject({ packets: 13, segments: 13, connections: 2, input: { truncated: true } });
      expect(connections.map(({ close }) => close.class)).toEqual(['four_wave', 'last_ack_missing']);
      expect(run(path)).toMatchObject({ status: 3, stderr });
    }
  });

  it('a broken record', () => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(lastRecord + 8, 0x7fffffff, true);
    const path = file('corrupt.pcap', bytes);
    const { status, stderr, summary } = stream(path);
    expect(status).toBe(3);
    expect(stderr).toContain(`${path}: offset ${lastRecord}: `);
    expect(summary).toMatchObject({ packets: 13 });
  });

  it('one of several captures', () => {
    const missing = join(folder, 'missing.pcap');
    const { status, stderr, summary } = stream(missing, ARTICLE);
    expect(status).toBe(3);
    expect(stderr).toContain(missing);
    expect(summary).toMatchObject({ packets: 11, connections: 1 });
  });
});

describe('stream', () => {
  it('prints connections and a summary last, each a line of JSON below 16 KiB', () => {
    const { status, stderr, stdout, lines } = stream('--transitions', ARTICLE);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(lines.map(({ type }) => type)).toEqual(['connection', 'summary']);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(16_384);
  });

  it('below 16 KiB whatever happened: many waves, holders, sequences', () => {
    const packets = connection(4000);
    for (let i = 0; i < 3000; i++)
      packets.push({
        ...packets.at(i % 2 === 0 ? 5 : 6)!,
        seconds: 1_600_000_000 + Math.floor(i / 10),
        fraction: 100_000 * (i % 10) + 5000,
      });
    for (let i = 0; i < 300; i++) packets.push(...connection(5000 + i, 400 + i));
    const { status, stdout, summary } = stream('--transitions', file('waves.pcap', pcap(packets)));
    expect(status).toBe(0);
    expect(summary).toMatchObject({ connections: 301 });
    for (const line of stdout.split('\n')) expect(Buffer.byteLength(line)).toBeLessThan(16_384);
  });

  it('--interval prints windows, --only window nothing else; --ports and --top reach the answers', () => {
    const { lines } = stream('--interval', '500ms', '--ports', '40000-40049', ARTICLE);
    const types = lines.map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['connection', 'window', 'summary']);
    expect(types.filter((type) => type === 'window').length).toBeGreaterThan(3);
    expect(lines.at(-1)).toMatchObject({ ports: { range: 50, sustained_per_s: 0.833, worst: [{ pressure: 0.02 }] } });
    const compared = stream('--what-if', '2msl=1,tw_reuse=1', '--what-if', 'ports=15000-65000', ARTICLE).lines.at(-1);
    expect(compared).toMatchObject({
      what_if: [{ change: '2msl=1,tw_reuse=1' }, { change: 'ports=15000-65000', ports: { range: 50_001 } }],
    });
    const only = stream('--interval', '0.5s', '--only', 'window', ARTICLE);
    expect(only.lines).toEqual(stream('--interval', '500ms', '--only', 'window', ARTICLE).lines);
    expect(only.lines.map(({ type }) => type)).toEqual(types.filter((type) => type === 'window'));
    for (const wrong of [
      ['--interval', '0'],
      ['--interval', 'soon'],
      ['--per', 'host'],
      ...['hosts', 'subnet', 'subnet/', 'subnet/129', 'subnet/-1', 'subnet/x', ''].map((word) => ['--interval', '1s', '--per', word]),
      ['--ports', '5'],
      ['--ports', '9-5'],
      ['--ports', '1-70000'],
      ['--what-if', 'luck=1'],
      ['--what-if', '2msl=0'],
      ['--what-if', '2msl=30=40'],
      ['--what-if', '2msl=30,2msl=40'],
      ['--what-if', 'tw_reuse=1=0'],
      ['--what-if', '2msl=30,ports=9'],
      ['--what-if', 'tw_reuse=2'],
      ['--top', '0'],
      ['--top', 'x'],
    ])
      expect(stream(...wrong, ARTICLE).status, wrong.join(' ')).toBe(2);
  });

  it('--only chooses the types of line', () => {
    const types = (only: string) => stream('--only', only, ARTICLE).lines.map(({ type }) => type);
    expect(types('connection')).toEqual(['connection']);
    expect(types('summary')).toEqual(['summary']);
    expect(types('summary,connection')).toEqual(['connection', 'summary']);
  });

  it('--transitions adds the states of both endpoints and changes nothing else', () => {
    const [plain, detailed] = [stream(ARTICLE), stream('--transitions', ARTICLE)];
    const bare = detailed.connections.map(({ client: { states: _a, ...client }, server: { states: _b, ...server }, ...record }) => ({
      ...record,
      client,
      server,
    }));
    expect(plain.connections).toEqual(bare);
    expect(detailed.connections.at(0)!.client.states?.map(([name]) => name)).toEqual([
      'SYN_SENT',
      'ESTABLISHED',
      'FIN_WAIT1',
      'FIN_WAIT2',
      'TIME_WAIT',
    ]);
    expect(plain.connections.at(0)!.client).not.toHaveProperty('states');
  });

  it('--2msl and --profile', () => {
    const expiry = (...args: string[]) => {
      const { expiry: to, start } = stream(...args, ARTICLE)
        .connections.at(0)!
        .time_wait.at(0)!;
      return (Date.parse(to) - Date.parse(start)) / 1000;
    };
    expect([expiry(), expiry('--profile', 'windows'), expiry('--2msl', '7'), expiry('--2msl', '1.5s')]).toEqual([60, 120, 7, 1.5]);
  });

  it('the record of the source article', () => {
    expect(stream(ARTICLE).connections[0]).toEqual({
      type: 'connection',
      start: '2021-06-10T17:31:57.624450Z',
      end: '2021-06-10T17:31:59.809483Z',
      duration_s: 2.185033,
      client: { ip: '10.0.0.3', port: 55692, segments: 5, bytes: 0, syn: 1, fin: 1, fin_retransmits: 0, rst: 0, state: 'TIME_WAIT' },
      server: { ip: '10.0.0.2', port: 22, segments: 4, bytes: 41, syn: 1, fin: 1, fin_retransmits: 0, rst: 0, state: 'CLOSED' },
      open: 'three_way',
      close: {
        class: 'four_wave',
        initiator: 'client',
        basis: 'fin_acks',
        sequence: 'F> A< F< A>',
        modifiers: [],
        start: '2021-06-10T17:31:59.808411Z',
        duration_s: 0.001072,
        fin_ack_s: 0.000764,
        half_closed_s: 0.000289,
        last_ack_s: 0.000019,
        half_closed_bytes: 0,
      },
      time_wait: [
        {
          holder: 'client',
          start: '2021-06-10T17:31:59.809483Z',
          expiry: '2021-06-10T17:32:59.809483Z',
          end: '2021-06-10T17:31:59.809483Z',
          restarts: 0,
          ended_by: 'capture_end',
          basis: 'ack',
        },
      ],
      end_reason: 'closed',
      visibility: 'both',
      confidence: 'certain',
      community_id: '1:zb5w02O2gsbH6QdUIuSkgJzDd8A=',
      zeek: { conn_state: 'SF', history: 'ShAdFaf' },
      wireshark: { completeness: 31 },
      flow_end_reason: 3,
    });
  });

  it('several captures are one: a connection goes on from one to the next', () => {
    const packets = [...connection(4000), ...connection(4001, 1)];
    const whole = stream(file('whole.pcap', pcap(packets)));
    const parts = [packets.slice(0, 3), packets.slice(3, 10), packets.slice(10)].map((part, i) => file(`part${i}.pcap`, pcap(part)));
    const cut = stream(...parts);
    expect(cut.connections).toEqual(whole.connections);
    expect(cut.summary).toMatchObject({ ...whole.summary, input: { files: 3, bytes: whole.summary!.input.bytes + 48 } });
  });
});

describe('a summary', () => {
  it('is the same for report --json and for stream', () => {
    const report = run('report', '--json', ARTICLE);
    expect(report).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(report.stdout)).toEqual(stream(ARTICLE).summary);
  });

  it('adds up', () => {
    for (const name of ['article.pcap', 's20_duplicated_any.pcap', 'e_frag.pcap', 'lab/ipv6.client.pcap', 's12_reuse_tw_2s.pcap']) {
      const { summary, connections } = stream(join(CAPTURES, name));
      const { packets, segments, drops, input, close, time_wait } = summary!;
      const sum = (counts: object): number => Object.values(counts).reduce((total: number, count: number) => total + count, 0);
      expect(segments + input.duplicates + sum(drops), name).toBe(packets);
      expect(
        connections.reduce((total, { client, server }) => total + client.segments + server.segments, 0),
        name,
      ).toBe(segments);
      expect(summary!.connections).toBe(connections.length);
      expect(sum(close.class), name).toBe(connections.length);
      expect(sum(time_wait.ended_by), name).toBe(time_wait.entered);
      expect(time_wait.entered, name).toBe(connections.flatMap((record) => record.time_wait).length);
      expect(input.bytes, name).toBe(readFileSync(join(CAPTURES, name)).length);
    }
  });
});

describe('output that nobody wants any more', () => {
  it('| head -1 ends quietly', () => {
    const path = file('many.pcap', pcap(Array.from({ length: 9000 }, (_, i) => connection(1024 + i, i)).flat()));
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; "$0" "$1" stream "$2" | head -1`, process.execPath, CLI, path],
      { encoding: 'utf8' },
    );
    expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({ status: 0, stderr: '', lines: 2 });
  });
});

describe('signals', () => {
  const block = Buffer.concat(Array.from({ length: 2000 }, (_, i) => pcap(connection(1024 + i, i)).subarray(24)));
  const path = join(folder, 'long.pcap');
  const long = (): string => {
    if (!existsSync(path)) writeFileSync(path, Buffer.concat([pcapHeader(), ...Array<Buffer>(300).fill(block)]));
    return path;
  };

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`${signal} finishes with what has been read: status ${code}`, async () => {
      const child = spawn(process.execPath, [CLI, 'stream', '--only', 'connection,summary', long()], { stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (stdout === '') child.kill(signal); // it has begun, and its handlers are there
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const status = await new Promise((resolve) => child.on('close', resolve));
      const lines = stdout.trim().split('\n');
      const summary = JSON.parse(lines.at(-1)!) as SummaryRecord;
      expect({ status, stderr }).toEqual({ status: code, stderr: '' });
      expect(summary).toMatchObject({ type: 'summary', interrupted: true, connections: lines.length - 1 });
      expect(summary.packets).toBeGreaterThan(0);
      expect(summary.packets).toBeLessThan(300 * 2000 * 7);
    });
  }

  it('a signal before the first packet is no capture without packets', async () => {
    const child = spawn(process.execPath, [CLI, 'stream', '--follow', file('none.pcap', pcapHeader())], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    expect(stderr).toBe('fourwaves: ended before anything was read\n');
  });
});

describe('a folder', () => {
  it('has a file whose name is that of standard input', () => {
    const place = join(folder, 'dash');
    mkdirSync(place);
    writeFileSync(join(place, '-'), readFileSync(ARTICLE));
    const args = [CLI, 'stream', '--only', 'summary', '.'];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: place, input: '' });
    expect([status, (JSON.parse(stdout) as SummaryRecord).packets]).toEqual([0, 11]);
  });
});

describe('the captures of test/captures', () => {
  interface Expected {
    file: string;
    connections: object[];
    summary?: object;
  }
  const expectations = readFileSync(join(CAPTURES, 'expected.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Expected);

  it('are all there', () => {
    expect(expectations.map(({ file: name }) => name).sort()).toEqual(
      readdirSync(CAPTURES)
        .filter((name) => /^(article|e_|s\d).*\.pcap$/.test(name))
        .sort(),
    );
  });

  for (const { file: name, connections, summary = {} } of expectations) {
    it(name, () => {
      const got = stream(join(CAPTURES, name));
      expect({ status: got.status, stderr: got.stderr }).toEqual({ status: 0, stderr: '' });
      const inOrder = got.connections.toSorted((a, b) => (a.start < b.start ? -1 : 1));
      expectHeld(inOrder, connections, 'connections');
      expectHeld(got.summary, summary, 'summary');
    });
  }
});

describe("real connections, against the Linux kernel's own record of their states", () => {
  type States = [seconds: number, state: string][] | null;
  interface Truth {
    /** Whole seconds that the kernel's times count from. */
    t0: number;
    side: 'client' | 'server';
    started: number;
    stopped: number;
    /** The capture began in the middle. */
    late: boolean;
    /** Something between the hosts dropped, delayed or forged packets. */
    touched: boolean;
    connections: {
      client: [string, number];
      server: [string, number];
      first_fin: 'client' | 'server' | null;
      client_states: States;
      server_states: States;
    }[];
  }

  /** The CLOSED at the very end may have no packet. */
  const open = (names: readonly string[]): readonly string[] => (names.at(-1) === 'CLOSED' ? names.slice(0, -1) : names);

  const lab = join(CAPTURES, 'lab');
  for (const name of readdirSync(lab).filter((entry) => entry.endsWith('.pcap'))) {
    it(name, () => {
      const truth = JSON.parse(readFileSync(join(lab, name.replace('.pcap', '.json')), 'utf8')) as Truth;
      const { status, connections } = stream('--transitions', join(lab, name));
      expect(status).toBe(0);
      const inOrder = connections.toSorted((a, b) => (a.start < b.start ? -1 : 1));
      for (const kernel of truth.connections) {
        const times = [...(kernel.client_states ?? []), ...(kernel.server_states ?? [])].map(([t]) => t);
        if (Math.max(...times) < truth.started || Math.min(...times) > truth.stopped) continue;
        const at = inOrder.findIndex(
          ({ client, server }) =>
            JSON.stringify([client.ip, client.port, server.ip, server.port]) === JSON.stringify([...kernel.client, ...kernel.server]) ||
            JSON.stringify([server.ip, server.port, client.ip, client.port]) === JSON.stringify([...kernel.client, ...kernel.server]),
        );
        const id = `${kernel.client.join(':')} > ${kernel.server.join(':')}`;
        expect(at, id).toBeGreaterThanOrEqual(0);
        const [found] = inOrder.splice(at, 1);
        const swapped = found!.client.port !== kernel.client[1] || found!.client.ip !== kernel.client[0];
        for (const role of ['client', 'server'] as const) {
          const wanted = kernel[`${role}_states`]?.filter(([t]) => t <= truth.stopped + 0.05).map(([, state]) => state);
          if (!wanted) continue;
          const ours = found![swapped === (role === 'client') ? 'server' : 'client'].states?.map(([state]) => state) ?? [];
          const [mine, theirs] = [open(ours), open(wanted)];
          const far = truth.side !== role && truth.touched;
          if (far) expect(theirs.slice(0, mine.length), `${id} ${role}`).toEqual(mine);
          else expect(mine, `${id} ${role}`).toEqual(truth.late ? theirs.slice(-mine.length) : theirs);
          expect(mine.length, `${id} ${role}`).toBeGreaterThan(0);
          const since = kernel[`${role}_states`]?.find(([, state]) => state === 'TIME_WAIT')?.[0];
          const wait = found!.time_wait.find(({ holder }) => (holder === role) !== swapped);
          if (since !== undefined && since <= truth.stopped && !far) {
            expect(Math.abs(Date.parse(wait!.start) / 1000 - truth.t0 - since), `${id} TIME_WAIT of ${role}`).toBeLessThan(0.1);
          } else if (since === undefined) expect(wait, `${id} ${role}`).toBeUndefined();
        }
      }
      expect(inOrder.map(({ start, close }) => `${start} ${close.class}`)).toEqual([]);
    });
  }
});
