import type { MessagePort } from 'node:worker_threads';
import { CaptureError } from '../capture/errors.ts';
import { Backlog } from './backlog.ts';
import { REST } from './decoding.ts';
import { ShardJob, type ShardResult, type ShardTask } from './job.ts';

/** A failure as plain data, because an error's own properties do not survive the way between threads. */
export interface WorkerFailure {
  readonly failure: { readonly file: string; readonly offset: number; readonly rule: string };
}

/**
 * What a Piscina worker does: one shard, from the first window to the last.
 * @param port where its task comes from, and its deliveries go to
 */
export async function runShard(port: MessagePort): Promise<ShardResult | WorkerFailure> {
  try {
    const task = await new Promise<ShardTask>((resolve) => void port.once('message', resolve));
    const job = new ShardJob(task);
    const { exchange } = job;
    const backlog = new Backlog(task, exchange, (notes) => job.reuse(notes));
    const wait = (): void => {
      const isNews = exchange.wait(REST);
      job.restIfIdle();
      if (!isNews) exchange.wait();
    };
    for (const delivery of job.run()) {
      if (!delivery) {
        wait();
        continue;
      }
      for (exchange.look(); backlog.isFull(delivery); exchange.look()) wait();
      backlog.add(delivery);
      const moved = [delivery.places.columns.buffer];
      if (delivery.text) moved.push(delivery.text.buffer);
      port.postMessage(delivery, moved);
    }
    return job.result();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const { file, offset, rule } = error;
    return { failure: { file, offset, rule } };
  } finally {
    port.close();
  }
}
