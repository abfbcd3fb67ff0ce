import { readdirSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/index.ts';
import { Run } from '../../src/merge/run.ts';
import { LINE_TYPES, type LineType, writeNdjson } from '../../src/stream/ndjson.ts';

const ARTICLE = fileURLToPath(new URL('../captures/article.pcap', import.meta.url));
const run = () => Run.open([ARTICLE], 'lines', true, {});

async function written(only: readonly LineType[]): Promise<string> {
  let text = '';
  const out = new PassThrough().setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await writeNdjson(await run(), new Set(only), out);
  return text;
}

describe('NDJSON', () => {
  it('is one object a line, each line ended, and the same that the library yields', async () => {
    const text = await written(LINE_TYPES);
    expect(text.endsWith('\n')).toBe(true);
    const yielded: unknown[] = [];
    for await (const record of analyze(ARTICLE, { transitions: true })) yielded.push(record);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(yielded);
  });

  it('writes each record as JSON.stringify() does, byte for byte', async () => {
    const captures = new URL('../captures/', import.meta.url);
    const paths = readdirSync(captures)
      .filter((name) => name.endsWith('.pcap'))
      .map((name) => fileURLToPath(new URL(name, captures)));
    expect(paths.length).toBeGreaterThan(20);
    let all = '';
    for (const transitions of [false, true]) {
      for (const path of paths) {
        const lines: Uint8Array[] = [];
        const texts: string[] = [];
        for await (const batch of (await Run.open([path], 'lines', transitions, { distinguish: ['vlan', 'vni'] })).batches())
          lines.push(...(batch as Uint8Array[]));
        for await (const batch of (await Run.open([path], 'records', transitions, { distinguish: ['vlan', 'vni'] })).batches())
          texts.push(...batch.map((record) => `${JSON.stringify(record)}\n`));
        expect(Buffer.concat(lines).toString()).toBe(texts.join(''));
        all += texts.join('');
      }
    }
    for (const rare of ['vlan', 'vni', 'states', 'half_closed_bytes', 'modifiers":["']) expect(all).toContain(`"${rare}`);
  });

  it('has the types that were asked for', async () => {
    expect(await written([])).toBe('');
    expect(await written(['summary'])).toMatch(/^\{"type":"summary",.*\}\n$/);
    expect(await written(['connection'])).toMatch(/^\{"type":"connection",.*\}\n$/);
  });

  it('leaves its output open', async () => {
    const out = new PassThrough();
    out.resume();
    await writeNdjson(await run(), new Set(LINE_TYPES), out);
    expect(out.writableEnded).toBe(false);
  });

  it('waits for a slow reader', async () => {
    let text = '';
    const slow = new Writable({
      highWaterMark: 1,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        text += chunk;
        setTimeout(done, 5);
      },
    });
    await writeNdjson(await run(), new Set(LINE_TYPES), slow);
    expect(text).toBe(await written(LINE_TYPES));
  });

  it('fails where its output fails', async () => {
    const broken = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('no space left'));
      },
    });
    await expect(writeNdjson(await run(), new Set(LINE_TYPES), broken)).rejects.toThrow('no space left');
  });
});
