/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// A port that is used again while it is in TIME_WAIT (SPEC §4): how old that was, how far apart the numbers are, and what came of it.

import { describe, expect, it } from 'vitest';
import { RST } from '../../src/layout/tcp.ts';
import {
  closing,
  type Endpoint,
  established,
  lastAck,
  MILLISECOND,
  SECOND,
  serverTimeWait,
  type Story,
  timeWait,
} from '../support/story.ts';

/** Seconds between the SYN and the segment before it, which is also its TIME_WAIT's start. */
const after = (seconds: number): number => (seconds * SECOND + 10 * MILLISECOND) / SECOND;
const listsOf = (told: Story) => told.records().map(({ reuse }) => reuse);

describe('a SYN that meets a TIME_WAIT', () => {
  it('of its receiver, and is accepted: it stands with the connection that it begins', () => {
    const told = serverTimeWait().wait(2);
    const [client, server] = told.incarnation(told.client.isn + 50_000);
    client.syn();
    server.synAck();
    client.ack();
    expect(listsOf(told)).toEqual([
      undefined,
      [{ holder: 'server', verdict: 'accepted', age_s: after(2), gap_s: after(2), isn_delta: 50_000 - told.client.next }],
    ]);
  });

  it('of its own sender: the same', () => {
    const told = timeWait().wait(1);
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck();
    expect(listsOf(told)).toMatchObject([undefined, [{ holder: 'client', verdict: 'accepted', age_s: after(1) }]]);
  });

  it('whose number its SYN-ACK alone tells, because the capture lacks the SYN', () => {
    const told = serverTimeWait().wait(2);
    const [client, server] = told.incarnation(told.client.isn + 50_000, told.server.isn + 90_000);
    client.syn({ unseen: true });
    server.synAck();
    client.send(RST, { seq: 1 });
    expect(listsOf(told)).toEqual([
      undefined,
      [{ holder: 'server', verdict: 'accepted', age_s: 2.02, gap_s: 2.02, isn_delta: 50_000 - told.client.next }],
    ]);
  });

  it('of both: it is the one of its receiver that counts', () => {
    const told = closing();
    told.client.ack();
    told.server.ack();
    const [client] = told.wait(5).incarnation();
    client.syn();
    expect(told.records().at(-1)?.reuse).toMatchObject([{ holder: 'server' }]);
  });

  it('with payload, of which the SYN-ACK acknowledges all', () => {
    const told = serverTimeWait().wait(2);
    const [client, server] = told.incarnation(told.client.isn + 50_000);
    client.syn({ payload: 100 });
    server.synAck();
    client.ack();
    expect(told.records()).toMatchObject([{ time_wait: [{ ended_by: 'reuse' }] }, { open: 'fast_open', reuse: [{ verdict: 'accepted' }] }]);
  });

  it.each([true, false])('and is accepted by payload, or a FIN, that acknowledges it: the capture lacks the SYN-ACK', (closes) => {
    const told = serverTimeWait().wait(20);
    const [client, server] = told.incarnation(told.client.isn + 50_000, told.server.isn + 90_000);
    client.syn();
    server.synAck({ unseen: true });
    if (closes) server.fin({ payload: 40 });
    else server.data(40);
    client.ack();
    expect(told.records()).toMatchObject([
      { close: { modifiers: ['reuse_in_time_wait'] }, server: { bytes: 0 } },
      { server: { bytes: 40 }, reuse: [{ verdict: 'accepted' }] },
    ]);
  });

  it('and is refused by RST', () => {
    const told = serverTimeWait().wait(2);
    const [client, server] = told.incarnation();
    client.syn();
    server.rst();
    expect(told.records().map(({ close, reuse }) => [close.class, reuse?.[0]?.verdict])).toEqual([
      ['four_wave', undefined],
      ['refused', 'refused'],
    ]);
  });

  it('and is never answered', () => {
    const told = serverTimeWait().wait(2);
    const [client] = told.incarnation();
    const syn = client.syn();
    client.again(syn);
    expect(told.records().map(({ close, reuse }) => [close.class, reuse])).toMatchObject([
      ['four_wave', undefined],
      ['no_reply', [{ holder: 'server', verdict: 'ignored' }]],
    ]);
    expect(told.wait(100).records()[1]).toMatchObject({ reuse: [{ verdict: 'ignored', age_s: after(2) }] });
  });

  it('just before it is over, although the answer comes just behind', () => {
    const told = serverTimeWait().wait(59.98);
    const [client, server] = told.incarnation();
    client.syn();
    told.wait(0.05);
    server.synAck();
    client.ack();
    expect(told.records()).toMatchObject([{ time_wait: [{ ended_by: 'expiry' }] }, { reuse: [{ verdict: 'accepted' }] }]);
  });

  it('before it is over: what lets the SYN in later is no TIME_WAIT', () => {
    const told = serverTimeWait().wait(2);
    const [client, server] = told.incarnation();
    const syn = client.syn();
    told.wait(100);
    client.again(syn);
    server.synAck();
    client.ack();
    expect(told.records()).toMatchObject([
      { time_wait: [{ ended_by: 'expiry' }] },
      { open: 'three_way', reuse: [{ verdict: 'ignored', age_s: after(2) }] },
    ]);
  });

  it('of the sender alone, and its receiver, which waits for the last ACK, challenges it', () => {
    const told = lastAck().wait(2);
    const [client] = told.incarnation();
    client.syn();
    told.server.ack();
    expect(listsOf(told).at(-1)).toMatchObject([{ holder: 'client', verdict: 'challenged' }]);
  });
});

describe('a SYN that meets a TIME_WAIT whose time is over', () => {
  it('is no reuse, also where the last ACK is missing', () => {
    const told = lastAck().wait(100);
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck();
    client.ack();
    const [first, second] = told.records();
    expect(first).toMatchObject({ close: { modifiers: [] }, time_wait: [{ ended_by: 'expiry' }], end_reason: 'tuple_reused' });
    expect(second).not.toHaveProperty('reuse');
    expect(lastAck().record().close.modifiers).toEqual([]);
  });
});

describe('a SYN that a TIME_WAIT challenges stands with the old connection', () => {
  const challenged = (told: Story, isn: number): Endpoint => {
    const [client] = told.incarnation(isn);
    client.syn();
    told.server.ack();
    return client;
  };

  it('with the distance of its number, below the old one', () => {
    const told = serverTimeWait().wait(3);
    challenged(told, told.client.isn - 9_000);
    expect(listsOf(told)).toEqual([
      [{ holder: 'server', verdict: 'challenged', age_s: after(3), gap_s: after(3), isn_delta: -9_000 - told.client.next }],
    ]);
  });

  it('across the wrap of sequence numbers', () => {
    const told = serverTimeWait({ clientIsn: 5 });
    challenged(told, -20);
    expect(listsOf(told)[0]?.[0]?.isn_delta).toBe(-25 - told.client.next);
  });

  it('then its RST ends the TIME_WAIT, and the same SYN again meets none', () => {
    const told = serverTimeWait().wait(1);
    const [client, server] = told.incarnation(10);
    const syn = client.syn();
    told.server.ack();
    told.client.send(RST);
    client.again(syn);
    server.synAck();
    client.ack();
    expect(listsOf(told)).toMatchObject([[{ verdict: 'challenged' }], undefined]);
  });

  it('the same where the capture lacks the challenge: only that brings forth such an RST', () => {
    const told = serverTimeWait().wait(1);
    const { next } = told.client;
    const [client, server] = told.incarnation(10);
    const syn = client.syn();
    told.client.send(RST, { seq: next });
    client.again(syn);
    server.synAck();
    client.ack();
    const [old, renewed] = told.records();
    expect(old).toMatchObject({ reuse: [{ verdict: 'challenged' }], time_wait: [{ ended_by: 'rst' }] });
    expect(old?.close.modifiers).not.toContain('reuse_in_time_wait');
    expect([renewed?.reuse, renewed?.open]).toEqual([undefined, 'three_way']);
  });

  it('not where a SYN-ACK answers it: the RST was captured behind the SYN that followed it', () => {
    const told = established().wait(1);
    const { next } = told.client;
    const [client, server] = told.incarnation(70_000);
    client.syn();
    told.client.send(RST, { seq: next });
    server.synAck();
    client.ack();
    expect(told.records().map(({ open, close, client: { syn } }) => [open, close.class, close.modifiers, syn])).toEqual([
      ['three_way', 'rst_abort', [], 1],
      ['three_way', 'not_closed', [], 1],
    ]);
  });

  it('once, however often the same SYN comes; another one is another', () => {
    const told = serverTimeWait();
    const client = challenged(told, 10);
    client.syn({ seq: 0 });
    told.server.ack();
    told.wait(1);
    challenged(told, 20);
    expect(listsOf(told)[0]?.map(({ verdict, age_s }) => [verdict, Math.round(age_s)])).toEqual([
      ['challenged', 0],
      ['challenged', 1],
    ]);
  });

  it('at most eight of them; further ones are counted', () => {
    const told = serverTimeWait();
    for (let isn = 10; isn < 20; isn++) challenged(told, isn);
    const { records, tracker } = told.outcome();
    expect(records[0]?.reuse).toHaveLength(8);
    expect(tracker.oddities.toRecord()).toMatchObject({ reuse_forgotten: 2 });
  });

  it('and so does one that another SYN replaced before it was answered', () => {
    const told = serverTimeWait();
    told.incarnation(10)[0].syn();
    const [client, server] = told.incarnation(20);
    client.syn();
    server.synAck();
    expect(listsOf(told)).toMatchObject([[{ verdict: 'ignored' }], [{ verdict: 'accepted' }]]);
  });
});

describe('its age', () => {
  it('counts from the latest restart, the gap from the latest segment', () => {
    const told = timeWait().wait(3);
    told.server.again(told.server.lastFin);
    told.wait(1);
    told.client.ack();
    told.wait(2);
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck();
    expect(listsOf(told)[1]).toMatchObject([{ age_s: 3.02, gap_s: 2.01 }]);
  });

  it.each([
    ['is over', (told: Story) => told.wait(61)],
    ['was ended by RST', (told: Story) => told.server.rst()],
  ])('there is none where TIME_WAIT %s', (_, over) => {
    const told = timeWait();
    over(told);
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck();
    expect(listsOf(told).every((reuse) => reuse === undefined)).toBe(true);
  });
});

describe('its timestamp', () => {
  const delta = (old: number | undefined, fresh: number | undefined): number | undefined => {
    const told = lastAck();
    told.server.tsval = 1;
    told.client.tsval = old;
    told.client.ack();
    const [client, server] = told.incarnation();
    client.syn(fresh === undefined ? {} : { tsval: fresh });
    server.synAck();
    return listsOf(told)[1]?.[0]?.tsval_delta;
  };

  it('minus the latest one of the same sender, where both are known', () => {
    expect(delta(5000, 7000)).toBe(2000);
    expect(delta(7000, 5000)).toBe(-2000);
    expect(delta(-5, 5)).toBe(10);
    expect(delta(undefined, 5000)).toBeUndefined();
    expect(delta(5000, undefined)).toBeUndefined();
  });

  it('that of an RST is nobody’s, and an older one that was captured late is not the latest', () => {
    const told = lastAck();
    told.client.tsval = 5000;
    told.client.ack();
    told.client.ack({ tsval: 4000 });
    told.client.send(RST, { tsval: 9000, seq: 100_000 });
    const [client, server] = told.incarnation();
    client.syn({ tsval: 5001 });
    server.synAck();
    expect(listsOf(told)[1]?.[0]?.tsval_delta).toBe(1);
  });
});
