import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type * as piscina from 'piscina';
import { CaptureError } from '../capture/errors.ts';
import { built } from '../platform/built.ts';
import { type Loaded, load } from '../platform/code.ts';
import type { Exchange } from './exchange.ts';
import { SHARDS_CAPACITY } from '../layout/batch.ts';
import { runHere } from './here.ts';
import type { Delivery, ShardResult, ShardTask } from './job.ts';
import type { WorkerFailure } from './worker.ts';

/** What a thread is told when it starts. */
export interface ThreadData {
  /** Settings of V8, as on a command line. */
  readonly flags: string | undefined;
}

/** Piscina, once somebody needs it. */
let program: Loaded<typeof piscina> | undefined;

/**
 * Shards that work at the same time: one long-lived task a worker, and perhaps one shard in this thread. The workers' threads start
 * when the pool is made, and wait for what they are to do.
 */
export class ShardPool {
  /** What the shards have counted, once run() is through. */
  readonly results: ShardResult[] = [];
  readonly #pool: piscina.Piscina<MessagePort, ShardResult | WorkerFailure>;
  readonly #inbox = new Inbox();
  readonly #ports: MessagePort[] = [];
  readonly #runs: Promise<void>[] = [];

  /** `flags`: what V8 is told as soon as a thread has started; it holds for the whole process. */
  constructor(threads: number, flags: string | undefined) {
    // Here: runs without threads do without it, and those with them have the threads on their way before all else.
    program ??= load<typeof piscina>('piscina.cjs');
    const { Piscina } = program.exports;
    this.#pool = new Piscina({
      filename: built('thread.cjs').href,
      minThreads: threads,
      maxThreads: SHARDS_CAPACITY,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
      workerData: { flags } satisfies ThreadData,
    });
    this.#start(threads);
    program.keep(); // now: what threads tell V8 makes it another one
  }

  /**
   * Runs tasks, once; yields what they deliver, each shard's in its order. The first one that fails ends the run, because the others
   * are waiting for it; no thread outlives this call.
   * @param tasks for threads, of which there will be as many
   * @param here a task for this thread, between turns of its event loop
   */
  async *run(tasks: readonly ShardTask[], exchange: Exchange, here?: ShardTask): AsyncGenerator<Delivery[], void, undefined> {
    this.#start(tasks.length - this.#ports.length);
    this.#ports.forEach((port, i) => port.postMessage(tasks[i]));
    if (here) this.#runs.push(this.#runHere(here).catch((error: unknown) => this.#inbox.fail(error)));
    const done = Promise.all(this.#runs).then(() => this.#inbox.end());
    try {
      yield* this.#inbox.deliveries();
    } finally {
      exchange.abort();
      await done;
      await this.#pool.destroy();
    }
  }

  /** Threads that wait for tasks. */
  get threads(): number {
    return this.#ports.length;
  }

  /** Ends the threads of a pool that has nothing to run. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }

  #start(threads: number): void {
    for (let i = 0; i < threads; i++) {
      const { port1, port2 } = new MessageChannel();
      this.#ports.push(port1);
      this.#runs.push(this.#runThere(port1, port2).catch((error: unknown) => this.#inbox.fail(error)));
    }
  }

  async #runThere(port: MessagePort, remote: MessagePort): Promise<void> {
    const closed = this.#inbox.listen(port);
    const result = await this.#pool.run(remote, { transferList: [remote] });
    await closed;
    if ('failure' in result) throw new CaptureError(result.failure.file, result.failure.offset, result.failure.rule);
    this.results.push(result);
  }

  async #runHere(task: ShardTask): Promise<void> {
    const result = (counted: ShardResult): void => void this.results.push(counted);
    for await (const delivery of runHere(task, result)) this.#inbox.add(delivery);
  }
}

/** What the workers have sent, until someone takes it. */
class Inbox {
  #deliveries: Delivery[] = [];
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** Takes a port's messages; resolves when the other side has closed it. */
  listen(port: MessagePort): Promise<void> {
    port.on('message', (delivery: Delivery) => {
      this.add(delivery);
    });
    return new Promise((resolve) => void port.once('close', resolve));
  }

  add(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The first failure is what counts: the others follow from it. */
  fail(error: unknown): void {
    this.#error ??= error;
    this.end();
  }

  async *deliveries(): AsyncGenerator<Delivery[], void, undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const deliveries = this.#deliveries;
      this.#deliveries = [];
      if (deliveries.length > 0) yield deliveries;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
  }
}
