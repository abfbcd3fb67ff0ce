import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { CaptureError } from '../capture/errors.ts';
import { built } from '../platform/built.ts';
import type { Exchange } from './exchange.ts';
import { type Delivery, type Parcel, type ShardResult, type ShardTask, unpack } from './job.ts';
import type { WorkerFailure, WorkerTask } from './worker.ts';

/** Shards in threads: one long-lived task a worker. */
export class ShardPool {
  /** What the shards have counted, once run() is through. */
  readonly results: ShardResult[] = [];
  readonly #tasks: readonly ShardTask[];
  readonly #exchange: Exchange;

  constructor(tasks: readonly ShardTask[], exchange: Exchange) {
    this.#tasks = tasks;
    this.#exchange = exchange;
  }

  /**
   * Runs them all; yields what they deliver, each shard's in its order. The first one that fails ends the run, because the others
   * are waiting for it; no thread outlives this call.
   */
  async *run(): AsyncGenerator<Delivery[], void, undefined> {
    const tasks = this.#tasks;
    const pool = new Piscina<WorkerTask, ShardResult | WorkerFailure>({
      filename: built('worker.cjs').href,
      minThreads: tasks.length,
      maxThreads: tasks.length,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
    });
    const inbox = new Inbox();
    const runs = tasks.map(async (task) => {
      const { port1, port2 } = new MessageChannel();
      const closed = inbox.listen(port1);
      const result = await pool.run({ ...task, port: port2 }, { transferList: [port2] });
      await closed;
      if ('failure' in result) throw new CaptureError(result.failure.file, result.failure.offset, result.failure.rule);
      this.results.push(result);
    });
    const done = Promise.all(runs).then(
      () => inbox.end(),
      (error: unknown) => {
        this.#exchange.abort();
        inbox.fail(error);
      },
    );
    try {
      yield* inbox.deliveries();
      await done;
    } finally {
      this.#exchange.abort();
      await Promise.allSettled(runs);
      await pool.destroy();
    }
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
    port.on('message', (parcel: Parcel) => {
      this.#deliveries.push(unpack(parcel));
      this.#wake?.();
    });
    return new Promise((resolve) => void port.once('close', resolve));
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error = error;
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
