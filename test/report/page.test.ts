import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze, type SummaryRecord } from '../../src/index.ts';
import { pageText } from '../../src/report/page.ts';
import { sectionsOf } from '../../src/report/sections.ts';
import { leaking, reportOf } from '../support/report.ts';
import { reportText } from '../../src/report/text.ts';

async function summaryOf(...captures: string[]): Promise<SummaryRecord> {
  const paths = captures.map((capture) => fileURLToPath(new URL(`../captures/${capture}`, import.meta.url)));
  for await (const record of analyze(paths, { whatIf: [{ name: '2msl=30', twoMsl: 30e9 }] })) if (record.type === 'summary') return record;
  throw new Error('no summary');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** The texts of a page, in their order, and what its elements are called; every element is closed in its place. */
function read(page: string): { texts: string[]; names: Set<string> } {
  const open: string[] = [];
  const names = new Set<string>();
  const texts: string[] = [];
  for (const [, text = '', close = '', name = ''] of page.matchAll(/([^<]*)(?:<(\/?)!?([a-z0-9]+)[^>]*>)?/g)) {
    if (text.trim() !== '') texts.push(text.trim().replaceAll(/&([#a-z0-9]+);/g, (_, entity: string) => ENTITIES[entity]!));
    if (name === '' || name === 'doctype' || name === 'meta') continue;
    names.add(name);
    if (close === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  return { texts, names };
}

const ALL = [
  's26_close_wait_leak.pcap',
  's12_reuse_tw_2s.pcap',
  's08_passive_fin_retx.pcap',
  's20_duplicated_any.pcap',
  's04_rst_abort_client.pcap',
];

/** Of many captures, with a leak that stands out. */
const richSummary = async (): Promise<SummaryRecord> => leaking(await summaryOf(...ALL));

/** Without bars, brackets and stars. */
const words = (text: string): string[] =>
  text
    .replaceAll(/[█()*]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '');

describe('the report as a page', () => {
  it('says what the text says, in the same order', async () => {
    const summary = await richSummary();
    const { texts } = read(pageText([reportOf(summary, 'x.pcap')]));
    expect(words(texts.slice(2).join(' ')).map((word) => word.replaceAll(/[()]/g, ''))).toEqual(
      words(reportText(reportOf(summary, 'x.pcap'), false)),
    );
  });

  it('has every kind of row', async () => {
    const summary = await richSummary();
    const kinds = new Set(
      sectionsOf(
        reportOf({
          ...summary,
          close: { ...summary.close, sequence: Object.fromEntries('abcdefghij'.split('').map((name) => [name, 1])) },
        }),
      ).flatMap(({ rows }) => rows.map(({ kind }) => kind)),
    );
    expect([...kinds].toSorted()).toEqual(['bar', 'columns', 'count', 'finding', 'line', 'more', 'share']);
    const { names } = read(pageText([reportOf(summary, 'x.pcap')]));
    expect([...names].toSorted()).toEqual([
      'article',
      'body',
      'code',
      'div',
      'h1',
      'h2',
      'head',
      'html',
      'p',
      'section',
      'small',
      'style',
      'table',
      'td',
      'th',
      'title',
      'tr',
    ]);
  });

  it('runs nothing and loads nothing, whatever captures and hosts are called', async () => {
    const summary = await summaryOf('article.pcap');
    const hostile = `<script>alert('1 & 2')</script>"><img src=//evil>`;
    const page = pageText([
      reportOf({ ...summary, time_wait: { ...summary.time_wait, hosts: [{ ...summary.time_wait.hosts[0]!, host: hostile }] } }, hostile),
    ]);
    const { texts, names } = read(page);
    expect(names.has('script') || names.has('img')).toBe(false);
    expect(texts).toContain(hostile);
    expect(texts).toContain(`${hostile}, at most 1 at once`);
    expect(page.replaceAll(/&[^;]+;/g, '')).not.toMatch(/<(?:script|img|link|iframe|a) |https?:/);
  });

  it('of several captures has one article for each', async () => {
    const summary = await summaryOf('article.pcap');
    const page = pageText([reportOf(summary, 'one'), reportOf({ ...summary, interrupted: true }, 'two')]);
    expect(page).toContain('<title>fourwaves: one, two</title>');
    expect([...page.matchAll(/<h1>(.*)<\/h1>/g)].map(([, text]) => text)).toEqual(['one', 'two (interrupted)']);
  });
});
