import type { SummaryRecord } from '../merge/summary.ts';
import { headingOf, printRow, type RowPrinter, sectionsOf } from './sections.ts';
import { count } from './words.ts';

const BAR = 24;

/** The report as text. `color`: titles are bold. */
export function reportText(summary: SummaryRecord, captures: readonly string[], color: boolean): string {
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const { title, text } = headingOf(summary, captures);
  const heading = `${bold(title)}${summary.interrupted ? ' (interrupted)' : ''}\n${text}\n`;
  const sections = sectionsOf(summary).map(
    ({ title: name, note, rows }) =>
      `${bold(name)}${note === '' ? '' : ` (${note})`}\n${rows.map((row) => `  ${printRow(TEXTS, row)}\n`).join('')}`,
  );
  return [heading, ...sections].join('\n');
}

const TEXTS: RowPrinter = {
  line: ({ text }) => text,
  finding: ({ finding: { text, advice, filter } }) => `* ${text}\n${advice ? `    ${advice}\n` : ''}    filter: ${filter}`,
  bar: ({ name, count: n, share, part, meaning }) => {
    const bar = '█'.repeat(Math.max(1, Math.round(part * BAR))).padEnd(BAR);
    return `${name.padEnd(20)} ${count(n).padStart(10)} ${share.padStart(7)}  ${bar}  ${meaning}`;
  },
  share: ({ count: n, share, text }) => `${count(n).padStart(10)} ${share.padStart(7)}  ${text}`,
  count: ({ count: n, text }) => `${count(n).padStart(10)}  ${text}`,
  more: ({ text }) => text.padStart(10),
  columns: ({ name, values }) => `${name.padEnd(24)}${values.map((value) => value.padStart(12)).join('')}`,
};
