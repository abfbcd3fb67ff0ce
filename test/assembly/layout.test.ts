// The module was compiled with the constants that the host uses, and its regions are where the host may rely on them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as batch from '../../src/layout/batch.ts';
import * as drops from '../../src/layout/drops.ts';
import * as framing from '../../src/layout/framing.ts';
import * as ledger from '../../src/layout/ledger.ts';
import * as line from '../../src/layout/line.ts';
import * as note from '../../src/layout/note.ts';
import * as slot from '../../src/layout/slot.ts';
import * as tracking from '../../src/layout/tracking.ts';
import { CLOSE_CLASSES } from '../../src/tracker/close.ts';
import * as segment from '../../src/layout/segment.ts';

// The test may say WebAssembly, too: it looks at the module itself.
declare const WebAssembly: {
  Module: { new (bytes: Uint8Array): object; imports(module: object): { module: string; name: string }[] };
  Memory: new (size: object) => { buffer: SharedArrayBuffer };
  Instance: new (module: object, imports: object) => { exports: Record<string, { value: number; buffer: ArrayBuffer }> };
};

const host: Record<string, number> = { ...drops, ...framing, ...segment };
const COMPILED = ['ADDRESS_PAIR_BYTES', 'DROP_REASONS', 'INTERFACE_BYTES', 'LAYOUT_VERSION', 'SEGMENT_BYTES', 'STATE_WORDS'];

it('the class that the ledger looks for is where the tracker has it', () => {
  expect(CLOSE_CLASSES[note.NO_REPLY]).toBe('no_reply');
});

describe.each(['decoder.wasm', 'decoder.debug.wasm'])('%s', (build) => {
  const bytes = readFileSync(new URL(`../../dist/${build}`, import.meta.url));
  const memory = new WebAssembly.Memory({ initial: tracking.MEMORY_PAGES, maximum: tracking.MOST_PAGES, shared: true });
  const module = new WebAssembly.Module(bytes);
  const calls = WebAssembly.Module.imports(module).filter(({ module: from }) => from === 'host');
  const nobody = Object.fromEntries(calls.map(({ name }) => [name, () => 0]));
  const { exports } = new WebAssembly.Instance(module, { env: { abort: () => undefined, memory }, host: nobody });
  const value = (name: string): number => exports[name]?.value ?? Number.NaN;

  it.each(COMPILED)('was compiled with the %s of the host', (name) => {
    expect(value(name)).toBe(host[name]);
  });

  it('keeps its regions apart, window and slots page aligned and the slots last', () => {
    const { BINS, SLOTS_CAPACITY, SHARDS_CAPACITY, SEGMENTS_CAPACITY, LARGEST_UNITS } = batch;
    const regions = [
      ['STATE', segmentEnd('STATE', framing.STATE_WORDS * 4)],
      ['TRACKING', segmentEnd('TRACKING', tracking.TRACKING_WORDS * 4)],
      ['NAME', segmentEnd('NAME', segment.SEGMENT_BYTES)],
      ['NAME_PAIR', segmentEnd('NAME_PAIR', segment.ADDRESS_PAIR_BYTES)],
      ['INTERFACES', segmentEnd('INTERFACES', value('INTERFACES_BYTES'))],
      ['COUNTS', segmentEnd('COUNTS', value('COUNTS_BYTES') * SLOTS_CAPACITY)],
      ['PAIRS', segmentEnd('PAIRS', value('PAIRS_BYTES') * SLOTS_CAPACITY)],
      ['SEGMENTS', segmentEnd('SEGMENTS', value('SEGMENTS_BYTES') * BINS)],
      ['STAGE', segmentEnd('STAGE', LARGEST_UNITS * SEGMENTS_CAPACITY * segment.SEGMENT_BYTES)],
      ['STAGE_PAIRS', segmentEnd('STAGE_PAIRS', LARGEST_UNITS * SEGMENTS_CAPACITY * segment.ADDRESS_PAIR_BYTES)],
      ['ORDER', segmentEnd('ORDER', tracking.CONNECTIONS_CAPACITY * 32)],
      ['LINES', segmentEnd('LINES', line.LINES_BYTES)],
      ['HINTS', segmentEnd('HINTS', tracking.HINTS * 4)],
      ['WINDOW', segmentEnd('WINDOW', value('WINDOW_BYTES'))],
      ['STREAM', segmentEnd('STREAM', batch.STREAM_BYTES + batch.STREAM_MARGIN)],
      ['INDEX', segmentEnd('INDEX', tracking.CONNECTIONS_CAPACITY * 2 * tracking.ENTRY_BYTES)],
      ['KEPT_PAIRS', segmentEnd('KEPT_PAIRS', tracking.CONNECTIONS_CAPACITY * segment.ADDRESS_PAIR_BYTES)],
      ['CONNECTIONS', memory.buffer.byteLength],
    ] as const;
    regions.forEach(([, end], index) => {
      const next = regions[index + 1];
      expect(end).toBeLessThanOrEqual(next ? value(next[0]) : memory.buffer.byteLength);
    });
    expect(value('WINDOW') % 65536).toBe(0);
    // These two grow downwards.
    const { RECENT_CAPACITY, RECENT_BYTES, CHAIN_BYTES } = tracking;
    expect(value('CHAINS_END')).toBe(value('HINTS'));
    expect(value('CHAINS_END') - RECENT_CAPACITY * CHAIN_BYTES).toBeGreaterThanOrEqual(segmentEnd('LINES', line.LINES_BYTES));
    expect(value('RECENT_END')).toBe(value('CONNECTIONS'));
    expect(value('RECENT_END') - RECENT_CAPACITY * RECENT_BYTES).toBeGreaterThanOrEqual(
      segmentEnd('KEPT_PAIRS', tracking.CONNECTIONS_CAPACITY * segment.ADDRESS_PAIR_BYTES),
    );
    expect(value('SEGMENTS') % segment.SEGMENT_BYTES).toBe(0);
    expect(value('SEGMENTS_BYTES')).toBe(batch.SEGMENTS_CAPACITY * segment.SEGMENT_BYTES);
    expect(batch.SEGMENTS_CAPACITY * batch.SMALLEST_RECORD_BYTES).toBeGreaterThan(batch.WINDOW_UNIT);
    expect(value('COUNTS_BYTES')).toBe(batch.COUNTS_WORDS * 4);
    expect(batch.PAIR_COUNT).toBe(SHARDS_CAPACITY);
    expect(slot.SLOT_BYTES).toBe(slot.SLOT_WORDS * 4);
    expect(value('CONNECTIONS')).toBe(memory.buffer.byteLength);
    expect(value('CONNECTIONS') + tracking.CONNECTIONS_CAPACITY * slot.SLOT_BYTES).toBeLessThanOrEqual(2 ** 32);
  });

  function segmentEnd(name: string, length: number): number {
    return value(name) + length;
  }
});

it('the ledger keeps its regions apart', () => {
  const module = new WebAssembly.Module(readFileSync(new URL('../../dist/ledger.wasm', import.meta.url)));
  const memory = new WebAssembly.Memory({ initial: ledger.LEDGER_PAGES, maximum: ledger.LEDGER_PAGES, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const value = (name: string): number => exports[name]?.value ?? Number.NaN;
  const { HOLDERS_CAPACITY, LOG_CAPACITY } = ledger;
  const ends = [
    ['STATE', value('STATE') + ledger.STATE_WORDS * 4],
    ['LANES', value('LANES') + ledger.LANES * ledger.LANE_ROWS * note.COLUMNS * 8],
    ['HOST_KEYS', value('HOST_KEYS') + HOLDERS_CAPACITY * ledger.HOST_WORDS * 4],
    ['HOST_MEMBERS', value('HOST_MEMBERS') + HOLDERS_CAPACITY * 4],
    ['HOST_LOG', value('HOST_LOG') + (LOG_CAPACITY + 1) * ledger.HOST_COLUMNS * 8],
    ['GROUP_KEYS', value('GROUP_KEYS') + HOLDERS_CAPACITY * ledger.GROUP_WORDS * 4],
    ['GROUP_MEMBERS', value('GROUP_MEMBERS') + HOLDERS_CAPACITY * 4],
    ['GROUP_REUSES', value('GROUP_REUSES') + HOLDERS_CAPACITY * 4],
    ['GROUP_LOG', value('GROUP_LOG') + (LOG_CAPACITY + 1) * ledger.GROUP_COLUMNS * 8],
    ['HOST_PLACES', value('HOST_PLACES') + (LOG_CAPACITY + 1) * 4],
    ['HOST_BEGINS', value('HOST_BEGINS') + (HOLDERS_CAPACITY + 1) * 4],
    ['HOST_ENDS', value('HOST_ENDS') + (HOLDERS_CAPACITY + 1) * 4],
    ['GROUP_PLACES', value('GROUP_PLACES') + (LOG_CAPACITY + 1) * 4],
    ['GROUP_BEGINS', value('GROUP_BEGINS') + (HOLDERS_CAPACITY + 1) * 4],
    ['GROUP_ENDS', value('GROUP_ENDS') + (HOLDERS_CAPACITY + 1) * 4],
    ['END', value('END')],
  ] as const;
  ends.slice(1).forEach(([name], i) => expect(value(name), name).toBeGreaterThanOrEqual(ends[i]![1]));
  expect(value('END')).toBeLessThanOrEqual(ledger.LEDGER_PAGES * 65536);
  expect(value('HOST_LOG') % 8).toBe(0);
  expect(value('GROUP_LOG') % 8).toBe(0);
  expect(ledger.LANES).toBe(batch.SHARDS_CAPACITY);
});
