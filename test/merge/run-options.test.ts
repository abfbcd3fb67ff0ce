import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze, FilterError } from '../../src/index.ts';

const CAPTURE = fileURLToPath(new URL('../captures/article.pcap', import.meta.url));

async function run(options: object): Promise<void> {
  for await (const _ of analyze(CAPTURE, options));
}

const NO_NUMBERS = [Number.NaN, 0, -1, -Infinity, 'ten', ''];

describe('what a program asks for', () => {
  it.each<[string, readonly unknown[]]>([
    ['profile', ['plan9', '', 'toString', 4]],
    ['workers', [...NO_NUMBERS, 1.5, 65, Infinity]],
    ['windowBytes', [...NO_NUMBERS, 1.5, 2 ** 21 + 1]],
    ['ports', [...NO_NUMBERS, 1.5, 65_536, Infinity]],
    ['twoMsl', [...NO_NUMBERS, Infinity, 1e10]],
    ['idleTimeout', NO_NUMBERS],
    ['interval', [...NO_NUMBERS, 0.0009, 1e10]],
    ['io', ['mmap', 'AUTO', 1]],
    ['distinguish', [['vlan', 'vrf'], ['']]],
    ['whatIf', [[{ name: 'x', twoMsl: Number.NaN }], [{ name: 'x', twoMsl: 0 }], [{ name: 'x', ports: 0.5 }], [{ name: 'x', ports: 1e5 }]]],
  ])('has a range: %s', async (name, values) => {
    for (const value of values) await expect(run({ [name]: value }), String(value)).rejects.toThrow(RangeError);
  });

  it('windows of groups need an interval, a kind that there is, and a prefix that addresses have', async () => {
    await expect(run({ per: { kind: 'host' } })).rejects.toThrow(RangeError);
    await expect(run({ interval: 1, per: { kind: 'rack' } })).rejects.toThrow(RangeError);
    for (const bits of [-1, 129, 1.5, undefined])
      await expect(run({ interval: 1, per: { kind: 'subnet', bits } })).rejects.toThrow(/a prefix of/);
  });

  it('a window has room for its records, which many workers have less of', async () => {
    await run({ workers: 18, windowBytes: 2 ** 23 });
    await expect(run({ workers: 18, windowBytes: 2 ** 23 + 1 })).rejects.toThrow(/window of 8388609 bytes/);
    await expect(run({ workers: 19, windowBytes: 2 ** 21 + 1 })).rejects.toThrow(RangeError);
    await expect(run({ windowBytes: 2 ** 21 + 1 })).rejects.toThrow(RangeError);
  });

  it('a filter has to be one', async () => {
    await expect(run({ filter: 'host and' })).rejects.toThrow(FilterError);
  });

  it('may be all that there is', async () => {
    await run({
      profile: 'bsd',
      workers: 64,
      windowBytes: 2 ** 21,
      ports: 65_535,
      twoMsl: 1e9,
      idleTimeout: Infinity,
      interval: 0.001,
      per: { kind: 'subnet', bits: 128 },
      io: 'map',
      distinguish: ['vlan', 'vni'],
      whatIf: [{ name: 'x', twoMsl: 1e18, ports: 1, reuse: true }],
      filter: 'tcp',
    });
  });
});
