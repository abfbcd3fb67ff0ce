import { setFlagsFromString } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import type { Fault } from '../capture/fault.ts';
import { byteStream, decompressHere } from '../capture/stream.ts';
import { Decoder } from '../decode/decoder.ts';
import { type Counts, Decoding, type DecodingTask, settingOf } from './decoding.ts';
import { Feed } from './feed.ts';
import { FeedWriter } from './feed-writer.ts';
import { pump } from './pump.ts';

/** Bytes that are read at once: to wake whoever does costs as much as to read some of them. */
const CHUNK = 1 << 21;

/** A compressed file, and the feed that it is to be put into. */
export interface FileTask {
  readonly decoding: DecodingTask & { readonly feed: SharedArrayBuffer };
  readonly path: string;
  /** Settings of V8, as on a command line. */
  readonly flags: string | undefined;
  /** Where the answer goes. */
  readonly port: MessagePort;
}

/** What is answered when all of it is in the feed, or nobody wants any more. */
export interface Fed {
  /** Where it broke off, if it did. */
  readonly fault: Fault | undefined;
  /** Of what was decoded in between. */
  readonly counts: Counts;
}

/**
 * What a thread does that decompresses a file for the shards: from it they read without another thread in between. As long as they have more to do
 * than it has, it decodes what it has written.
 */
export async function feedFile({ path, decoding: task, flags, port }: FileTask): Promise<void> {
  if (flags !== undefined) setFlagsFromString(flags); // for those who share the processors with it
  const decoder = new Decoder(task.module, task.memories[task.index]!);
  const setting = settingOf(task, decoder);
  const decoding = new Decoding(setting, decoder);
  const writer = new FeedWriter(new Feed(decoder.stream(task.memories[0]!), task.feed), setting.exchange, task.windowBytes, decoding);
  const fault = await pump(
    byteStream(path, (chunks) => decompressHere(chunks, writer), undefined, CHUNK),
    writer,
  );
  await writer.finish();
  decoding.close();
  const answer: Fed = { fault, counts: decoding.counts };
  port.postMessage(answer);
  port.close();
}
