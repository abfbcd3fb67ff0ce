import { headingOf, printRow, type Report, type Row, type RowPrinter, type Section, sectionsOf } from './sections.ts';
import { PAGE_BEGINNING } from './page-file.ts';
import { count } from './words.ts';

const STYLE = `
:root { color-scheme: light dark; --quiet: #667; --line: #8884; --bar: #4a7fb5; --alarm: #b5544a; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin-bottom: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 0.4rem; border-bottom: 1px solid var(--line); }
h2 small, .more, .meaning { color: var(--quiet); font-weight: normal; }
p { margin: 0.2rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.05rem 1.2rem 0.05rem 0; text-align: left; font-weight: normal; vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.track { width: 14rem; min-width: 6rem; }
.bar { height: 0.7rem; margin-top: 0.4rem; min-width: 2px; background: var(--bar); }
.finding { border-left: 4px solid var(--alarm); padding-left: 0.8rem; margin: 0.6rem 0; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
article + article { margin-top: 4rem; }
`;

/** Rows that stand in a table with those of their kind that come right before and after. */
const IN_TABLE: ReadonlySet<Row['kind']> = new Set(['bar', 'share', 'count', 'columns']);

/** Reports as a page that stands alone: it has no script, and loads nothing. */
export function pageText(reports: readonly Report[]): string {
  const title = reports.map((report) => headingOf(report).title).join(', ');
  return `${PAGE_BEGINNING}<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fourwaves: ${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${reports.map(article).join('')}</body>
</html>
`;
}

function article(report: Report): string {
  const { title, text } = headingOf(report);
  const interrupted = report.summary.interrupted ? ' (interrupted)' : '';
  return `<article>\n<h1>${escaped(title)}${interrupted}</h1>\n<p>${escaped(text)}</p>\n${sectionsOf(report).map(sectionPart).join('')}</article>\n`;
}

function sectionPart({ title, note, rows }: Section): string {
  const heading = `<h2>${escaped(title)}${note === '' ? '' : ` <small>${escaped(note)}</small>`}</h2>`;
  const parts = rows.map((row, i) => {
    if (!IN_TABLE.has(row.kind)) return printRow(PARTS, row);
    const opens = rows[i - 1]?.kind === row.kind ? '' : '<table>\n';
    return `${opens}<tr>${printRow(PARTS, row)}</tr>${rows[i + 1]?.kind === row.kind ? '' : '\n</table>'}`;
  });
  return `<section>\n${[heading, ...parts].join('\n')}\n</section>\n`;
}

const number = (text: string): string => `<td class="number">${escaped(text)}</td>`;

const PARTS: RowPrinter = {
  line: ({ text }) => `<p>${escaped(text)}</p>`,
  more: ({ text }) => `<p class="more">${escaped(text)}</p>`,
  finding: ({ finding: { text, advice, filter } }) =>
    `<div class="finding"><p>${escaped(text)}</p>${advice ? `<p>${escaped(advice)}</p>` : ''}${filter ? `<p>filter: <code>${escaped(filter)}</code></p>` : ''}</div>`,
  bar: ({ name, count: n, share, part, meaning }) =>
    `<th>${escaped(name)}</th>${number(count(n))}${number(share)}` +
    `<td class="track"><div class="bar" style="width: ${(part * 100).toFixed(1)}%"></div></td><td class="meaning">${escaped(meaning)}</td>`,
  share: ({ count: n, share, text }) => `${number(count(n))}${number(share)}<td>${escaped(text)}</td>`,
  count: ({ count: n, text }) => `${number(count(n))}<td>${escaped(text)}</td>`,
  columns: ({ name, values }) => `<th>${escaped(name)}</th>${values.map(number).join('')}`,
};

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
