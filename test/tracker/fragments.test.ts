import { describe, expect, it } from 'vitest';
import { FRAGMENT_HEAD, FRAGMENT_TAIL } from '../../src/layout/segment.ts';
import { established, ipv6, SECOND, type Story, type StoryOptions, type Told, timeWait } from '../support/story.ts';

const TCP_HEADER = 20;

/** Cuts the last segment into the fragments of a datagram; answers the first one. Its payload is what the first one holds. */
function fragmented(told: Story, { first = 8, identification = 77, reversed = false, tail = true } = {}): Told {
  const head = told.told.at(-1)!;
  const whole = head.payload;
  const rest: Told = {
    ...head,
    time: told.tick(),
    flags: FRAGMENT_TAIL,
    seq: 0,
    ack: 0,
    payload: whole + TCP_HEADER,
    link: identification,
  };
  Object.assign(head, { flags: head.flags | FRAGMENT_HEAD, payload: first, link: identification });
  if (tail) told.told.push(rest);
  if (reversed) told.captureEarlier();
  return head;
}

describe('a fragmented datagram', () => {
  for (const [family, options] of [
    ['IPv4', {}],
    ['IPv6', { client: ipv6(2, 40000), server: ipv6(9, 80) }],
  ] as [string, StoryOptions][]) {
    it(`has the payload that its last fragment tells, in either order (${family})`, () => {
      for (const reversed of [false, true]) {
        const told = established(options);
        told.client.data(3000);
        fragmented(told, { reversed });
        told.server.ack();
        told.client.fin();
        told.server.fin();
        told.client.ack();
        expect(told.record()).toMatchObject({
          client: { bytes: 3000, segments: 5 },
          close: { class: 'three_segment', modifiers: [] },
          confidence: 'certain',
        });
      }
    });
  }

  it('may be a FIN', () => {
    const told = established();
    told.client.fin({ payload: 3000 });
    fragmented(told);
    told.server.ack();
    expect(told.record()).toMatchObject({ client: { bytes: 3000, fin: 1 }, close: { class: 'half_open', sequence: 'F> A<' } });
  });

  it('never makes a connection by its later fragments', () => {
    const told = established();
    told.client.data(3000);
    fragmented(told);
    const { records, tracker } = told.outcome();
    expect(records).toHaveLength(1);
    expect(tracker.segments).toBe(4);
    told.told.splice(0, 4);
    expect(told.outcome().records).toEqual([]);
  });

  it('datagrams of different identifications and directions are not mixed up', () => {
    const told = established();
    told.client.data(3000);
    const first = fragmented(told, { identification: 1, tail: false });
    told.client.data(2000);
    const second = fragmented(told, { identification: 2, tail: false });
    for (const [{ link }, payload] of [
      [second, 2000],
      [first, 3000],
    ] as const) {
      told.told.push({ ...first, time: told.tick(), flags: FRAGMENT_TAIL, payload: payload + TCP_HEADER, link });
      told.told.push({ ...first, from: 1, time: told.tick(), flags: FRAGMENT_TAIL, payload: 9000, link });
    }
    expect(told.record().client.bytes).toBe(5000);
  });

  it('a second copy of a last fragment is not the end of a later datagram that has the same identification', () => {
    const told = established();
    told.client.data(3000);
    fragmented(told);
    told.copy(1000);
    told.wait(10);
    told.client.data(2000);
    fragmented(told);
    expect(told.record()).toMatchObject({ client: { bytes: 5000 } });
  });

  it('whose last fragment is missing counts with what is there, at the end, and is told as an oddity', () => {
    const told = established();
    told.client.data(3000);
    fragmented(told, { tail: false, first: 16 });
    const { records, tracker } = told.outcome();
    expect(records).toMatchObject([{ client: { bytes: 16, segments: 3 } }]);
    expect(tracker.oddities.toRecord()).toEqual({ fragment_without_tail: 1 });
  });

  it('whose last fragment is missing makes no new connection after the old one is over', () => {
    const told = established();
    told.client.data(3000, { lost: true });
    fragmented(told, { tail: false });
    told.client.again({ ...told.told.at(-1)!, flags: 0x10, payload: 3000 });
    told.server.ack();
    told.client.fin();
    told.server.fin();
    told.client.ack();
    told.wait(100);
    const [other] = told.connection({ address: [1, 2, 3, 4], port: 5 }, { address: [6, 7, 8, 9], port: 10 });
    other.syn(); // the capture clock goes on
    expect(told.records().map(({ open, close }) => `${open} ${close.class}`)).toEqual(['three_way three_segment', 'syn_only no_reply']);
  });

  it("whose last fragment is missing is its connection's after 30 s, whatever else is captured then", () => {
    for (const others of [0, 1, 2]) {
      const told = established();
      told.client.data(3000);
      fragmented(told, { tail: false, first: 16 });
      told.wait(1);
      told.server.fin();
      told.client.fin();
      told.server.ack();
      for (let other = 0; other < others; other++) {
        told.wait(50);
        const [client] = told.connection({ address: [1, 2, 3, other], port: 5 }, { address: [6, 7, 8, 9], port: 10 });
        client.syn();
      }
      const { records, tracker } = told.outcome();
      expect(records.find(({ open }) => open === 'three_way')).toMatchObject({
        client: { bytes: 16, segments: 4, fin: 1 },
        close: { class: 'three_segment' },
      });
      expect(tracker.oddities.toRecord()).toEqual({ fragment_without_tail: 1 });
      expect(tracker.pieces).toBe(0);
    }
  });

  it('whose last fragment is missing is not lost where another one has the same identification', () => {
    const told = established();
    for (let datagram = 0; datagram < 3; datagram++) {
      told.client.data(3000);
      fragmented(told, { tail: false, first: 3000, identification: 5 });
      told.wait(datagram * 20);
    }
    const { records, tracker } = told.outcome();
    expect(records).toMatchObject([{ client: { bytes: 9000, segments: 5 } }]);
    expect(tracker.oddities.toRecord()).toEqual({ fragment_without_tail: 3 });
  });

  it('whose last fragment is missing is nothing to the next connection of its 4-tuple', () => {
    const told = established();
    told.client.fin({ payload: 3000 });
    fragmented(told, { tail: false });
    told.server.rst({ seq: 1 });
    const [client, server] = told.incarnation(700, 7_000_000);
    client.syn();
    server.synAck();
    client.ack();
    for (let i = 0; i < 60; i++) {
      told.wait(1);
      client.data(10);
      server.ack();
    }
    const { records, tracker } = told.outcome();
    expect(records.map(({ close, client: { fin } }) => [close.class, fin])).toEqual([
      ['rst_abort', 0],
      ['not_closed', 0],
    ]);
    expect(tracker.pieces).toBe(1);
  });

  it('of a close whose last fragment is missing lets TIME_WAIT end in the order of time', () => {
    const told = established({ step: 1000 });
    told.client.fin({ payload: 3000 });
    fragmented(told, { tail: false, first: 3000 });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    told.wait(10);
    const [other] = told.connection({ address: [1, 2, 3, 4], port: 5 }, { address: [6, 7, 8, 9], port: 10 });
    other.syn();
    other.rst();
    told.wait(100);
    other.syn();
    const { endings } = told.outcome({ twoMsl: 15 });
    const times = endings.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(endings.map(({ ending }) => ending)).toContain('expired');
  });

  it('whose last fragment is missing does not move the end of its connection', () => {
    const told = established();
    told.client.data(3000, { lost: true });
    const head = fragmented(told, { tail: false });
    const { end } = told.record({ until: told.clock + 50 * SECOND });
    expect(end).toBe(new Date((1_600_000_000 + head.time / 1e9) * 1000).toISOString().replace('Z', '000000Z'));
  });
});

it('a capture without fragments is not delayed by any', () => {
  expect(timeWait().outcome().endings).toMatchObject([{ ending: 'capture_end' }]);
});
