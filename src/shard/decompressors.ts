// The threads that decompress (decompressor.ts): the streams that are open have as many as there are processors.

import { Worker } from 'node:worker_threads';
import { built } from '../platform/built.ts';
import { processors } from './parallelism.ts';

/** A thread, and how many streams it has. */
export interface Thread {
  readonly worker: Worker;
  streams: number;
}

/** Those that there are. One is kept that has none, because a set of captures is many streams, one after the other. */
const threads = new Set<Thread>();
const MOST_THREADS = processors();

/** The thread for one more stream, until that is given back: one that has none, or a new one, or the one that has the fewest. */
export function takeThread(): Thread {
  const thread = leastBusy();
  thread.streams++;
  return thread;
}

/** A thread has one stream less. */
export async function giveBack(thread: Thread): Promise<void> {
  thread.streams--;
  if (thread.streams > 0 || threads.size <= 1) return;
  threads.delete(thread);
  await thread.worker.terminate();
}

function leastBusy(): Thread {
  const [least] = [...threads].toSorted((a, b) => a.streams - b.streams);
  if (least && (least.streams === 0 || threads.size >= MOST_THREADS)) return least;
  const worker = new Worker(built('decompressor.cjs'));
  worker.setMaxListeners(0); // each of its streams listens
  worker.unref(); // it is its answers that are waited for
  const thread = { worker, streams: 0 };
  threads.add(thread);
  worker.once('error', () => threads.delete(thread));
  return thread;
}
