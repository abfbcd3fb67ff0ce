import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { LedgerMemory } from '../../src/decode/ledger-memory.ts';
import { type Item, Merger } from '../../src/merge/merger.ts';
import { LOW, SLOT_WORDS } from '../../src/layout/slot.ts';
import type { ConnectionRecord } from '../../src/records/connection.ts';
import type { Delivery, Form } from '../../src/shard/job.ts';
import { PlaceLog } from '../../src/shard/places.ts';
import type { ConnectionTable } from '../../src/tracker/table.ts';
import { GROUP_WORDS, HELD_FROM, NUMBER } from '../../src/layout/ledger.ts';
import { COLUMNS, PORTS, START, TIME } from '../../src/layout/note.ts';
import { Holdings } from '../../src/stats/holdings.ts';

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
