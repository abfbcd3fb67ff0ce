import type { MessagePort } from 'node:worker_threads';
import { CaptureError } from '../capture/errors.ts';
import { type ShardResult, ShardJob, type ShardTask } from './job.ts';

/** A shard's task together with the port that its deliveries go to. */
export interface WorkerTask extends ShardTask {
  readonly port: MessagePort;
}

/** A failure as plain data, because an error's own properties do not survive the way between threads. */
export interface WorkerFailure {
  readonly failure: { readonly file: string; readonly offset: number; readonly rule: string };
}

/** What a Piscina worker does: one shard, from the first window to the last. */
export default function runShard(task: WorkerTask): ShardResult | WorkerFailure {
  try {
    const job = new ShardJob(task);
    for (const delivery of job.run())
      task.port.postMessage(
        delivery,
        delivery.notes.map(({ buffer }) => buffer),
      );
    return job.result();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const { file, offset, rule } = error;
    return { failure: { file, offset, rule } };
  } finally {
    task.port.close();
  }
}
