// Filter expressions: what they mean, and where they are wrong. tcpdump, where it is installed, is asked what they mean to it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/compile.ts';
import { FilterError } from '../../src/filter/parse.ts';
import { INSTRUCTION_WORDS } from '../../src/layout/filter.ts';
import { type CapturedPacket, bytes, ethernet, ipv4, ipv6, pcap, tcp } from '../support/packets.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tagged = (id: number, ip: Uint8Array): Uint8Array => ethernet(bytes([0, id, 8, 0], ip), 0x8100);
const packets: CapturedPacket[] = [];
for (const source of ['10.0.0.1', '10.0.1.7', '192.168.3.4'])
  for (const destination of ['10.0.0.2', '172.16.0.9'])
    for (const [from, to] of [
      [40_000, 80],
      [443, 40_001],
      [22, 22],
    ] as const)
      packets.push({ captured: ethernet(ipv4(tcp({ source: from, destination: to }), { source, destination })) });
const server = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
for (const source of [
  [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3],
])
  packets.push({ captured: ethernet(ipv6(tcp({ source: 50_000, destination: 443 }), { source, destination: server }), 0x86dd) });
for (const id of [5, 7]) packets.push({ captured: tagged(id, ipv4(tcp(), { source: '10.0.0.1', destination: '10.9.9.9' })) });
const capture = join(folder, 'filter.pcap');
writeFileSync(capture, pcap(packets));
const untagged = join(folder, 'untagged.pcap');
writeFileSync(untagged, pcap(packets.slice(0, -2)));

/** Segments that a filter lets pass. */
function segments(filter: string, path = capture): number {
  const ran = spawnSync(process.execPath, [CLI, '--json', '--filter', filter, path], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  const { drops, packets: count } = JSON.parse(ran.stdout) as { packets: number; drops: Record<string, number> };
  return count - (drops['filtered'] ?? 0);
}

const tcpdump = existsSync('/usr/bin/tcpdump');

/** Filters without VLAN words, which tcpdump takes for offsets. */
const FILTERS: readonly [filter: string, passing: number][] = [
  ['tcp', 22],
  ['ip', 20],
  ['ip6', 2],
  ['not ip6', 20],
  ['host 10.0.0.1', 8],
  ['src host 10.0.0.2', 0],
  ['dst 10.0.0.2', 9],
  ['src or dst host 10.0.0.2', 9],
  ['src and dst net 10', 8],
  ['net 10.0.0.0/24', 14],
  ['src net 10.0.0.0 mask 255.255.0.0', 14],
  ['net 192.168', 6],
  ['net 192.168 mask 255.255.0.0', 6],
  ['net 0.0.0.0/0', 20],
  ['port 80', 8],
  ['tcp src port 443', 6],
  ['src port 22 and dst port 22', 6],
  ['portrange 400-500', 8],
  ['portrange 500-400', 8],
  ['port 80 or 443', 16],
  ['port (80 or 443)', 16],
  ['not port ((80) or 443)', 6],
  ['port not (80 or 443)', 6],
  ['src net (10.0.0.0/24 or 192.168)', 14],
  ['tcp port (80) or (443)', 16],
  ['port 80 or port 443 and host 10.0.0.1', 6],
  ['port 80 or (port 443 and host 10.0.0.1)', 10],
  ['not port 80 and not port 443', 6],
  ['!(port 80 || port 443) && src 192.168.3.4', 2],
  ['host 2001:db8::1', 1],
  ['net 2001:db8::/32', 2],
  ['src net fe80::/10', 1],
  ['ip6 host 2001:db8:1::9', 2],
  ['ip host 10.0.0.1 and not dst 10.0.0.2', 5],
];

const nested = (depth: number): string => `${'('.repeat(depth)}tcp${')'.repeat(depth)}`;

describe('a filter', () => {
  it.each(FILTERS)('%s lets %i segments pass', (filter, passing) => {
    expect(segments(filter)).toBe(passing);
  });

  it.skipIf(!tcpdump).each(FILTERS)('%s means that to tcpdump, too (skipped without it)', (filter) => {
    // Its primitives do not look behind VLAN tags unless they are told to.
    const { stdout } = spawnSync('tcpdump', ['-nr', untagged, filter], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((line) => line !== '').length).toBe(segments(filter, untagged));
  });

  it.each([
    ['10.0.0.1', 8],
    ['vlan', 2],
    ['vlan 7', 1],
    ['vlan 5 and host 10.9.9.9', 1],
    ['not vlan', 20],
    ['vlan 9', 0],
  ])('%s lets %i segments pass', (filter, passing) => {
    expect(segments(filter)).toBe(passing);
  });

  it.each<[string, number, RegExp]>([
    ['', 0, /ends where a condition is expected/],
    ['port', 4, /port needs a value/],
    ['port http', 5, /'http' is no port/],
    ['port 70000', 5, /no port from 0 to 65535/],
    ['host example.com', 5, /no IP address, and names are not looked up/],
    ['host 10.0.0.0/8', 5, /say net/],
    ['net 10.0.0.0/33', 4, /at most 32/],
    ['net 10.0.0.0 mask 255.0.255.0', 18, /no network mask/],
    ['net 2001:db8::/129', 4, /at most 128/],
    ['net 10/', 4, /at most 32/],
    ['net 010', 4, /no IP address or network/],
    ['net 10.00', 4, /no IP address or network/],
    ['net 10.0.0.0/8/9', 4, /at most 32/],
    ['portrange 1-2-3', 10, /'2-3' is no port/],
    ['ip6 host 10.0.0.1', 9, /10\.0\.0\.1 is no address of ip6/],
    ['ip net fe80::/10', 7, /fe80:: is no address of ip/],
    ['ip6 net 10', 8, /'10' is no IP address or network/],
    ['host fe80::1%eth0', 5, /'fe80::1%eth0' is no IP address/],
    ['port (80', 8, /'\)' is missing/],
    ['port ()', 6, /port needs a value/],
    ['port (80 or host 10.0.0.1)', 12, /port needs a value/],
    ['port (80 and', 12, /port needs a value/],
    ['(port 80', 8, /'\)' is missing/],
    ['port 80)', 7, /no bracket was opened/],
    ['port 80 port 443', 8, /'and' or 'or' is missing before 'port'/],
    ['udp port 53', 0, /no IP address/],
    ['port 80 and', 11, /ends where a condition is expected/],
    ['vlan 5000', 5, /no VLAN id from 0 to 4095/],
    ['vlan 0144', 5, /'0144' is no VLAN id/],
    ['port 0120', 5, /'0120' is no port/],
    ['net 10.0.0.0/024', 4, /at most 32/],
    ['& port 80', 0, /'&' is not known here/],
  ])('%s is wrong at %i', (filter, at, message) => {
    const parse = (): unknown => compileFilter(filter);
    expect(parse).toThrow(message);
    expect(parse).toThrow(FilterError);
    try {
      parse();
    } catch (error) {
      expect((error as FilterError).at).toBe(at);
    }
    const ran = spawnSync(process.execPath, [CLI, '--filter', filter, capture], { encoding: 'utf8' });
    expect([ran.status, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain(`\n  ${filter}\n  ${' '.repeat(at)}^\n`);
  });

  it('may have two hundred brackets within each other, and any number one after the other', () => {
    expect(segments(nested(200))).toBe(22);
    expect(segments(`${'not '.repeat(200)}tcp`)).toBe(22);
    expect(segments(Array.from({ length: 900 }, () => nested(9)).join(' and '))).toBe(22);
    for (const filter of [nested(201), nested(50_000), `${'not '.repeat(9000)}tcp`])
      expect(() => compileFilter(filter)).toThrow(FilterError);
    const ran = spawnSync(process.execPath, [CLI, '--filter', nested(9000), capture], { encoding: 'utf8' });
    expect([ran.status, ran.stdout, ran.stderr.slice(0, 80)]).toEqual([
      2,
      '',
      expect.stringMatching(/^fourwaves: --filter: more than 200 brackets/),
    ]);
  });

  it('may have a thousand conditions, and no more', () => {
    const ports = Array.from({ length: 1024 }, (_, i) => `port ${i}`);
    expect(compileFilter(ports.join(' or ')).length).toBe(1024 * INSTRUCTION_WORDS);
    expect(() => compileFilter([...ports, 'port 80'].join(' or '))).toThrow(/at most 1024 conditions/);
    expect(segments(ports.join(' or '))).toBe(22);
  });

  it('does not change the connections that it leaves', () => {
    const path = fileURLToPath(new URL('../captures/all_eth.pcap', import.meta.url));
    const lines = (...args: string[]): string[] =>
      spawnSync(process.execPath, [CLI, 'stream', '--only', 'connection', ...args, path], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter((line) => line !== '');
    const all = lines();
    const { port } = (JSON.parse(all[3]!) as { client: { port: number } }).client;
    const expected = all.filter((line) => line.includes(`"port":${port},`));
    expect(expected.length).toBeGreaterThan(0);
    expect(lines('--filter', `port ${port}`)).toEqual(expected);
    expect(readFileSync(path).length).toBeGreaterThan(0);
  });
});
