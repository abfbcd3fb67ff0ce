import { describe, expect, it } from 'vitest';
import { SHARDS_CAPACITY, SLOTS_CAPACITY } from '../../src/layout/batch.ts';
import { BatchSlots } from '../../src/shard/batch-slots.ts';
import { Exchange } from '../../src/shard/exchange.ts';

/** Fills slots with windows of as many records, until none is free; answers the slots. */
function fillAll(slots: BatchSlots, records: number, from = 0): number[] {
  const filled: number[] = [];
  for (let slot = slots.free(); slot >= 0; slot = slots.free()) {
    slots.fill(slot, from + filled.length, records);
    filled.push(slot);
  }
  return filled;
}

describe('the batches of a decoder', () => {
  it('are few while they are large, and many while they are small', () => {
    expect(fillAll(new BatchSlots(new Exchange(2)), 29_000)).toEqual([0, 1, 2, 3, 4]);
    expect(fillAll(new BatchSlots(new Exchange(2)), 9000)).toHaveLength(15);
    expect(fillAll(new BatchSlots(new Exchange(2)), 700)).toHaveLength(SLOTS_CAPACITY);
    expect(fillAll(new BatchSlots(new Exchange(16)), 700)).toHaveLength(9);
    expect(fillAll(new BatchSlots(new Exchange(SHARDS_CAPACITY)), 700)).toHaveLength(2);
    expect(fillAll(new BatchSlots(new Exchange(2), 4), 700)).toHaveLength(6);
    expect(fillAll(new BatchSlots(new Exchange(16), 2), 700)).toHaveLength(4);
    expect(fillAll(new BatchSlots(new Exchange(1)), 700)).toHaveLength(1);
    expect(fillAll(new BatchSlots(new Exchange(1, 2)), 700)).toHaveLength(SLOTS_CAPACITY);
  });

  it('are free again when all shards have tracked them, the first ones first', () => {
    const exchange = new Exchange(2);
    const slots = new BatchSlots(exchange);
    fillAll(slots, 29_000);
    exchange.setTracked(0, 4);
    expect(slots.free()).toBe(-1);
    exchange.setTracked(1, 2);
    expect(fillAll(slots, 29_000, 5)).toEqual([0, 1]);
    exchange.setTracked(1, 4);
    expect(fillAll(slots, 29_000, 7)).toEqual([2, 3]);
  });
});
