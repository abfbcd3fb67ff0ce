import { Bench } from 'tinybench';
import { CaptureFile } from '#lib/capture/file.js';
import { Decoder } from '#lib/decode/decoder.js';
import { WINDOW_UNIT } from '#lib/layout/batch.js';
import { PACKETS } from '#lib/layout/framing.js';
import { SEGMENT_WORDS } from '#lib/layout/segment.js';
import { Run } from '#lib/merge/run.js';
import { Plan } from '#lib/shard/plan.js';
import { probe } from '#lib/shard/probe.js';
import { type Place, WindowReader } from '#lib/shard/windows.js';
import { PROFILES } from '#lib/tracker/time-wait.js';
import { Tracker } from '#lib/tracker/tracker.js';

export interface Part {
  readonly name: string;
  readonly seconds: number;
}

/** Medians of what each part of the program costs on one capture, in this thread. */
export async function measureParts(path: string, runs: number): Promise<Part[]> {
  const file = new CaptureFile(path);
  const decoder = new Decoder(Decoder.compile(), Decoder.memory());
  const plan = new Plan([{ path, size: file.size }], WINDOW_UNIT);
  const { firstTime = 0 } = probe(file, file.size, decoder);
  const reader = new WindowReader({ origin: Math.floor(firstTime / 1e9), seed: 1, shards: 1 }, decoder, () => file);

  const read = (): void => {
    for (let position = 0; position < file.size; position += WINDOW_UNIT) file.read(decoder.window.subarray(0, WINDOW_UNIT), position);
  };
  const decode = (take?: (packets: number) => void): void => {
    let place: Place = { offset: 0, lost: false, previous: Number.NaN, clock: -Infinity, framing: undefined };
    for (let number = 0; number < plan.announced; number++) {
      ({ end: place } = reader.decode(plan.window(number), 0, place));
      take?.(decoder.state[PACKETS]!);
    }
  };
  // The tracker alone: the batches of the capture's beginning, decoded before the clock starts.
  const batches: { words: Int32Array; times: Float64Array; pairs: Uint8Array; count: number; packets: number }[] = [];
  let kept = 0;
  decode((packets) => {
    if (kept > 200e6) return;
    const batch = decoder.batch(decoder.memory, 0);
    const words = batch.words.slice(0, batch.count * SEGMENT_WORDS);
    kept += words.byteLength;
    batches.push({
      words,
      times: new Float64Array(words.buffer),
      pairs: batch.pairs.slice(0, 0),
      count: batch.count,
      packets,
    });
  });
  const track = (): void => {
    const tracker = new Tracker({ profile: PROFILES['linux']!, idleTimeout: Infinity, bound: () => {}, ended: () => {} }, decoder.table);
    let packets = 0;
    for (const batch of batches) {
      for (const _ of tracker.track(batch, packets));
      packets += batch.packets;
    }
  };
  const all = async (workers: number): Promise<void> => {
    const run = await Run.open([path], 'none', false, { workers });
    for await (const _ of run.batches());
  };

  const bench = new Bench({ iterations: runs, time: 0, warmupIterations: 1, warmupTime: 0 });
  const tracked = batches.reduce((sum, { count }) => sum + count, 0);
  bench
    .add('read (the floor)', read)
    .add('read and decode', () => decode())
    .add(`track alone, first ${(tracked / 1e6).toFixed(1)} M segments`, track)
    .add('all of it, one worker', () => all(1))
    .add('all of it, two workers', () => all(2));
  await bench.run();
  file.close();
  return bench.tasks.map(({ name, result }) => {
    if (!('latency' in result)) throw new Error(`${name} did not run`);
    return { name, seconds: result.latency.p50 / 1000 };
  });
}
