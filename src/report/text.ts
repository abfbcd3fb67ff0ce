import { headingOf, printRow, type Report, type RowPrinter, sectionsOf } from './sections.ts';
import { count } from './words.ts';

const BAR = 24;
const NAME = 24;

/** The report as text. `color`: titles are bold. */
export function reportText(report: Report, color: boolean): string {
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const { title, text } = headingOf(report);
  const heading = `${bold(title)}${report.summary.interrupted ? ' (interrupted)' : ''}\n${text}\n`;
  const sections = sectionsOf(report).map(
    ({ title: name, note, rows }) =>
      `${bold(name)}${note === '' ? '' : ` (${note})`}\n${rows.map((row) => `  ${printRow(TEXTS, row)}\n`).join('')}`,
  );
  return [heading, ...sections].join('\n');
}

const TEXTS: RowPrinter = {
  line: ({ text }) => text,
  finding: ({ finding: { text, advice, filter } }) =>
    `* ${text}${advice ? `\n    ${advice}` : ''}${filter ? `\n    filter: ${filter}` : ''}`,
  bar: ({ name, count: n, share, part, meaning }) => {
    const bar = '█'.repeat(Math.max(1, Math.round(part * BAR))).padEnd(BAR);
    return `${name.padEnd(20)} ${count(n).padStart(10)} ${share.padStart(7)}  ${bar}  ${meaning}`;
  },
  share: ({ count: n, share, text }) => `${count(n).padStart(10)} ${share.padStart(7)}  ${text}`,
  count: ({ count: n, text }) => `${count(n).padStart(10)}  ${text}`,
  more: ({ text }) => text.padStart(10),
  // A name that has no room in front of its values stands above them.
  columns: ({ name, values }) => {
    const cells = values.map((value) => ` ${value.padStart(11)}`).join('');
    return name.length > NAME ? `${name}\n  ${' '.repeat(NAME)}${cells}` : `${name.padEnd(NAME)}${cells}`;
  },
};
