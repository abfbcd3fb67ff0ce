import { setMaxListeners } from 'node:events';
import { CaptureError } from '../capture/errors.ts';
import type { Fault } from '../capture/fault.ts';
import { interfacesOf } from '../capture/section.ts';
import { Decoder, type DecoderMemory, type DecoderModule } from '../decode/decoder.ts';
import { LedgerMemory } from '../decode/ledger-memory.ts';
import { AFTER_TIME_WAIT, FRAGMENT } from '../layout/drops.ts';
import { BY_VLAN, BY_VNI } from '../layout/framing.ts';
import { Clock } from '../records/time.ts';
import type { Counts } from '../shard/decoding.ts';
import { feedBeside } from '../shard/decompression.ts';
import { feedFile } from '../shard/feeder.ts';
import { Exchange } from '../shard/exchange.ts';
import { Feed } from '../shard/feed.ts';
import { FeedWriter } from '../shard/feed-writer.ts';
import { InterfaceLog } from '../shard/interfaces.ts';
import { runHere } from '../shard/here.ts';
import { type Delivery, type Form, type ShardResult, type ShardTask, windowsOf } from '../shard/job.ts';
import { workersFor, workOf } from '../shard/parallelism.ts';
import { Plan, restsOf } from '../shard/plan.ts';
import { ShardPool } from '../shard/pool.ts';
import { pump } from '../shard/pump.ts';
import { dependsOnPackets, type Reading, readingOf } from '../shard/reading.ts';
import { Answers } from '../stats/answers.ts';
import { Intervals } from '../stats/intervals.ts';
import { Statistics } from '../stats/statistics.ts';
import { Oddities } from '../tracker/oddities.ts';
import { PROFILES, type Profile } from '../tracker/time-wait.ts';
import { compileFilter } from '../filter/compile.ts';
import { addUp, faultsOf, miscountsOf } from './counts.ts';
import { type Input, type Meeting, openInput } from './input.ts';
import { type CaptureWindows, type Item, Merger } from './merger.ts';
import { windowRecord } from './window.ts';
import { GroupWindows } from './window-groups.ts';
import { HeldPorts } from './window-ports.ts';
import { WindowQueue } from './window-queue.ts';
import type { Outcome } from './outcome.ts';
import { checkOptions, EPHEMERAL_PORTS, lengthOf, type RunOptions, type Scope } from './run-options.ts';

/**
 * Threads that a run has beside this one: this one has a shard of its own, unless it is `fed`, that is hands on a stream, or what it decompresses. But
 * records cost more to send than to make: if there is but one shard, it is where they are wanted.
 */
function threadsOf(workers: number, form: Form, fed: boolean): number {
  const sends = form === 'records' || form === 'segments';
  return fed && !(sends && workers === 1) ? workers : workers - 1;
}

const SCOPES: Readonly<Record<Scope, number>> = { vlan: BY_VLAN, vni: BY_VNI };

/**
 * A run over captures, read as one in the order given: what ends comes out in batches, in capture order; then the outcome.
 * The work is divided among threads, or done in this one, by the same code. A stream is read by this thread, and a compressed file decompressed, for
 * others to analyse.
 */
export class Run {
  readonly clock: Clock;
  readonly profile: Profile;
  readonly workers: number;
  readonly #work: number;
  readonly #input: Input;
  readonly #reading: Reading;
  readonly #plan: Plan;
  /** Where the input is a stream, or compressed. */
  readonly #feed: Feed | undefined;
  /** Where threads were asked for. */
  #pool: ShardPool | undefined;
  readonly #exchange: Exchange;
  readonly #interfaces = new InterfaceLog();
  readonly #module: DecoderModule;
  /** Of all who decode: the shards, and this thread where it decompresses. */
  readonly #memories: readonly DecoderMemory[];
  readonly #results: ShardResult[] = [];
  /** What was counted where a compressed file was decompressed. */
  #fed: Counts | undefined;
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
    checkOptions(options);
    const { workers, threadFlags } = options;
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
        const work = workOf(0, bytes);
        start((workers ?? workersFor(work)) - 1);
        return (
          work < 1 || (workers === undefined && workersFor(work) < workersFor(Infinity)) || dependsOnPackets(options.io ?? 'read', size)
        );
      },
      compressed: () => start(threadsOf(workers ?? workersFor(Infinity, true), form, true)),
      stream: () => start(threadsOf(workers ?? workersFor(Infinity), form, true)),
      fault: (fault) => options.onFault?.(fault),
    };
    try {
      const module = Decoder.compile();
      const decoder = new Decoder(module, Decoder.memory());
      const input = await openInput(paths, options.follow ?? false, decoder, abort.signal, met);
      const run = new Run(input, module, decoder, form, transitions, options, abort);
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

  private constructor(
    input: Input,
    module: DecoderModule,
    decoder: Decoder,
    form: Form,
    transitions: boolean,
    options: RunOptions,
    abort: AbortController,
  ) {
    const profile = PROFILES[options.profile ?? 'linux']!;
    this.#options = options;
    this.#form = form;
    this.#transitions = transitions;
    this.#module = module;
    this.#filter = options.filter === undefined ? undefined : compileFilter(options.filter);
    this.#abort = abort;
    this.#input = input;
    this.profile = options.twoMsl === undefined ? profile : { ...profile, twoMsl: options.twoMsl * 1e9 };
    this.clock = new Clock(input.origin, input.digits);
    const comes = input.stream !== undefined || input.compressed !== undefined;
    const packets = input.captures.reduce((sum, capture) => sum + (capture.packets ?? 0), 0);
    this.#work = comes ? Infinity : workOf(packets, this.bytes);
    this.workers = options.workers ?? workersFor(this.#work, input.compressed !== undefined);
    const reading = readingOf(options.io ?? 'read', input.captures, this.workers);
    this.#reading = { ...reading, windowBytes: options.windowBytes ?? reading.windowBytes };
    this.#plan = new Plan(input.captures, this.#reading.windowBytes, restsOf(this.#reading.windowBytes));
    this.#answers = new Answers(options.ports ?? EPHEMERAL_PORTS, this.profile.twoMsl, () => new LedgerMemory(), options.whatIf);
    this.#exchange = new Exchange(this.workers, this.#decoders);
    this.#memories = Array.from({ length: this.#decoders }, () => Decoder.memory());
    if (comes) this.#feed = new Feed(decoder.stream(this.#memories[0]!));
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
    const windows = this.#plan.announced - this.#plan.rests;
    return { share: this.#feed ? Number.NaN : windows === 0 ? 1 : Math.min(1, proved / windows), packets: packetsRead };
  }

  /**
   * Runs; yields what has ended meanwhile, often nothing.
   * @throws CaptureError where no capture can be read any more
   */
  async *batches(): AsyncGenerator<Item[], void, undefined> {
    const windows = this.#captureWindows();
    const merger = new Merger(this.workers, this.#answers, windows);
    const tasks = this.#tasks();
    const together = windowsOf(tasks[0]!);
    const delivered = this.#threads === 0 ? this.#alone(tasks[0]!) : this.#together(tasks);
    for await (const deliveries of this.#feed ? this.#whileFed(this.#feed, tasks, delivered) : delivered) {
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
    const counts = this.#counts;
    const faults = this.#faults(counts);
    const [first] = faults;
    // No capture could be read at all, although all could when the run was opened.
    if (first && counts.packets === 0 && faults.length === this.#input.files && faults.every(({ offset }) => offset === 0))
      throw new CaptureError(first.file, first.offset, first.rule);
  }

  /** What was counted, once batches() is through. */
  outcome(): Outcome {
    const counts = this.#counts;
    const { packets, timeRegressions, drops, first } = counts;
    const oddities = new Oddities();
    const statistics = new Statistics();
    let segments = 0;
    let duplicates = 0;
    for (const result of this.#results) {
      segments += result.segments;
      duplicates += result.duplicates;
      drops[FRAGMENT]! += result.pieces;
      drops[AFTER_TIME_WAIT]! += result.late;
      result.oddities.forEach((count, i) => void (oddities.counts[i]! += count));
      statistics.merge(result.statistics);
    }
    return {
      files: this.#input.files,
      names: this.#input.names,
      passedOver: this.#input.passedOver,
      bytes: this.bytes,
      linkTypes: [...new Set(interfacesOf({ form: 0, interfaces: this.#interfaces.all }).map(({ linkType }) => linkType))],
      clock: this.clock,
      profile: this.profile,
      packets,
      segments,
      duplicates,
      timeRegressions,
      drops,
      oddities,
      statistics,
      answers: this.#answers,
      ports: this.#options.ports ?? EPHEMERAL_PORTS,
      faults: this.#faults(counts),
      damages: this.#input.faults.length + this.#miscounts(counts).length + counts.damages,
      firstTime: first.window < Infinity ? first.time : undefined,
      lastTime: this.#exchange.proof((this.#feed ?? this.#plan).announced - 1).clock,
      interrupted: this.#interrupted,
    };
  }

  get #threads(): number {
    return threadsOf(this.workers, this.#form, this.#feed !== undefined);
  }

  /** The shards, and whoever decompresses. */
  get #decoders(): number {
    return this.workers + (this.#input.compressed === undefined ? 0 : 1);
  }

  /** What all who decode have counted. */
  get #counts(): Counts {
    const counts = this.#results.map((result) => result.counts);
    return addUp(this.#fed ? [...counts, this.#fed] : counts);
  }

  /** What was wrong with the captures. */
  #faults(counts: Counts): Fault[] {
    const { faults, captures } = this.#input;
    return [...faults, ...faultsOf(captures, counts), ...this.#miscounts(counts)];
  }

  #miscounts(counts: Counts): Fault[] {
    return this.#interrupted ? [] : miscountsOf(this.#input.captures, counts);
  }

  #captureWindows(): CaptureWindows | undefined {
    const { interval = Infinity, ports = EPHEMERAL_PORTS } = this.#options;
    if (interval === Infinity) return undefined;
    const intervals = new Intervals(this.clock.origin, lengthOf(interval));
    const groups = new GroupWindows(intervals, this.clock);
    const held = new HeldPorts(ports);
    return {
      queue: new WindowQueue(intervals),
      items: (whole) => {
        const records = [windowRecord(whole, intervals, this.clock, held), ...groups.records(whole)];
        return this.#form === 'records' ? records : [Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))];
      },
    };
  }

  /** Of all who decode: those of the shards come first. */
  #tasks(): ShardTask[] {
    const memories = this.#memories;
    const shared = {
      shards: this.workers,
      control: this.#exchange.buffer,
      interfaces: this.#interfaces.buffer,
      module: this.#module,
      memories,
      captures: this.#input.captures,
      feed: this.#feed?.buffer,
      ...this.#reading,
      filter: this.#filter,
      distinguished: (this.#options.distinguish ?? []).reduce((bits, scope) => bits | SCOPES[scope], 0),
      origin: this.clock.origin,
      digits: this.clock.digits,
      lateness: this.#input.lateness,
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
    const result = (counted: ShardResult): void => void this.#results.push(counted);
    for await (const delivery of runHere(task, result, (rows) => this.#answers.add(rows))) yield [delivery];
  }

  async *#together(tasks: readonly ShardTask[]): AsyncGenerator<Delivery[], void, undefined> {
    const there = tasks.slice(0, this.#threads);
    const pool = this.#pool ?? new ShardPool(this.#threads, this.#options.threadFlags);
    yield* pool.run(there, this.#exchange, this.#threads < this.workers ? tasks[this.#threads] : undefined);
    this.#results.push(...pool.results);
  }

  /** What the shards deliver, while what comes as a stream is handed to them. */
  async *#whileFed(
    feed: Feed,
    tasks: readonly ShardTask[],
    deliveries: AsyncGenerator<Delivery[], void, undefined>,
  ): AsyncGenerator<Delivery[], void, undefined> {
    let failure: unknown;
    const fed = this.#fill(feed, tasks[this.workers]).catch((error: unknown) => {
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
  async #fill(feed: Feed, task: ShardTask | undefined): Promise<void> {
    const { stream, compressed, faults } = this.#input;
    let fault: Fault | undefined;
    if (stream) fault = await pump(stream, new FeedWriter(feed, this.#exchange, this.#reading.windowBytes));
    else {
      const hand = this.#threads > 0 ? feedFile : feedBeside; // where this thread has a shard, that is enough
      ({ fault, counts: this.#fed } = await hand(compressed!, { ...task!, feed: feed.buffer }));
    }
    if (fault) faults.push(fault);
  }
}
