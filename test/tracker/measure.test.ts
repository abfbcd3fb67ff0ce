/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// How long TIME_WAIT really lasts, as far as packets prove it (SPEC §4), whatever the profile says.

import { describe, expect, it } from 'vitest';
import { ACK, RST } from '../../src/layout/tcp.ts';
import { MeasuredWaits } from '../../src/stats/measured.ts';
import { closing, ipv6, type Retelling, SECOND, serverTimeWait, type Story, timeWait } from '../support/story.ts';

/** Bounds by host, in seconds. */
const bounds = (told: Story, how: Retelling = {}): Record<string, [lower: number, upper: number, lowers: number, uppers: number]> =>
  Object.fromEntries(
    told
      .outcome(how)
      .statistics.measured.figures.hosts.map(([host, { lower, upper, lowers, uppers }]) => [
        host,
        [lower / SECOND, upper / SECOND, lowers, uppers],
      ]),
  );
const CLIENT = '10.0.0.2';
const SERVER = '10.0.0.9';

/** The server repeats its FIN `seconds` after the last segment; the client, in TIME_WAIT, answers. */
function repeated(told: Story, seconds: number): void {
  told.wait(seconds - 0.01);
  told.server.again(told.server.lastFin);
  told.client.ack();
}

describe('nothing is measured', () => {
  it('by a RST that its receiver would not believe', () => {
    const told = timeWait().wait(20);
    told.client.rst({ seq: 1_000_000 });
    expect(bounds(told)).toEqual({});
  });
});

describe('it lasts at least', () => {
  it('to a repeated FIN that the holder acknowledges, from the latest start before it', () => {
    const told = timeWait();
    repeated(told, 20);
    expect(bounds(told)).toEqual({ [CLIENT]: [20, Infinity, 1, 0] });
    repeated(told, 30);
    // From the FIN before, 10 ms before its acknowledgement.
    expect(bounds(told)).toEqual({ [CLIENT]: [30.01, Infinity, 2, 0] });
    repeated(told, 5);
    expect(bounds(told)).toEqual({ [CLIENT]: [30.01, Infinity, 3, 0] });
  });

  it('to the first of several that are answered together', () => {
    const told = timeWait().wait(9.99);
    told.server.again(told.server.lastFin);
    repeated(told, 7);
    expect(bounds(told)).toEqual({ [CLIENT]: [10, Infinity, 1, 0] });
  });

  it('nothing where nobody asked, or nobody answers', () => {
    const unasked = timeWait().wait(20);
    unasked.client.ack();
    expect(bounds(unasked)).toEqual({});
    const unanswered = timeWait().wait(20);
    unanswered.server.again(unanswered.server.lastFin);
    expect(bounds(unanswered)).toEqual({});
  });

  it('only from an acknowledgement that nothing seen asked for: what did may have started it again', () => {
    const told = timeWait().wait(20);
    told.client.ack();
    repeated(told, 30);
    expect(bounds(told)).toEqual({ [CLIENT]: [30, Infinity, 1, 0] });
  });

  it('to a SYN that it challenges', () => {
    const told = serverTimeWait().wait(29.99);
    const [client] = told.incarnation(10);
    client.syn();
    told.server.ack();
    expect(bounds(told)).toEqual({ [SERVER]: [30, Infinity, 1, 0] });
  });

  it('what any stack may count as a new start, whatever the profile', () => {
    const told = timeWait().wait(19.99);
    told.server.ack(); // a bare ACK: Linux starts again, and says nothing
    repeated(told, 10);
    for (const profile of ['linux', 'macos']) expect(bounds(told, { profile }), profile).toEqual({ [CLIENT]: [10, Infinity, 1, 0] });
  });
});

describe('it lasts at most', () => {
  const answeredByReset = (told: Story, seconds: number): void => {
    told.wait(seconds - 0.02);
    told.server.again(told.server.lastFin);
    told.client.send(RST, { seq: told.client.next });
  };

  it('to an RST of the holder, from the latest certain start', () => {
    const told = timeWait();
    repeated(told, 20);
    answeredByReset(told, 40);
    expect(bounds(told)).toEqual({ [CLIENT]: [20, 40.01, 1, 1] });
  });

  it('where a bare ACK came in between, from before that: it starts nothing again but in Linux', () => {
    const told = timeWait().wait(9.99);
    told.server.ack();
    answeredByReset(told, 30);
    expect(bounds(told)).toEqual({ [CLIENT]: [0, 40, 0, 1] });
  });

  it('nothing where an RST answers the very acknowledgement that would begin it', () => {
    const told = closing();
    told.client.ack();
    told.server.ack();
    told.client.send(RST);
    expect(bounds(told)).toEqual({});
  });

  it('nothing where an RST of the peer may have ended it', () => {
    const told = timeWait();
    told.server.rst();
    answeredByReset(told, 20);
    for (const profile of ['linux', 'bsd']) expect(bounds(told, { profile }), profile).toEqual({});
  });

  const acceptedAfter = (delta: number, options: { server?: number; client?: number; fresh?: number } = {}): Story => {
    const told = serverTimeWait({ clientIsn: 5_000_000 });
    if (options.client !== undefined) {
      told.client.tsval = options.client;
      told.client.again(told.client.lastFin);
      told.server.ack();
    }
    told.wait(29.98);
    const [client, server] = told.incarnation(5_000_000 + told.client.next + delta);
    client.syn(options.fresh === undefined ? {} : { tsval: options.fresh });
    server.synAck();
    client.ack();
    return told;
  };

  it('to a SYN that is let in although neither its number nor its timestamp is newer', () => {
    expect(bounds(acceptedAfter(-500))).toEqual({ [SERVER]: [0, 30, 0, 1] });
    expect(bounds(acceptedAfter(0))).toEqual({ [SERVER]: [0, 30, 0, 1] });
  });

  it('nothing where any stack would have let it in', () => {
    expect(bounds(acceptedAfter(1))).toEqual({});
  });

  it('nothing where the holder itself uses its port again: with tcp_tw_reuse that needs no end', () => {
    const told = timeWait().wait(30);
    const [client, server] = told.incarnation(10);
    client.syn();
    server.synAck();
    client.ack();
    expect(bounds(told)).toEqual({});
  });
});

describe('after the time of the profile', () => {
  it('the holder still answers: no other connection, and a longer time', () => {
    const told = timeWait();
    repeated(told, 45);
    const { records, tracker } = told.outcome({ profile: 'macos' });
    expect(records).toHaveLength(1);
    expect([tracker.late, tracker.segments]).toEqual([2, 7]);
    expect(bounds(told, { profile: 'macos' })).toEqual({ [CLIENT]: [45, Infinity, 1, 0] });
    repeated(told, 100);
    expect(bounds(told)).toEqual({ [CLIENT]: [100.01, Infinity, 2, 0] });
  });

  it('the holder challenges a SYN: that one is tried again, and is no other connection', () => {
    const told = serverTimeWait().wait(69.99);
    const { next } = told.client;
    const [client, server] = told.incarnation(10);
    const syn = client.syn();
    told.server.ack();
    told.client.send(RST, { seq: next });
    expect(bounds(told)).toEqual({ [SERVER]: [70, Infinity, 1, 0] });
    client.again(syn);
    server.synAck();
    client.ack();
    const { records, tracker } = told.outcome();
    expect(records.map(({ open, close }) => [open, close.class, close.modifiers])).toEqual([
      ['three_way', 'four_wave', []],
      ['three_way', 'not_closed', []],
    ]);
    expect(tracker.late).toBe(2);
  });

  it('or refuses it', () => {
    const told = serverTimeWait().wait(69.99);
    const [client, server] = told.incarnation(10);
    client.syn();
    server.send(RST | ACK, { seq: 0 });
    expect(bounds(told)).toEqual({});
    expect(told.records()[1]).toMatchObject({ close: { class: 'refused' } });
  });

  it('goes on from where it was', () => {
    const told = timeWait();
    repeated(told, 20);
    told.wait(69.98);
    told.server.again(told.server.lastFin);
    told.client.send(RST, { seq: told.client.next });
    expect(bounds(told)).toEqual({ [CLIENT]: [20, 70.01, 1, 1] });
  });

  it('one that an RST had ended shows nothing more', () => {
    const told = timeWait();
    told.server.rst();
    told.wait(70);
    told.server.again(told.server.lastFin);
    told.client.send(RST, { seq: told.client.next });
    const { records, tracker } = told.outcome();
    expect([records.length, tracker.late]).toEqual([2, 0]);
    expect(bounds(told)).toEqual({});
  });

  it('both hold where the FINs crossed', () => {
    const told = closing();
    told.client.ack();
    told.server.ack();
    repeated(told, 80);
    expect(Object.keys(bounds(told))).toEqual([CLIENT]);
  });

  it('of IPv6 hosts', () => {
    const told = timeWait({ client: ipv6(1, 5), server: ipv6(2, 6) });
    repeated(told, 20);
    repeated(told, 90);
    expect(bounds(told)).toEqual({ '2001:db8::1': [90.01, Infinity, 2, 0] });
  });

  it('of thousands, each has its own', () => {
    const told = timeWait();
    const all = [told.client];
    for (let port = 1; port <= 3000; port++) {
      const [client, server] = told.connection(
        { address: [10, 0, 0, 2], port },
        { address: [10, 0, 0, 9], port: 80 },
        port * 1000,
        port * 77,
      );
      client.syn();
      server.synAck();
      client.fin();
      server.fin();
      client.ack();
      all.push(client);
    }
    told.wait(61);
    for (const client of all) {
      const { peer } = client;
      peer.again(peer.lastFin);
      client.send(ACK);
    }
    const { records, tracker } = told.outcome();
    expect([records.length, tracker.late]).toEqual([3001, 6002]);
    expect(bounds(told)[CLIENT]?.[2]).toBe(3001);
  });
});

describe('hosts beyond the limit', () => {
  it('are counted together, the same in whatever order and parts they come', () => {
    const host = (last: number): Uint8Array => Uint8Array.of(10, 0, 0, last);
    const measuredOf = (order: readonly number[]): MeasuredWaits => {
      const waits = new MeasuredWaits(3);
      for (const last of order) waits.add(host(last), { kind: last % 2 === 0 ? 'lower' : 'upper', age: last });
      return waits;
    };
    const order = [9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 3, 9];
    const merged = measuredOf(order.slice(0, 5));
    merged.merge(measuredOf(order.slice(5)).part());
    for (const waits of [measuredOf(order), measuredOf(order.toReversed()), merged]) {
      const { hosts, others } = waits.figures;
      expect(hosts.map(([name, { lowers, uppers }]) => [name, lowers + uppers])).toEqual([
        ['10.0.0.1', 2],
        ['10.0.0.2', 2],
        ['10.0.0.3', 2],
      ]);
      expect(others).toBe(order.length - 6);
    }
  });
});
