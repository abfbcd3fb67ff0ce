// Files whose pages are mapped: the same bytes, and never a page that somebody takes away.

import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile } from '../../src/capture/map.ts';
import { Decoder } from '../../src/decode/decoder.ts';

/** Folders on file systems where leases hold: one that other systems write to, or that lies over others, has files that are read. */
const OWN = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);
const own = [tmpdir(), '/dev/shm'].find((path) => existsSync(path) && OWN.has(statfsSync(path).type));
if (own === undefined) console.warn('nothing is mapped: neither the folder for temporary files nor /dev/shm is on a file system for it');
const folder = mkdtempSync(join(own ?? tmpdir(), 'fourwaves-'));
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

/** What a file has at a position, where it says that it is. */
function mapped(file: MappedFile, position: number, length: number): Buffer | undefined {
  const place = file.placeOf(position, length, window);
  return place === undefined ? undefined : Buffer.from(window.slice(place, place + length));
}

describe.skipIf(process.platform !== 'linux' || own === undefined)('a mapped file', () => {
  it('has the bytes that are read, and nothing is left of it when it is closed', () => {
    const path = written('whole.bin');
    const file = new MappedFile(path);
    for (const [position, length] of [
      [0, 1000],
      [70_001, 200_000],
      [262_144, SIZE - 262_144],
      [SIZE - 1, 1],
      [0, SIZE],
    ] as const)
      expect(mapped(file, position, length)?.equals(Buffer.from(content.subarray(position, position + length)))).toBe(true);
    expect(isMapped(path)).toBe(true);
    file.close();
    expect(isMapped(path)).toBe(false);
    window.fill(1, 0, 1000);
    expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
  });

  it('is mapped by stretches, and no page behind its end', () => {
    const path = join(folder, 'large.bin');
    const far = 70_000_001;
    const writer = openSync(path, 'w');
    writeSync(writer, content, 0, 1000, far);
    closeSync(writer);
    const file = new MappedFile(path);
    for (const position of [far, 5, far, (1 << 25) - 3, far - 100])
      expect(mapped(file, position, 1000 - (position < far ? 0 : position - far))?.length).toBe(1000);
    expect(mapped(file, far, 1000)?.equals(Buffer.from(content.subarray(0, 1000)))).toBe(true);
    expect(mapped(file, far, 1001)).toBeUndefined();
    file.close();
  });

  it('is read from then on where somebody reads into the memory that it was mapped over', () => {
    const path = written('both.bin');
    const file = new MappedFile(path);
    expect(mapped(file, 0, SIZE)).toBeDefined();
    expect(file.read(new Uint8Array(100), 0)).toBe(100);
    expect(isMapped(path)).toBe(true);
    expect(file.read(window.subarray(7, 107), 10)).toBe(100);
    expect(Buffer.from(window.slice(7, 107)).equals(Buffer.from(content.subarray(10, 110)))).toBe(true);
    expect(isMapped(path)).toBe(false);
    expect(mapped(file, 0, SIZE)).toBeUndefined();
    file.close();
  });

  it('may be written by others while it rests, and is mapped again afterwards', () => {
    const path = written('rested.bin');
    const file = new MappedFile(path);
    file.rest();
    expect(mapped(file, 0, 100)).toBeDefined();
    file.rest();
    file.rest();
    expect(isMapped(path)).toBe(false);
    closeSync(openSync(path, 'r+')); // would wait for 45 s
    expect(mapped(file, 100, 100)?.equals(Buffer.from(content.subarray(100, 200)))).toBe(true);
    expect(isMapped(path)).toBe(true);
    file.close();
  });

  it('is read where somebody writes to it already, or has cut it since it was opened', () => {
    const path = written('growing.bin');
    const writer = openSync(path, 'a');
    const file = new MappedFile(path);
    expect(mapped(file, 0, 100)).toBeUndefined();
    expect(file.read(window.subarray(0, 100), 0)).toBe(100);
    expect(isMapped(path)).toBe(false);
    file.close();
    closeSync(writer);
    const other = new MappedFile(path);
    truncateSync(path, 50);
    expect(mapped(other, 0, 20)).toBeUndefined();
    expect(other.read(window.subarray(0, 100), 0)).toBe(50);
    other.close();
  });

  it('keeps whoever wants to cut it waiting until its pages are out of the way', async () => {
    const path = written('cut.bin');
    const file = new MappedFile(path);
    expect(mapped(file, 0, SIZE)).toBeDefined();
    const cutter = spawn(process.execPath, ['-e', `require('node:fs').truncateSync(${JSON.stringify(path)}, 10)`], { stdio: 'ignore' });
    const done = new Promise((resolve) => void cutter.once('close', resolve));
    let windows = 0;
    // The cutter is held up at least until the next window is asked for: all bytes that are mapped stay there.
    while (isMapped(path)) {
      expect(window[SIZE - 1]).toBe(content[SIZE - 1]);
      file.placeOf(0, SIZE, window);
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
    const [paged, copied] = ['map', 'read'].map((io) =>
      spawnSync(process.execPath, [cli, 'stream', '--io', io, capture], { encoding: 'utf8' }),
    );
    expect(paged!.stdout.length).toBeGreaterThan(1000);
    expect(paged!.stdout).toBe(copied!.stdout);
    expect(spawnSync(process.execPath, [cli, 'stream', '--io', 'guess', capture]).status).toBe(2);
  });
});
