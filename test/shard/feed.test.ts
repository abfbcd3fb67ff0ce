// A capture that comes as a stream, with a reader that proves each window as soon as it is announced.

import { expect, it } from 'vitest';
import { Exchange } from '../../src/shard/exchange.ts';
import { Feed, FeedWriter } from '../../src/shard/feed.ts';

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
  const feed = new Feed();
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
    const own = turn % 3 === 0 ? new Uint8Array(size) : (await writer.room(size))!;
    expect(own.length).toBeGreaterThan(0);
    const chunk = own.subarray(0, turn % 3 === 1 ? own.length : Math.ceil(own.length / 2)); // not all of a room need be used
    fill(chunk, writer.written);
    expect(await writer.write(chunk)).toBe(true);
    read();
  }
  writer.end();
  read();
  expect([feed.complete, feed.bytes, exchange.proved]).toEqual([true, writer.written, feed.announced]);
});
