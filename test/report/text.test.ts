import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze, type SummaryRecord } from '../../src/index.ts';
import { leaking, reportOf } from '../support/report.ts';
import { reportText } from '../../src/report/text.ts';

async function summaryOf(capture: string): Promise<SummaryRecord> {
  const path = fileURLToPath(new URL(`../captures/${capture}`, import.meta.url));
  for await (const record of analyze(path)) if (record.type === 'summary') return record;
  throw new Error('no summary');
}

/** The numbers that lines begin with, together. */
const counts = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);

describe('the report for people', () => {
  it('of the source article', async () => {
    expect(reportText(reportOf(await summaryOf('article.pcap'), 'article.pcap'), false)).toMatchInlineSnapshot(`
      "article.pcap
      1 connection in 11 packets, 2.19 s from 2021-06-10T17:31:57.624391Z

      How they closed
        four_wave                     1 100.0 %  ████████████████████████  FIN, ACK, FIN, ACK
        closed first: client 1
        whole close: 1.07 ms
        FIN to its ACK: 764 µs
        half closed: 289 µs
        last ACK: 19 µs

      Close sequences (> client, < server; F FIN, A ACK, FA both, D data, R RST, f a repeated)
                 1 100.0 %  F> A< F< A>

      States at the end (client, server)
                 1 100.0 %  TIME_WAIT    CLOSED

      TIME_WAIT (linux, 60 s)
        entered 1 time: 1 still there at the end
        at most 1 at once (2021-06-10T17:31:59.809483Z), 0.0 on average; restarted 0 times
        closes from before the capture are not in it: the numbers of all of this capture are lower bounds
        held by (times):
                 1  10.0.0.3, at most 1 at once

      The input
                 2  packets without a segment: not_ip
      "
    `);
  });

  it('tells of leaks, resets, duplicates and a cut tail', async () => {
    const duplicated = reportText(reportOf(await summaryOf('s20_duplicated_any.pcap'), 'x.pcap'), false);
    expect(duplicated).toContain('11  packets captured twice, counted once');
    const summary = await summaryOf('s26_close_wait_leak.pcap');
    const leaks = reportText(reportOf(leaking(summary), 'x.pcap'), false);
    expect(leaks).toContain('The server 10.0.0.9:80 leaves 3 connections in CLOSE_WAIT, the oldest for 90 s (10.0.0.2:4000-10.0.0.9:80).');
    expect(leaks).toContain('filter: tcp port 80 and host 10.0.0.9');
    const cut = reportText(reportOf({ ...summary, input: { ...summary.input, truncated: true } }, 'x.pcap'), false);
    expect(cut).toMatch(/damaged or cut/);
    const reset = reportText(reportOf(await summaryOf('s04_rst_abort_client.pcap'), 'x.pcap'), false);
    expect(reset).toMatch(/rst_abort +1 +100\.0 %/);
  });

  it('names as many hosts as are asked for, and says how often all others held TIME_WAIT', async () => {
    const summary = await summaryOf('all_eth.pcap');
    const holders = (top?: number): string[] => {
      const lines = reportText({ ...reportOf(summary, 'x.pcap'), top }, false).split('\n');
      const from = lines.indexOf('  held by (times):') + 1;
      return lines.slice(
        from,
        lines.findIndex((line, i) => i >= from && !/^ +\d+ {2}(?:\d|other hosts$)/.test(line)),
      );
    };
    expect(holders()).toHaveLength(9);
    expect(holders(2)).toHaveLength(3);
    expect(holders(1000).length).toBe(summary.time_wait.hosts.length);
    for (const top of [1, 2, 8, 1000]) expect(counts(holders(top))).toBe(summary.time_wait.entered);
    expect(holders(2).at(-1)).toMatch(/ other hosts$/);
  });

  it('without color has no escape sequences, with color the same words', async () => {
    const summary = await summaryOf('s12_reuse_tw_2s.pcap');
    const plain = reportText(reportOf(summary, 'x.pcap'), false);
    const colored = reportText(reportOf(summary, 'x.pcap'), true);
    expect(plain).not.toContain('\u001b');
    // oxlint-disable-next-line no-control-regex
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
    expect(colored).not.toBe(plain);
  });

  it('says how many connections closed in ways that it does not show, of which not all may be known', async () => {
    const summary = await summaryOf('article.pcap');
    const sequence = Object.fromEntries('abcdefghij'.split('').map((name, i) => [name, 20 - i]));
    const text = reportText(reportOf({ ...summary, close: { ...summary.close, sequence: { ...sequence, others: 30 } } }, 'x.pcap'), false);
    expect(text).toMatch(/ h\n {2}and 53 connections with others\n/); // 12 + 11 + 30
  });

  it('of an empty capture has no NaN, Infinity or undefined', async () => {
    const summary = await summaryOf('article.pcap');
    const empty: SummaryRecord = {
      ...summary,
      packets: 0,
      segments: 0,
      connections: 0,
      duration_s: 0,
      drops: {},
      close: {
        ...summary.close,
        class: {},
        initiator: {},
        sequence: {},
        duration_s: { count: 0 },
        fin_ack_s: { count: 0 },
        half_closed_s: { count: 0 },
        last_ack_s: { count: 0 },
      },
      time_wait: { ...summary.time_wait, entered: 0, peak: 0, mean: 0, ended_by: {}, hosts: [] },
    };
    delete empty.start;
    expect(reportText(reportOf(empty, 'a', 'b', 'c', 'd'), false)).toBe('a, b, c and 1 more\n0 connections in 0 packets\n');
  });
});
