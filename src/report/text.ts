import type { Quantiles } from '../merge/quantiles.ts';
import type { SummaryRecord } from '../merge/summary.ts';
import { type Finding, findings } from './findings.ts';
import { brief, count, duration, plural, share } from './words.ts';

const BAR = 24;
const SHOWN = 8;

/** What each class of close means, in a few words. */
export const MEANINGS: Readonly<Record<string, string>> = {
  refused: 'SYN answered by RST: nobody listens',
  no_reply: 'the handshake was never completed',
  aborted_handshake: 'reset before the handshake was complete',
  rst_abort: 'reset without any FIN',
  data_after_close_rst: 'one side had closed, the other still sent: reset',
  fin_then_rst: 'FIN, then RST by the same side',
  fin_answered_by_rst: 'FIN answered by RST',
  simultaneous: 'both closed at once, the FINs crossed',
  three_segment: 'FIN, FIN+ACK, ACK',
  four_wave: 'FIN, ACK, FIN, ACK',
  half_close: 'four waves, with data between the FINs',
  last_ack_missing: 'both FINs, but not both acknowledged',
  half_open: 'one FIN acknowledged, the other never came',
  fin_unacked: 'a FIN that nobody acknowledged',
  not_closed: 'still open at the end',
  orderly: 'both closed, but the capture lacks a part of it',
  unknown: 'the capture does not tell',
};

/** The report for people: what a tired engineer wants to know first, first. */
export function reportText(summary: SummaryRecord, captures: readonly string[], color: boolean): string {
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const sections = [
    heading(summary, captures, bold),
    standsOut(findings(summary), bold),
    closes(summary, bold),
    sequences(summary, bold),
    states(summary, bold),
    timeWait(summary, bold),
    whatIf(summary, bold),
    troubles(summary, bold),
    input(summary, bold),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

type Style = (text: string) => string;

function heading(summary: SummaryRecord, captures: readonly string[], bold: Style): string {
  const names = captures.length > 3 ? `${captures.slice(0, 3).join(', ')} and ${captures.length - 3} more` : captures.join(', ');
  const span = summary.start === undefined ? '' : `, ${duration(summary.duration_s)} from ${summary.start}`;
  const end = summary.interrupted ? ' (interrupted)' : '';
  return `${bold(names)}${end}\n${plural(summary.connections, 'connection')} in ${plural(summary.packets, 'packet')}${span}\n`;
}

/** The findings, each with the filter that shows the packets behind it. */
function standsOut(list: readonly Finding[], bold: Style): string {
  if (list.length === 0) return '';
  const lines = list.map(({ text, advice, filter }) => `  * ${text}\n${advice ? `    ${advice}\n` : ''}    filter: ${filter}\n`);
  return `${bold('What stands out')}\n${lines.join('')}`;
}

function closes(summary: SummaryRecord, bold: Style): string {
  const rows = Object.entries(summary.close.class);
  if (rows.length === 0) return '';
  const most = Math.max(...rows.map(([, n]) => n));
  const lines = rows.map(([name, n]) => {
    const bar = '█'.repeat(Math.max(1, Math.round((n / most) * BAR))).padEnd(BAR);
    return `  ${name.padEnd(20)} ${count(n).padStart(10)} ${share(n, summary.connections).padStart(7)}  ${bar}  ${MEANINGS[name] ?? ''}`;
  });
  const who = Object.entries(summary.close.initiator).map(([name, n]) => `${name} ${count(n)}`);
  const times = [
    timing('whole close', summary.close.duration_s),
    timing('FIN to its ACK', summary.close.fin_ack_s),
    timing('half closed', summary.close.half_closed_s),
    timing('last ACK', summary.close.last_ack_s),
  ].filter((text) => text !== '');
  const first = who.length > 0 ? `  closed first: ${who.join(', ')}\n` : '';
  return `${bold('How they closed')}\n${lines.join('\n')}\n${first}${times.join('')}`;
}

function timing(name: string, { count: n, p50, p99, max }: Quantiles): string {
  if (n === 0) return '';
  if (n === 1) return `  ${name}: ${duration(max!)}\n`;
  return `  ${`${name}:`.padEnd(16)} median ${duration(p50!)}, 99 % within ${duration(p99!)}, longest ${duration(max!)}\n`;
}

function sequences(summary: SummaryRecord, bold: Style): string {
  const rows = Object.entries(summary.close.sequence);
  if (rows.length === 0) return '';
  const lines = rows.slice(0, SHOWN).map(([name, n]) => `  ${count(n).padStart(10)} ${share(n, summary.connections).padStart(7)}  ${name}`);
  const rest = rows.length > SHOWN ? `  ${`and ${rows.length - SHOWN} others`.padStart(10)}\n` : '';
  return `${bold('Close sequences')} (> client, < server; F FIN, A ACK, FA both, D data, R RST, f a repeated)\n${lines.join('\n')}\n${rest}`;
}

/** Who is where when the capture ends. */
function states({ states: matrix, connections }: SummaryRecord, bold: Style): string {
  const pairs = Object.entries(matrix).flatMap(([client, row]) => Object.entries(row).map(([server, n]) => ({ client, server, n })));
  if (pairs.length === 0 || connections === 0) return '';
  pairs.sort((a, b) => b.n - a.n);
  const lines = pairs
    .slice(0, SHOWN)
    .map(({ client, server, n }) => `  ${count(n).padStart(10)} ${share(n, connections).padStart(7)}  ${client.padEnd(12)} ${server}\n`);
  const rest = pairs.length > SHOWN ? `  ${`and ${pairs.length - SHOWN} others`.padStart(10)}\n` : '';
  return `${bold('States at the end')} (client, server)\n${lines.join('')}${rest}`;
}

function timeWait(summary: SummaryRecord, bold: Style): string {
  const { time_wait: wait } = summary;
  if (wait.entered === 0) return '';
  const ends = Object.entries(wait.ended_by).map(([name, n]) => `${count(n)} ${ENDINGS[name] ?? name}`);
  const holders = wait.hosts
    .slice(0, SHOWN)
    .map(({ host, entered, peak }) => `  ${count(entered).padStart(10)}  ${host}, at most ${count(peak)} at once`);
  if (wait.others) holders.push(`  ${count(wait.others).padStart(10)}  hosts that are too many to be told apart`);
  const peak = `  at most ${count(wait.peak)} at once${wait.peak_at ? ` (${wait.peak_at})` : ''}, ${wait.mean.toFixed(1)} on average; restarted ${plural(wait.restarts, 'time')}\n`;
  const warmUp = summary.duration_s < wait['2msl_s'] ? 'all of this capture' : `the first ${duration(wait['2msl_s'])}`;
  return `${bold('TIME_WAIT')} (${wait.profile}, ${duration(wait['2msl_s'])})
  entered ${plural(wait.entered, 'time')}: ${ends.join(', ')}
${peak}  closes from before the capture are not in it: the numbers of ${warmUp} are lower bounds
  held by:
${holders.join('\n')}
${usedAgain(summary)}${measured(summary)}`;
}

/** How long it really lasts, as far as packets prove that. */
function measured({ time_wait: { measured: found } }: SummaryRecord): string {
  if (found.worst.length === 0) return '';
  const rows = found.worst.slice(0, SHOWN).map(({ host, lower_s, upper_s, observations, agrees }) => {
    const bounds = [
      lower_s === undefined ? '' : `at least ${duration(lower_s)}`,
      upper_s === undefined ? '' : `at most ${duration(upper_s)}`,
    ];
    const text = bounds.filter((bound) => bound !== '').join(', ');
    return `  ${count(observations).padStart(10)}  ${host}: ${text}${agrees ? '' : ', unlike the profile'}\n`;
  });
  const rest = found.hosts > rows.length ? `  ${`and ${count(found.hosts - rows.length)} hosts`.padStart(10)}\n` : '';
  return `  its length, as packets prove it (observations):\n${rows.join('')}${rest}`;
}

/** New connections of the same ports. */
function usedAgain({ reuse }: SummaryRecord): string {
  const { age_s: age, isn_delta: isn } = reuse;
  if (age.count === 0) return '';
  const verdicts = (['accepted', 'challenged', 'refused', 'ignored'] as const).filter((verdict) => reuse[verdict] > 0);
  const ages = age.count === 1 ? `${duration(age.max!)} old` : `${duration(age.p50!)} old in the middle, ${duration(age.max!)} at most`;
  const below = isn.not_above > 0 ? `; ${count(isn.not_above)} of the new sequence numbers were not above the old ones` : '';
  return (
    `  met by ${plural(age.count, 'SYN')} of the same ports: ` +
    `${verdicts.map((verdict) => `${count(reuse[verdict])} ${ANSWERS[verdict]}`).join(', ')}; it was then ${ages}${below}\n`
  );
}

/** How a SYN that met a TIME_WAIT was answered. */
const ANSWERS = {
  accepted: 'accepted',
  challenged: 'challenged by an ACK',
  refused: 'refused by RST',
  ignored: 'never answered',
} as const;

/** What was seen, and under it the same with other settings. */
function whatIf({ what_if: others, time_wait, ports }: SummaryRecord, bold: Style): string {
  if (!others) return '';
  const rows = [{ change: 'as seen', time_wait, ports }, ...others].map(
    ({ change, time_wait: wait, ports: { range, sustained_per_s, worst } }) => {
      const held = worst[0]?.held.peak ?? 0;
      return columns(change, [
        count(wait.peak),
        brief(wait.mean),
        count(held),
        share(held, range),
        duration(worst[0]?.above_80_s ?? 0),
        brief(sustained_per_s),
      ]);
    },
  );
  const titles = [
    columns('', ['TIME_WAIT', 'on', 'most ports', 'of the', 'above', 'sustained']),
    columns('', ['at most', 'average', 'of a client', 'range', '80 % for', 'a second']),
  ];
  return `${bold('What if')} (the same connections, closed at the same times)\n${[...titles, ...rows].join('')}`;
}

const columns = (name: string, values: readonly string[]): string =>
  `  ${name.padEnd(24)}${values.map((value) => value.padStart(12)).join('')}\n`;

const ENDINGS: Readonly<Record<string, string>> = {
  expiry: 'ran out',
  reuse: 'ended by a new connection',
  rst: 'ended by RST',
  capture_end: 'still there at the end',
};

/** Modifiers that tell of trouble, with what they say about a connection. */
const TROUBLES: Readonly<Record<string, string>> = {
  fin_retransmitted: 'had to repeat a FIN',
  rst_after_close: 'got an RST after they had closed',
  data_after_rst: 'sent payload to an endpoint that had reset',
  rst_storm: 'were reset ten times or more',
  keepalive_before_close: 'were only kept alive before they closed',
  zero_window_at_close: 'closed while a window was zero',
  reuse_in_time_wait: 'had their ports used again during TIME_WAIT',
  syn_in_time_wait_challenged: 'answered a new SYN with an ACK out of TIME_WAIT',
  half_open_detected: 'were found half open: the peer had forgotten them',
  syn_challenged: 'challenged a SYN in the middle',
  rst_challenged: 'got an RST inside the window and lived on',
  rst_invalid: 'got an RST with a number that nobody would believe',
};

function troubles(summary: SummaryRecord, bold: Style): string {
  const lines: string[] = [];
  for (const [name, text] of Object.entries(TROUBLES)) {
    const n = summary.close.modifiers[name];
    if (n) lines.push(`  ${count(n).padStart(10)}  ${text} (${name})`);
  }
  return lines.length === 0 ? '' : `${bold('Troubles')}\n${lines.join('\n')}\n`;
}

function input(summary: SummaryRecord, bold: Style): string {
  const { input: read } = summary;
  const lines = Object.entries(summary.drops).map(([name, n]) => `  ${count(n).padStart(10)}  packets without a segment: ${name}`);
  if (read.duplicates > 0) lines.push(`  ${count(read.duplicates).padStart(10)}  packets captured twice, counted once`);
  if (read.time_regressions > 0)
    lines.push(`  ${count(read.time_regressions).padStart(10)}  packets with a time before their predecessor's`);
  for (const [name, n] of Object.entries(summary.oddities)) lines.push(`  ${count(n).padStart(10)}  ${name}`);
  if (read.truncated) lines.push('  the capture is damaged or cut: all of this is about what comes before (see standard error)');
  return lines.length === 0 ? '' : `${bold('The input')}\n${lines.join('\n')}\n`;
}
