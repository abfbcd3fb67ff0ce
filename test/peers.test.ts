// A second opinion: what tshark says of our own captures. Skipped where it is not installed; CI installs it.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze, type ConnectionRecord } from '../src/index.ts';

const folder = fileURLToPath(new URL('captures/', import.meta.url));
const captures = readdirSync(folder).filter((name) => name.endsWith('.pcap'));
const isInstalled = spawnSync('tshark', ['--version']).status === 0;
if (!isInstalled) console.warn('tshark is not installed: its second opinion is skipped');

const isSet = (flag: string | undefined): number => (flag === '1' || flag === 'True' ? 1 : 0);

interface Stream {
  completeness: number;
  fin: number;
  rst: number;
}

/** tshark's streams, by their unordered endpoints. Two passes, because a single one shows the completeness before each packet. */
function streams(path: string): { packets: number; byTuple: Map<string, Map<string, Stream>> } {
  const names = [
    'tcp.stream',
    'ip.src',
    'ipv6.src',
    'tcp.srcport',
    'ip.dst',
    'ipv6.dst',
    'tcp.dstport',
    'tcp.completeness',
    'tcp.flags.fin',
    'tcp.flags.reset',
  ];
  // In a tunnel, addresses occur more than once: the last ones are the connection's.
  const fields = ['-T', 'fields', '-E', 'occurrence=l'];
  const run = spawnSync('tshark', ['-n', '-2', '-r', path, ...fields, ...names.flatMap((name) => ['-e', name])], { encoding: 'utf8' });
  expect(run.status).toBe(0);
  const byTuple = new Map<string, Map<string, Stream>>();
  const lines = run.stdout.split('\n').slice(0, -1);
  for (const line of lines) {
    const [stream = '', source4, source6, sourcePort, destination4, destination6, destinationPort, completeness, fin, rst] =
      line.split('\t');
    if (stream === '') continue;
    const tuple = [`${source4 || source6}:${sourcePort}`, `${destination4 || destination6}:${destinationPort}`].toSorted().join(' ');
    const known = byTuple.get(tuple) ?? new Map<string, Stream>();
    const counted = known.get(stream) ?? { completeness: 0, fin: 0, rst: 0 };
    known.set(stream, { completeness: Number(completeness), fin: counted.fin + isSet(fin), rst: counted.rst + isSet(rst) });
    byTuple.set(tuple, known);
  }
  return { packets: lines.length, byTuple };
}

describe.skipIf(!isInstalled)('tshark agrees on', () => {
  it('captures that are there', () => expect(captures.length).toBeGreaterThan(30));

  it.each(captures)('%s', async (name) => {
    const connections: ConnectionRecord[] = [];
    let packets = 0;
    let duplicates = 0;
    for await (const record of analyze(folder + name)) {
      if (record.type === 'connection') connections.push(record);
      else if (record.type === 'summary')
        ({
          packets,
          input: { duplicates },
        } = record);
    }
    const theirs = streams(folder + name);
    expect(packets).toBe(theirs.packets);
    const ours = grouped(connections, ({ client, server }) =>
      [`${client.ip}:${client.port}`, `${server.ip}:${server.port}`].toSorted().join(' '),
    );
    expect([...ours.keys()].toSorted()).toEqual([...theirs.byTuple.keys()].toSorted());
    for (const [tuple, list] of ours) {
      const [stream, another] = theirs.byTuple.get(tuple)?.values() ?? [];
      const [connection, next] = list;
      if (!connection || next || !stream || another) continue; // a 4-tuple used again: tshark splits at other places
      expect(connection.wireshark.completeness, tuple).toBe(stream.completeness);
      if (duplicates > 0) continue; // which tshark counts, and we do not
      expect([connection.client.fin + connection.server.fin, connection.client.rst + connection.server.rst], tuple).toEqual([
        stream.fin,
        stream.rst,
      ]);
    }
  });
});

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
