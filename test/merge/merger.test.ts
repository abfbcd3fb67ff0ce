import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LedgerMemory } from '../../src/decode/ledger-memory.ts';
import { type Item, Merger } from '../../src/merge/merger.ts';
import { LOW, SLOT_WORDS } from '../../src/layout/slot.ts';
import type { ConnectionRecord } from '../../src/records/connection.ts';
import type { Delivery, Form } from '../../src/shard/job.ts';
import { PlaceLog } from '../../src/shard/places.ts';
import type { ConnectionTable } from '../../src/tracker/table.ts';
import { GROUP_WORDS, HELD_FROM, NUMBER } from '../../src/layout/ledger.ts';
import { COLUMNS, PORTS, START, TIME } from '../../src/layout/note.ts';
import { WindowQueue } from '../../src/merge/window-queue.ts';
import { Holdings } from '../../src/stats/holdings.ts';
import type { Intervals } from '../../src/stats/intervals.ts';
import { emptyPart, type WindowPart } from '../../src/stats/window-part.ts';

const WINDOWS = 3;

/** What two shards ended in each window, as times, and the places at which a shard's list is cut in parts. */
const ended = fc.array(fc.tuple(fc.array(fc.nat(9), { maxLength: 6 }), fc.array(fc.nat(9), { maxLength: 6 })), {
  minLength: WINDOWS,
  maxLength: WINDOWS,
});

const forms = fc.constantFrom<Form>('none', 'records', 'lines');

/** Whose delivery comes next. */
const turns = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });

/** A table with one connection, of an address of the shard's. */
function table(shard: number): ConnectionTable {
  const words = new Int32Array(SLOT_WORDS);
  words[LOW] = shard;
  return { words } as ConnectionTable;
}

function deliveriesOf(shard: number, windows: readonly (readonly number[])[], part: number, form: Form): Delivery[] {
  return windows.flatMap((times, window) => {
    const sorted = times.toSorted((a, b) => a - b).map((time) => window * 10 + time);
    const parts: Delivery[] = [];
    for (let from = 0; from < sorted.length || from === 0; from += part) {
      const share = sorted.slice(from, from + part);
      const lines = share.map((time) => `${time}/${shard}\n`);
      const places = new PlaceLog();
      for (const [i, time] of share.entries()) {
        if (form === 'none') continue;
        places.add(time, -1, lines.slice(0, i + 1).join('').length);
        places.tie(table(shard), 0);
      }
      const notes = new Float64Array(share.length * COLUMNS);
      for (const [i, time] of share.entries()) {
        notes[i * COLUMNS + TIME] = time;
        notes[i * COLUMNS + START] = time;
        notes[i * COLUMNS + PORTS] = 1 - shard; // rows of ties in another order than their items
      }
      const last = from + part >= sorted.length;
      parts.push({
        shard,
        window,
        last,
        places: places.take(),
        records: form === 'records' ? (lines as unknown as ConnectionRecord[]) : [],
        text: form === 'lines' && share.length > 0 ? Uint8Array.from(Buffer.from(lines.join(''))) : undefined,
        notes: notes.length > 0 ? [notes] : [],
        parts: [],
        over: -Infinity,
      });
    }
    return parts;
  });
}

it('puts what shards deliver into one order, in whatever parts and whichever shard is ahead', () => {
  fc.assert(
    fc.property(ended, fc.integer({ min: 1, max: 7 }), forms, turns, (windows, part, form, order) => {
      const queues = [0, 1].map((shard) =>
        deliveriesOf(
          shard,
          windows.map((pair) => pair[shard as 0]),
          part,
          form,
        ),
      );
      const sent = queues.map(({ length }) => length);
      const ledger = new LedgerMemory();
      const merger = new Merger(2, new Holdings(10, 60e9, ledger));
      const merged: Item[] = [];
      for (const turn of order) {
        const delivery = (turn ? queues[0]!.shift() : undefined) ?? queues[1]!.shift() ?? queues[0]!.shift();
        if (delivery) for (const items of merger.add(delivery)) merged.push(...items);
      }
      const inOrder = (tie: number): string[] =>
        windows.flatMap(([one, other], window) =>
          [...one.map((time) => [time, 0]), ...other.map((time) => [time, 1])]
            .toSorted((a, b) => a[0]! - b[0]! || (a[1]! - b[1]!) * tie)
            .map(([time, shard]) => `${window * 10 + time!}/${shard}`),
        );
      expect(merged.map(String).join('').split('\n').slice(0, -1)).toEqual(form === 'none' ? [] : inOrder(1));
      const { rows, columns, logged } = ledger.groups;
      const noted = Array.from({ length: logged }, (_, i) => rows.subarray(i * columns)).map((row) => {
        const port = ledger.groups.key(row[NUMBER]!)[GROUP_WORDS - 1]!;
        return `${row[HELD_FROM]}/${1 - port}`;
      });
      expect(noted).toEqual(inOrder(-1));
      expect(merger.next).toBe(WINDOWS);
      expect(merger.taken).toEqual(sent);
    }),
  );
});

/** In place of a window's lines. */
const told = ({ number, opened }: WindowPart): Item[] => [`w${number} ${opened}` as unknown as Item];

describe('windows of capture time', () => {
  const LENGTH = 10;
  const intervals = {
    start: (n: number) => n * LENGTH,
    end: (n: number) => (n + 1) * LENGTH,
    over: (time: number) => Math.floor(time / LENGTH) - 1,
  };

  /** What a shard delivers of one window of the file, cut in parts where `cut` says so. */
  function inParts(shard: number, times: readonly number[], cut: () => boolean): Delivery[] {
    const deliveries: Delivery[] = [];
    let records: string[] = [];
    let places = new PlaceLog();
    let parts: WindowPart[] = [];
    let over = -Infinity;
    const deliver = (last: boolean): void => {
      const items = records as unknown as ConnectionRecord[];
      deliveries.push({ shard, window: 0, last, places: places.take(), records: items, text: undefined, notes: [], parts, over });
      records = [];
      places = new PlaceLog();
      parts = [];
    };
    for (let number = 0; number < 10; number++) {
      const own = times.filter((time) => Math.floor(time / LENGTH) === number).toSorted((a, b) => a - b);
      for (const time of own) {
        if (cut()) deliver(false);
        records.push(`${time}/${shard}`);
        places.add(time, -1, 0);
        places.tie(table(shard), 0);
      }
      if (own.length > 0) parts.push({ ...emptyPart(0), number, opened: own.length });
      over = intervals.end(number);
      if (cut()) deliver(false);
    }
    deliver(true);
    return deliveries;
  }

  const lists = fc.tuple(fc.array(fc.nat(99), { maxLength: 30 }), fc.array(fc.nat(99), { maxLength: 30 }));

  it('come behind what ended in them, in whatever parts, and leave as soon as no shard has more of them', () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.nat(3)), turns, (times, rolls, order) => {
        const cut = (): boolean => rolls.next().value === 0;
        const queues = times.map((own, shard) => inParts(shard, own, cut));
        const ledger = new LedgerMemory();
        const queue = new WindowQueue(intervals as unknown as Intervals);
        const merger = new Merger(2, new Holdings(10, 60e9, ledger), { queue, items: told });
        const merged: string[] = [];
        const reached = [-Infinity, -Infinity];
        const turn = [...order, ...Array<boolean>(80).fill(true)];
        for (const first of turn) {
          const delivery = (first ? queues[0]!.shift() : queues[1]!.shift()) ?? queues[1]!.shift() ?? queues[0]!.shift();
          if (!delivery) break;
          for (const some of merger.add(delivery)) merged.push(...some.map(String));
          reached[delivery.shard] = delivery.last ? Infinity : delivery.over;
          const waiting = merged.filter((item) => item.startsWith('w')).length;
          const complete = [...Array(10).keys()].filter((n) => intervals.end(n) <= Math.min(...reached));
          const over = complete.filter((n) => times.flat().some((time) => Math.floor(time / LENGTH) === n)).length;
          expect(waiting).toBeGreaterThanOrEqual(over);
        }
        const expected: string[] = [];
        for (let number = 0; number < 10; number++) {
          const own = times
            .flatMap((list, shard) => list.map((time) => [time, shard] as const))
            .filter(([time]) => Math.floor(time / LENGTH) === number)
            .toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
          for (const [time, shard] of own) expected.push(`${time}/${shard}`);
          if (own.length > 0) expected.push(`w${number} ${own.length}`);
        }
        expect(merged).toEqual(expected);
      }),
    );
  });
});
