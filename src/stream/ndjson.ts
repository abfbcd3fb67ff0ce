import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { STRETCH_BYTES } from '../merge/line-chunks.ts';
import type { Run } from '../merge/run.ts';
import { summaryRecord } from '../merge/summary.ts';

/** The types of line that `stream` prints. */
export const LINE_TYPES = ['connection', 'window', 'summary'] as const;
export type LineType = (typeof LINE_TYPES)[number];

/** Hosts, groups of ports and the like that a summary line names, so that it stays below 16 KiB. */
const TOP = 5;

/** Batches, or chunks of one, that wait on their way: each may have megabytes. */
const FEW = { writableHighWaterMark: 1, readableHighWaterMark: 1 } as const;

/** Runs and writes one JSON object a line: connections as they end, windows as capture time passes, then the summary. */
export async function writeNdjson(run: Run, only: ReadonlySet<LineType>, out: NodeJS.WritableStream, top = TOP): Promise<void> {
  async function* batches(): AsyncGenerator<readonly Uint8Array[]> {
    for await (const lines of run.batches())
      if (lines.length > 0 && (only.has('connection') || only.has('window'))) yield lines as Uint8Array[];
    if (only.has('summary')) yield [Buffer.from(`${JSON.stringify(summaryRecord(run.outcome(), top))}\n`)];
  }
  const { loadChain } = await import('./chain.ts'); // only here, because `report` writes no lines
  const { default: chain, asStream } = await loadChain();
  out.setMaxListeners(0); // where it is standard output, each thread of the run listens to it, too
  await pipeline(Readable.from(batches()), chain([asStream(chunks, FEW)], FEW), out, { end: false });
}

/** A batch of lines in few chunks, none of which is copied that need not be. */
function* chunks(lines: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  let short: Uint8Array[] = [];
  for (const line of lines) {
    if (line.length < STRETCH_BYTES) {
      short.push(line);
      continue;
    }
    if (short.length > 0) yield joined(short);
    short = [];
    yield line;
  }
  if (short.length > 0) yield joined(short);
}

const joined = (lines: readonly Uint8Array[]): Uint8Array => (lines.length === 1 ? lines[0]! : Buffer.concat(lines));
