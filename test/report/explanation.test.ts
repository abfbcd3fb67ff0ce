import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionFilter } from '../../src/filter/connection.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/layout/tcp.ts';
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

/** A segment: ms since the beginning, whether the client sent it, flags, numbers, bytes of payload. */
type Sent = [ms: number, out: boolean, flags: number, seq: number, ack: number, payload?: number];

/** The ladders of 10.0.0.1:40000-10.0.0.2:80 in a capture of these segments. */
async function laddersOf(sent: readonly Sent[]): Promise<string> {
  const packets = sent.map(([ms, out, flags, seq, ack, payload = 0], i): CapturedPacket => {
    const ports = out ? { source: 40000, destination: 80 } : { source: 80, destination: 40000 };
    const addresses = out ? { source: '10.0.0.1', destination: '10.0.0.2' } : { source: '10.0.0.2', destination: '10.0.0.1' };
    const captured = ethernet(
      ipv4(tcp({ ...ports, flags, seq, ack, payload: new Uint8Array(payload) }), { ...addresses, identification: i + 1 }),
    );
    return { seconds: 1_600_000_000 + Math.floor(ms / 1000), fraction: (ms % 1000) * 1000, captured };
  });
  const path = join(folder, 'sent.pcap');
  writeFileSync(path, pcap(packets));
  return explain(path, '10.0.0.1:40000-10.0.0.2:80');
}

/** A connection that the server closes first, `at` ms after the beginning. */
const closed = (at: number, iss: number, peer: number): Sent[] => [
  [at, true, SYN, iss, 0],
  [at + 1, false, SYN | ACK, peer, iss + 1],
  [at + 2, true, ACK, iss + 1, peer + 1],
  [at + 3, false, FIN | ACK, peer + 1, iss + 1],
  [at + 4, true, ACK, iss + 1, peer + 2],
  [at + 5, true, FIN | ACK, iss + 1, peer + 2],
  [at + 6, false, ACK, peer + 2, iss + 2],
];

/** What each line of each ladder says between the endpoints, without the shafts of the arrows. */
const labels = (text: string): string[][] =>
  text.split(/\n\n(?=10\.)/).map((part) => {
    const lines = part.split('\n');
    return lines
      .slice(lines.findIndex((line) => line.includes('seconds  client')) + 1)
      .flatMap((line) => /[A-Z+]{3,7} (?:seq|ack)[^->]*\w/.exec(line.slice(28))?.[0] ?? []);
  });

describe('an explained connection', () => {
  it('keeps what came before a SYN of its ports, also at the same time', async () => {
    const [first, second] = labels(
      await laddersOf([...closed(0, 100, 500), [6, true, SYN, 900_000, 0], [8, false, SYN | ACK, 70_000, 900_001]]),
    );
    expect(first).toHaveLength(7);
    expect(second).toEqual(['SYN seq 0', 'SYN+ACK seq 0 ack 1']);
  });

  it('gives a SYN that waits for its answer to the next connection, and what the old one sends meanwhile to that', async () => {
    const segments: Sent[] = [
      ...closed(0, 100, 500),
      [1000, true, SYN, 900_000, 0],
      [1500, true, FIN | ACK, 101, 502],
      [2000, true, SYN, 900_000, 0],
      [2010, false, SYN | ACK, 70_000, 900_001],
      [2020, true, ACK, 900_001, 70_001],
    ];
    const [first, second] = labels(await laddersOf(segments));
    expect(first!.slice(-2)).toEqual(['ACK ack 2', 'FIN+ACK seq 1 ack 2 again']);
    expect(second).toEqual(['SYN seq 0', 'SYN seq 0 again', 'SYN+ACK seq 0 ack 1', 'ACK ack 1']);
  });

  it('calls a SYN with another number `again` only when it is: its receiver challenges it', async () => {
    const segments: Sent[] = [
      [0, true, SYN, 1000, 0],
      [10, false, SYN | ACK, 500, 1001],
      [20, true, ACK, 1001, 501],
      [5000, true, SYN, 400, 0],
      [5010, false, ACK, 501, 1001],
      [6000, true, SYN, 400, 0],
      [6010, false, ACK, 501, 1001],
    ];
    const text = await laddersOf(segments);
    expect(text.match(/SYN seq -600( again)?/g)).toEqual(['SYN seq -600', 'SYN seq -600 again']);
  });

  it('says how many segments came that belong to none', async () => {
    const text = await laddersOf([
      ...closed(0, 100, 500),
      [62_000, false, ACK, 502, 102],
      [62_010, false, ACK, 502, 102],
      ...closed(300_000, 7, 9),
    ]);
    expect(text.endsWith('\n2 segments more came when no connection was there that they could be of\n')).toBe(true);
    expect(labels(text).map(({ length }) => length)).toEqual([7, 7]);
  });

  it('repeats only what was there: not what fills a hole, nor what comes after a challenged SYN, nor the next one with the same numbers', async () => {
    const [filled] = labels(
      await laddersOf([
        ...closed(0, 100, 500).slice(0, 3),
        [10, true, ACK, 101, 501, 100],
        [11, true, ACK, 301, 501, 100],
        [12, true, ACK, 201, 501, 100],
        [13, true, ACK, 201, 501, 100],
      ]),
    );
    expect(filled!.slice(3)).toEqual([
      'ACK seq 1 ack 1 100 bytes',
      'ACK seq 201 ack 1 100 bytes',
      'ACK seq 101 ack 1 100 bytes',
      'ACK seq 101 ack 1 100 bytes again',
    ]);
    const [challenged] = labels(
      await laddersOf([
        ...closed(0, 100, 500).slice(0, 3),
        [10, true, SYN, 900_000, 0],
        [11, false, ACK, 501, 101],
        [12, true, ACK, 101, 501, 10],
      ]),
    );
    expect(challenged!.slice(3)).toEqual(['SYN seq 899900', 'ACK ack 1', 'ACK seq 1 ack 1 10 bytes']);
    expect(await laddersOf([...closed(0, 100, 500), ...closed(300_000, 100, 500)])).not.toContain('again');
  });

  it('shows its close after a storm', async () => {
    const storm = Array.from({ length: 30_000 }, (_, i): Sent => [10 + i, false, RST, 501, 0]);
    const text = await laddersOf([...closed(0, 100, 500).slice(0, 3), ...storm, ...closed(40_000, 100, 500).slice(3)]);
    expect(labels(text)[0]!.filter((label) => label.startsWith('FIN'))).toHaveLength(2);
    expect(text.split('\n').length).toBeLessThan(20_100);
  });

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
    const sent: Sent[] = [];
    const send = (...[out, flags, seq, ack, payload = 0]: [boolean, number, number, number, number?]): void =>
      void sent.push([sent.length, out, flags, seq, ack, payload]);
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
    const text = await laddersOf(sent);
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
    const { sent: numbers, client, server } = read(text);
    expect(numbers).toEqual({ '>': 1003, '<': 1003 });
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
