import { setFlagsFromString } from 'node:v8';
import { type MessagePort, workerData } from 'node:worker_threads';
import { load } from '../platform/code.ts';
import type { ThreadData } from './pool.ts';

// Not before: V8 would refuse what Node.js has compiled of itself, and compile it anew for the thread.
const { flags } = workerData as ThreadData;
if (flags !== undefined) setFlagsFromString(flags);

const program = load<typeof import('./worker.ts')>('shard.cjs');

/** What Piscina's threads run. */
export default async function run(port: MessagePort): ReturnType<typeof program.exports.runShard> {
  const result = await program.exports.runShard(port);
  program.keep();
  return result;
}
