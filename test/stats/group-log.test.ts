import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as note from '../../src/layout/note.ts';
import { LedgerMemory } from '../../src/decode/ledger-memory.ts';
import { EMPTY, HELD_FROM, HOLDERS_CAPACITY } from '../../src/layout/ledger.ts';
import { GroupLog } from '../../src/stats/group-log.ts';
import { Holdings } from '../../src/stats/holdings.ts';

const LATEST = 1000;
/** No TIME_WAIT starts later. */
const LATEST_START = 500;

/** Rows of connections of a few clients to one server, in the order in which they ended. */
const rows = fc
  .array(fc.record({ client: fc.nat(5), port: fc.nat(3), start: fc.nat(400), length: fc.nat(100), waits: fc.nat(500) }), { maxLength: 60 })
  .map((connections) =>
    connections
      .map(({ client, port, start, length, waits }) => {
        const row = new Float64Array(note.COLUMNS).fill(Number.NaN, note.WAIT_FROM);
        row[note.ADDRESS + note.ADDRESS_WORDS - 1] = client;
        row[note.ADDRESS + 2 * note.ADDRESS_WORDS - 1] = 99;
        row[note.PORTS] = (port << 16) | 80;
        row[note.START] = start;
        row[note.WAIT_FROM] = start + length;
        row[note.WAIT_TO] = row[note.HELD_UNTIL] = start + length + waits;
        row[note.WAIT_END] = waits % 2 === 0 ? note.EXPIRY : note.REUSE;
        row[note.TIME] = start + length + waits;
        return row;
      })
      .sort((a, b) => a[note.TIME]! - b[note.TIME]!),
  );

/** The row of a connection that the client closes at once, and that holds its port up to `to`. */
function rowOf(client: number, port: number, from: number, to: number, end: number): Float64Array {
  const row = new Float64Array(note.COLUMNS).fill(Number.NaN, note.WAIT_FROM);
  row[note.ADDRESS + note.ADDRESS_WORDS - 1] = client;
  row[note.ADDRESS + 2 * note.ADDRESS_WORDS - 1] = 0xffffff;
  row[note.PORTS] = (port << 16) | 80;
  row[note.START] = row[note.WAIT_FROM] = from;
  row[note.WAIT_TO] = row[note.HELD_UNTIL] = row[note.TIME] = to;
  row[note.WAIT_END] = end;
  return row;
}

/** What is held by them all, kept one by one as far as `limit`. */
function holdings(all: readonly Float64Array[], limit?: number): Holdings {
  const found = new Holdings(10, 60e9, new LedgerMemory(limit));
  for (const row of all) {
    expect(found.fill(0, row, 0)).toBe(row.length);
    expect(found.merge(1)).toBe(true);
  }
  return found;
}

describe('what is kept one by one until somebody asks', () => {
  it('says the same of what only grows as of what was taken before', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 3 }), (all, limit, over) => {
        // All hold at the end but for the first few, which are over at its instant.
        for (const [i, row] of all.entries()) row[note.WAIT_TO] = LATEST_START + (i < over ? 0 : 1 + (i % 100));
        const [{ waiting: hosts }, { waiting: few }] = [holdings(all), holdings(all, limit)];
        const together = hosts.together(0, LATEST_START);
        expect(together).toEqual(few.together(0, LATEST_START));
        const now = Math.max(0, all.length - over);
        expect(together).toMatchObject({ entered: all.length, now });
        if (over === 0) expect(together.peak).toBe(now);
      }),
    );
  });

  it('knows who ran out of ports, behind more groups of many ports than have all of them remembered', () => {
    const all: Float64Array[] = [];
    const times = Array.from({ length: 25 }, (_, port) => port);
    for (let client = 1; client <= 4200; client++) for (const port of times) all.push(rowOf(client, port, 0, 700, note.EXPIRY));
    for (const port of times) all.push(rowOf(5000, port, 0, 800, note.REUSE), rowOf(5000, port, 800, 900, note.EXPIRY));
    all.sort((a, b) => a[note.TIME]! - b[note.TIME]!);
    const { exhausted, highest } = holdings(all).ports.snapshot(0, LATEST, 3);
    expect(exhausted).toMatchObject([{ connections: 50, reused: 25, used: { count: 25 } }]);
    expect(highest.map(({ held }) => held.peak)).toEqual([25, 25, 25]);
  });

  it('says the same as what was taken before', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (all, limit) => {
        const [{ waiting: hosts, ports }, { waiting: few, ports: fewer }] = [holdings(all), holdings(all, limit)];
        const together = few.together(0, LATEST);
        expect(together.entered).toBe(all.length);
        expect(together).toEqual(hosts.together(0, LATEST));
        const expected = hosts.snapshot(0, LATEST, 4);
        expect(expected.worst.reduce((sum, { entered }) => sum + entered, 0)).toBeLessThanOrEqual(all.length);
        expect(few.snapshot(0, LATEST, 4)).toEqual(expected);
        expect(few.snapshot(0, LATEST, 6)).toEqual(hosts.snapshot(0, LATEST, 6));
        expect(fewer.snapshot(0, LATEST, 3)).toEqual(ports.snapshot(0, LATEST, 3));
        expect(fewer.snapshot(0, LATEST, 6)).toEqual(ports.snapshot(0, LATEST, 6));
      }),
      { numRuns: 50 },
    );
  });

  it('says how often those hosts held TIME_WAIT that are too many to be told apart', () => {
    const { waiting } = holdings(
      Array.from({ length: HOLDERS_CAPACITY + 3 }, (_, client) => {
        const row = new Float64Array(note.COLUMNS).fill(Number.NaN, note.WAIT_FROM);
        row[note.ADDRESS + note.ADDRESS_WORDS - 1] = client;
        row[note.WAIT_FROM] = 1;
        row[note.WAIT_TO] = 2;
        return row;
      }),
    );
    expect(waiting.together(0, LATEST).entered).toBe(HOLDERS_CAPACITY + 3);
    expect(waiting.snapshot(0, LATEST, 1)).toMatchObject({ hosts: HOLDERS_CAPACITY, beyond: 3 });
  });

  it('hands over the rows of a holder in order, and once', () => {
    const ledger = new LedgerMemory();
    const row = new Float64Array(note.COLUMNS).fill(Number.NaN, note.CLOSE_WAIT);
    row[note.RESET] = -1;
    for (let i = 0; i < 3000; i++) {
      row[note.PORTS] = i % 7;
      row[note.START] = i;
      ledger.fill(0, row, 0);
      expect(ledger.merge(1)).toBe(EMPTY);
    }
    const log = new GroupLog(ledger.groups);
    log.index();
    const ours = Array.from(log.take(3), (at) => ledger.groups.rows[at + HELD_FROM]);
    expect(ours).toEqual(Array.from({ length: 429 }, (_, i) => 3 + i * 7));
    expect(log.take(3)).toHaveLength(0);
    expect(log.take(6)).toHaveLength(428);
  });
});
