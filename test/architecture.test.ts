// The rules of the house (DESIGN.md), held by reading src/: who may import whom, what the core may not touch, how long a file may be.

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url);

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(new URL(path, SRC), 'utf8');
    const targets = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm)].map(
      (match) => match[1] ?? match[2] ?? match[3] ?? '',
    );
    return {
      path,
      folder: path.includes('/') ? path.slice(0, path.indexOf('/')) : '',
      text,
      code: text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1'),
      local: targets.filter((target) => target.startsWith('.')).map((target) => posix.join(posix.dirname(path), target)),
      foreign: targets.filter((target) => !target.startsWith('.')),
    };
  });

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');
const inFolder = (folder: string) => files.filter((file) => file.folder === folder);
/** `file imports other` for every import that `forbidden` names. */
const offences = (forbidden: (from: (typeof files)[number], to: string) => boolean): string[] =>
  files.flatMap((file) => file.local.filter((target) => forbidden(file, target)).map((target) => `${file.path} imports ${target}`));

describe('the house', () => {
  it('was found, with its imports', () => {
    expect(new Set(files.map(({ folder }) => folder))).toEqual(
      new Set([
        '',
        'layout',
        'compression',
        'filter',
        'capture',
        'decode',
        'tracker',
        'records',
        'stats',
        'shard',
        'merge',
        'platform',
        'report',
        'stream',
      ]),
    );
    expect(files.flatMap(({ local }) => local).length).toBeGreaterThan(80);
    const known = new Set(files.map(({ path }) => path));
    expect(offences((_, target) => !known.has(target))).toEqual([]);
  });

  it('every relative import names a .ts file', () => {
    expect(offences((_, target) => !target.endsWith('.ts'))).toEqual([]);
  });

  /** What each folder may import beside itself. */
  const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
    layout: [],
    platform: [],
    compression: ['platform'],
    filter: ['layout'],
    capture: ['layout', 'platform', 'compression'],
    decode: ['layout', 'platform'],
    tracker: ['layout'],
    records: ['layout', 'tracker'],
    stats: ['layout', 'tracker', 'records'],
    shard: ['layout', 'platform', 'capture', 'decode', 'tracker', 'records', 'stats'],
    merge: ['layout', 'filter', 'capture', 'decode', 'tracker', 'records', 'stats', 'shard'],
    report: ['layout', 'decode', 'records', 'stats', 'shard', 'merge'],
    stream: ['layout', 'records', 'stats', 'merge'],
    '': ['layout', 'platform', 'filter', 'capture', 'tracker', 'records', 'stats', 'shard', 'merge', 'report', 'stream'],
  };
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${folder || 'the top'} imports nothing but ${['itself', ...allowed].join(', ')}`, () => {
      expect(
        offences((file, target) => file.folder === folder && folderOf(target) !== folder && !allowed.includes(folderOf(target))),
      ).toEqual([]);
    });
  }

  it('capture, decode and tracker do not know each other', () => {
    const apart = new Set(['capture', 'decode', 'tracker']);
    expect(offences((file, target) => apart.has(file.folder) && apart.has(folderOf(target)) && folderOf(target) !== file.folder)).toEqual(
      [],
    );
  });

  it('report and stream see snapshots and records, never the tracker', () => {
    expect(offences((file, target) => ['report', 'stream'].includes(file.folder) && folderOf(target) === 'tracker')).toEqual([]);
  });

  it('nothing imports the top', () => {
    expect(offences((_, target) => ['cli.ts', 'index.ts'].includes(target))).toEqual([]);
    expect(offences((file, target) => target === 'options.ts' && file.path !== 'command.ts')).toEqual([]);
    expect(offences((file, target) => target === 'command.ts' && file.path !== 'cli.ts')).toEqual([]);
  });

  it('no file imports itself by way of others', () => {
    const graph = new Map(files.map(({ path, local }) => [path, local]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(' > '));
      else if (!done.has(path)) {
        for (const target of graph.get(path) ?? []) visit(target, [...above, path]);
        done.add(path);
      }
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('the core', () => {
  it('layout has integer constants and nothing else', () => {
    for (const { path, code } of inFolder('layout')) {
      const statements = code
        .split(';')
        .map((statement) => statement.trim())
        .filter((statement) => statement !== '');
      expect(statements.length, path).toBeGreaterThan(0);
      for (const statement of statements) expect(statement, path).toMatch(/^export const [A-Z][A-Z0-9_]* = [-+*/%|&<>()\w\s]+$/);
    }
  });

  it('tracker is pure: no module of Node, no clock, no timer, no logging, no threads', () => {
    for (const { path, code, foreign } of inFolder('tracker')) {
      expect(foreign, path).toEqual([]);
      expect(code, path).not.toMatch(
        /\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|console|process|Worker|Atomics|SharedArrayBuffer)\b/,
      );
      expect(code, path).not.toMatch(/Math\.random|\basync\b|\bawait\b|\bPromise\b/);
    }
  });

  it('no wall clock in stats and records', () => {
    for (const { path, code } of [...inFolder('stats'), ...inFolder('records')]) {
      expect(code, path).not.toMatch(/Date\.now|new Date\(\)|\bperformance\b|setTimeout|setInterval|\bconsole\b/);
    }
  });

  it('only decode says WebAssembly', () => {
    const saying = files.filter(({ code }) => code.includes('WebAssembly')).map(({ folder }) => folder);
    expect([...new Set(saying)]).toEqual(['decode']);
  });

  it('only shard knows threads', () => {
    const knowing = files.filter(
      ({ foreign, code }) => foreign.some((name) => /worker_threads|piscina/.test(name)) || /\bAtomics\b/.test(code),
    );
    expect(knowing.map(({ folder }) => folder).filter((folder) => folder !== 'shard')).toEqual([]);
  });
});

describe('every file', () => {
  it('has at most 400 lines', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path)).toEqual([]);
  });

  it('imports no package but those of package.json', () => {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    ) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    const known = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
    const unknown = files.flatMap(({ path, foreign }) =>
      foreign.filter((name) => !name.startsWith('node:') && !known.has(name.split('/', 1).join())).map((name) => `${path} imports ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});
