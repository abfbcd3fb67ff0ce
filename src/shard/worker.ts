import type { MessagePort } from 'node:worker_threads';
import { CaptureError } from '../capture/errors.ts';
import { SLOTS } from '../layout/batch.ts';
import { Exchange } from './exchange.ts';
import { type ShardResult, ShardJob, type ShardTask } from './job.ts';

/** Deliveries of a shard that may wait for those of the others: more than windows that it may be ahead of them. */
const IN_FLIGHT = 512;
/** The same of the parts of what the end of the capture ends: by then no shard waits for another, and each is of a thousand connections. */
const IN_FLIGHT_AT_END = 8;
/** The same where every segment is an item: as few as are needed, with one more batch than a shard can be ahead of the slowest. */
const inFlight = ({ form, shards }: ShardTask): number => (form === 'segments' ? shards * (SLOTS + 1) : IN_FLIGHT);

/** A failure as plain data, because an error's own properties do not survive the way between threads. */
export interface WorkerFailure {
  readonly failure: { readonly file: string; readonly offset: number; readonly rule: string };
}

/**
 * What a Piscina worker does: one shard, from the first window to the last.
 * @param port where its task comes from, and its deliveries go to
 */
export default async function runShard(port: MessagePort): Promise<ShardResult | WorkerFailure> {
  try {
    const task = await new Promise<ShardTask>((resolve) => void port.once('message', resolve));
    const job = new ShardJob(task);
    const exchange = new Exchange(task.shards, task.control);
    let sent = 0;
    for (const delivery of job.run()) {
      exchange.waitForTaken(task.index, sent - (delivery.last ? inFlight(task) : IN_FLIGHT_AT_END));
      const moved = [...delivery.notes.map(({ buffer }) => buffer), delivery.places.columns.buffer];
      if (delivery.text) moved.push(delivery.text.buffer);
      port.postMessage(delivery, moved);
      sent++;
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
