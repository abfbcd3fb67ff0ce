import type { Fault } from '../capture/fault.ts';
import { byteStream, decompressHere } from '../capture/stream.ts';
import { Decoder } from '../decode/decoder.ts';
import { type Counts, Decoding, type DecodingTask, settingOf } from './decoding.ts';
import { Feed } from './feed.ts';
import { FeedWriter } from './feed-writer.ts';
import { pump } from './pump.ts';

/** Bytes that are read at once: to wake whoever does costs as much as to read some of them. */
const CHUNK = 1 << 21;

/** What is answered when all of it is in the feed, or nobody wants any more. */
export interface Fed {
  /** Where it broke off, if it did. */
  readonly fault: Fault | undefined;
  /** Of what was decoded in between. */
  readonly counts: Counts;
}

/**
 * Decompresses a file into the task's feed: where its bytes are read, and no other thread in between. As long as the shards have more to do than this, it
 * decodes what it has written.
 */
export async function feedFile(path: string, task: DecodingTask & { readonly feed: SharedArrayBuffer }): Promise<Fed> {
  const decoder = new Decoder(task.module, task.memories[task.index]!);
  const setting = settingOf(task, decoder);
  const decoding = new Decoding(setting, decoder);
  const feed = new Feed(decoder.stream(task.memories[0]!), task.feed);
  const writer = new FeedWriter(feed, setting.exchange, task.windowBytes, decoding);
  const fault = await pump(
    byteStream(path, (chunks) => decompressHere(chunks, writer), undefined, CHUNK),
    writer,
  );
  await writer.finish();
  return { fault, counts: decoding.counts };
}
