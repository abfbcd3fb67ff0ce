import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import chain from 'stream-chain';
import type { Run } from '../merge/run.ts';

/** The types of line that `stream` prints. */
export const LINE_TYPES = ['connection', 'summary'] as const;
export type LineType = (typeof LINE_TYPES)[number];

/** Runs and writes one JSON object a line: connections as they end, then the summary. A batch of lines is one chunk. */
export async function writeNdjson(run: Run, only: ReadonlySet<LineType>, out: NodeJS.WritableStream): Promise<void> {
  async function* batches(): AsyncGenerator<readonly object[]> {
    for await (const records of run.batches()) if (records.length > 0 && only.has('connection')) yield records;
    if (only.has('summary')) yield [run.summary()];
  }
  await pipeline(Readable.from(batches()), chain([lines]), out, { end: false });
}

const lines = (records: readonly object[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');
