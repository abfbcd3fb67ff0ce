// Files that captures are in.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/errors.ts';
import { CaptureFile } from '../../src/capture/file.ts';
import { decodeSource, inMemory } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, pcap, tcp } from '../support/packets.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const written = (name: string, content: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const packet = { captured: ethernet(ipv4(tcp({ payload: new Uint8Array(50) }))) };
const five = pcap(Array.from({ length: 5 }, () => packet));

describe('capture file', () => {
  it('is decoded as the same bytes in memory are', () => {
    const file = new CaptureFile(written('five.pcap', five));
    expect(file.size).toBe(five.length);
    expect(decodeSource(file, 200)).toEqual(decodeSource(inMemory(five)));
    file.close();
    file.close();
  });

  it('reads at positions, and no further than the file goes', () => {
    const file = new CaptureFile(written('ten.bin', bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)));
    const target = new Uint8Array(4);
    expect(file.read(target, 7)).toBe(3);
    expect([...target]).toEqual([7, 8, 9, 0]);
    expect(file.read(target, 10)).toBe(0);
    file.close();
    expect(() => file.read(target, 0)).toThrow(CaptureError);
  });

  it.each([
    ['nothing.pcap', /nothing\.pcap: offset 0: no such file/],
    ['.', /: offset 0: a directory is not a capture/],
    ['five.pcap/x', /: offset 0: a part of the path is not a directory/],
  ])('says why it cannot be opened: %s', (name, message) => {
    written('five.pcap', five);
    expect(() => new CaptureFile(join(folder, name))).toThrow(message);
    expect(() => new CaptureFile(join(folder, name))).toThrow(CaptureError);
  });

  it('does not wait for a writer where there is a device', () => {
    expect(() => new CaptureFile('/dev/null')).toThrow(/not a regular file/);
  });

  it('may have a folder beside it', () => {
    mkdirSync(join(folder, 'sub'));
    expect(() => new CaptureFile(join(folder, 'sub'))).toThrow(/directory/);
  });
});
