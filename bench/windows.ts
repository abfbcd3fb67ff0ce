import { CaptureFile } from '#lib/capture/file.js';
import { Decoder } from '#lib/decode/decoder.js';
import { WINDOW_UNIT } from '#lib/layout/batch.js';
import { PACKETS } from '#lib/layout/framing.js';
import { Plan } from '#lib/shard/plan.js';
import { probe } from '#lib/shard/probe.js';
import { type Place, WindowReader } from '#lib/shard/windows.js';
import { NoteLog } from '#lib/stats/note.js';
import { Shapes } from '#lib/stats/shapes.js';
import { Statistics } from '#lib/stats/statistics.js';
import { Clock } from '#lib/records/time.js';
import { PROFILES } from '#lib/tracker/time-wait.js';
import { Tracker } from '#lib/tracker/tracker.js';

/** What one packet takes, ns. */
export interface Step {
  readonly name: string;
  readonly nanoseconds: number;
}

/**
 * What reading, decoding and tracking a packet takes in one thread: of each window the least time of several runs, and those added up.
 * Whoever shares the machine disturbs one window or another, but hardly the same in all runs: so a difference of a few percent shows.
 * @param windows that are looked at, from the capture's beginning
 */
export function measureWindows(path: string, runs: number, windows: number): Step[] {
  const file = new CaptureFile(path);
  const plan = new Plan([{ path, size: file.size }], WINDOW_UNIT);
  const count = Math.min(windows, plan.announced);
  const module = Decoder.compile();
  const least = { read: new Float64Array(count), decode: new Float64Array(count), track: new Float64Array(count) };
  for (const times of Object.values(least)) times.fill(Infinity);
  let packets = 0;
  for (let run = 0; run < runs; run++) {
    const memory = Decoder.memory();
    const decoder = new Decoder(module, memory);
    const { firstTime = 0 } = probe(file, file.size, decoder);
    const origin = Math.floor(firstTime / 1e9);
    const reader = new WindowReader({ origin, seed: 1, shards: 1 }, decoder, () => file);
    const notes = new NoteLog(() => {});
    const statistics = new Statistics();
    const shapes = new Shapes(decoder.shapes, notes, PROFILES['linux']!.twoMsl, new Clock(origin, 9));
    const tracker = new Tracker(
      {
        profile: PROFILES['linux']!,
        idleTimeout: Infinity,
        bound: () => {},
        shapes,
        ended: (connection) => {
          shapes.flush();
          statistics.add(connection);
          notes.add(connection);
          shapes.learn(connection);
        },
      },
      decoder.table,
    );
    let place: Place = { offset: 0, lost: false, previous: Number.NaN, clock: -Infinity, framing: undefined };
    packets = 0;
    for (let number = 0; number < count; number++) {
      const window = plan.window(number);
      clocked(least.read, number, () => file.read(decoder.window.subarray(0, window.bytes), window.base));
      clocked(least.decode, number, () => ({ end: place } = reader.decode(window, 0, place)));
      clocked(least.track, number, () => {
        for (const _ of tracker.track(decoder.batch(memory, 0), packets));
        for (const _ of tracker.advance(place.clock));
      });
      packets += decoder.state[PACKETS]!;
    }
  }
  file.close();
  const [read, decode, track] = [least.read, least.decode, least.track].map(
    (times) => (times.reduce((sum, time) => sum + time, 0) * 1e6) / packets,
  ) as [number, number, number];
  return [
    { name: 'read', nanoseconds: read },
    { name: 'decode', nanoseconds: decode - read },
    { name: 'track', nanoseconds: track },
  ];
}

/** Does a window's work, and keeps its time if it is the least so far. */
function clocked(times: Float64Array, window: number, work: () => void): void {
  const began = performance.now();
  work();
  times[window] = Math.min(times[window]!, performance.now() - began);
}
