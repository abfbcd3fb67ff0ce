import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../../src/decode/decoder.ts';
import { EXPIRY, SLOT_WORDS } from '../../src/layout/slot.ts';
import { hostCalls } from '../../src/tracker/host.ts';
import { Oddities } from '../../src/tracker/oddities.ts';
import { ConnectionTable } from '../../src/tracker/table.ts';
import { RST } from '../../src/layout/tcp.ts';
import { established, finWait1, ipv4, lastAck, retell, SECOND, type Story, story, timeOf, timeWait } from '../support/story.ts';

/** Something else in the capture, so that its clock goes on. */
function elsewhere(told: Story, port = 1): void {
  const [client] = told.connection(ipv4('1.2.3.4', port), ipv4('6.7.8.9', 10));
  client.syn();
}

describe('a closed connection', () => {
  it('leaves the table when its TIME_WAIT is over, on the capture clock', () => {
    const told = timeWait();
    told.wait(59);
    elsewhere(told, 1);
    told.wait(2);
    elsewhere(told, 2);
    const { endings, records } = told.outcome();
    expect(endings.map(({ ending }) => ending)).toEqual(['expired', 'capture_end', 'capture_end']);
    expect(records[0]).toMatchObject({ end_reason: 'closed', time_wait: [{ ended_by: 'expiry' }] });
  });

  it('then its tuple is free: a segment that is none of its own belongs to nobody and begins in the middle', () => {
    const told = timeWait().wait(61);
    told.server.again(told.server.lastFin, { seq: told.server.next + 9 });
    expect(told.records().map(({ open }) => open)).toEqual(['three_way', 'midstream']);
  });

  it('but one that ends where its own had ended makes no new connection until four minutes are over', () => {
    for (const [seconds, late] of [
      [61, 1],
      [239, 1],
      [241, 0],
    ] as const) {
      const told = timeWait().wait(seconds);
      told.server.again(told.server.lastFin);
      const { records, tracker } = told.outcome();
      expect([records.length, tracker.late, tracker.segments], `${seconds} s`).toEqual([2 - late, late, 8 - late]);
    }
  });

  it('waits longer where its TIME_WAIT starts again', () => {
    const told = timeWait().wait(50);
    told.server.again(told.server.lastFin);
    told.client.ack();
    told.wait(50);
    told.server.again(told.server.lastFin);
    told.client.ack();
    expect(told.record()).toMatchObject({ time_wait: [{ restarts: 2 }], server: { fin: 3 } });
  });

  it('ten thousand at once', () => {
    const told = story({ step: 1000 });
    const count = 10_000;
    for (let i = 0; i < count; i++) {
      const [client, server] = told.connection(ipv4(`10.${i >> 8}.${i & 255}.1`, 1000), ipv4('6.7.8.9', 80));
      client.syn();
      server.synAck();
      client.rst();
    }
    told.wait(100);
    elsewhere(told);
    const { endings, tracker } = told.outcome();
    expect(endings.filter(({ ending }) => ending === 'expired')).toHaveLength(count);
    expect(endings).toHaveLength(count + 1);
    expect(tracker.table.count).toBe(0);
  });
});

describe('--idle-timeout', () => {
  it('ends a silent connection when its next segment comes, which begins in the middle', () => {
    const told = established();
    const { clock } = told;
    told.wait(11);
    told.client.data(10);
    const [old, next] = told.records({ idleTimeout: 10 });
    expect(old).toMatchObject({ end_reason: 'idle_timeout', flow_end_reason: 1, close: { class: 'not_closed' } });
    expect(timeOf(old?.end)).toBe(clock);
    expect(next).toMatchObject({ open: 'midstream', client: { bytes: 10 } });
  });

  it('waits for the answer to a SYN that is held, whoever is silent before it', () => {
    const told = established().wait(5);
    const [client, server] = told.incarnation(90_000, 80_000);
    client.syn();
    told.wait(6);
    server.synAck();
    client.ack();
    client.data(10);
    told.wait(6);
    const options = [undefined, 10].map((idleTimeout) => told.records(idleTimeout === undefined ? {} : { idleTimeout }));
    for (const records of options)
      expect(records).toMatchObject([
        { open: 'three_way', client: { bytes: 0 }, close: { modifiers: [] }, end_reason: 'tuple_reused' },
        { open: 'three_way', client: { bytes: 10 }, end_reason: 'capture_end' },
      ]);
  });

  it('ends it also where no further segment ever comes', () => {
    const told = established().wait(100);
    elsewhere(told);
    const [first, second] = told.records({ idleTimeout: 10 });
    expect(new Set([first?.end_reason, second?.end_reason])).toEqual(new Set(['capture_end', 'idle_timeout']));
  });

  it('ends nobody in TIME_WAIT, also where the last ACK is missing', () => {
    const told = lastAck();
    const { clock } = told;
    told.wait(100);
    elsewhere(told);
    const { records, answers } = told.outcome({ idleTimeout: 10 });
    const [record] = records;
    expect(record).toMatchObject({ close: { class: 'last_ack_missing' }, time_wait: [{ ended_by: 'expiry' }] });
    expect(timeOf(record?.time_wait[0]?.end)).toBe(clock + 60 * SECOND);
    expect(answers.waiting.together(0, told.clock)).toMatchObject({ now: 0, peak: 1 });
  });

  it('lets a SYN that nobody answers begin its own where the old one is closed', () => {
    const told = lastAck().wait(30);
    const [client] = told.incarnation();
    client.syn();
    told.wait(100);
    elsewhere(told);
    const [old, attempt] = told.records({ idleTimeout: 20 });
    expect(old).toMatchObject({ close: { class: 'last_ack_missing' }, client: { syn: 1 } });
    expect(attempt).toMatchObject({ close: { class: 'no_reply' }, end_reason: 'idle_timeout', client: { syn: 1 } });
  });

  it('knows what comes behind a TIME_WAIT for late, also where the last ACK is missing', () => {
    const told = lastAck().wait(70);
    told.server.again(told.server.lastFin);
    told.client.send(RST, { seq: told.client.next });
    const { records, tracker } = told.outcome({ idleTimeout: 5 });
    expect(records).toHaveLength(1);
    expect(tracker.late).toBe(2);
  });

  it('ends those that are silent as long, or have waited as long, by 4-tuple', () => {
    const told = story({ step: SECOND });
    const ports = [7, 3, 9, 1, 8, 2];
    const pairs = ports.map((port) => told.connection(ipv4('10.0.0.2', 50_000 + port), ipv4('10.0.0.9', 80)));
    for (const [client] of pairs) client.syn();
    // Of one the handshake is complete, and it closes: its TIME_WAIT is over when the silence of the others is.
    const [client, server] = pairs[2]!;
    server.synAck();
    client.ack();
    client.fin();
    server.fin();
    client.ack();
    const { clock } = told;
    const segments = told.told.map((segment) => Object.assign(segment, { time: clock }));
    const { records } = retell(segments, { idleTimeout: 60, until: clock + 100 * SECOND });
    expect(records.map(({ client: { port } }) => port - 50_000)).toEqual([1, 2, 3, 7, 8, 9]);
    expect(new Set(records.map(({ end_reason }) => end_reason))).toEqual(new Set(['idle_timeout', 'closed']));
  });

  it('ends those of one instant, and of many, the same in however many parts they are sent off', () => {
    const told = story({ step: 1000 });
    for (let i = 0; i < 3000; i++) told.connection(ipv4('10.0.0.2', 1000 + ((i * 7919) % 3000)), ipv4('10.0.0.9', 80))[0].syn();
    const { clock } = told;
    for (const segment of told.told.slice(1000)) Object.assign(segment, { time: clock }); // more than end at a stroke
    told.wait(100);
    elsewhere(told);
    const whole = told.outcome({ idleTimeout: 10 });
    let stops = 0;
    const inParts = told.outcome({ idleTimeout: 10, isFull: () => ++stops > 0 });
    expect(stops).toBeGreaterThan(1000);
    expect(whole.endings).toHaveLength(3001);
    expect(inParts.endings).toEqual(whole.endings);
    expect(inParts.records).toEqual(whole.records);
    expect(inParts.rows).toEqual(whole.rows);
  });

  it('ends those that fall silent at one instant before any TIME_WAIT that is over later, however many they are', () => {
    const told = story({ step: 1000 });
    for (let i = 0; i < 20; i++) {
      const [client, server] = told.connection(ipv4('10.0.0.3', 1000 + i), ipv4('10.0.0.9', 80));
      client.syn();
      server.synAck();
      client.ack();
      client.fin();
      server.fin();
      client.ack();
      if (i === 0) told.wait(100); // the others are like it
    }
    told.wait(45);
    const before = told.told.length;
    for (let i = 0; i < 3000; i++) told.connection(ipv4('10.0.0.2', 1000 + i), ipv4('10.0.0.9', 80))[0].syn();
    const { clock } = told;
    for (const segment of told.told.slice(before)) Object.assign(segment, { time: clock });
    told.wait(100);
    elsewhere(told);
    const [judged, byShape] = [told.outcome({ idleTimeout: 10 }), told.outcome({ idleTimeout: 10, byShape: true })];
    expect(judged.lines).toHaveLength(3021);
    expect(byShape.records.length).toBeLessThan(3021);
    expect(byShape.lines).toEqual(judged.lines);
    expect(byShape.rows).toEqual(judged.rows);
    expect(told.outcome({ idleTimeout: 10, byShape: true, lines: false }).rows).toEqual(judged.rows);
  });

  it('is none by default: only the end of the capture ends a silent connection', () => {
    const told = established().wait(100_000);
    told.client.data(10);
    expect(told.record()).toMatchObject({ end_reason: 'capture_end', client: { bytes: 10 } });
  });

  it('does not end one that is not silent so long', () => {
    const told = established();
    for (let i = 0; i < 5; i++) {
      told.wait(9.9);
      told.client.data(10);
    }
    expect(told.record({ idleTimeout: 10 }).client.bytes).toBe(50);
  });

  it('does not shorten the TIME_WAIT of one that has closed', () => {
    const told = timeWait().wait(30);
    told.server.again(told.server.lastFin);
    told.client.ack();
    expect(told.record({ idleTimeout: 10 })).toMatchObject({ end_reason: 'closed', time_wait: [{ restarts: 1 }] });
  });

  it('ends a half-closed one', () => {
    const told = finWait1().wait(20);
    told.client.again(told.client.lastFin);
    expect(told.records({ idleTimeout: 10 })[0]).toMatchObject({ end_reason: 'idle_timeout', close: { class: 'fin_unacked' } });
  });
});

describe('the ring of those who wait', () => {
  const SLOTS = 20_000;
  const STAY = 60 * SECOND;

  it('gives back whoever has waited longest, once, while others wait anew or are gone before', () => {
    const { table: memory } = new Decoder(Decoder.compile(), Decoder.memory());
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.nat(SLOTS - 1)), {
      minLength: 20_000,
      maxLength: 20_000,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 90 }), (all, growing) => {
        const table = new ConnectionTable(memory, SLOTS);
        memory.attach(
          hostCalls(() => table, memory, new Oddities(), true),
          STAY,
        );
        memory.grow(SLOTS);
        const { times } = memory;
        times.fill(0, 0, (SLOTS * SLOT_WORDS) >> 1);
        const waiting = new Map<number, number>(); // in the order in which they are due
        const leave = (): void => {
          const [[slot, due] = [-1, Infinity]] = waiting;
          expect(memory.nextExpiry).toBe(due);
          if (slot < 0) return;
          expect(memory.shiftExpired()).toBe(slot);
          waiting.delete(slot);
        };
        for (const [time, [chance, number]] of all.entries()) {
          const slot = number * SLOT_WORDS;
          if (chance < growing) {
            memory.expireAfter(slot, time);
            waiting.delete(slot);
            waiting.set(slot, time + STAY);
          } else if (chance < 95) leave();
          else {
            times[(slot >> 1) + EXPIRY] = 0;
            waiting.delete(slot);
          }
        }
        while (waiting.size > 0) leave();
        leave();
      }),
      { numRuns: 6 },
    );
  });
});
