import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as note from '../../src/layout/note.ts';
import { GroupLog } from '../../src/stats/group-log.ts';
import { WaitingHosts } from '../../src/stats/hosts.ts';
import { PortPressure } from '../../src/stats/ports.ts';

const LATEST = 1000;

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

describe('what is kept one by one until somebody asks', () => {
  it('says the same as what was taken before', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (all, limit) => {
        const [hosts, few] = [new WaitingHosts(), new WaitingHosts(limit)];
        const [ports, fewer] = [new PortPressure(10), new PortPressure(10, limit)];
        for (const row of all) for (const answer of [hosts, few, ports, fewer]) answer.add(row, 0);
        const expected = hosts.snapshot(0, LATEST, 4);
        expect(expected.worst.reduce((sum, { entered }) => sum + entered, 0)).toBeLessThanOrEqual(all.length);
        expect(few.snapshot(0, LATEST, 4)).toEqual(expected);
        expect(few.snapshot(0, LATEST, 6)).toEqual(hosts.snapshot(0, LATEST, 6));
        expect(fewer.snapshot(0, LATEST, 3)).toEqual(ports.snapshot(0, LATEST, 3));
        expect(fewer.snapshot(0, LATEST, 6)).toEqual(ports.snapshot(0, LATEST, 6));
      }),
    );
  });

  it('hands over the rows of a group in order, and once', () => {
    const log = new GroupLog(1, 3000);
    for (let i = 0; i < 3000; i++) {
      expect(log.isFull).toBe(false);
      const at = log.add(i % 7);
      log.rows[at] = i;
    }
    expect(log.isFull).toBe(true);
    log.index(7);
    const ours = Array.from(log.take(3), (at) => log.rows[at]);
    expect(ours).toEqual(Array.from({ length: 429 }, (_, i) => 3 + i * 7));
    expect(log.take(3)).toHaveLength(0);
    expect(log.take(6)).toHaveLength(428);
  });
});
