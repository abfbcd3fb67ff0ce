// A run that is left before its end.

import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from lib/.
import { analyze } from '../../lib/index.js';

const CAPTURES = ['all_eth.pcap', 'all_eth.pcap.gz', 'all_eth.pcap.zst'];

/** How often this process has a capture open. */
function open(capture: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === capture;
    } catch {
      return false; // the folder's own descriptor is closed by now
    }
  }).length;
}

describe.skipIf(process.platform !== 'linux')('a run that is left', () => {
  it.each(CAPTURES.flatMap((name) => [1, 2, 3].map((workers) => [name, workers] as const)))(
    'closes %s, with %i workers',
    async (name, workers) => {
      const capture = fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
      for await (const record of analyze(capture, { workers, windowBytes: 2000 })) if (record.type === 'connection') break;
      for (let tries = 0; open(capture) > 0 && tries < 100; tries++) await setTimeout(20); // threads end in their own time
      expect(open(capture)).toBe(0);
    },
  );
});

it.each(CAPTURES)('a run of which nobody wants more keeps no program alive: %s', (name) => {
  const capture = fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
  const index = new URL('../../lib/index.js', import.meta.url).href;
  const program = `import { analyze } from ${JSON.stringify(index)};
    const run = analyze(${JSON.stringify(capture)}, { workers: 1 })[Symbol.asyncIterator]();
    console.log((await run.next()).value.type);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 20_000 });
  expect([status, stdout]).toEqual([0, 'connection\n']);
});
