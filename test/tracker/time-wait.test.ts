/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
import { describe, expect, it } from 'vitest';
import { ACK, RST } from '../../src/layout/tcp.ts';
import { PROFILES } from '../../src/tracker/time-wait.ts';
import {
  closing,
  established,
  finWait1,
  finWait2,
  ipv4,
  lastAck,
  timeOf,
  serverTimeWait,
  story,
  SECOND,
  stateNames,
  timeWait,
} from '../support/story.ts';

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list.at(0)!;
};

describe('who holds TIME_WAIT, and from when', () => {
  it("the active closer, from its ACK of the peer's FIN on", () => {
    const told = lastAck();
    told.wait(1);
    const ack = told.client.ack();
    const wait = only(told.record().time_wait);
    expect(wait).toMatchObject({ holder: 'client', basis: 'ack', restarts: 0, ended_by: 'capture_end' });
    expect(timeOf(wait.start)).toBe(ack.time);
    expect(timeOf(wait.expiry) - timeOf(wait.start)).toBe(60 * SECOND);
    expect(timeOf(wait.end)).toBe(ack.time);
  });

  it('the server where it closed first', () => {
    expect(only(serverTimeWait().record().time_wait).holder).toBe('server');
  });

  it("from the peer's FIN where that ACK is missing", () => {
    const told = lastAck();
    const wait = only(told.record().time_wait);
    expect(wait).toMatchObject({ holder: 'client', basis: 'fin' });
    expect(timeOf(wait.start)).toBe(told.told.at(-1)!.time);
  });

  it('nobody where nobody closed, where only one side did, or where a RST ended it', () => {
    expect(established().record().time_wait).toEqual([]);
    expect(finWait1().record().time_wait).toEqual([]);
    expect(finWait2().record().time_wait).toEqual([]);
    const reset = finWait2();
    reset.server.rst();
    expect(reset.record().time_wait).toEqual([]);
  });

  it('both where the FINs crossed, the one whose FIN is not acknowledged yet excepted', () => {
    const told = closing();
    expect(told.record().time_wait).toEqual([]);
    told.client.ack();
    expect(told.record().time_wait.map(({ holder }) => holder)).toEqual(['server']);
    told.server.ack();
    expect(told.record().time_wait.map(({ holder }) => holder)).toEqual(['client', 'server']);
  });
});

it('both: the client first in the list, whoever has the lower address', () => {
  for (const options of [{}, { client: ipv4('10.0.0.9', 40000), server: ipv4('10.0.0.2', 80) }]) {
    const told = closing(options);
    told.client.ack();
    told.server.ack();
    expect(told.record().time_wait.map(({ holder }) => holder)).toEqual(['client', 'server']);
  }
});

describe('how it ends', () => {
  it('expiry, when the capture clock has gone on so far', () => {
    const told = timeWait();
    const start = told.clock;
    const before = only(told.record({ until: start + 60 * SECOND - 1 }).time_wait);
    expect(before).toMatchObject({ ended_by: 'capture_end' });
    const after = told.record({ until: start + 60 * SECOND });
    expect(only(after.time_wait)).toMatchObject({ ended_by: 'expiry', end: only(after.time_wait).expiry });
    expect(stateNames(after.client.states)).toBe('SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSED');
    expect(after.client.state).toBe('CLOSED');
    expect(after.end_reason).toBe('closed');
  });

  it('also where the last ACK is missing', () => {
    const told = lastAck();
    expect(only(told.wait(61).record().time_wait)).toMatchObject({ ended_by: 'expiry', basis: 'fin' });
  });

  it('reuse: a new incarnation is accepted', () => {
    const told = timeWait().wait(2);
    const [client, server] = told.incarnation();
    const syn = client.syn();
    server.synAck();
    client.ack();
    const [old, next] = told.records();
    expect(old).toMatchObject({ close: { class: 'four_wave', modifiers: ['reuse_in_time_wait'] }, end_reason: 'closed' });
    expect(only(old?.time_wait ?? [])).toMatchObject({ ended_by: 'reuse' });
    expect(timeOf(only(old?.time_wait ?? []).end)).toBe(syn.time);
    expect(next).toMatchObject({ open: 'three_way', close: { class: 'not_closed', modifiers: [] }, time_wait: [] });
  });

  it('expiry rather than reuse when the SYN comes after 2MSL', () => {
    const told = timeWait().wait(60);
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck();
    client.ack();
    const [old] = told.records();
    expect(only(old?.time_wait ?? []).ended_by).toBe('expiry');
    expect(old?.close.modifiers).toEqual([]);
  });

  it('rst: the holder answers a late segment with RST, so it has left', () => {
    for (const profile of Object.keys(PROFILES)) {
      const told = timeWait();
      told.wait(5);
      told.server.again(told.server.lastFin);
      const rst = told.client.send(RST, { seq: 2 });
      const wait = only(told.record({ profile }).time_wait);
      expect(wait, profile).toMatchObject({ ended_by: 'rst' });
      expect(timeOf(wait.end)).toBe(rst.time);
    }
  });
});

it('ends no earlier than it starts, where the accepted SYN was captured before the last FIN', () => {
  const told = finWait2();
  const [client, server] = told.connection(told.client.hosts[1], told.client.hosts[0]);
  client.syn();
  told.server.fin();
  server.synAck();
  const [old] = told.records();
  for (const { start, end } of old?.time_wait ?? []) expect(timeOf(end)).toBeGreaterThanOrEqual(timeOf(start));
});

it('is the state from when it starts, also where the capture shows late what came before it', () => {
  const told = finWait1();
  told.server.fin();
  told.client.ack();
  told.server.ack();
  const late = story();
  late.client.syn();
  late.server.synAck();
  late.captureEarlier();
  late.client.ack();
  late.captureEarlier();
  for (const record of [told.record(), late.record()]) {
    const waits = new Map(record.time_wait.map(({ holder, start }) => [holder, (timeOf(start) - timeOf(record.start)) / SECOND]));
    for (const [name, endpoint] of Object.entries({ client: record.client, server: record.server })) {
      const times = (endpoint.states ?? []).map(([, time]) => time);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      const state = endpoint.states?.find(([which]) => which === 'TIME_WAIT');
      expect(state?.[1]).toBe(waits.get(name as 'client'));
    }
  }
  const { states } = late.record().client;
  expect(states?.map(([, time]) => time * 1000)).toEqual([10, 10]); // the SYN was captured behind the ACK, but sent before it
});

describe('what starts it again', () => {
  it("a retransmitted FIN, in every profile; the new start is that of the peer's segment", () => {
    for (const [profile, { twoMsl }] of Object.entries(PROFILES)) {
      const told = timeWait().wait(3);
      const again = told.server.again(told.server.lastFin);
      told.wait(0.5);
      told.client.ack();
      const wait = only(told.record({ profile }).time_wait);
      expect(wait, profile).toMatchObject({ restarts: 1, ended_by: 'capture_end' });
      expect(timeOf(wait.expiry)).toBe(again.time + twoMsl);
    }
  });

  it('several, and the record waits with the holder', () => {
    const told = timeWait();
    for (let i = 0; i < 3; i++) {
      told.wait(50);
      told.server.again(told.server.lastFin);
      told.client.ack();
    }
    const record = told.record();
    expect(only(record.time_wait)).toMatchObject({ restarts: 3, ended_by: 'capture_end' });
    expect(record.close.sequence).toBe('F> A< F< A> f< a> f< a> f< a>');
  });

  it('linux: any old segment that has ACK; the others: a FIN only', () => {
    const restarts = (profile: string) => {
      const told = timeWait().wait(1);
      told.server.data(1, { seq: 1 });
      return only(told.record({ profile }).time_wait).restarts;
    };
    expect(Object.fromEntries(Object.keys(PROFILES).map((profile) => [profile, restarts(profile)]))).toEqual({
      linux: 1,
      rfc9293: 0,
      bsd: 0,
      macos: 0,
      windows: 0,
    });
  });

  it('linux: an old SYN-ACK, too', () => {
    const told = timeWait().wait(10);
    const again = told.server.synAck({ seq: 0 });
    told.client.ack();
    const wait = only(told.record().time_wait);
    expect(wait.restarts).toBe(1);
    expect(timeOf(wait.expiry)).toBe(again.time + 60 * SECOND);
    expect(only(told.record({ profile: 'windows' }).time_wait).restarts).toBe(0);
  });

  it("not the holder's own segments", () => {
    const told = timeWait().wait(1);
    told.client.ack();
    told.client.again(told.client.lastFin);
    expect(only(told.record().time_wait).restarts).toBe(0);
  });

  it("not a retransmission from before the holder's first ACK, which is the start: expiry = last start or restart + 2MSL", () => {
    const told = lastAck().wait(0.2);
    told.server.again(told.server.lastFin);
    const ack = told.client.ack();
    const wait = only(told.record().time_wait);
    expect(wait.basis).toBe('ack');
    expect(timeOf(wait.start)).toBe(ack.time);
    expect(timeOf(wait.expiry)).toBe(ack.time + 60 * SECOND);
  });

  it('ends by a RST inside the window that nobody disproves, when that comes', () => {
    const told = lastAck();
    told.wait(0.2).server.send(RST | ACK, { seq: told.server.next + 2 });
    const wait = only(told.record().time_wait);
    expect(wait).toMatchObject({ basis: 'fin', ended_by: 'rst' });
    expect(timeOf(wait.end)).toBe(told.clock);
  });

  it('is over before a RST that comes later', () => {
    const told = lastAck().wait(100);
    told.server.rst();
    expect(only(told.record().time_wait)).toMatchObject({ ended_by: 'expiry' });
  });

  it('where the last ACK was never captured, the retransmitted FINs do', () => {
    const told = lastAck().wait(0.2);
    const again = told.server.again(told.server.lastFin);
    const wait = only(told.record().time_wait);
    expect(wait).toMatchObject({ basis: 'fin' });
    expect(timeOf(wait.expiry)).toBe(again.time + 60 * SECOND);
  });

  it('but not when it was over already: a peer that never hears of it repeats its FIN ever more seldom', () => {
    const told = lastAck().wait(20);
    const again = told.server.again(told.server.lastFin);
    told.wait(70);
    told.server.again(told.server.lastFin);
    const wait = only(told.wait(10).record().time_wait);
    expect(wait).toMatchObject({ basis: 'fin', restarts: 1, ended_by: 'expiry' });
    expect(timeOf(wait.end)).toBe(again.time + 60 * SECOND);
  });
});

describe('profiles', () => {
  it('their 2MSL', () => {
    const length = (profile: string) => {
      const wait = only(timeWait().record({ profile }).time_wait);
      return (timeOf(wait.expiry) - timeOf(wait.start)) / SECOND;
    };
    expect(Object.fromEntries(Object.keys(PROFILES).map((profile) => [profile, length(profile)]))).toEqual({
      linux: 60,
      rfc9293: 240,
      bsd: 60,
      macos: 30,
      windows: 120,
    });
  });

  it('--2msl overrides the length', () => {
    const wait = only(timeWait().record({ profile: 'windows', twoMsl: 7.5 }).time_wait);
    expect(timeOf(wait.expiry) - timeOf(wait.start)).toBe(7.5 * SECOND);
  });

  it('a RST of the peer ends it, or is ignored', () => {
    const end = (profile: string) => {
      const told = timeWait().wait(1);
      told.server.rst();
      told.wait(1);
      return only(told.record({ profile }).time_wait).ended_by;
    };
    expect(Object.fromEntries(Object.keys(PROFILES).map((profile) => [profile, end(profile)]))).toEqual({
      linux: 'rst',
      rfc9293: 'rst',
      bsd: 'capture_end',
      macos: 'capture_end',
      windows: 'rst',
    });
  });

  it('where it is ignored, a retransmitted FIN still starts the time again', () => {
    const told = timeWait().wait(1);
    told.server.rst();
    told.server.again(told.server.lastFin);
    told.client.ack();
    expect(only(told.record({ profile: 'bsd' }).time_wait)).toMatchObject({ restarts: 1, ended_by: 'capture_end' });
  });

  it('where it is ignored, one of the holder proves all the same that it has left', () => {
    for (const profile of Object.keys(PROFILES)) {
      const told = timeWait().wait(1);
      told.server.rst();
      told.wait(5);
      const rst = told.client.send(RST, { seq: 2 });
      const { time_wait, close } = told.record({ profile });
      expect([only(time_wait).ended_by, close.class], profile).toEqual(['rst', 'four_wave']);
      if (!PROFILES[profile]!.endedByRst) expect(timeOf(only(time_wait).end)).toBe(rst.time);
    }
  });

  it('where it is ignored, and both hold, the RST of one ends its own', () => {
    const ends = (profile: string) => {
      const told = closing();
      told.client.ack();
      told.server.ack();
      told.wait(1);
      told.client.rst();
      told.wait(1);
      return told.record({ profile }).time_wait.map(({ holder, ended_by }) => [holder, ended_by]);
    };
    expect(ends('linux')).toEqual([
      ['client', 'rst'],
      ['server', 'rst'],
    ]);
    expect(ends('bsd')).toEqual([
      ['client', 'rst'],
      ['server', 'capture_end'],
    ]);
  });

  it('where it is ignored, it stays the RST that is told of', () => {
    const told = timeWait().wait(3);
    told.server.rst();
    told.wait(1);
    told.client.send(RST, { seq: 2 });
    const { close, time_wait } = told.record({ profile: 'bsd' });
    expect([close.sequence, only(time_wait).ended_by]).toEqual(['F> A< F< A> R<', 'rst']);
  });

  it('where it is ignored, a new SYN is still for the holder to accept or to challenge', () => {
    const told = serverTimeWait().wait(1);
    told.client.rst();
    const [client] = told.incarnation(10);
    client.syn();
    told.server.ack();
    expect(told.record({ profile: 'bsd' }).close.modifiers).toContain('syn_in_time_wait_challenged');
  });
});

describe('what the packets prove beats the profile', () => {
  it('a holder that acknowledges again after a RST is still in TIME_WAIT', () => {
    const told = timeWait().wait(1);
    told.server.rst();
    told.wait(1);
    told.server.again(told.server.lastFin);
    told.client.ack();
    expect(only(told.record().time_wait).ended_by).toBe('capture_end');
  });
});

describe('an endpoint that challenges a SYN in TIME_WAIT', () => {
  it('syn_in_time_wait_challenged: the old connection lives on', () => {
    const told = serverTimeWait().wait(1);
    const [client] = told.incarnation(10);
    client.syn();
    told.server.ack();
    const record = told.record();
    expect(record.close).toMatchObject({ class: 'four_wave', modifiers: ['syn_in_time_wait_challenged'] });
    expect(only(record.time_wait)).toMatchObject({ holder: 'server', ended_by: 'capture_end' });
    expect(record.client.syn).toBe(2);
  });

  it('its sender resets, and the same SYN then starts the next one', () => {
    const told = serverTimeWait().wait(1);
    const [client, server] = told.incarnation(10);
    const syn = client.syn();
    told.server.ack();
    told.client.send(RST);
    client.again(syn);
    server.synAck();
    client.ack();
    const [old, next] = told.records();
    expect(old?.close).toMatchObject({
      class: 'four_wave',
      sequence: 'F< A> F> A< R>',
      modifiers: ['rst_after_close', 'syn_in_time_wait_challenged'],
    });
    expect(only(old?.time_wait ?? [])).toMatchObject({ holder: 'server', ended_by: 'rst' });
    expect(next).toMatchObject({ open: 'three_way', client: { syn: 1 } });
  });
});

describe('late segments', () => {
  it('belong to the connection until its TIME_WAIT is over', () => {
    const told = timeWait();
    for (const seconds of [1, 20, 30]) {
      told.wait(seconds);
      told.server.again(told.server.lastFin);
      told.client.ack();
      told.server.send(RST, { seq: 900 }); // not the exact number
    }
    expect(told.record()).toMatchObject({ server: { fin: 4, rst: 3 }, close: { class: 'four_wave' } });
  });

  it('of a reset connection belong to it as well', () => {
    const told = established();
    told.client.rst();
    told.wait(1);
    told.server.data(10);
    told.client.send(RST, { seq: 1 });
    expect(told.record()).toMatchObject({ client: { rst: 2 }, close: { class: 'rst_abort' } });
  });
});

it('the population over capture time: entered, peak and mean', () => {
  const told = timeWait();
  const waits = told.clock;
  const [client, server] = told.connection({ address: [10, 0, 0, 2], port: 40001 }, { address: [10, 0, 0, 9], port: 80 });
  told.wait(10);
  client.syn();
  server.synAck();
  client.fin();
  server.fin();
  client.ack();
  const { answers } = told.outcome({ until: waits + 100 * SECOND });
  const { entered, peak, peakAt, mean } = answers.waiting.together(waits, waits + 100 * SECOND);
  expect(entered).toBe(2);
  expect(peak).toBe(2);
  expect(peakAt).toBe(told.clock);
  expect(mean).toBeCloseTo(1.2, 9);
});
