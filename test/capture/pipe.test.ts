// Pipes that are written in pieces of any size, and read by one who keeps what he may keep.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { pipeChunks } from '../../src/capture/pipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** More than a pipe and what it is read into hold, again and again. */
const BYTES = 5_000_000;

/** Writes bytes that count, modulo a prime, in pieces of up to as many. */
const writer = (largest: number, pauseMs: number): string => `
  const content = Buffer.from({ length: ${BYTES} }).map((_, i) => i % 251);
  (async () => {
    for (let at = 0, turn = 1; at < content.length; turn++) {
      const size = 1 + (turn * 7919) % ${largest};
      await new Promise((written) => process.stdout.write(content.subarray(at, at + size), written));
      at += size;
      if (${pauseMs} > 0) await new Promise((over) => setTimeout(over, ${pauseMs}));
    }
  })();`;

const isSound = (chunk: Uint8Array, position: number): boolean => chunk.every((byte, i) => byte === (position + i) % 251);

function pipe(name: string): string {
  const path = join(folder, name);
  spawnSync('mkfifo', [path]);
  return path;
}

describe('a pipe', () => {
  it.each([
    ['a fast writer, and a reader that is slow now and then', 1_000_000, 0, 30],
    ['a writer of pieces, and a fast reader', 30_000, 1, 0],
    ['as fast as both can', 200_000, 0, 0],
  ])('gives all bytes in order, and keeps the last two chunks: %s', async (name, largest, pauseMs, slowMs) => {
    const path = pipe(name);
    const child = spawn('sh', ['-c', 'exec "$0" -e "$1" > "$2"', process.execPath, writer(largest, pauseMs), path]);
    let position = 0;
    let before: { chunk: Uint8Array; position: number } | undefined;
    let turn = 0;
    for await (const chunk of pipeChunks(path)) {
      if (++turn % 16 === 0 && slowMs > 0) await setTimeout(slowMs);
      expect(chunk.length).toBeGreaterThan(0);
      expect(isSound(chunk, position)).toBe(true);
      if (before) expect(isSound(before.chunk, before.position)).toBe(true);
      before = { chunk, position };
      position += chunk.length;
    }
    expect(position).toBe(BYTES);
    child.kill();
  });

  it('ends when it is left, and when it is aborted while nothing comes', async () => {
    for (const leave of [true, false]) {
      const path = pipe(`left ${leave}`);
      const child = spawn('sh', ['-c', 'printf start > "$0"; exec sleep 60 > "$0"', path]);
      const abort = new AbortController();
      const chunks: string[] = [];
      for await (const chunk of pipeChunks(path, abort.signal)) {
        chunks.push(Buffer.from(chunk).toString());
        if (leave) break;
        abort.abort();
      }
      expect(chunks).toEqual(['start']);
      child.kill();
    }
  });
});
