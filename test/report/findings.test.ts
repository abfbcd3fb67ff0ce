import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AnalyzeOptions, analyze, type SummaryRecord } from '../../src/index.ts';
import { findings } from '../../src/report/findings.ts';

const OURS = fileURLToPath(new URL('../captures/', import.meta.url));
const LAB = fileURLToPath(new URL('../../../shared/lab/captures/', import.meta.url));

async function summaryOf(path: string, options: AnalyzeOptions = {}): Promise<SummaryRecord> {
  for await (const record of analyze(path, options)) if (record.type === 'summary') return record;
  throw new Error('no summary');
}

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
      /^10\.77\.47\.1 has run out of ports towards 10\.77\.47\.2:9047: from 2026-11-22T18:16:58\.192732Z on all 50 ports/,
    );
    expect(first?.text).toContain('(40000-40049)');
    expect(first?.text).toContain('350 of its 400 connections');
    expect(first?.advice).toMatch(/wider range of ports/);
  });

  it('resets in the middle, also where those who sent them have no place in the list of senders', async () => {
    const summary = await summaryOf(`${OURS}all_eth.pcap`);
    const senders = summary.resets.senders.filter(({ stage }) => !stage.established);
    expect(senders.length).toBeGreaterThan(0);
    const said = findings({ ...summary, resets: { ...summary.resets, senders } }).find(({ text }) => text.includes('in the middle'));
    expect(said?.text).toMatch(/ended by an RST in the middle, without any FIN\.$/);
    expect(said?.filter).toBe('tcp[tcpflags] & tcp-rst != 0');
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
