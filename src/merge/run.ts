import { CaptureError } from '../capture/errors.ts';
import type { Fault } from '../capture/fault.ts';
import { CaptureFile } from '../capture/file.ts';
import { firstSecond, readPcapHeader } from '../capture/pcap.ts';
import { Decoder } from '../decode/decoder.ts';
import { SHARDS_CAPACITY, WINDOW_CAPACITY } from '../layout/batch.ts';
import { DROP_REASONS, FRAGMENT } from '../layout/drops.ts';
import type { ConnectionRecord } from '../records/connection.ts';
import { Clock } from '../records/time.ts';
import { Exchange } from '../shard/exchange.ts';
import { type Delivery, type Form, ShardJob, type ShardResult, type ShardTask } from '../shard/job.ts';
import { processors } from '../shard/parallelism.ts';
import { Plan, type PlannedCapture } from '../shard/plan.ts';
import { Statistics } from '../stats/statistics.ts';
import { Oddities } from '../tracker/oddities.ts';
import { PROFILES, type Profile } from '../tracker/time-wait.ts';
import { Merger } from './merger.ts';
import type { Outcome } from './outcome.ts';

export interface RunOptions {
  /** Name of a profile of SPEC §4; linux where absent. */
  readonly profile?: string;
  /** Length of TIME_WAIT, seconds; the profile's where absent. */
  readonly twoMsl?: number;
  /** Silence after which an unfinished connection's record ends, seconds; never where absent. */
  readonly idleTimeout?: number;
  /** Threads that share the work, 1 to 64; what the machine has where absent, and one for a small capture. */
  readonly workers?: number;
  /** Bytes that are decoded together, at most 1 MiB: for tests, no answer depends on it. */
  readonly windowBytes?: number;
}

/** Captures smaller than this are done before threads, each of which compiles its own code, make up for their start: bench/RESULTS.md. */
const WORTH_THREADS = 384 << 20;
/** Windows after which the event loop gets a turn where the work is done in this thread. */
const TURN = 8;

/**
 * A run over captures, read as one in the order given: what ends comes out in batches, in capture order; then the outcome.
 * The work is divided among threads, or done in this one, by the same code.
 */
export class Run {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly profile: Profile;
  readonly workers: number;
  /** Bytes of all captures. */
  readonly bytes: number;
  readonly #exchange: Exchange;
  readonly #files: number;
  readonly #faults: Fault[] = [];
  readonly #results: ShardResult[] = [];
  readonly #options: RunOptions;
  readonly #form: Form;
  readonly #transitions: boolean;
  #interrupted = false;

  /** @throws CaptureError where no capture can be read at all; RangeError for an option out of range */
  constructor(paths: readonly string[], form: Form, transitions: boolean, options: RunOptions) {
    const profile = PROFILES[options.profile ?? 'linux'];
    if (!profile) throw new RangeError(`no such profile: ${options.profile}`);
    const { workers, windowBytes = WINDOW_CAPACITY } = options;
    if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= SHARDS_CAPACITY)) {
      throw new RangeError(`${workers} workers: not a whole number from 1 to ${SHARDS_CAPACITY}`);
    }
    if (!(Number.isInteger(windowBytes) && windowBytes >= 1 && windowBytes <= WINDOW_CAPACITY))
      throw new RangeError(`window of ${windowBytes} bytes`);
    this.#options = options;
    this.#form = form;
    this.#transitions = transitions;
    this.#files = paths.length;
    this.profile = options.twoMsl === undefined ? profile : { ...profile, twoMsl: options.twoMsl * 1e9 };
    const captures = this.#open(paths);
    this.plan = new Plan(captures, windowBytes);
    this.bytes = captures.reduce((sum, { size }) => sum + size, 0);
    this.clock = new Clock(originOf(captures[0]), captures.some(({ header }) => header.fractionNs === 1) ? 9 : 6);
    this.workers = workers ?? (this.bytes < WORTH_THREADS ? 1 : Math.min(processors(), SHARDS_CAPACITY));
    this.#exchange = new Exchange(this.workers);
    if (form === 'none') this.#exchange.setDelivered(this.plan.windows); // nothing will be: nothing has to wait for it
  }

  /** Ends the run before its input does; what has been read is reported. */
  interrupt(): void {
    this.#interrupted = true;
    this.#exchange.stop();
  }

  /** Share of the input that has been read, 0 to 1, and packets in it. */
  get progress(): { share: number; packets: number } {
    return { share: this.plan.windows === 0 ? 1 : this.#exchange.proved / this.plan.windows, packets: this.#exchange.packetsRead };
  }

  /** Runs; yields what has ended meanwhile, often nothing. */
  async *batches(): AsyncGenerator<(ConnectionRecord | string)[], void, undefined> {
    const merger = new Merger(this.workers);
    const tasks = this.#tasks();
    const [only] = tasks;
    for await (const deliveries of tasks.length === 1 && only ? this.#inPlace(only) : this.#inThreads(tasks)) {
      for (const delivery of deliveries) yield merger.add(delivery);
      this.#exchange.setDelivered(merger.next);
      merger.taken.forEach((taken, shard) => this.#exchange.setTaken(shard, taken));
    }
  }

  /** What was counted, once batches() is through. */
  outcome(): Outcome {
    const results = this.#results;
    const drops = new Float64Array(DROP_REASONS);
    const oddities = new Oddities();
    const statistics = new Statistics();
    for (const { counts, pieces, oddities: odd, statistics: part } of results) {
      drops[FRAGMENT]! += pieces;
      counts.drops.forEach((count, reason) => void (drops[reason]! += count));
      odd.forEach((count, i) => void (oddities.counts[i]! += count));
      statistics.merge(part);
    }
    const sum = (of: (result: ShardResult) => number): number => results.reduce((total, result) => total + of(result), 0);
    const faults = results.flatMap(({ counts }) => counts.faults).sort((a, b) => a.window - b.window);
    const first = results.map(({ counts }) => counts.first).sort((a, b) => a.window - b.window)[0];
    return {
      files: this.#files,
      bytes: this.bytes,
      linkTypes: [...new Set(this.plan.captures.map(({ header }) => header.linkType))],
      clock: this.clock,
      profile: this.profile,
      packets: sum(({ counts }) => counts.packets),
      segments: sum(({ segments }) => segments),
      duplicates: sum(({ duplicates }) => duplicates),
      timeRegressions: sum(({ counts }) => counts.timeRegressions),
      drops,
      oddities,
      statistics,
      faults: [...this.#faults, ...faults.map(({ fault }) => fault)],
      firstTime: first !== undefined && first.window < Infinity ? first.time : undefined,
      lastTime: this.plan.windows > 0 ? this.#exchange.proof(this.plan.windows - 1).clock : -Infinity,
      interrupted: this.#interrupted,
    };
  }

  #tasks(): ShardTask[] {
    const memories = Array.from({ length: this.workers }, () => Decoder.memory());
    const shared = {
      shards: this.workers,
      control: this.#exchange.buffer,
      module: Decoder.compile(),
      memories,
      captures: this.plan.captures,
      windowBytes: this.#options.windowBytes ?? WINDOW_CAPACITY,
      origin: this.clock.origin,
      digits: this.clock.digits,
      seed: Math.floor(Math.random() * 2 ** 32), // keys the hashes, which nothing that is printed depends on
      profile: this.profile,
      idleTimeout: (this.#options.idleTimeout ?? Infinity) * 1e9,
      form: this.#form,
      transitions: this.#transitions,
    };
    return memories.map((_, index) => Object.assign({ index }, shared));
  }

  async *#inPlace(task: ShardTask): AsyncGenerator<Delivery[], void, undefined> {
    const job = new ShardJob(task);
    let windows = 0;
    for (const delivery of job.run()) {
      yield [delivery];
      if (++windows % TURN === 0) await new Promise(setImmediate);
    }
    this.#results.push(job.result());
  }

  async *#inThreads(tasks: readonly ShardTask[]): AsyncGenerator<Delivery[], void, undefined> {
    const { ShardPool } = await import('../shard/pool.ts'); // only here, because a small capture is done before it is loaded
    const pool = new ShardPool(tasks, this.#exchange);
    yield* pool.run();
    this.#results.push(...pool.results);
  }

  /** Reads the captures' headers. One that cannot be read is a fault of the run; it fails where none can. */
  #open(paths: readonly string[]): PlannedCapture[] {
    const captures: PlannedCapture[] = [];
    const errors: CaptureError[] = [];
    for (const path of paths) {
      try {
        const file = new CaptureFile(path);
        try {
          captures.push({ path, size: file.size, header: readPcapHeader(file) });
        } finally {
          file.close();
        }
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error;
        errors.push(error);
      }
    }
    if (captures.length === 0 && errors[0]) throw errors[0];
    for (const { file, offset, rule, message } of errors) this.#faults.push({ file, offset, truncated: false, rule, message });
    return captures;
  }
}

function originOf(capture: PlannedCapture | undefined): number {
  if (!capture) return 0;
  const file = new CaptureFile(capture.path);
  try {
    return firstSecond(file, capture.header);
  } finally {
    file.close();
  }
}
