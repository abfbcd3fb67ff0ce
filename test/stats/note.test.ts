import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPTURE_END, COLUMNS, EXPIRY, PACKET, PORTS, REUSE, RST, TIME } from '../../src/layout/note.ts';
import { ENDED_AT_END, TUPLE_REUSED } from '../../src/layout/shape.ts';
import { NoteLog, precedes, WAIT_ENDS } from '../../src/stats/note.ts';
import { PROFILES } from '../../src/tracker/time-wait.ts';
import { type Ended, ENDINGS, RELEASED } from '../../src/tracker/ended.ts';
import { Tracker } from '../../src/tracker/tracker.ts';
import { decoder } from '../decode/decoding.ts';
import { encode, ipv4, SECOND, serverTimeWait, story } from '../support/story.ts';

/** As many connections that close in the same instants, in the opposite order of their ports. */
function crowd(size: number) {
  const told = story();
  const pairs = Array.from({ length: size }, (_, i) => told.connection(ipv4('10.0.0.2', 50_000 - i), ipv4('10.0.0.9', 80)));
  for (const [client] of pairs) client.syn();
  for (const [, server] of pairs) server.synAck();
  for (const [client] of pairs) client.ack();
  for (const [client] of pairs) client.fin();
  for (const [, server] of pairs) server.fin();
  for (const [client] of pairs) client.ack();
  // The last ACKs all come at once, so that all TIME_WAITs run out at once.
  const { clock } = told;
  return {
    segments: told.told.map((segment, i, all) => (i < all.length - size ? segment : Object.assign(segment, { time: clock }))),
    clock,
  };
}

function noted(size: number, taken: 'whole' | 'soon'): Float64Array[] {
  const { segments, clock } = crowd(size);
  const rows: Float64Array[] = [];
  const taker = (some: Float64Array) => {
    for (let at = 0; at < some.length; at += COLUMNS) rows.push(some.slice(at, at + COLUMNS));
  };
  const notes = new NoteLog(taken === 'soon' ? taker : undefined);
  const options = {
    profile: PROFILES['linux']!,
    idleTimeout: Infinity,
    bound: () => {},
    ended: (connection: Ended) => notes.add(connection),
  };
  const tracker = new Tracker(options, decoder.table);
  for (const _ of tracker.track(encode(segments), 0));
  for (const _ of tracker.finish(clock + 100 * SECOND));
  notes.take().forEach(taker);
  expect(notes.take()).toEqual([]);
  return rows;
}

it('how records and TIME_WAITs end has one order for TypeScript and WebAssembly', () => {
  expect(ENDINGS[TUPLE_REUSED]).toBe('tuple_reused');
  expect(ENDINGS.length).toBeLessThanOrEqual(ENDED_AT_END);
  expect([EXPIRY, REUSE, RST, CAPTURE_END].map((place) => WAIT_ENDS[place])).toEqual(['expiry', 'reuse', 'rst', 'capture_end']);
});

describe('what a shard notes', () => {
  it('is kept whole and in order, however many connections end at once, again and again', () => {
    const bursts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 1500 }), taken: fc.boolean() }), { maxLength: 8 });
    fc.assert(
      fc.property(bursts, fc.boolean(), fc.boolean(), (all, soon, again) => {
        const rows: Float64Array[] = [];
        const taker = (some: Float64Array) => {
          for (let at = 0; at < some.length; at += COLUMNS) rows.push(some.slice(at, at + COLUMNS));
        };
        const notes = new NoteLog(soon ? taker : undefined);
        for (const [time, { size, taken }] of all.entries()) {
          const burst = new Float64Array(size * COLUMNS);
          for (let i = 0; i < size; i++) {
            burst[i * COLUMNS + TIME] = time;
            burst[i * COLUMNS + PACKET] = -1;
            burst[i * COLUMNS + PORTS] = i;
          }
          notes.append(burst, burst.length);
          if (!taken) continue;
          for (const chunk of notes.take()) {
            taker(chunk);
            if (again) notes.reuse(chunk);
          }
        }
        notes.take().forEach(taker);
        expect(notes.take()).toEqual([]);
        expect(rows.map((row) => [row[TIME], row[PORTS]])).toEqual(
          all.flatMap(({ size }, time) => Array.from({ length: size }, (_, i) => [time, i])),
        );
      }),
      {
        numRuns: 50,
        examples: [
          [
            [
              { size: 600, taken: false },
              { size: 500, taken: false },
            ],
            false,
            false,
          ],
        ],
      },
    );
  });

  it.each([1, 200, 256, 257, 1000])('of %i connections that end at once is ordered by their 4-tuples, in chunks or given away', (size) => {
    const rows = noted(size, 'whole');
    expect(rows).toHaveLength(size);
    expect(new Set(rows.map((row) => row[TIME])).size).toBe(1);
    for (let i = 1; i < size; i++) expect(precedes(rows[i - 1]!, 0, rows[i]!, 0), String(i)).toBe(true);
    expect(noted(size, 'soon')).toEqual(rows);
  });

  it('has what the capture’s end lets go of behind what a packet ended at the same time', () => {
    const told = serverTimeWait();
    told.incarnation()[0].syn(); // held
    const [client, server] = told.connection(ipv4('10.0.0.3', 40_000), ipv4('10.0.0.9', 80));
    client.syn();
    server.rst({ seq: 0 });
    told.connection(ipv4('10.0.0.3', 40_000), ipv4('10.0.0.9', 80), 800_000)[0].syn();
    const { rows, endings } = told.outcome();
    expect(rows.map((row) => row[PACKET])).toEqual([told.told.length - 1, RELEASED, Infinity, Infinity]);
    expect(endings.map(({ packet }) => packet)).toEqual(rows.map((row) => row[PACKET]));
    expect(new Set(rows.map((row) => row[TIME])).size).toBe(1);
  });
});
