// Which files are mapped, which are read, and in windows of what size.

import { describe, expect, it } from 'vitest';
import { WINDOW_UNIT } from '../../src/layout/batch.ts';
import { Exchange } from '../../src/shard/exchange.ts';
import { dependsOnPackets, type Io, readingOf } from '../../src/shard/reading.ts';

const MIB = 1 << 20;

/** Files of so many MiB, whose records are of so many bytes. */
const files = (sizes: readonly number[], recordBytes: number) =>
  sizes.map((size) => ({ path: 'file', size: size * MIB, packets: (size * MIB) / recordBytes }));

describe('files', () => {
  it.each<[Io, number[], number, boolean]>([
    ['read', [4096], 1400, false],
    ['map', [0.001], 90, true],
    ['auto', [256], 400, true],
    ['auto', [256], 399, false],
    ['auto', [255], 1400, false],
    ['auto', [32, 224], 1400, true],
    ['auto', [31, 4096], 1400, false],
    ['auto', [31, 226], 1400, false],
  ])('--io %s, of %j MiB, records of %i bytes: the first is mapped: %s', (io, sizes, recordBytes, mapped) => {
    const captures = files(sizes, recordBytes);
    expect(captures[0]!.size >= readingOf(io, captures, 2).mapFrom).toBe(mapped);
  });

  it('whose packets nobody has counted are read', () => {
    expect(readingOf('auto', [{ path: 'file', size: 4096 * MIB }], 2)).toEqual({ mapFrom: Infinity, windowBytes: 2 * WINDOW_UNIT });
    expect(dependsOnPackets('read', 4096 * MIB)).toBe(false);
    expect(dependsOnPackets('auto', 32 * MIB)).toBe(true);
    expect(dependsOnPackets('auto', 31 * MIB)).toBe(false);
  });

  it.each<[Io, number, number, number, number]>([
    ['auto', 4096, 1400, 1, 4],
    ['auto', 4096, 1400, 9, 4],
    ['auto', 4096, 1400, 10, 2],
    ['auto', 4096, 1400, 18, 2],
    ['auto', 4096, 1400, 19, 1],
    ['auto', 4096, 1400, 64, 1],
    ['auto', 4096, 90, 2, 2],
    ['map', 4096, 90, 2, 2],
    ['map', 4096, 1400, 2, 4],
    ['read', 4096, 1400, 2, 2],
    ['auto', 384, 1400, 4, 4],
    ['auto', 383, 1400, 4, 2],
    ['auto', 191, 90, 4, 1],
    ['read', 48, 90, 1, 2],
    ['read', 1, 90, 1, 1],
  ])('--io %s, %i MiB in records of %i bytes, %i workers: windows of %i units', (io, size, recordBytes, workers, units) => {
    expect(readingOf(io, files([size], recordBytes), workers).windowBytes).toBe(units * WINDOW_UNIT);
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
