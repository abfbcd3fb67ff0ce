import { setFlagsFromString } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import type { Fault } from '../capture/fault.ts';
import { byteStream, decompressHere } from '../capture/stream.ts';
import { Exchange } from './exchange.ts';
import { Feed, FeedWriter } from './feed.ts';
import { pump } from './pump.ts';

/** A compressed file, and the feed that it is to be put into. */
export interface FileTask {
  readonly path: string;
  readonly feed: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly shards: number;
  readonly windowBytes: number;
  /** Settings of V8, as on a command line. */
  readonly flags: string | undefined;
  /** Where the answer goes. */
  readonly port: MessagePort;
}

/** What is answered when all of it is in the feed, or nobody wants any more: where it broke off, if it did. */
export interface Fed {
  readonly fault: Fault | undefined;
}

/** What a thread does that decompresses a file for the shards: from it they read without another thread in between. */
export async function feedFile({ path, feed, control, shards, windowBytes, flags, port }: FileTask): Promise<void> {
  if (flags !== undefined) setFlagsFromString(flags); // for those who share the processors with it
  const writer = new FeedWriter(new Feed(feed), new Exchange(shards, control), windowBytes);
  const answer: Fed = {
    fault: await pump(
      byteStream(path, (chunks) => decompressHere(chunks, writer)),
      writer,
    ),
  };
  port.postMessage(answer);
  port.close();
}
