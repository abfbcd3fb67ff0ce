import { setImmediate } from 'node:timers/promises';
import type { NoteTaker } from '../stats/note.ts';
import { Backlog } from './backlog.ts';
import { REST } from './decoding.ts';
import { type Delivery, ShardJob, type ShardResult, type ShardTask, windowsOf } from './job.ts';

/** Windows after which the event loop gets a turn. */
const TURN = 8;

/**
 * Runs a shard in the thread that everything else of the run is done in, too: its turns alternate with those of the event loop.
 * Yields what it delivers.
 * @param result gets in the end what it has counted
 * @param taker see ShardJob
 */
export async function* runHere(
  task: ShardTask,
  result: (counted: ShardResult) => void,
  taker?: NoteTaker,
): AsyncGenerator<Delivery, void, undefined> {
  const job = new ShardJob(task, taker);
  const { exchange } = job;
  const backlog = new Backlog(task, exchange, (notes) => job.reuse(notes));
  let windows = 0;
  const timer = setInterval(() => job.restIfIdle(), REST).unref();
  try {
    for (const delivery of job.run()) {
      if (!delivery) {
        await exchange.change();
        continue;
      }
      for (exchange.look(); backlog.isFull(delivery); exchange.look()) await exchange.change();
      backlog.add(delivery);
      yield delivery;
      if ((windows += windowsOf(task)) % TURN === 0) await setImmediate();
    }
  } finally {
    clearInterval(timer);
  }
  result(job.result());
}
