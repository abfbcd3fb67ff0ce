import type { Quantiles } from '../merge/quantiles.ts';
import type { SummaryRecord } from '../merge/summary.ts';
import { socketText } from '../records/address.ts';
import { RESET_STAGES, type ResetStage } from '../stats/reset-stage.ts';
import { OTHERS } from '../stats/tally.ts';
import type { Finding } from './findings.ts';
import { brief, count, duration, ownerText, plural, printable, share } from './words.ts';

/** Rows of a list that are shown. */
const SHOWN = 8;

/** What one report is about. */
export interface Report {
  readonly summary: SummaryRecord;
  /** What stands out. */
  readonly findings: readonly Finding[];
  readonly captures: readonly string[];
  /** How many hosts a list names at most; absent: SHOWN. */
  readonly top?: number | undefined;
}

/** A row of a section. */
export type Row =
  | Line
  | { readonly kind: 'finding'; readonly finding: Finding }
  /** `part`: of the longest bar, 0 to 1. */
  | {
      readonly kind: 'bar';
      readonly name: string;
      readonly count: number;
      readonly share: string;
      readonly part: number;
      readonly meaning: string;
    }
  | { readonly kind: 'share'; readonly count: number; readonly share: string; readonly text: string }
  | Counted
  /** How many rows are left out. */
  | { readonly kind: 'more'; readonly text: string }
  | { readonly kind: 'columns'; readonly name: string; readonly values: readonly string[] };

interface Line {
  readonly kind: 'line';
  readonly text: string;
}

interface Counted {
  readonly kind: 'count';
  readonly count: number;
  readonly text: string;
}

/** How each kind of row is printed. */
export type RowPrinter = { readonly [Kind in Row['kind']]: (row: Extract<Row, { readonly kind: Kind }>) => string };

export const printRow = <Kind extends Row['kind']>(printer: RowPrinter, row: Extract<Row, { readonly kind: Kind }>): string =>
  printer[row.kind](row);

/** A part of the report, whatever it is printed on. */
export interface Section {
  readonly title: string;
  /** What helps to read it; may be empty. */
  readonly note: string;
  readonly rows: readonly Row[];
}

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

/** What a tired engineer wants to know first, first. Sections without rows are left out. */
export function sectionsOf({ summary, findings, top = SHOWN }: Report): Section[] {
  const { time_wait: wait } = summary;
  const sections = [
    section(
      'What stands out',
      '',
      findings.map((finding) => ({ kind: 'finding', finding })),
    ),
    section('How they closed', '', closes(summary)),
    section('Close sequences', '> client, < server; F FIN, A ACK, FA both, D data, R RST, f a repeated', sequences(summary)),
    section('States at the end', 'client, server', states(summary)),
    section('TIME_WAIT', `${wait.profile}, ${duration(wait['2msl_s'])}`, timeWait(summary, top)),
    section('Ports', portsNote(summary), heldPorts(summary, top)),
    section('CLOSE_WAIT', 'for more than a minute at the end', closeWait(summary, top)),
    section('RSTs', 'counted once a connection', resetSenders(summary, top)),
    section('What if', 'the same connections, closed at the same times', whatIf(summary)),
    section('Troubles', '', troubles(summary)),
    section('The input', '', input(summary)),
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

/** Names, number of connections and packets, and time of what was analysed. */
export function headingOf({ summary, captures }: Report): { title: string; text: string } {
  const shown = captures.slice(0, 3).map(printable).join(', ');
  const names = captures.length > 3 ? `${shown} and ${captures.length - 3} more` : shown;
  const span = summary.start === undefined ? '' : `, ${duration(summary.duration_s)} from ${summary.start}`;
  return { title: names, text: `${plural(summary.connections, 'connection')} in ${plural(summary.packets, 'packet')}${span}` };
}

const section = (title: string, note: string, rows: readonly Row[]): Section => ({ title, note, rows });
const line = (text: string): Line => ({ kind: 'line', text });

/** The first rows of a list, and how many others there are. */
function list(rows: readonly Row[]): Row[] {
  return rows.length > SHOWN ? [...rows.slice(0, SHOWN), { kind: 'more', text: `and ${plural(rows.length - SHOWN, 'other')}` }] : [...rows];
}

/** The most frequent ones, and how many connections had others: of some it is not known which. */
function sequences({ close, connections }: SummaryRecord): Row[] {
  const named = Object.entries(close.sequence).filter(([text]) => text !== OTHERS);
  const rows: Row[] = named.slice(0, SHOWN).map(([text, n]) => ({ kind: 'share', count: n, share: share(n, connections), text }));
  const rest = Object.values(close.sequence).reduce((sum, n) => sum + n, 0) - named.slice(0, SHOWN).reduce((sum, [, n]) => sum + n, 0);
  return rest === 0 ? rows : [...rows, { kind: 'more', text: `and ${plural(rest, 'connection')} with others` }];
}

function closes({ close, connections }: SummaryRecord): Row[] {
  const rows = Object.entries(close.class);
  if (rows.length === 0) return [];
  const most = Math.max(...rows.map(([, n]) => n));
  const who = Object.entries(close.initiator).map(([name, n]) => `${name} ${count(n)}`);
  return [
    ...rows.map(
      ([name, n]): Row => ({ kind: 'bar', name, count: n, share: share(n, connections), part: n / most, meaning: MEANINGS[name] ?? '' }),
    ),
    ...(who.length > 0 ? [line(`closed first: ${who.join(', ')}`)] : []),
    ...timing('whole close', close.duration_s),
    ...timing('FIN to its ACK', close.fin_ack_s),
    ...timing('half closed', close.half_closed_s),
    ...timing('last ACK', close.last_ack_s),
  ];
}

function timing(name: string, { count: n, p50, p99, max }: Quantiles): Line[] {
  if (n === 0) return [];
  if (n === 1) return [line(`${name}: ${duration(max!)}`)];
  return [line(`${`${name}:`.padEnd(16)} median ${duration(p50!)}, 99 % within ${duration(p99!)}, longest ${duration(max!)}`)];
}

/** Who is where when the capture ends. */
function states({ states: matrix, connections }: SummaryRecord): Row[] {
  const pairs = Object.entries(matrix).flatMap(([client, row]) => Object.entries(row).map(([server, n]) => ({ client, server, n })));
  if (connections === 0) return [];
  pairs.sort((a, b) => b.n - a.n);
  return list(
    pairs.map(({ client, server, n }) => ({
      kind: 'share',
      count: n,
      share: share(n, connections),
      text: `${client.padEnd(12)} ${server}`,
    })),
  );
}

function timeWait(summary: SummaryRecord, top: number): Row[] {
  const { time_wait: wait } = summary;
  if (wait.entered === 0) return [];
  const holders = wait.hosts.slice(0, top);
  const rest = wait.entered - (wait.others ?? 0) - holders.reduce((sum, { entered }) => sum + entered, 0);
  const ends = Object.entries(wait.ended_by).map(([name, n]) => `${count(n)} ${ENDINGS[name] ?? name}`);
  const warmUp = summary.duration_s < wait['2msl_s'] ? 'all of this capture' : `the first ${duration(wait['2msl_s'])}`;
  const peak = `at most ${count(wait.peak)} at once${wait.peak_at ? ` (${wait.peak_at})` : ''}`;
  return [
    line(`entered ${plural(wait.entered, 'time')}: ${ends.join(', ')}`),
    line(`${peak}, ${wait.mean >= 100 ? brief(wait.mean) : wait.mean.toFixed(1)} on average; restarted ${plural(wait.restarts, 'time')}`),
    line(`closes from before the capture are not in it: the numbers of ${warmUp} are lower bounds`),
    line('held by (times):'),
    ...holders.map(
      ({ host, entered, peak: most }): Row => ({ kind: 'count', count: entered, text: `${host}, at most ${count(most)} at once` }),
    ),
    ...(rest > 0 ? [{ kind: 'count', count: rest, text: 'other hosts' } as const] : []),
    ...(wait.others ? [{ kind: 'count', count: wait.others, text: 'hosts that are too many to be told apart' } as const] : []),
    ...usedAgain(summary),
    ...measured(summary, top),
  ];
}

/** How long it really lasts, as far as packets prove that. */
function measured({ time_wait: { measured: found } }: SummaryRecord, top: number): Row[] {
  if (found.worst.length === 0) return [];
  const rows = found.worst.slice(0, top).map(({ host, lower_s, upper_s, observations, agrees }): Row => {
    const bounds = [
      lower_s === undefined ? '' : `at least ${duration(lower_s)}`,
      upper_s === undefined ? '' : `at most ${duration(upper_s)}`,
    ];
    const text = bounds.filter((bound) => bound !== '').join(', ');
    return { kind: 'count', count: observations, text: `${host}: ${text}${agrees ? '' : ', unlike the profile'}` };
  });
  const rest: Row[] = found.hosts > rows.length ? [{ kind: 'more', text: `and ${plural(found.hosts - rows.length, 'host')}` }] : [];
  return [line('its length, as packets prove it (observations):'), ...rows, ...rest];
}

/** New connections of the same ports. */
function usedAgain({ reuse }: SummaryRecord): Line[] {
  const { age_s: age, isn_delta: isn } = reuse;
  if (age.count === 0) return [];
  const verdicts = (['accepted', 'challenged', 'refused', 'ignored'] as const).filter((verdict) => reuse[verdict] > 0);
  const ages = age.count === 1 ? `${duration(age.max!)} old` : `${duration(age.p50!)} old in the middle, ${duration(age.max!)} at most`;
  const below =
    isn.not_above > 0
      ? `; of the new sequence numbers ${count(isn.not_above)} ${isn.not_above === 1 ? 'was' : 'were'} not above the old ones`
      : '';
  const answers = verdicts.map((verdict) => `${count(reuse[verdict])} ${ANSWERS[verdict]}`).join(', ');
  return [line(`met by ${plural(age.count, 'SYN')} of the same ports: ${answers}; it was then ${ages}${below}`)];
}

/** How a SYN that met a TIME_WAIT was answered. */
const ANSWERS = {
  accepted: 'accepted',
  challenged: 'challenged by an ACK',
  refused: 'refused by RST',
  ignored: 'never answered',
} as const;

const portsNote = ({ ports: { range, sustained_per_s } }: SummaryRecord): string =>
  `${count(range)} of a client towards one server and port sustain ${brief(sustained_per_s)} connections a second`;

/** Who held the most ports at once. */
function heldPorts({ ports: { range, groups, others: beyond, worst } }: SummaryRecord, top: number): Row[] {
  if (worst.length === 0) return [];
  const rows = worst.slice(0, top).map(({ client, server, server_port, connections, rate_per_s, held, time_wait: wait }): Row => {
    const rate = connections > 1 ? `, ${brief(rate_per_s)} a second` : '';
    const text = `${client} to ${socketText(server, server_port)}: ${plural(connections, 'connection')}${rate}; ${count(wait.peak)} in TIME_WAIT at most`;
    return { kind: 'share', count: held.peak, share: share(held.peak, range), text };
  });
  const rest = groups - rows.length;
  return [
    line('taken at once, at most:'),
    ...rows,
    ...(rest > 0 ? [{ kind: 'more', text: `and ${plural(rest, 'other')}` } as const] : []),
    ...(beyond > 0 ? [line(`${plural(beyond, 'connection')} of clients and servers that are too many to be told apart`)] : []),
  ];
}

/** Whose programs do not close. */
function closeWait({ close_wait: { suspects, leaks, owners } }: SummaryRecord, top: number): Row[] {
  const rows = owners.slice(0, top).map((owner) => {
    const probed = owner.leaks > 0 ? `; ${count(owner.leaks)} still answered probes` : '';
    return counted(owner.suspects + owner.leaks, `${ownerText(owner)}, the oldest for ${duration(owner.oldest_s)}${probed}`);
  });
  return [...rows, ...restOf(suspects + leaks, rows)];
}

/** Who resets connections, and when. */
function resetSenders({ resets: { total, stage, senders } }: SummaryRecord, top: number): Row[] {
  if (total === 0) return [];
  const stages = RESET_STAGES.filter((name) => stage[name]).map((name) => `${count(stage[name]!)} ${STAGES[name]}`);
  const rows = senders.slice(0, top).map((sender) => counted(sender.total, ownerText(sender)));
  return [line(stages.join(', ')), line('sent by:'), ...rows, ...restOf(total, rows)];
}

/** When an RST came. */
const STAGES: Readonly<Record<ResetStage, string>> = {
  handshake: 'before the connection was open',
  established: 'in the middle',
  closing: 'during the close',
  after_close: 'after it',
};

const counted = (n: number, text: string): Counted => ({ kind: 'count', count: n, text });

/** What is left of `all` beside rows that count parts of it. */
function restOf(all: number, rows: readonly Counted[]): Row[] {
  const rest = all - rows.reduce((sum, { count: n }) => sum + n, 0);
  return rest > 0 ? [counted(rest, 'others')] : [];
}

const columns = (name: string, values: readonly string[]): Row => ({ kind: 'columns', name, values });

/** What was seen, and under it the same with other settings. */
function whatIf({ what_if: others, time_wait, ports }: SummaryRecord): Row[] {
  if (!others) return [];
  return [
    columns('', ['TIME_WAIT', 'on', 'most ports', 'of the', 'above', 'sustained']),
    columns('', ['at most', 'average', 'of a client', 'range', '80 % for', 'a second']),
    ...[{ change: 'as seen', time_wait, ports }, ...others].map(({ change, time_wait: wait, ports: { range, sustained_per_s, worst } }) => {
      const held = worst[0]?.held.peak ?? 0;
      const above = duration(worst[0]?.above_80_s ?? 0);
      return columns(change, [count(wait.peak), brief(wait.mean), count(held), share(held, range), above, brief(sustained_per_s)]);
    }),
  ];
}

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

function troubles({ close: { modifiers } }: SummaryRecord): Row[] {
  return Object.entries(TROUBLES)
    .filter(([name]) => modifiers[name])
    .map(([name, text]) => ({ kind: 'count', count: modifiers[name]!, text: `${text} (${name})` }));
}

function input({ input: read, drops, oddities }: SummaryRecord): Row[] {
  const rows = Object.entries(drops).map(([name, n]): Row => ({ kind: 'count', count: n, text: `packets without a segment: ${name}` }));
  if (read.duplicates > 0) rows.push({ kind: 'count', count: read.duplicates, text: 'packets captured twice, counted once' });
  if (read.time_regressions > 0)
    rows.push({
      kind: 'count',
      count: read.time_regressions,
      text: "packets with a time before their predecessor's, or far from that of all others",
    });
  for (const [name, n] of Object.entries(oddities)) rows.push({ kind: 'count', count: n, text: name });
  if (read.truncated) rows.push(line('the capture is damaged or cut: this is about what could be read of it (see standard error)'));
  return rows;
}
