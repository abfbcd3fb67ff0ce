// A capture that comes as a stream: with a reader that proves each window as soon as it is announced, and with a shard.

import { describe, expect, it } from 'vitest';
import { Decoder } from '../../src/decode/decoder.ts';
import { STREAM_BYTES, STREAM_MARGIN } from '../../src/layout/batch.ts';
import { ACK } from '../../src/layout/tcp.ts';
import { type Counts, Decoding, settingOf } from '../../src/shard/decoding.ts';
import { Exchange } from '../../src/shard/exchange.ts';
import { Feed } from '../../src/shard/feed.ts';
import { FeedWriter } from '../../src/shard/feed-writer.ts';
import { restsOf } from '../../src/shard/plan.ts';
import { runHere } from '../../src/shard/here.ts';
import { InterfaceLog } from '../../src/shard/interfaces.ts';
import type { ShardResult, ShardTask } from '../../src/shard/job.ts';
import { PROFILES } from '../../src/tracker/time-wait.ts';
import { ethernet, ipv4, pcapHeader, pcapRecord, tcp } from '../support/packets.ts';

const WINDOW = 1 << 20;
/** More than the feed's ring holds. */
const BYTES = 100 << 20;
/** A capture repeats these, whose length divides nothing else. */
const CONTENT = Uint8Array.from({ length: 999_983 }, (_, i) => (i * 2_654_435_761) >>> 24);

/** Puts what stands at a position of the capture into a target. */
function fill(target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const part = CONTENT.subarray((position + done) % CONTENT.length).subarray(0, target.length - done);
    target.set(part, done);
    done += part.length;
  }
}

it('a feed gives back what was put into it, in its own memory or not, however often its ring comes round', async () => {
  const exchange = new Exchange(1);
  const feed = new Feed(new Uint8Array(new SharedArrayBuffer(STREAM_BYTES + STREAM_MARGIN)));
  const writer = new FeedWriter(feed, exchange, WINDOW);
  const source = feed.source('a stream');
  const section = { form: 0, from: 0, to: 0 };
  const read = (): void => {
    for (let number = exchange.proved; number < feed.announced; number++) {
      const { base, bytes, to } = feed.window(number);
      const [got, expected] = [new Uint8Array(to - base), new Uint8Array(to - base)];
      expect(source.read(got, base)).toBe(got.length);
      fill(expected, base);
      expect(Buffer.compare(got, expected), `the window at ${base}`).toBe(0);
      const offset = base + bytes;
      exchange.prove(number, { offset, lost: false, previous: Number.NaN, clock: 0, packets: 0, section, owner: 0, slot: 0 });
    }
  };
  for (let turn = 0; writer.written < BYTES; turn++) {
    const size = 1 + ((turn * 7_919_777) % (3 * WINDOW));
    const own = turn % 3 === 0 ? new Uint8Array(size) : (await writer.room(writer.written, STREAM_MARGIN))!;
    expect(own.length).toBeGreaterThanOrEqual(turn % 3 === 0 ? 1 : STREAM_MARGIN);
    const chunk = own.subarray(0, turn % 3 === 1 ? own.length : Math.ceil(own.length / 2)); // not all of a room need be used
    fill(chunk, writer.written);
    expect(await writer.write(chunk)).toBe(true);
    read();
  }
  writer.end();
  read();
  expect([feed.complete, feed.bytes, exchange.proved]).toEqual([true, writer.written, feed.announced]);
});

it('a feed has room for what is not written yet, but not for what is never going to be', async () => {
  const feed = new Feed(new Uint8Array(new SharedArrayBuffer(STREAM_BYTES + STREAM_MARGIN)));
  const writer = new FeedWriter(feed, new Exchange(1), WINDOW);
  const ahead = (await writer.room(1000, 1))!;
  ahead[0] = 7;
  await writer.write(new Uint8Array(1000));
  await writer.write(ahead.subarray(0, 1));
  writer.end();
  const got = new Uint8Array(1001);
  feed.source('a stream').read(got, 0);
  expect([feed.bytes, got[999], got[1000]]).toEqual([1001, 0, 7]);
  expect(await writer.room(STREAM_BYTES, 1)).toBeUndefined();
  await expect(writer.room(1001, STREAM_MARGIN + 1)).rejects.toThrow(RangeError);
});

it('a feed has nothing to read before it has what a capture begins with, or all of it', async () => {
  const feed = new Feed(new Uint8Array(new SharedArrayBuffer(STREAM_BYTES + STREAM_MARGIN)));
  const writer = new FeedWriter(feed, new Exchange(1), WINDOW);
  await writer.write(new Uint8Array(10));
  writer.flush();
  expect(feed.announced).toBe(0);
  await writer.write(new Uint8Array(1000));
  writer.flush();
  expect([feed.announced, feed.bytes]).toEqual([1, 1010]);
  const short = new FeedWriter(new Feed(new Uint8Array(new SharedArrayBuffer(STREAM_BYTES + STREAM_MARGIN))), new Exchange(1), WINDOW);
  await short.write(new Uint8Array(10));
  short.end();
  expect(short.pending).toBe(0);
});

it('a feed ends with windows for what others had no room for, if there were others', async () => {
  for (const windows of [1, 2, 3, 40]) {
    const feed = new Feed(new Uint8Array(new SharedArrayBuffer(STREAM_BYTES + STREAM_MARGIN)));
    const writer = new FeedWriter(feed, new Exchange(1), WINDOW);
    await writer.write(new Uint8Array(windows * WINDOW - 5));
    writer.end();
    const all = windows + Math.min(windows - 1, restsOf(WINDOW));
    expect([feed.announced, feed.bytes, feed.complete]).toEqual([all, writer.written, true]);
    const each = Array.from({ length: all }, (_, number) => feed.window(number));
    expect(each.map(({ final }) => final)).toEqual(each.map((_, number) => number === all - 1));
    expect(each.map(({ last }) => last)).toEqual(each.map((_, number) => number >= windows - 1));
    for (const { base, bytes, to } of each.slice(windows)) expect([base, bytes, to]).toEqual([writer.written, 0, writer.written]);
  }
});

const SECONDS = 1_700_000_000;
const MODULE = Decoder.compile();

/** A capture of one connection, in chunks of a record. */
function* capture(packets: number, payloadBytes: number): Generator<Uint8Array, void, undefined> {
  yield pcapHeader();
  for (let number = 0; number < packets; number++) {
    const captured = ethernet(ipv4(tcp({ flags: ACK, seq: number * payloadBytes, payload: new Uint8Array(payloadBytes) })));
    yield pcapRecord({ seconds: SECONDS, fraction: number, captured });
  }
}

/** A few packets, and eleven days later as many of 20 MiB each: whether they are records cannot be told from as much as a window holds. */
function* doubtful(): Generator<Uint8Array, void, undefined> {
  yield pcapHeader({ snaplen: 0x7fffffff });
  for (let number = 0; number < 3; number++) yield pcapRecord({ seconds: SECONDS, fraction: number, captured: new Uint8Array(100) });
  for (let number = 0; number < 6; number++)
    yield pcapRecord({ seconds: SECONDS + 11 * 86_400, fraction: number, captured: new Uint8Array(20 << 20) });
}

interface Fed {
  readonly shard: ShardResult;
  /** Of what the writer decoded. */
  readonly writer: Counts;
  /** Packets that it had decoded before the shard began. */
  readonly before: number;
}

/** Puts chunks into a feed, of which as many as `ahead` before the only shard begins; whoever writes decodes, too, or does not. */
async function feedTo(chunks: Iterable<Uint8Array>, ahead: number, windowBytes: number, decodes: boolean): Promise<Fed> {
  const memories = [Decoder.memory(), Decoder.memory()];
  const decoder = new Decoder(MODULE, memories[1]!);
  const feed = new Feed(decoder.stream(memories[0]!));
  const task: ShardTask = {
    index: 0,
    shards: 1,
    control: new Exchange(1, 2).buffer,
    interfaces: new InterfaceLog().buffer,
    module: MODULE,
    memories,
    captures: [{ path: 'a stream', size: 0 }],
    feed: feed.buffer,
    windowBytes,
    mapFrom: Infinity,
    filter: undefined,
    distinguished: 0,
    origin: SECONDS,
    digits: 6,
    lateness: 0,
    seed: 1,
    profile: PROFILES['linux']!,
    idleTimeout: Infinity,
    interval: Infinity,
    per: undefined,
    form: 'none',
    transitions: false,
  };
  const setting = settingOf({ ...task, index: 1 }, decoder);
  const decoding = new Decoding(setting, decoder);
  const writer = new FeedWriter(feed, setting.exchange, windowBytes, decodes ? decoding : undefined);
  const rest = chunks[Symbol.iterator]();
  for (let number = 0; number < ahead; number++) await writer.write(rest.next().value);
  const before = decoding.counts.packets;
  const writeRest = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) expect(await writer.write(next.value)).toBe(true);
    writer.end();
    await writer.finish();
  };
  const written = writeRest();
  const results: ShardResult[] = [];
  for await (const { window } of runHere(task, (result) => void results.push(result))) {
    setting.exchange.setDelivered((window + 1) * 32); // nobody waits for more
  }
  await written;
  return { shard: results[0]!, writer: decoding.counts, before };
}

describe('the windows of a feed', () => {
  it('are decoded by its writer while the shards are behind, but not before they have begun', async () => {
    const { shard, writer, before } = await feedTo(capture(3000, 100), 2500, 4096, true);
    expect(before).toBe(0);
    expect(writer.packets + shard.counts.packets).toBe(3000);
    expect(shard.segments).toBe(3000);
    expect([...writer.troubles, ...shard.counts.troubles]).toEqual([]);
  });

  it.each([
    ['the first shard alone', false],
    ['its writer, too', true],
  ])('are decoded by %s, wherever its ring comes round', async (_name, decodes) => {
    // Records of another length each time, so that the ring ends within headers and payloads.
    for (const payloadBytes of [65_000, 64_999]) {
      const packets = Math.ceil((2.5 * STREAM_BYTES) / payloadBytes);
      const { shard, writer } = await feedTo(capture(packets, payloadBytes), 0, 1 << 21, decodes);
      expect(shard.counts.packets).toBeGreaterThan(0);
      expect(writer.packets > 0).toBe(decodes);
      expect(writer.packets + shard.counts.packets).toBe(packets);
      expect(shard.segments).toBe(packets);
      expect([...writer.troubles, ...shard.counts.troubles]).toEqual([]);
    }
  });

  it.each([false, true])(
    'are broken off where more than a window holds would have to be looked at (a writer that decodes: %s)',
    async (decodes) => {
      const { shard, writer } = await feedTo(doubtful(), 0, 1 << 21, decodes);
      const troubles = [...writer.troubles, ...shard.counts.troubles].map(({ trouble }) => trouble);
      expect(writer.packets + shard.counts.packets).toBe(3);
      expect(troubles).toHaveLength(1);
      expect(troubles[0]).toMatchObject({ rule: expect.stringContaining(`larger than ${34 << 20} bytes`) as string });
    },
  );
});
