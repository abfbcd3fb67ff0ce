import { describe, expect, it } from 'vitest';
import { Backlog } from '../../src/shard/backlog.ts';
import { Exchange } from '../../src/shard/exchange.ts';
import { type Delivery, windowsOf } from '../../src/shard/job.ts';
import { PlaceLog } from '../../src/shard/places.ts';

const MEGABYTE = 1 << 20;

/** The second shard's delivery of a window. */
const delivery = (window: number, bytes: number, last = true, notes: Float64Array[] = []): Delivery => ({
  shard: 1,
  window,
  last,
  places: new PlaceLog().take(),
  records: [],
  text: new Uint8Array(bytes),
  notes,
  parts: [],
  over: -Infinity,
});

/** The second shard of two. */
function shard() {
  const exchange = new Exchange(2);
  const reused: Float64Array[] = [];
  const backlog = new Backlog({ index: 1, shards: 2, form: 'lines', interval: Infinity, windowBytes: 1 << 21 }, exchange, (notes) =>
    reused.push(...notes),
  );
  /** Hands on deliveries of as many bytes while there is room, up to `most`; answers how many. */
  const handOn = (bytes: number, most: number): number => {
    let handed = 0;
    for (; handed < most; handed++) {
      const one = delivery(handed, bytes);
      if (backlog.isFull(one)) break;
      backlog.add(one);
    }
    return handed;
  };
  return { exchange, backlog, handOn, reused };
}

describe('what waits for the output', () => {
  it('is few deliveries of many bytes, or many of few', () => {
    expect(shard().handOn(10 * MEGABYTE, 100)).toBe(4);
    expect(shard().handOn(1000, 1000)).toBe(513);
  });

  it('is less when the output has taken some of it', () => {
    const { exchange, backlog, handOn } = shard();
    const handed = handOn(10 * MEGABYTE, 100);
    expect(backlog.isFull(delivery(handed, 10))).toBe(true);
    exchange.setTaken(1, 1);
    expect(backlog.isFull(delivery(handed, 10))).toBe(false);
  });

  it('gives back what was noted in deliveries that are taken, and in no others', () => {
    const { exchange, backlog, reused } = shard();
    const chunks = [0, 1, 2, 3].map(() => new Float64Array(1));
    for (const [window, chunk] of chunks.entries()) backlog.add(delivery(window, 0, true, [chunk]));
    exchange.setTaken(1, 3);
    expect(backlog.isFull(delivery(4, 0))).toBe(false);
    expect(reused).toEqual(chunks.slice(0, 3));
    expect(reused.every((chunk, i) => chunk === chunks[i])).toBe(true);
  });

  it('never keeps back what the output waits for, so that none waits for another', () => {
    const { exchange, backlog, handOn } = shard();
    const handed = handOn(10 * MEGABYTE, 100);
    exchange.setDelivered(handed);
    expect(backlog.isFull(delivery(handed, MEGABYTE))).toBe(false);
    expect(backlog.isFull(delivery(handed + 1, MEGABYTE))).toBe(true);
  });

  it("is a few parts of what the capture's end ends", () => {
    const { backlog } = shard();
    let parts = 0;
    for (; !backlog.isFull(delivery(0, 1000, false)) && parts < 100; parts++) backlog.add(delivery(0, 1000, false));
    expect(parts).toBe(9);
  });
});

it('a delivery is about as many windows as are not much of a capture, and about each by itself where that is waited for', () => {
  const mebibytes = [0.001, 1, 2, 4, 6, 8];
  const windows = mebibytes.map((size) => windowsOf({ form: 'none', interval: Infinity, windowBytes: size * MEGABYTE }));
  expect(windows).toEqual([32, 32, 32, 16, 10, 8]);
  expect(windowsOf({ form: 'lines', interval: Infinity, windowBytes: MEGABYTE })).toBe(1);
  expect(windowsOf({ form: 'none', interval: 1, windowBytes: MEGABYTE })).toBe(1);
});
