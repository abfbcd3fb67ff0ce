// A run that is left before its end.

import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
// Threads run the built files, so what runs is taken from dist/.
import { analyze } from '../../dist/index.js';

const CAPTURE = fileURLToPath(new URL('../captures/all_eth.pcap', import.meta.url));

/** How often this process has the capture open. */
function open(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === CAPTURE;
    } catch {
      return false; // the folder's own descriptor is closed by now
    }
  }).length;
}

describe.skipIf(process.platform !== 'linux')('a run that is left', () => {
  it.each([1, 2, 3])('closes what it has open, with %i workers', async (workers) => {
    for await (const record of analyze(CAPTURE, { workers, windowBytes: 2000 })) if (record.type === 'connection') break;
    for (let tries = 0; open() > 0 && tries < 100; tries++) await setTimeout(20); // threads end in their own time
    expect(open()).toBe(0);
  });
});
