// Networks that use the same addresses, told apart by VLAN or tunnel, where that is asked for.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ACK, FIN, SYN } from '../src/layout/tcp.ts';
import type { ConnectionRecord } from '../src/records/connection.ts';
import { bytes, type CapturedPacket, ethernet, ipv4, ipv6, pcap, tcp } from './support/packets.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Wrap = (ip: Uint8Array, six: boolean) => Uint8Array;

const type = (six: boolean): number => (six ? 0x86dd : 0x0800);
const plain: Wrap = (ip, six) => ethernet(ip, type(six));
const vlan =
  (...ids: number[]): Wrap =>
  (ip, six) => {
    const tags = bytes(
      ...ids.map((id, i) => {
        const next = i + 1 < ids.length ? 0x8100 : type(six);
        return [id >> 8, id & 255, next >> 8, next & 255];
      }),
    );
    return ethernet(bytes(tags, ip), 0x8100);
  };
const vxlan =
  (vni: number): Wrap =>
  (ip, six) => {
    const inner = bytes([8, 0, 0, 0, vni >> 16, (vni >> 8) & 255, vni & 255, 0], ethernet(ip, type(six)));
    const length = inner.length + 8;
    return ethernet(ipv4(bytes([0x30, 0, 0x12, 0xb5, length >> 8, length & 255, 0, 0], inner), { protocol: 17 }));
  };

/** One connection in each wrapping, their packets one after the other: all with the same addresses, ports and numbers. */
function capture(name: string, wraps: readonly Wrap[], six: boolean): string {
  const segments: [up: boolean, flags: number, seq: number, ack: number][] = [
    [true, SYN, 100, 0],
    [false, SYN | ACK, 500, 101],
    [true, ACK, 101, 501],
    [true, FIN | ACK, 101, 501],
    [false, FIN | ACK, 501, 102],
    [true, ACK, 102, 502],
  ];
  const packets: CapturedPacket[] = segments.flatMap(([up, flags, seq, ack], i) =>
    wraps.map((wrap, k) => {
      const segment = tcp({ source: up ? 40_000 : 80, destination: up ? 80 : 40_000, flags, seq, ack });
      const ends = up ? { source: '10.0.0.1', destination: '10.0.0.2' } : { source: '10.0.0.2', destination: '10.0.0.1' };
      const a = [...new Uint8Array(15), 1];
      const b = [...new Uint8Array(15), 2];
      const ip = six
        ? ipv6(segment, up ? { source: a, destination: b } : { source: b, destination: a })
        : ipv4(segment, { ...ends, identification: 1 + i * wraps.length + k });
      return { fraction: 10_000 * i + 2000 * k, captured: wrap(ip, six) };
    }),
  );
  const path = join(folder, name);
  writeFileSync(path, pcap(packets));
  return path;
}

function connections(path: string, ...args: string[]): ConnectionRecord[] {
  const { stdout } = spawnSync(process.execPath, [CLI, 'stream', '--only', 'connection', ...args, path], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ConnectionRecord);
}

describe.each([false, true])('--distinguish (IPv6 %s)', (six) => {
  const wraps = [plain, vlan(5), vlan(6), vlan(5, 6), vxlan(7), vxlan(8)];
  const path = capture(`all.${six}.pcap`, wraps, six);

  it('takes them for one without it', () => {
    const all = connections(path);
    expect(all.every((record) => !('vlan' in record) && !('vni' in record))).toBe(true);
    expect(all.length).toBe(1);
  });

  it.each([
    ['vlan', [undefined, [5], [6], [5, 6]], [undefined]],
    ['vni', [undefined], [undefined, 7, 8]],
    ['vlan,vni', [undefined, [5], [6], [5, 6], undefined, undefined], [undefined, undefined, undefined, undefined, 7, 8]],
  ])('%s tells them apart', (what, vlans, vnis) => {
    for (const workers of ['1', '3']) {
      const all = connections(path, '--distinguish', what, '--workers', workers);
      expect(all.length).toBe(Math.max(vlans.length, vnis.length));
      if (what !== 'vni') expect(all.map((record) => record.vlan)).toEqual(expect.arrayContaining(vlans));
      if (what !== 'vlan') expect(all.map((record) => record.vni)).toEqual(expect.arrayContaining(vnis));
    }
  });

  it('explains each of them by its name', () => {
    const connection = six ? '[::1]:40000-[::2]:80' : '10.0.0.1:40000-10.0.0.2:80';
    const args = ['explain', '--connection', connection, '--distinguish', 'vlan,vni', path];
    const { stdout } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
    const headings = stdout.split('\n').filter((line) => line.startsWith(connection) || line.startsWith('  network'));
    expect(headings.map((line) => line.replace(connection, '-').replace(/^ +network +/, ''))).toEqual([
      '-',
      '-',
      'VLAN 5',
      '-',
      'VLAN 6',
      '-',
      'VLAN 5.6',
      '-',
      'VNI 7',
      '-',
      'VNI 8',
    ]);
  });

  it('gives each of them the record that it has alone', () => {
    const all = connections(path, '--distinguish', 'vlan,vni');
    for (const record of all)
      expect(record).toMatchObject({ close: { class: 'three_segment' }, client: { segments: 4 }, end_reason: 'closed' });
  });
});

it.each([
  ['in one direction', [plain, vlan(0)], [undefined]],
  ['beside a tag that names one', [vlan(5), vlan(0, 5), vlan(5, 0)], [[5]]],
  ['before two', [vlan(5, 6), vlan(0, 5, 6)], [[5, 6]]],
])('a priority tag %s names no VLAN', (_where, wraps, vlans) => {
  // Each segment comes tagged in another way, and once.
  let segment = 0;
  const path = capture('priority.pcap', [(ip, six) => wraps[segment++ % wraps.length]!(ip, six)], false);
  expect(connections(path, '--distinguish', 'vlan').map((record) => record.vlan)).toEqual(vlans);
});

it('other words are refused', () => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, '--distinguish', 'vlan,mac', 'x.pcap'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain("'mac' is not one of vlan, vni");
});
