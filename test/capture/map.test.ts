// Files whose pages are mapped: the same bytes, and never a page that somebody takes away.

import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile } from '../../src/capture/map.ts';
import { Decoder } from '../../src/decode/decoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 300_000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31) % 251);
const written = (name: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const { window } = new Decoder(Decoder.compile(), Decoder.memory());

/** Whether a path's pages are in this process's memory. */
const isMapped = (path: string): boolean => readFileSync('/proc/self/maps', 'utf8').includes(path);

describe.skipIf(process.platform !== 'linux')('a mapped file', () => {
  it('gives the bytes that are read, and nothing is left of it when it is closed', () => {
    const path = written('whole.bin');
    const file = new MappedFile(path);
    for (const [position, length] of [
      [0, 1000],
      [65536, 200_000],
      [262_144, 100_000],
      [SIZE + 65536, 10],
    ] as const) {
      const end = Math.min(position + length, SIZE);
      expect(file.read(window.subarray(0, length), position)).toBe(Math.max(0, end - position));
      expect(Buffer.from(window.slice(0, Math.max(0, end - position))).equals(Buffer.from(content.subarray(position, end)))).toBe(true);
    }
    expect(isMapped(path)).toBe(true);
    file.close();
    expect(isMapped(path)).toBe(false);
    window.fill(1, 0, 1000);
    expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
  });

  it('is read where somebody writes to it already', () => {
    const path = written('growing.bin');
    const writer = openSync(path, 'a');
    const file = new MappedFile(path);
    expect(file.read(window.subarray(0, 100), 0)).toBe(100);
    expect(isMapped(path)).toBe(false);
    file.close();
    closeSync(writer);
  });

  it('keeps whoever wants to cut it waiting until its pages are out of the way', async () => {
    const path = written('cut.bin');
    const file = new MappedFile(path);
    file.read(window.subarray(0, SIZE), 0);
    const cutter = spawn(process.execPath, ['-e', `require('node:fs').truncateSync(${JSON.stringify(path)}, 10)`], { stdio: 'ignore' });
    const done = new Promise((resolve) => void cutter.once('close', resolve));
    let windows = 0;
    // The cutter is held up at least until the next window is asked for: all bytes that are mapped stay there.
    while (isMapped(path)) {
      expect(window[SIZE - 1]).toBe(content[SIZE - 1]);
      file.read(window.subarray(0, SIZE), 0);
      windows++;
      await new Promise(setImmediate);
    }
    expect(windows).toBeGreaterThan(0);
    expect(await done).toBe(0);
    expect(file.read(window.subarray(0, SIZE), 0)).toBe(10);
    file.close();
    appendFileSync(path, 'x');
  });

  it('is asked for on the command line', () => {
    const capture = new URL('../captures/all_eth.pcap', import.meta.url).pathname;
    const cli = new URL('../../dist/cli.js', import.meta.url).pathname;
    const [mapped, copied] = ['map', 'read'].map((io) =>
      spawnSync(process.execPath, [cli, 'stream', '--io', io, capture], { encoding: 'utf8' }),
    );
    expect(mapped!.stdout.length).toBeGreaterThan(1000);
    expect(mapped!.stdout).toBe(copied!.stdout);
    expect(spawnSync(process.execPath, [cli, 'stream', '--io', 'guess', capture]).status).toBe(2);
  });
});
