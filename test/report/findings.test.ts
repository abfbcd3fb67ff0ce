import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AnalyzeOptions, analyze, type SummaryRecord } from '../../src/index.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import type { Outcome } from '../../src/merge/outcome.ts';
import { portsRecord } from '../../src/merge/ports.ts';
import { Clock } from '../../src/records/time.ts';
import { findings, seenOf } from '../../src/report/findings.ts';
import { PROFILES } from '../../src/tracker/time-wait.ts';
import { type Host, ipv4, type Story, story } from '../support/story.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

async function summaryOf(path: string, options: AnalyzeOptions = {}): Promise<SummaryRecord> {
  for await (const record of analyze(path, options)) if (record.type === 'summary') return record;
  throw new Error('no summary');
}

/** RSTs before connections were open. */
const sent = (host: string, role: 'client' | 'server', server_port: number, handshake: number) => ({
  host,
  role,
  server_port,
  total: handshake,
  stage: { handshake },
  idle: 0,
});

describe('what stands out', () => {
  it('is nothing in an ordinary close', async () => {
    expect(findings(await summaryOf(`${OURS}article.pcap`))).toEqual([]);
  });

  it('a pressure near the end of the range, and one that will come to it', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    const [group] = summary.ports.worst;
    const pressed = { ...group!, pressure: 0.9, held: { now: 900, peak: 900, peak_at: '2021-06-10T17:31:59Z', mean: 800 }, above_80_s: 12 };
    const said = findings({ ...summary, ports: { ...summary.ports, range: 1000, worst: [pressed] } });
    expect(said).toHaveLength(1);
    expect(said[0]?.text).toMatch(/comes close to the end of its ports towards 10\.0\.0\.2:22: 900 of 1,000 \(90\.0 %\)/);
    expect(said[0]?.text).toContain('more than 80 % were for 12 s');
    expect(said[0]?.filter).toBe('tcp port 22 and host 10.0.0.3 and host 10.0.0.2');
    const growing = { ...group!, forecast_at: '2021-06-10T17:32:40Z' };
    const [next] = findings({ ...summary, ports: { ...summary.ports, worst: [growing] } });
    expect(next?.text).toMatch(/will run out of ports towards .* at 2021-06-10T17:32:40Z/);
  });

  it.skipIf(!existsSync(LAB))('a client that runs out of ports: which, towards whom, when, and what helps', async () => {
    const [first] = findings(await summaryOf(`${LAB}port_churn.server.pcap`));
    expect(first?.text).toMatch(
      /^10\.77\.47\.1 has run out of ports towards 10\.77\.47\.2:9047: at 2026-11-22T18:16:58\.192732Z all 50 ports/,
    );
    expect(first?.text).toContain('(40000-40049)');
    expect(first?.text).toContain('350 of its 400 connections');
    expect(first?.advice).toMatch(/wider range of ports/);
  });

  it('says whose range is wider than was assumed, and from which pressure on ports ran out', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    const [group] = summary.ports.worst;
    const said = (pressure: number): string | undefined => {
      const held = { ...group!.held, peak: Math.round(pressure * 1000), peak_at: '2021-06-10T17:31:59Z' };
      return findings({ ...summary, ports: { ...summary.ports, range: 1000, worst: [{ ...group!, pressure, held }] } })[0]?.text;
    };
    expect(said(0.999)).toMatch(/comes close to the end of its ports/);
    expect(said(1)).toMatch(/has run out of ports .*: 1,000 of 1,000 \(100\.0 %\)/);
    expect(said(1.001)).toMatch(
      /^10\.0\.0\.3 has more ports than the 1,000 that were assumed: towards 10\.0\.0\.2:22 it took 1,001 at once/,
    );
  });

  it('how many leak, of whose timer, how old what did not let in was, and how many make a pile', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    const texts = (changed: Partial<SummaryRecord>): string[] => findings({ ...summary, ...changed }).map(({ text }) => text);
    const owner = { host: '10.0.0.9', role: 'server', server_port: 80, suspects: 2, leaks: 1, oldest_s: 90, connections: ['a'] } as const;
    expect(texts({ close_wait: { suspects: 2, leaks: 1, owners: [{ ...owner, connections: ['a'] }] } })).toEqual([
      expect.stringMatching(/leaves 3 connections in CLOSE_WAIT, the oldest for 90 s \(a\); 1 still answered probes/),
    ]);
    const age = { count: 2, p50: 1, p99: 3, max: 3 } as SummaryRecord['reuse']['age_s'];
    expect(texts({ reuse: { ...summary.reuse, challenged: 2, challenged_age_s: age } })).toEqual([
      expect.stringMatching(/^2 new connections met .*, at most 3 s old, that did not let them in:/),
    ]);
    expect(texts({ reuse: { ...summary.reuse, challenged: 1, challenged_age_s: age } })).toEqual([
      expect.stringMatching(/^1 new connection met .*, 3 s old, that did not let it in:/),
    ]);
    const piles = (total: number): number => {
      const owners = [{ host: '10.0.0.9', role: 'server', server_port: 80, total, oldest_s: 9, connection: 'a' }];
      return texts({ stuck: { ...summary.stuck, fin_wait2: { total, owners } } as SummaryRecord['stuck'] }).length;
    };
    expect([piles(9), piles(10)]).toEqual([0, 1]);
    const sender = { host: '10.0.0.9', role: 'server' as const, server_port: 80, total: 8, stage: { closing: 8 }, idle: 8 };
    const resets = { total: 8, stage: { closing: 8 }, idle: 8, senders: [{ ...sender, idle_timeout: { seconds: 60, count: 5 } }] };
    expect(texts({ resets })).toEqual([expect.stringContaining('(5 of 8 RSTs after a silence)')]);
  });

  it('RSTs by a host: of one role, with its other ports, and with advice only of servers', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    const told = (...senders: ReturnType<typeof sent>[]) => {
      const total = senders.reduce((sum, one) => sum + one.total, 0);
      return findings({ ...summary, connections: total, resets: { total, stage: { handshake: total }, idle: 0, senders } });
    };
    const nine = '10.0.0.9';
    const [mixed] = told(sent(nine, 'server', 80, 3), sent(nine, 'server', 81, 2), sent(nine, 'client', 80, 2));
    expect(mixed?.text).toMatch(/10\.0\.0\.9 \(server, port 80\) sent 3 of those RSTs, and 2 with 1 other port\.$/);
    expect(mixed?.filter).toBe('tcp and host 10.0.0.9');
    expect(mixed?.advice).toMatch(/runs that should listen there/);
    const [client] = told(sent(nine, 'client', 80, 2));
    expect([client?.filter, client?.advice]).toEqual(['tcp port 80 and host 10.0.0.9', undefined]);
    expect(told(sent(nine, 'server', 80, 1))).toEqual([]);
  });

  it('resets in the middle, also where their sender is too many to be told apart', async () => {
    const summary = await summaryOf(`${OURS}all_eth.pcap`);
    const senders = summary.resets.senders.filter(({ stage }) => !stage.established);
    expect(senders.length).toBeGreaterThan(0);
    const said = findings({ ...summary, resets: { ...summary.resets, senders } }).find(({ text }) => text.includes('in the middle'));
    expect(said?.text).toMatch(/ended by an RST in the middle, without any FIN\.$/);
    expect(said?.filter).toBeUndefined();
  });

  it.skipIf(!existsSync(LAB))('resets in the middle, and a SYN that TIME_WAIT did not let in', async () => {
    const [reset] = findings(await summaryOf(`${LAB}rst_linger0.client.pcap`));
    expect(reset?.text).toMatch(/^3 of 3 connections .* ended by an RST in the middle.* 10\.77\.26\.1 \(client, port 9026\) sent 3/);
    const [challenge] = findings(await summaryOf(`${LAB}tw_syn_old.client.pcap`));
    expect(challenge?.text).toMatch(
      /^1 new connection met a TIME_WAIT of the same ports, 1 s old, that did not let it in: the SYN was answered/,
    );
    expect(challenge?.text).toContain('the SYN was answered by an ACK of the old connection, which the client answers by RST');
  });
});

/** What is found in a story of which a summary would name one of each kind. */
function found(
  told: Story,
  ports = 28_232,
): { texts: string[]; filters: (string | undefined)[]; advices: (string | undefined)[]; worst: string[] } {
  const { answers, statistics } = told.outcome({ ports });
  const outcome = { answers, statistics, profile: PROFILES.linux, ports, clock: new Clock(0, 9), firstTime: 0, lastTime: told.clock };
  const said = findings(seenOf(outcome as unknown as Outcome));
  const texts = said.map(({ text }) => text);
  const filters = said.map(({ filter }) => filter);
  for (const filter of filters) if (filter !== undefined) expect(() => compileFilter(filter)).not.toThrow();
  const advices = said.map(({ advice }) => advice);
  return { texts, filters, advices, worst: portsRecord(outcome as unknown as Outcome, 2).worst.map(({ client }) => client) };
}

/** A whole connection, closed by the client. */
function close(told: Story, from: Host, to: Host, isn = 5000): void {
  const [client, server] = told.connection(from, to, isn);
  client.syn();
  server.synAck();
  client.ack();
  client.fin();
  server.ack();
  server.fin();
  client.ack();
}

describe('whoever stands out is found, though others come first in every list', () => {
  it('who resets in the middle, and who resets after the same silence', () => {
    const told = story();
    for (let other = 0; other < 40; other++)
      for (let port = 0; port < 8; port++) {
        const [client, server] = told.connection(ipv4('10.0.0.2', 41_000 + port), ipv4(`10.0.1.${other}`, 81));
        client.syn();
        server.rst();
      }
    for (let i = 0; i < 25; i++) {
      const idles = i < 5;
      const [client, server] = told.connection(ipv4('10.0.0.3', 42_000 + i), ipv4(`10.0.0.${idles ? 9 : 8}`, 80));
      client.syn();
      server.synAck();
      client.ack();
      client.data(10);
      told.wait(idles ? 60 : 0.1);
      if (i % 4 === 0) server.rst();
      else if (idles) server.rst();
      else client.rst();
    }
    const { texts } = found(told);
    expect(texts[0]).toMatch(
      /^10\.0\.0\.9, the server at port 80, resets connections after 60 s of silence \(5 of 5 RSTs after a silence\)/,
    );
    expect(texts[1]).toMatch(/^25 of 345 connections .* 10\.0\.0\.3 \(client, port 80\) sent 15 of those RSTs\.$/);
  });

  it('who refuses connections: of one port, or of many, as where somebody scans', () => {
    const told = story();
    for (let i = 0; i < 100; i++) close(told, ipv4('10.0.0.2', 40_000 + i), ipv4('10.0.0.9', 80));
    const refuse = (port: number, from: number): void => {
      const [client, server] = told.connection(ipv4('10.0.0.3', from), ipv4('10.0.0.8', port));
      client.syn();
      server.rst({ seq: -server.isn });
    };
    for (let i = 0; i < 4; i++) refuse(8080, 41_000 + i);
    expect(found(told).texts).toEqual([]);
    for (let i = 4; i < 8; i++) refuse(8080, 41_000 + i);
    const [one] = found(told).texts;
    expect(one).toBe(
      '8 of 108 connections (7.4 %) ended by an RST before they were open; 10.0.0.8 (server, port 8080) sent 8 of those RSTs.',
    );
    for (let port = 1; port <= 40; port++) refuse(port, 42_000);
    expect(found(told).texts[0]).toMatch(/^48 of 148 .*\(server, port 8080\) sent 8 of those RSTs, and 40 with 40 other ports\.$/);
    for (let i = 0; i < 9; i++) {
      const [client, server] = told.connection(ipv4('10.0.0.3', 43_000 + i), ipv4('10.0.0.7', 443));
      client.syn();
      server.rst({ seq: -server.isn });
    }
    // Who sent most of all, not who sent most with one port.
    expect(found(told).texts[0]).toMatch(/; 10\.0\.0\.8 \(server, port 8080\) sent 8 of those RSTs, and 40 with 40 other ports\.$/);
  });

  it('that nobody in particular sent many of the RSTs', async () => {
    const told = story();
    for (let i = 0; i < 40; i++) {
      const [client, server] = told.connection(ipv4('10.0.0.3', 41_000 + i), ipv4(`10.0.1.${1 + (i >> 1)}`, 80));
      client.syn();
      server.rst({ seq: -server.isn });
    }
    const { texts, filters, advices } = found(told);
    expect(texts).toEqual([
      '40 of 40 connections (100.0 %) ended by an RST before they were open; of 20 senders none sent more than 2 of those RSTs.',
    ]);
    expect(filters).toEqual([undefined]);
    expect(advices[0]).toMatch(/runs that should listen there/);
    const summary = await summaryOf(`${OURS}all_eth.pcap`);
    const [sender] = summary.resets.senders;
    const resets = { ...summary.resets, stage: { established: 100 }, senders: [{ ...sender!, stage: { established: 9 } }] };
    const said = findings({ ...summary, connections: 100, resets }).find(({ text }) => text.includes('in the middle'));
    expect(said?.text).toMatch(/of the senders that are told apart none sent more than 9 of those RSTs\.$/);
  });

  it('who runs out of ports, and how many more', () => {
    const told = story();
    for (let other = 0; other < 150; other++)
      for (let port = 0; port < 40; port++) close(told, ipv4(`10.0.1.${other}`, 40_000 + port), ipv4('10.0.0.8', 80));
    for (let client = 1; client <= 5; client++)
      for (let i = 0; i < 20; i++) {
        close(told, ipv4(`10.0.0.${client}`, 50_000 + (i % 10)), ipv4('10.0.0.9', 80), 5000 + i * 1000);
        told.wait(2);
      }
    const { texts, worst } = found(told);
    expect(texts.map((text) => text.split(': at')[0])).toEqual(
      [1, 2, 3].map((n) => `10.0.0.${n} has run out of ports towards 10.0.0.9:80`),
    );
    expect(texts[2]).toMatch(/ So did 2 more, other clients or towards other servers\.$/);
    expect(worst).toEqual(['10.0.1.0', '10.0.0.1']); // the most, and whoever ran out
  });

  it('who will run out of ports, by more than a burst', () => {
    const told = story({ step: 1e6 });
    for (let port = 0; port < 130; port++) told.connection(ipv4('10.0.1.1', 40_000 + port), ipv4('10.0.0.8', 80))[0].syn();
    told.wait(30);
    for (let port = 0; port < 100; port++) {
      close(told, ipv4('10.0.0.3', 50_000 + port), ipv4('10.0.0.9', 80));
      told.wait(0.01);
    }
    close(told, ipv4('10.0.0.4', 50_000), ipv4('10.0.0.9', 80)); // 1 a millisecond, if one goes by that
    told.wait(0.001);
    const { texts } = found(told, 1000);
    expect(texts).toEqual([
      expect.stringMatching(/^10\.0\.0\.3 will run out of ports towards 10\.0\.0\.9:80 at /),
      'The server 10.0.0.8:80 has 130 connections (56.3 % of all) whose handshake was never completed (10.0.1.1:40000-10.0.0.8:80 for one).',
    ]);
  });
});

describe('connections that were let go', () => {
  it('come first, because the rest lacks them', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    expect(findings(summary).filter(({ text }) => text.includes('let go'))).toEqual([]);
    const [first] = findings({ ...summary, connections: 12_000_000, end_reason: { capture_end: 9_000_000, evicted: 3_000_000 } });
    expect(first?.text).toMatch(
      /^3,000,000 of 12,000,000 connections \(25\.0 %\) were let go .* more than 8,388,608 were open at a time in one worker/,
    );
    expect(first?.advice).toContain('--idle-timeout');
  });
});

describe('a host whose TIME_WAIT is not what the profile says', () => {
  it('is named, with what is proved of it', async () => {
    const summary = await summaryOf(`${OURS}article.pcap`);
    const host = { host: '10.0.0.3', observations: 4, left: 1, profile_s: 60, agrees: false, lower_s: 25, upper_s: 31.5 };
    const measured = { hosts: 2, others: 0, worst: [host, { ...host, host: '10.0.0.4', agrees: true }] };
    const said = findings({ ...summary, time_wait: { ...summary.time_wait, measured } });
    expect(said.map(({ filter }) => filter)).toEqual(['tcp and host 10.0.0.3']);
    expect(said[0]?.text).toMatch(
      /^TIME_WAIT of 10\.0\.0\.3 does not last the 60 s that were assumed \(linux\): by 4 observations, it was still there 25 s after its last start, and it had left after 31\.5 s\./,
    );
  });
});
