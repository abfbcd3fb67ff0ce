import { setMaxListeners } from 'node:events';
import { CaptureError } from '../capture/errors.ts';
import { type Fault, miscount } from '../capture/fault.ts';
import { interfacesOf } from '../capture/section.ts';
import { Decoder, type DecoderModule } from '../decode/decoder.ts';
import { adviseHugePages } from '../decode/huge-pages.ts';
import { LedgerMemory } from '../decode/ledger-memory.ts';
import { SHARDS_CAPACITY, WINDOW_CAPACITY } from '../layout/batch.ts';
import { AFTER_TIME_WAIT, DROP_REASONS, FRAGMENT } from '../layout/drops.ts';
import { BY_VLAN, BY_VNI } from '../layout/framing.ts';
import { Clock } from '../records/time.ts';
import { feedBeside } from '../shard/decompression.ts';
import { Exchange } from '../shard/exchange.ts';
import { Feed, FeedWriter } from '../shard/feed.ts';
import { InterfaceLog } from '../shard/interfaces.ts';
import { runHere } from '../shard/here.ts';
import { TROUBLES } from '../shard/shard.ts';
import { type Delivery, type Form, type Io, type ShardResult, type ShardTask, windowsOf } from '../shard/job.ts';
import { workersFor, workOf } from '../shard/parallelism.ts';
import { Plan, type PlannedCapture } from '../shard/plan.ts';
import { ShardPool } from '../shard/pool.ts';
import { pump } from '../shard/pump.ts';
import { Answers } from '../stats/answers.ts';
import { Intervals } from '../stats/intervals.ts';
import { ADDRESS_BITS, type GroupBy } from '../stats/grouping.ts';
import type { Change } from '../stats/what-if.ts';
import { Statistics } from '../stats/statistics.ts';
import { Oddities } from '../tracker/oddities.ts';
import { PROFILES, type Profile } from '../tracker/time-wait.ts';
import { compileFilter } from '../filter/compile.ts';
import { type Input, type Meeting, openInput } from './input.ts';
import { type CaptureWindows, type Item, Merger } from './merger.ts';
import { windowRecord } from './window.ts';
import { groupRecords } from './window-groups.ts';
import { WindowQueue } from './window-queue.ts';
import type { Outcome } from './outcome.ts';

/** What may tell networks of equal addresses apart. */
export type Scope = 'vlan' | 'vni';

const SCOPES: Readonly<Record<Scope, number>> = { vlan: BY_VLAN, vni: BY_VNI };

export interface RunOptions {
  /** Name of a profile of SPEC §4; linux where absent. */
  readonly profile?: string;
  /** Length of TIME_WAIT, seconds; the profile's where absent. */
  readonly twoMsl?: number;
  /** Silence after which an unfinished connection's record ends, seconds; never where absent. */
  readonly idleTimeout?: number;
  /** Threads that share the work, 1 to 64; where absent as many as the captures have work for, and the machine processors. */
  readonly workers?: number;
  /** The only capture is still being written: it is read until the run is interrupted. */
  readonly follow?: boolean;
  /** What is a part of a connection's identity beside its 4-tuple: networks of equal addresses are told apart by it. */
  readonly distinguish?: readonly Scope[];
  /** Which segments are looked at, in words of pcap-filter(7); all where absent. */
  readonly filter?: string;
  /** Ephemeral ports of a client towards one server address and port; those of Linux where absent. */
  readonly ports?: number;
  /** Length of a window of capture time, seconds, 0.001 or more; no windows where absent. */
  readonly interval?: number;
  /** What windows are told apart by: a line of its own for each group. */
  readonly per?: GroupBy;
  /** Changes of settings to be compared with what was seen. */
  readonly whatIf?: readonly Change[];
  /** How files are read; as is fastest where absent. */
  readonly io?: Io;
  /** Settings of V8 that are made when a thread starts, as on a command line. They hold for the whole process: none where absent. */
  readonly threadFlags?: string;
  /** Bytes that are decoded together, at most 2 MiB: for tests, no answer depends on it. */
  readonly windowBytes?: number;
}

/** Linux: 32768 to 60999. */
const EPHEMERAL_PORTS = 28_232;

/**
 * A run over captures, read as one in the order given: what ends comes out in batches, in capture order; then the outcome.
 * The work is divided among threads, or done in this one, by the same code. A stream is read by this thread and analysed by others;
 * a compressed file is read by a thread that does nothing else.
 */
export class Run {
  readonly clock: Clock;
  readonly profile: Profile;
  readonly workers: number;
  readonly #work: number;
  readonly #input: Input;
  readonly #windowBytes: number;
  readonly #plan: Plan;
  /** Where the input is a stream, or compressed. */
  readonly #feed: Feed | undefined;
  /** Where threads were asked for. */
  #pool: ShardPool | undefined;
  readonly #exchange: Exchange;
  readonly #interfaces = new InterfaceLog();
  readonly #module: DecoderModule;
  readonly #results: ShardResult[] = [];
  readonly #answers: Answers;
  readonly #options: RunOptions;
  readonly #form: Form;
  readonly #transitions: boolean;
  readonly #abort: AbortController;
  readonly #filter: Int32Array | undefined;
  #interrupted = false;

  /**
   * Looks at the captures, and prepares to read them.
   * @param abort whoever aborts it ends the run before its input does; what has been read is reported
   * @throws CaptureError where no capture can be read at all; RangeError for an option out of range
   */
  static async open(
    paths: readonly string[],
    form: Form,
    transitions: boolean,
    options: RunOptions,
    abort = new AbortController(),
  ): Promise<Run> {
    const { workers, windowBytes = WINDOW_CAPACITY, profile = 'linux', threadFlags, per, interval } = options;
    if (!Object.hasOwn(PROFILES, profile)) throw new RangeError(`no such profile: ${profile}`);
    if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= SHARDS_CAPACITY)) {
      throw new RangeError(`${workers} workers: not a whole number from 1 to ${SHARDS_CAPACITY}`);
    }
    if (per?.kind === 'subnet' && !(Number.isInteger(per.bits) && per.bits >= 0 && per.bits <= ADDRESS_BITS))
      throw new RangeError(`a prefix of ${per.bits} bits`);
    if (interval !== undefined && !(lengthOf(interval) >= 1)) throw new RangeError(`an interval of ${interval} s`);
    if (per && interval === undefined) throw new RangeError('groups without an interval');
    if (!(Number.isInteger(windowBytes) && windowBytes >= 1 && windowBytes <= WINDOW_CAPACITY))
      throw new RangeError(`window of ${windowBytes} bytes`);
    setMaxListeners(0, abort.signal); // each capture that is open listens
    // Where threads are asked for, they start while the captures are looked at; so they do where what is met is surely work for them.
    let pool: ShardPool | undefined;
    const start = (threads: number): void => {
      if (threads > 0) pool ??= new ShardPool(threads, threadFlags);
    };
    if (workers !== undefined) start(workers - 1);
    let bytes = 0;
    const met: Meeting = {
      file: (size) => {
        bytes += size;
        start((workers ?? workersFor(workOf(0, bytes))) - 1);
      },
      compressed: () => start((workers ?? workersFor(Infinity, true)) - 1),
      stream: () => start(workers ?? workersFor(Infinity)),
    };
    try {
      const module = Decoder.compile();
      const input = await openInput(paths, options.follow ?? false, new Decoder(module, Decoder.memory()), abort.signal, met);
      const run = new Run(input, module, form, transitions, options, abort);
      run.#pool = pool;
      if (run.#pool && run.#pool.threads > run.#threads) {
        await run.#pool.destroy(); // what looked like work for them was none, or cannot be read
        run.#pool = undefined;
      }
      return run;
    } catch (error) {
      await pool?.destroy();
      throw error;
    }
  }

  private constructor(input: Input, module: DecoderModule, form: Form, transitions: boolean, options: RunOptions, abort: AbortController) {
    const profile = PROFILES[options.profile ?? 'linux']!;
    this.#options = options;
    this.#form = form;
    this.#transitions = transitions;
    this.#module = module;
    this.#filter = options.filter === undefined ? undefined : compileFilter(options.filter);
    this.#abort = abort;
    this.#input = input;
    this.#windowBytes = options.windowBytes ?? WINDOW_CAPACITY;
    this.profile = options.twoMsl === undefined ? profile : { ...profile, twoMsl: options.twoMsl * 1e9 };
    this.#plan = new Plan(input.captures, this.#windowBytes);
    this.clock = new Clock(input.origin, input.digits);
    const comes = input.stream !== undefined || input.compressed !== undefined;
    this.#work = comes ? Infinity : workOf(input.packets, this.bytes);
    this.workers = options.workers ?? workersFor(this.#work, input.compressed !== undefined);
    this.#answers = new Answers(options.ports ?? EPHEMERAL_PORTS, this.profile.twoMsl, () => new LedgerMemory(), options.whatIf);
    this.#exchange = new Exchange(this.workers);
    if (comes) this.#feed = new Feed();
    const stop = (): void => {
      this.#interrupted = true;
      this.#exchange.stop();
    };
    if (abort.signal.aborted) stop();
    else abort.signal.addEventListener('abort', stop);
  }

  /** Bytes of all captures; of a stream, those that have come. */
  get bytes(): number {
    const { read, captures } = this.#input;
    if (read) return read.bytes;
    return this.#feed ? this.#feed.bytes : captures.reduce((sum, { size }) => sum + size, 0);
  }

  /** Ends the run before its input does; what has been read is reported. */
  interrupt(): void {
    this.#abort.abort();
  }

  /** Share of the input that has been read, 0 to 1; not a number: how much there is, is not known. And packets in it. */
  get progress(): { share: number; packets: number } {
    const { proved, packetsRead } = this.#exchange;
    const { announced } = this.#plan;
    return { share: this.#feed ? Number.NaN : announced === 0 ? 1 : proved / announced, packets: packetsRead };
  }

  /**
   * Runs; yields what has ended meanwhile, often nothing.
   * @throws CaptureError where no capture can be read any more
   */
  async *batches(): AsyncGenerator<Item[], void, undefined> {
    const windows = this.#captureWindows();
    const merger = new Merger(this.workers, this.#answers, windows);
    const together = windowsOf(this.#form);
    const tasks = this.#tasks();
    const [only] = tasks;
    const alone = only && this.#threads === 0;
    const delivered = alone ? this.#alone(only) : this.#together(tasks);
    for await (const deliveries of this.#feed ? this.#fed(this.#feed, delivered) : delivered) {
      for (const delivery of deliveries) {
        for (const items of merger.add(delivery)) {
          yield items;
          if (!windows) continue;
          await new Promise(setImmediate); // a silence may have windows for hours, and signals have to be heard meanwhile
          if (this.#interrupted) windows.queue.shorten();
        }
      }
      this.#exchange.setDelivered(merger.next * together);
      merger.taken.forEach((taken, shard) => this.#exchange.setTaken(shard, taken));
    }
    const faults = this.#faults;
    const [first] = faults;
    const nothing = this.#results.every(({ counts }) => counts.packets === 0);
    // No capture could be read at all, although all could when the run was opened.
    if (first && nothing && faults.length === this.#input.files && faults.every(({ offset }) => offset === 0))
      throw new CaptureError(first.file, first.offset, first.rule);
  }

  /** What was counted, once batches() is through. */
  outcome(): Outcome {
    const results = this.#results;
    const drops = new Float64Array(DROP_REASONS);
    const oddities = new Oddities();
    const statistics = new Statistics();
    for (const { counts, pieces, late, oddities: odd, statistics: part } of results) {
      drops[FRAGMENT]! += pieces;
      drops[AFTER_TIME_WAIT]! += late;
      counts.drops.forEach((count, reason) => void (drops[reason]! += count));
      odd.forEach((count, i) => void (oddities.counts[i]! += count));
      statistics.merge(part);
    }
    const sum = (of: (result: ShardResult) => number): number => results.reduce((total, result) => total + of(result), 0);
    const first = results.map(({ counts }) => counts.first).sort((a, b) => a.window - b.window)[0];
    return {
      files: this.#input.files,
      names: this.#input.names,
      passedOver: this.#input.passedOver,
      bytes: this.bytes,
      linkTypes: [...new Set(interfacesOf({ form: 0, interfaces: this.#interfaces.all }).map(({ linkType }) => linkType))],
      clock: this.clock,
      profile: this.profile,
      packets: sum(({ counts }) => counts.packets),
      segments: sum(({ segments }) => segments),
      duplicates: sum(({ duplicates }) => duplicates),
      timeRegressions: sum(({ counts }) => counts.timeRegressions),
      drops,
      oddities,
      statistics,
      answers: this.#answers,
      ports: this.#options.ports ?? EPHEMERAL_PORTS,
      faults: this.#faults,
      damages: this.#input.faults.length + this.#miscounts.length + sum(({ counts }) => counts.damages),
      firstTime: first !== undefined && first.window < Infinity ? first.time : undefined,
      lastTime: this.#exchange.proof((this.#feed ?? this.#plan).announced - 1).clock,
      interrupted: this.#interrupted,
    };
  }

  /** Threads beside this one, which has a shard of its own where it has no stream to hand on. */
  get #threads(): number {
    return this.#input.stream ? this.workers : this.workers - 1;
  }

  /** What was wrong with the captures. */
  get #faults(): Fault[] {
    return [...this.#input.faults, ...faultsOf(this.#input.captures, this.#results), ...this.#miscounts];
  }

  /** Captures that do not hold as many records as their headers count. */
  get #miscounts(): Fault[] {
    if (this.#interrupted) return [];
    return this.#input.captures.flatMap(({ path, size, count }, capture) => {
      const found = this.#results.reduce((sum, { counts }) => sum + (counts.packetsOf[capture] ?? 0), 0);
      return count === undefined || count === found ? [] : [miscount(path, size, count, found)];
    });
  }

  #captureWindows(): CaptureWindows | undefined {
    const { interval = Infinity, ports = EPHEMERAL_PORTS } = this.#options;
    if (interval === Infinity) return undefined;
    const intervals = new Intervals(this.clock.origin, lengthOf(interval));
    return {
      queue: new WindowQueue(intervals),
      items: (whole) => {
        const records = [windowRecord(whole, intervals, this.clock, ports), ...groupRecords(whole, intervals, this.clock)];
        return this.#form === 'records' ? records : [Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))];
      },
    };
  }

  #tasks(): ShardTask[] {
    const memories = Array.from({ length: this.workers }, () => Decoder.memory());
    const shared = {
      shards: this.workers,
      control: this.#exchange.buffer,
      interfaces: this.#interfaces.buffer,
      module: this.#module,
      memories,
      captures: this.#input.captures,
      feed: this.#feed?.buffer,
      windowBytes: this.#windowBytes,
      io: this.#options.io ?? 'read',
      filter: this.#filter,
      distinguished: (this.#options.distinguish ?? []).reduce((bits, scope) => bits | SCOPES[scope], 0),
      origin: this.clock.origin,
      digits: this.clock.digits,
      seed: Math.floor(Math.random() * 2 ** 32), // keys the hashes, which nothing that is printed depends on
      profile: this.profile,
      idleTimeout: (this.#options.idleTimeout ?? Infinity) * 1e9,
      per: this.#options.per,
      interval: lengthOf(this.#options.interval ?? Infinity),
      form: this.#form,
      transitions: this.#transitions,
    };
    return memories.map((_, index) => Object.assign({ index }, shared));
  }

  async *#alone(task: ShardTask): AsyncGenerator<Delivery[], void, undefined> {
    if (this.#work >= 1) adviseHugePages(task.memories);
    const result = (counted: ShardResult): void => void this.#results.push(counted);
    for await (const delivery of runHere(task, result, (rows) => this.#answers.add(rows))) yield [delivery];
  }

  async *#together(tasks: readonly ShardTask[]): AsyncGenerator<Delivery[], void, undefined> {
    const there = tasks.slice(0, this.#threads);
    const pool = this.#pool ?? new ShardPool(this.#threads, this.#options.threadFlags);
    if (this.#work >= 1) adviseHugePages(tasks[0]!.memories); // while the threads start
    yield* pool.run(there, this.#exchange, tasks[this.#threads]);
    this.#results.push(...pool.results);
  }

  /** What the shards deliver, while what comes as a stream is handed to them. */
  async *#fed(feed: Feed, deliveries: AsyncGenerator<Delivery[], void, undefined>): AsyncGenerator<Delivery[], void, undefined> {
    let failure: unknown;
    const fed = this.#fill(feed).catch((error: unknown) => {
      failure = error;
      this.#exchange.abort(); // the shards would wait for ever for what does not come
    });
    let through = false;
    try {
      yield* deliveries;
      through = true;
    } finally {
      if (!through) {
        this.#abort.abort(); // a stream that waits for its writer ends by that alone
        this.#exchange.abort();
      }
      await fed;
      if (failure !== undefined) throw failure; // oxlint-disable-line no-unsafe-finally -- that the shards were aborted follows from it
    }
  }

  /** Hands the stream, or the compressed file, to the shards. Where it breaks off, all before was handed on. */
  async #fill(feed: Feed): Promise<void> {
    const { stream, compressed, faults } = this.#input;
    const windowBytes = this.#windowBytes;
    const { threadFlags: flags } = this.#options;
    const { buffer: control, shards } = this.#exchange;
    const fault = stream
      ? await pump(stream, new FeedWriter(feed, this.#exchange, windowBytes))
      : await feedBeside({ path: compressed!, feed: feed.buffer, control, shards, windowBytes, flags });
    if (fault) faults.push(fault);
  }
}

/** What the shards found wrong, in the order of the captures: as much of it as all shards have kept. */
function faultsOf(captures: readonly PlannedCapture[], results: readonly ShardResult[]): Fault[] {
  const faults: Fault[] = [];
  const troubles = results.flatMap(({ counts }) => counts.troubles).sort((a, b) => a.window - b.window);
  for (const { capture, trouble } of troubles.slice(0, TROUBLES)) {
    if ('rule' in trouble) faults.push({ file: captures[capture]!.path, ...trouble });
    else faults.push({ ...faults.pop()!, ...trouble });
  }
  return faults;
}

/** Length of a window of capture time, ns. `interval` in seconds. */
function lengthOf(interval: number): number {
  return Math.round(interval * 1e9);
}
