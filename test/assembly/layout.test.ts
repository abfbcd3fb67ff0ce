// The module was compiled with the constants that the host uses, and its regions are where the host may rely on them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as batch from '../../src/layout/batch.ts';
import * as drops from '../../src/layout/drops.ts';
import * as framing from '../../src/layout/framing.ts';
import * as segment from '../../src/layout/segment.ts';

// The test may say WebAssembly, too: it looks at the module itself.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (size: object) => { buffer: SharedArrayBuffer };
  Instance: new (module: object, imports: object) => { exports: Record<string, { value: number; buffer: ArrayBuffer }> };
};

const host: Record<string, number> = { ...drops, ...framing, ...segment };
const COMPILED = ['ADDRESS_PAIR_BYTES', 'DROP_REASONS', 'INTERFACE_BYTES', 'LAYOUT_VERSION', 'SEGMENT_BYTES', 'STATE_WORDS'];

describe.each(['decoder.wasm', 'decoder.debug.wasm'])('%s', (build) => {
  const bytes = readFileSync(new URL(`../../dist/${build}`, import.meta.url));
  const memory = new WebAssembly.Memory({ initial: batch.MEMORY_PAGES, maximum: batch.MEMORY_PAGES, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort: () => undefined, memory } });
  const value = (name: string): number => exports[name]?.value ?? Number.NaN;

  it.each(COMPILED)('was compiled with the %s of the host', (name) => {
    expect(value(name)).toBe(host[name]);
  });

  it('keeps its regions apart, and the window last and page aligned', () => {
    const regions = [
      ['STATE', segmentEnd('STATE', framing.STATE_WORDS * 4)],
      ['INTERFACES', segmentEnd('INTERFACES', value('INTERFACES_BYTES'))],
      ['SEGMENTS', segmentEnd('SEGMENTS', value('SEGMENTS_BYTES') * batch.SLOTS)],
      ['PAIRS', segmentEnd('PAIRS', value('PAIRS_BYTES') * batch.SLOTS)],
      ['LISTS', segmentEnd('LISTS', value('LISTS_BYTES') * batch.SLOTS)],
      ['WINDOW', segmentEnd('WINDOW', value('WINDOW_BYTES'))],
    ] as const;
    regions.forEach(([, end], index) => {
      const next = regions[index + 1];
      expect(end).toBeLessThanOrEqual(next ? value(next[0]) : memory.buffer.byteLength);
    });
    expect(value('WINDOW') % 65536).toBe(0);
    expect(value('SEGMENTS') % segment.SEGMENT_BYTES).toBe(0);
    expect(value('SEGMENTS_BYTES')).toBe(batch.SEGMENTS_CAPACITY * segment.SEGMENT_BYTES);
    expect(batch.SEGMENTS_CAPACITY * batch.SMALLEST_RECORD_BYTES).toBeGreaterThan(batch.WINDOW_CAPACITY);
    expect(regions[5][1]).toBe(memory.buffer.byteLength);
  });

  function segmentEnd(name: string, length: number): number {
    return value(name) + length;
  }
});
