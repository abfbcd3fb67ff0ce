import { Bench } from 'tinybench';
import { CaptureFile } from '../dist/capture/file.js';
import { firstSecond, readPcapHeader } from '../dist/capture/pcap.js';
import { DEFAULT_WINDOW_BYTES, WindowWalk } from '../dist/capture/windows.js';
import { Decoder } from '../dist/decode/decoder.js';
import { PACKETS, RECORDS } from '../dist/layout/framing.js';
import { SEGMENT_WORDS } from '../dist/layout/segment.js';
import { Run } from '../dist/merge/run.js';
import { PROFILES } from '../dist/tracker/time-wait.js';
import { Tracker } from '../dist/tracker/tracker.js';

export interface Part {
  readonly name: string;
  readonly seconds: number;
}

/** Medians of what each part of the program costs on one capture, in this thread. */
export async function measureParts(path: string, runs: number): Promise<Part[]> {
  const file = new CaptureFile(path);
  const header = readPcapHeader(file);
  const decoder = new Decoder(Decoder.compile());
  const framing = { ...header, origin: firstSecond(file, header), seed: 1 };

  const read = (): void => {
    for (let position = 0; position < file.size; position += DEFAULT_WINDOW_BYTES) file.read(decoder.window.subarray(0, DEFAULT_WINDOW_BYTES), position);
  };
  const decode = (batch?: (packets: number, records: number) => void): void => {
    decoder.begin(framing);
    for (const _ of new WindowWalk(file, header, decoder)) batch?.(decoder.state[PACKETS]!, decoder.state[RECORDS]!);
  };
  // The tracker alone: the batches of the capture's beginning, decoded before the clock starts.
  const batches: { words: Int32Array; times: Float64Array; pairs: Uint8Array; count: number; packets: number }[] = [];
  let kept = 0;
  decode((packets, count) => {
    if (kept > 200e6) return;
    const words = decoder.words.slice(0, count * SEGMENT_WORDS);
    kept += words.byteLength;
    batches.push({ words, times: new Float64Array(words.buffer), pairs: decoder.pairs.slice(0, 0), count, packets });
  });
  const track = (): void => {
    const tracker = new Tracker({ profile: PROFILES['linux']!, idleTimeout: Infinity, ended: () => {} });
    let packets = 0;
    for (const batch of batches) {
      tracker.track(batch, packets);
      packets += batch.packets;
    }
  };
  const all = async (): Promise<void> => {
    for await (const _ of new Run([path], { connections: false, transitions: false }).batches());
  };

  const bench = new Bench({ iterations: runs, time: 0, warmupIterations: 1, warmupTime: 0 });
  const tracked = batches.reduce((sum, { count }) => sum + count, 0);
  bench.add('read (the floor)', read).add('read and decode', () => decode()).add(`track alone, first ${(tracked / 1e6).toFixed(1)} M segments`, track).add('all of it', all);
  await bench.run();
  file.close();
  return bench.tasks.map(({ name, result }) => {
    if (!('latency' in result)) throw new Error(`${name} did not run`);
    return { name, seconds: result.latency.p50 / 1000 };
  });
}
