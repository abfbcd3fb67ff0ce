import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Merger } from '../../src/merge/merger.ts';
import type { Delivery } from '../../src/shard/job.ts';
import { COLUMNS, PORTS, TIME } from '../../src/layout/note.ts';

const WINDOWS = 3;

/** What two shards ended in each window, as times, and the places at which a shard's list is cut in parts. */
const ended = fc.array(fc.tuple(fc.array(fc.nat(9), { maxLength: 6 }), fc.array(fc.nat(9), { maxLength: 6 })), {
  minLength: WINDOWS,
  maxLength: WINDOWS,
});

/** Whose delivery comes next. */
const turns = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });

/** `told`: with items, or with rows alone. */
function deliveriesOf(shard: number, windows: readonly (readonly number[])[], part: number, told: boolean): Delivery[] {
  return windows.flatMap((times, window) => {
    const sorted = times.toSorted((a, b) => a - b).map((time) => window * 10 + time);
    const parts: Delivery[] = [];
    for (let from = 0; from < sorted.length || from === 0; from += part) {
      const share = sorted.slice(from, from + part);
      const tuples = share.map(() => String(shard));
      const items = share.map((time) => Buffer.from(`${time}/${shard}`));
      const notes = new Float64Array(share.length * COLUMNS);
      for (const [i, time] of share.entries()) {
        notes[i * COLUMNS + TIME] = time;
        notes[i * COLUMNS + PORTS] = 1 - shard; // rows of ties in another order than their items
      }
      const last = from + part >= sorted.length;
      parts.push({
        shard,
        window,
        last,
        times: told ? share : [],
        packets: told ? share.map(() => 0) : [],
        tuples: told ? tuples : [],
        items: told ? items : [],
        notes: notes.length > 0 ? [notes] : [],
        parts: [],
      });
    }
    return parts;
  });
}

it('puts what shards deliver into one order, in whatever parts and whichever shard is ahead', () => {
  fc.assert(
    fc.property(ended, fc.integer({ min: 1, max: 7 }), fc.boolean(), turns, (windows, part, told, order) => {
      const queues = [0, 1].map((shard) =>
        deliveriesOf(
          shard,
          windows.map((pair) => pair[shard as 0]),
          part,
          told,
        ),
      );
      const sent = queues.map(({ length }) => length);
      const noted: string[] = [];
      const merger = new Merger(
        2,
        (rows, at) => noted.push(`${rows[at + TIME]}/${1 - rows[at + PORTS]!}`),
        () => [Buffer.from('none')],
      );
      const merged: Uint8Array[] = [];
      for (const turn of order) {
        const delivery = (turn ? queues[0]!.shift() : undefined) ?? queues[1]!.shift() ?? queues[0]!.shift();
        if (delivery) merged.push(...(merger.add(delivery) as Uint8Array[]));
      }
      const inOrder = (tie: number): string[] =>
        windows.flatMap(([one, other], window) =>
          [...one.map((time) => [time, 0]), ...other.map((time) => [time, 1])]
            .toSorted((a, b) => a[0]! - b[0]! || (a[1]! - b[1]!) * tie)
            .map(([time, shard]) => `${window * 10 + time!}/${shard}`),
        );
      expect(merged.map(String)).toEqual(told ? inOrder(1) : []);
      expect(noted).toEqual(inOrder(-1));
      expect(merger.next).toBe(WINDOWS);
      expect(merger.taken).toEqual(sent);
    }),
  );
});
