import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionFilter } from '../../src/filter/connection.ts';
import { ACK, FIN, PSH, SYN } from '../../src/layout/tcp.ts';
import { Run } from '../../src/merge/run.ts';
import { type ConnectionRecord, analyze } from '../../src/index.ts';
import { socketText } from '../../src/records/address.ts';
import { explanations } from '../../src/report/explanation.ts';
import { type CapturedPacket, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const CAPTURES = fileURLToPath(new URL('../captures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function explain(path: string, connection: string): Promise<string> {
  const run = await Run.open([path], 'segments', true, { filter: connectionFilter(connection)!, workers: 1 });
  const texts: string[] = [];
  for await (const text of explanations(run)) texts.push(text);
  return texts.join('');
}

const article = (connection: string): Promise<string> => explain(join(CAPTURES, 'article.pcap'), connection);

const nameOf = ({ client, server }: ConnectionRecord): string =>
  `${socketText(client.ip, client.port)}-${socketText(server.ip, server.port)}`;

async function recordsOf(path: string): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of analyze(path, { transitions: true, workers: 1 })) if (record.type === 'connection') records.push(record);
  return records;
}

/** The states that a ladder shows of both endpoints, its segments by direction (copies left out), and the times of its lines. */
function read(ladder: string) {
  const lines = ladder.split('\n');
  const rungs = lines.slice(lines.findIndex((line) => line.includes('seconds  client')) + 1).filter((line) => line !== '');
  const columns = rungs.map((line) => ({
    seconds: Number(line.slice(0, 12)),
    client: line.slice(14, 26).trim(),
    middle: line.slice(28, line[28] === '.' ? undefined : 74),
    server: line[28] === '.' ? '' : line.slice(76),
  }));
  const sent = { '>': 0, '<': 0 };
  for (const { middle } of columns) {
    if (middle.startsWith('...'))
      for (const [, way, n] of middle.matchAll(/([<>]) ([\d,]+) segment/g)) sent[way as '>'] += Number(n!.replaceAll(',', ''));
    else if (middle.trim() !== '' && !/ copy /.test(middle)) sent[middle.startsWith('<') ? '<' : '>']++;
  }
  const states = (role: 'client' | 'server'): string[] => columns.map((line) => line[role]).filter((state) => state !== '');
  return { client: states('client'), server: states('server'), sent, seconds: columns.map(({ seconds }) => seconds) };
}

describe('an explained connection', () => {
  it('of the source article: every segment between the states of both endpoints', async () => {
    expect(await article('10.0.0.3:55692-10.0.0.2:22')).toMatchInlineSnapshot(`
      "10.0.0.3:55692-10.0.0.2:22
        opened     2021-06-10T17:31:57.624450Z: three_way, 2.19 s from its first segment to its last
        closed     four_wave: FIN, ACK, FIN, ACK, begun by the client, in 1.07 ms; certain
        sequence   F> A< F< A>
        TIME_WAIT  client, 2021-06-10T17:31:59.809483Z to 2021-06-10T17:32:59.809483Z, beyond the capture
        ended      closed
        sent       client 5 segments with 0 bytes of payload, server 4 segments with 41 bytes of payload

           seconds  client        10.0.0.3:55692                                  server 10.0.0.2:22
          0.000000  SYN_SENT      -- SYN seq 0 -------------------------------->
          0.000045                <---------------------- SYN+ACK seq 0 ack 1 --  SYN_RECV
          0.000072  ESTABLISHED   -- ACK ack 1 -------------------------------->  ESTABLISHED
          0.011289                <----------------- ACK seq 1 ack 1 41 bytes --
          0.011328                -- ACK ack 42 ------------------------------->
          2.183961  FIN_WAIT1     -- FIN+ACK seq 1 ack 42 --------------------->
          2.184725  FIN_WAIT2     <-------------------------------- ACK ack 2 --  CLOSE_WAIT
          2.185014                <--------------------- FIN+ACK seq 42 ack 2 --  LAST_ACK
          2.185033  TIME_WAIT     -- ACK ack 43 ------------------------------->  CLOSED
      "
    `);
  });

  it('is the same whichever endpoint is named first', async () => {
    expect(await article('10.0.0.2:22-10.0.0.3:55692')).toBe(await article('10.0.0.3:55692-10.0.0.2:22'));
  });

  it('that is unknown is none', async () => {
    expect(await article('10.0.0.2:55692-10.0.0.3:22')).toBe('');
  });

  it('whose ports were used again in TIME_WAIT is told before the one that used them', async () => {
    const [first, second] = (await explain(join(CAPTURES, 's12_reuse_tw_2s.pcap'), '10.0.0.13:40012-10.1.0.1:80')).split('\n\n10.');
    expect(first).toContain('  TIME_WAIT  client, 2023-11-14T22:13:20.110000Z to 2023-11-14T22:13:22.120000Z: reuse\n');
    expect(second).toContain('  reuse      a SYN met the TIME_WAIT of the client, 2.01 s old: accepted\n');
    expect(read(first!).client).toEqual(['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT', 'CLOSED']);
    expect(read(second!).client).toEqual(['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT']);
  });

  it('of a long exchange has its middle in one line, and all around what is not plain', async () => {
    const own = { source: '10.0.0.1', destination: '10.0.0.2' };
    const back = { source: own.destination, destination: own.source };
    const packets: CapturedPacket[] = [];
    const send = (out: boolean, flags: number, seq: number, ack: number, payload = 0): void => {
      const ports = out ? { source: 40000, destination: 80 } : { source: 80, destination: 40000 };
      const segment = tcp({ ...ports, flags, seq, ack, payload: new Uint8Array(payload) });
      packets.push({
        seconds: 1_600_000_000,
        fraction: packets.length * 1000,
        captured: ethernet(ipv4(segment, { ...(out ? own : back), identification: packets.length + 1 })),
      });
    };
    send(true, SYN, 100, 0);
    send(false, SYN | ACK, 500, 101);
    send(true, ACK, 101, 501);
    for (let i = 0; i < 1000; i++) {
      send(false, ACK | PSH, 501 + i * 100, 101, 100);
      send(true, ACK, 101, 501 + (i + 1) * 100);
    }
    send(false, ACK | PSH, 501 + 999 * 100, 101, 100);
    send(true, FIN | ACK, 101, 100_501);
    send(false, ACK, 100_501, 102);
    const path = join(folder, 'long.pcap');
    writeFileSync(path, pcap(packets));
    const text = await explain(path, '10.0.0.1:40000-10.0.0.2:80');
    expect(text.slice(text.indexOf('     seconds'))).toMatchInlineSnapshot(`
      "     seconds  client        10.0.0.1:40000                                  server 10.0.0.2:80
          0.000000  SYN_SENT      -- SYN seq 0 -------------------------------->
          0.001000                <---------------------- SYN+ACK seq 0 ack 1 --  SYN_RECV
          0.002000  ESTABLISHED   -- ACK ack 1 -------------------------------->  ESTABLISHED
          0.003000                <---------------- ACK seq 1 ack 1 100 bytes --
          0.004000                -- ACK ack 101 ------------------------------>
          0.005000                <-------------- ACK seq 101 ack 1 100 bytes --
          0.006000                ... 1.99 s: > 997 segments; < 997 segments, 99,700 bytes
          2.000000                -- ACK ack 99901 ---------------------------->
          2.001000                <------------ ACK seq 99901 ack 1 100 bytes --
          2.002000                -- ACK ack 100001 --------------------------->
          2.003000                <------ ACK seq 99901 ack 1 100 bytes again --
          2.004000  FIN_WAIT1     -- FIN+ACK seq 1 ack 100001 ----------------->
          2.005000  FIN_WAIT2     <-------------------------------- ACK ack 2 --  CLOSE_WAIT
      "
    `);
    const { sent, client, server } = read(text);
    expect(sent).toEqual({ '>': 1003, '<': 1003 });
    expect([client, server]).toEqual([
      ['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2'],
      ['SYN_RECV', 'ESTABLISHED', 'CLOSE_WAIT'],
    ]);
  });

  const captures = [
    ...readdirSync(CAPTURES).map((name) => join(CAPTURES, name)),
    ...readdirSync(join(CAPTURES, 'lab')).map((name) => join(CAPTURES, 'lab', name)),
  ];
  it.each(captures.filter((path) => path.endsWith('.pcap')))('has as many segments and the same states as its record: %s', async (path) => {
    const records = await recordsOf(path);
    const names = new Set(records.map(nameOf));
    for (const name of names) {
      const own = records.filter((record) => nameOf(record) === name);
      const text = await explain(path, name);
      const ladders = text.split(/\n\n(?=\d|\[)/);
      expect(ladders).toHaveLength(own.length);
      const sent = { '>': 0, '<': 0 };
      for (const [i, record] of own.entries()) {
        const ladder = read(ladders[i]!);
        expect(ladder.client).toEqual(record.client.states!.map(([state]) => state));
        expect(ladder.server).toEqual(record.server.states!.map(([state]) => state));
        expect(ladder.seconds).toEqual(ladder.seconds.toSorted((a, b) => a - b));
        sent['>'] += ladder.sent['>'];
        sent['<'] += ladder.sent['<'];
      }
      expect(sent).toEqual({
        '>': own.reduce((sum, { client }) => sum + client.segments, 0),
        '<': own.reduce((sum, { server }) => sum + server.segments, 0),
      });
    }
  });
});
