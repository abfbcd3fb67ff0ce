// Which files are mapped, and which are read.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile } from '../../src/capture/map.ts';
import { Decoder } from '../../src/decode/decoder.ts';
import { type DecodingTask, type Io, settingOf } from '../../src/shard/decoding.ts';
import { Exchange } from '../../src/shard/exchange.ts';
import { InterfaceLog } from '../../src/shard/interfaces.ts';

const folder = mkdtempSync(join(tmpdir(), 'fourwaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'small.pcap');
writeFileSync(path, new Uint8Array(100));

const MIB = 1 << 20;
const module = Decoder.compile();
const decoder = new Decoder(module, Decoder.memory());

/** Whether the first of captures that are said to be so large, MiB, is one that can be mapped. */
function canBeMapped(io: Io, ...sizes: number[]): boolean {
  const exchange = new Exchange(1);
  const task: DecodingTask = {
    index: 0,
    shards: 1,
    control: exchange.buffer,
    interfaces: new InterfaceLog().buffer,
    module,
    memories: [decoder.memory],
    captures: sizes.map((size) => ({ path, size: size * MIB })),
    feed: undefined,
    windowBytes: MIB,
    io,
    filter: undefined,
    distinguished: 0,
    origin: 0,
    seed: 0,
  };
  const source = settingOf(task, decoder).open(0, () => true);
  source.close?.();
  return source instanceof MappedFile;
}

describe('files', () => {
  it.each<[Io, number[], boolean]>([
    ['read', [4096], false],
    ['map', [0.001], true],
    ['auto', [256], true],
    ['auto', [255], false],
    ['auto', [32, 224], true],
    ['auto', [31, 4096], false],
  ])('--io %s, of %j MiB: %s', (io, sizes, mapped) => {
    expect(canBeMapped(io, ...sizes)).toBe(mapped);
  });
});

describe('whoever waits for news', () => {
  it('is told whether there were any', () => {
    const exchange = new Exchange(1);
    exchange.look();
    expect(exchange.wait(5)).toBe(false);
    exchange.announce();
    expect(exchange.wait(5)).toBe(true);
  });
});
