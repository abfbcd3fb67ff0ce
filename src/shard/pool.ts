import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type * as piscina from 'piscina';
import { CaptureError } from '../capture/errors.ts';
import { built } from '../platform/built.ts';
import type { Exchange } from './exchange.ts';
import { type Delivery, type ShardResult, type ShardTask } from './job.ts';
import type { WorkerFailure } from './worker.ts';

/** Required, because its import takes half as long again: that reads it once more, for what it exports. */
const { Piscina } = createRequire(import.meta.url)('piscina') as typeof piscina;

/** Shards in threads: one long-lived task a worker. The threads start when the pool is made, and wait for what they are to do. */
export class ShardPool {
  /** What the shards have counted, once run() is through. */
  readonly results: ShardResult[] = [];
  readonly #pool: piscina.Piscina<MessagePort, ShardResult | WorkerFailure>;
  readonly #inbox = new Inbox();
  readonly #ports: MessagePort[] = [];
  readonly #done: Promise<unknown>;

  constructor(threads: number) {
    this.#pool = new Piscina({
      filename: built('worker.cjs').href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
    });
    const runs = Array.from({ length: threads }, () => this.#start());
    Promise.all(runs).then(
      () => this.#inbox.end(),
      (error: unknown) => this.#inbox.fail(error),
    );
    this.#done = Promise.allSettled(runs);
  }

  /**
   * Runs as many tasks as there are threads, once; yields what they deliver, each shard's in its order. The first one that fails ends
   * the run, because the others are waiting for it; no thread outlives this call.
   */
  async *run(tasks: readonly ShardTask[], exchange: Exchange): AsyncGenerator<Delivery[], void, undefined> {
    this.#ports.forEach((port, i) => port.postMessage(tasks[i]));
    try {
      yield* this.#inbox.deliveries();
    } finally {
      exchange.abort();
      await this.#done;
      await this.#pool.destroy();
    }
  }

  /** Ends the threads of a pool that has nothing to run. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }

  async #start(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const closed = this.#inbox.listen(port1);
    this.#ports.push(port1);
    const result = await this.#pool.run(port2, { transferList: [port2] });
    await closed;
    if ('failure' in result) throw new CaptureError(result.failure.file, result.failure.offset, result.failure.rule);
    this.results.push(result);
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
      this.#deliveries.push(delivery);
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
