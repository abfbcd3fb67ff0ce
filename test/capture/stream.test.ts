// A file that fails while it is read: in a process of its own, because it is standard input, which is closed meanwhile.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

const STREAM = new URL('../../lib/capture/stream.js', import.meta.url).href;

it('what is read ahead may fail before anybody asks for it, and is told of when somebody does', () => {
  const path = join(folder, 'zeros');
  writeFileSync(path, new Uint8Array(4 << 20));
  const script = `
    import { closeSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    import { byteStream } from '${STREAM}';
    let bytes = 0;
    let chunks = 0;
    try {
      for await (const chunk of byteStream('-', () => {})) {
        bytes += chunk.length;
        if (++chunks === 2) closeSync(0);
        await setTimeout(20);
      }
    } catch (error) {
      console.log(bytes, error.name, error.message);
    }`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: [openSync(path, 'r'), 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^(524288|786432) CaptureError standard input: offset \1: .*EBADF/);
});
