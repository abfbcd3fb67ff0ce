import type { MessagePort } from 'node:worker_threads';
import { load } from '../platform/code.ts';

const program = load<typeof import('./worker.ts')>('worker.cjs');

/** What Piscina's threads run. */
export default async function run(port: MessagePort): ReturnType<typeof program.exports.runShard> {
  const result = await program.exports.runShard(port);
  program.keep();
  return result;
}
