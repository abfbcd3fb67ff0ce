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

/** The rows of a section of the report. */
const section = (of: SummaryRecord, title: string, top?: number): string[] => {
  const lines = reportText({ ...reportOf(of, 'x.pcap'), top }, false).split('\n');
  const from = lines.findIndex((line) => line.startsWith(`${title} (`));
  return from < 0 ? [] : lines.slice(from + 1, lines.indexOf('', from));
};

/** Who has connections in CLOSE_WAIT. */
const owner = (host: string, suspects: number, leaks: number): SummaryRecord['close_wait']['owners'][0] => {
  return { host, role: 'server', server_port: 80, suspects, leaks, oldest_s: 90, connections: [] };
};

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

      Ports (28,232 of a client towards one server and port sustain 471 connections a second)
        taken at once, at most:
                 1   0.0 %  10.0.0.3 to 10.0.0.2:22: 1 connection; 1 in TIME_WAIT at most

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

  it('names as many groups of ports, owners of CLOSE_WAIT and senders of RSTs, and counts the others', async () => {
    const summary = await summaryOf('all_eth.pcap');
    const { worst, groups } = summary.ports;
    const [first] = worst;
    expect(section(summary, 'Ports', 2)).toHaveLength(4);
    expect(section(summary, 'Ports', 2)[1]).toMatch(new RegExp(`^ +${first!.held.peak} +0\\.0 % {2}${first!.client} to ${first!.server}:`));
    expect(section(summary, 'Ports', 2).at(-1)).toBe(`  and ${groups - 2} others`);
    expect(section(summary, 'Ports', 1000).slice(1)).toHaveLength(worst.length + (groups > worst.length ? 1 : 0));
    const crowd = { ...summary, ports: { ...summary.ports, others: 12 } };
    expect(section(crowd, 'Ports').at(-1)).toBe('  12 connections of clients and servers that are too many to be told apart');
    const busy = { ...first!, connections: 400, rate_per_s: 54.62, held: { ...first!.held, peak: 14_116 } };
    expect(section({ ...summary, ports: { ...summary.ports, worst: [busy] } }, 'Ports')[1]).toMatch(
      /^ {6}14,116 {2}50\.0 % {2}.*: 400 connections, 54\.6 a second; \d+ in TIME_WAIT at most$/,
    );

    const { total, stage, senders } = summary.resets;
    const [stages, , ...sent] = section(summary, 'RSTs', 2);
    expect(stages).toBe(
      `  ${stage.handshake} before the connection was open, ${stage.established} in the middle, ${stage.closing} during the close, ${stage.after_close} after it`,
    );
    expect(sent).toHaveLength(3);
    expect(sent[0]).toMatch(
      new RegExp(`^ +${senders[0]!.total} {2}${senders[0]!.host} \\(${senders[0]!.role}, port ${senders[0]!.server_port}\\)$`),
    );
    expect(sent[2]).toMatch(/ others$/);
    expect(counts(sent)).toBe(total);
    expect(section(await summaryOf('article.pcap'), 'RSTs')).toEqual([]);

    const owners = [owner('10.0.0.9', 3, 2), owner('10.0.0.8', 1, 0)];
    const leaky = { ...summary, close_wait: { suspects: 5, leaks: 2, owners } };
    expect(section(leaky, 'CLOSE_WAIT')).toEqual([
      '           5  10.0.0.9 (server, port 80), the oldest for 90 s; 2 still answered probes',
      '           1  10.0.0.8 (server, port 80), the oldest for 90 s',
      '           1  others',
    ]);
    expect(section(leaky, 'CLOSE_WAIT', 1).at(-1)).toBe('           2  others');
    expect(section(await summaryOf('article.pcap'), 'CLOSE_WAIT')).toEqual([]);
  });

  it('writes a change whose name has no room in front of its numbers above them', async () => {
    const summary = await summaryOf('article.pcap');
    const { time_wait, ports } = summary;
    const names = ['2msl=30,ports=1024-65535', '2msl=30,ports=1024-65535,tw_reuse=1'];
    const lines = reportText(
      reportOf({ ...summary, what_if: names.map((change) => ({ change, time_wait, ports })) }, 'x.pcap'),
      false,
    ).split('\n');
    const from = lines.findIndex((line) => line.startsWith('  as seen'));
    const [seen, short, name, long] = lines.slice(from);
    expect(short).toBe(seen!.replace(/as seen {17}/, names[0]!));
    expect(name).toBe(`  ${names[1]}`);
    expect(long).toBe(seen!.replace('as seen', '       '));
  });

  it('draws the rarest class, too, and the most frequent one in full', async () => {
    const summary = await summaryOf('article.pcap');
    const bars = (classes: Record<string, number>): number[] => {
      const text = reportText(reportOf({ ...summary, connections: 1000, close: { ...summary.close, class: classes } }, 'x.pcap'), false);
      return Object.keys(classes).map((name) => (new RegExp(`^ {2}${name} .*?(█+)`, 'm').exec(text)?.[1] ?? '').length);
    };
    expect(bars({ four_wave: 500, rst_abort: 250 })).toEqual([24, 12]);
    expect(bars({ four_wave: 999, rst_abort: 1 })).toEqual([24, 1]);
  });

  it('tells of times, of states and of what met TIME_WAIT in the right words', async () => {
    const summary = await summaryOf('article.pcap');
    const text = (changed: Partial<SummaryRecord>): string => reportText(reportOf({ ...summary, ...changed }, 'x.pcap'), false);
    const quantiles = { count: 100, p50: 1, p99: 3, max: 4 };
    expect(text({ close: { ...summary.close, duration_s: quantiles } })).toContain(
      'whole close:     median 1 s, 99 % within 3 s, longest 4 s',
    );
    expect(text({ connections: 3, states: { CLOSED: { CLOSED: 1 }, TIME_WAIT: { CLOSED: 2 } } })).toMatch(
      /\n +2 +66\.7 % {2}TIME_WAIT +CLOSED\n +1 +33\.3 % {2}CLOSED +CLOSED\n/,
    );
    const wait = summary.time_wait;
    expect(text({ time_wait: { ...wait, mean: 12.34 } })).toContain(', 12.3 on average');
    expect(text({ time_wait: { ...wait, mean: 1234.5 } })).toContain(', 1,235 on average');
    const [host] = wait.hosts;
    const crowd = text({ time_wait: { ...wait, entered: 10, others: 4, hosts: [{ ...host!, entered: 5 }] } });
    expect(crowd).toMatch(/\n +1 {2}other hosts\n +4 {2}hosts that are too many to be told apart\n/);
    const bounds = { host: '10.0.0.9', lower_s: 20, upper_s: 30, observations: 2, profile_s: 60, agrees: false } as const;
    const measured = { ...wait.measured, hosts: 5, worst: [bounds, { ...bounds, host: '10.0.0.8', agrees: true }] };
    expect(text({ time_wait: { ...wait, measured: measured as typeof wait.measured } })).toMatch(
      /10\.0\.0\.9: at least 20 s, at most 30 s, unlike the profile\n.*10\.0\.0\.8: at least 20 s, at most 30 s\n +and 3 hosts\n/,
    );
    const reuse = {
      ...summary.reuse,
      accepted: 1,
      age_s: { count: 1, p50: 3, p99: 3, max: 3 },
      isn_delta: { ...summary.reuse.isn_delta, not_above: 1 },
    };
    expect(text({ reuse })).toMatch(/1 SYN of .*: 1 accepted; it was then 3 s old; .* 1 was not above/);
    const twice = { ...reuse, accepted: 2, age_s: { count: 2, p50: 2, p99: 3, max: 3 }, isn_delta: { ...reuse.isn_delta, not_above: 2 } };
    expect(text({ reuse: twice })).toMatch(/it was then 2 s old in the middle, 3 s at most; .* 2 were not above/);
    expect(text({ input: { ...summary.input, time_regressions: 1 } })).toMatch(/\n +1 {2}packets with a time before/);
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
      ports: { ...summary.ports, groups: 0, worst: [] },
    };
    delete empty.start;
    expect(reportText(reportOf(empty, 'a', 'b', 'c', 'd'), false)).toBe('a, b, c and 1 more\n0 connections in 0 packets\n');
  });
});
