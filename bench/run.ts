import { existsSync, mkdirSync, statSync } from 'node:fs';
import { arch, cpus, release, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generate, SHAPES } from './capture.ts';
import { measureParts } from './parts.ts';
import { measureWhole } from './whole.ts';
import { measureWindows } from './windows.ts';

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: '100000000' },
    runs: { type: 'string', default: '3' },
    shapes: { type: 'string', default: 'snapshots,mtu' },
  },
});
/** Windows that are timed one by one, and how often. */
const WINDOWS = 100;
const WINDOW_RUNS = 8;

const bytes = Number(values.bytes);
const runs = Number(values.runs);
const folder = fileURLToPath(new URL('data/', import.meta.url));
mkdirSync(folder, { recursive: true });

console.log(
  `${type()} ${release()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}, node ${process.version}; medians of ${runs} runs\n`,
);
for (const shape of values.shapes.split(',')) {
  if (!Object.hasOwn(SHAPES, shape)) throw new RangeError(`--shapes ${shape}: not one of ${Object.keys(SHAPES).join(', ')}`);
  const path = `${folder}${shape}-${bytes}.pcap`;
  if (!existsSync(path)) generate(path, bytes, SHAPES[shape as keyof typeof SHAPES]);
  const { size } = statSync(path);
  console.log(`## ${shape}, ${(size / 1e6).toFixed(0)} MB`);
  const steps = measureWindows(path, WINDOW_RUNS, WINDOWS).map(({ name, nanoseconds }) => `${name} ${nanoseconds.toFixed(1)}`);
  console.log(`one thread, ns a packet, least of ${WINDOW_RUNS} runs of each window: ${steps.join(', ')}\n`);
  const parts = await measureParts(path, runs);
  const floor = parts[0]!.seconds;
  table('part', parts, size, floor);
  table('whole process', measureWhole(path, runs), size, floor);
}

function table(title: string, rows: readonly { name: string; seconds: number }[], size: number, floor: number): void {
  console.log(`${title.padEnd(44)} ${'seconds'.padStart(9)} ${'GB/s'.padStart(7)} ${'to floor'.padStart(9)}`);
  for (const { name, seconds } of rows) {
    console.log(
      `${name.padEnd(44)} ${seconds.toFixed(3).padStart(9)} ${(size / seconds / 1e9).toFixed(2).padStart(7)} ${(seconds / floor).toFixed(1).padStart(9)}`,
    );
  }
  console.log();
}
