import { describe, expect, it } from 'vitest';
import { resetsRecord } from '../../src/merge/resets.ts';
import { reuseRecord } from '../../src/merge/reuse.ts';
import type { Outcome } from '../../src/merge/outcome.ts';
import { Clock } from '../../src/records/time.ts';
import { type Host, ipv4, type Story, story } from '../support/story.ts';

const host = (last: number, port: number): Host => ipv4(`10.0.0.${last}`, port);
const record = (told: Story, profile = 'linux') =>
  resetsRecord({ answers: told.outcome({ profile }).answers, clock: new Clock(0, 9) } as Outcome, 20);

/** Connections one after the other, each silent for so many seconds before the server resets it. */
function resetAfter(silences: readonly number[]): Story {
  const told = story();
  silences.forEach((seconds, i) => {
    const [client, server] = told.connection(host(2, 41_000 + i), host(9, 80));
    client.syn();
    server.synAck();
    client.ack();
    client.data(10);
    told.wait(seconds);
    server.rst();
  });
  return told;
}

describe('who resets connections', () => {
  it('a timer is named when several silences agree on a round number', () => {
    const { senders, ...all } = record(resetAfter([60, 60.1, 59.8, 7.7]));
    expect(all).toEqual({ total: 4, stage: { established: 4 }, idle: 4, idle_timeout: { seconds: 60, count: 3 } });
    expect(senders).toEqual([{ host: '10.0.0.9', role: 'server', server_port: 80, ...all }]);
  });

  it.each([
    ['too few', [60, 60]],
    ['that agree on nothing', [60, 61.9, 63, 66, 70]],
    ['that are no silences', [0.1, 0.1, 0.1]],
    ['fewer than half of all', [60, 60, 60, 7.7, 8.8, 13, 17]],
  ])('none is named where there are %s', (_, silences) => {
    expect(record(resetAfter(silences)).idle_timeout).toBeUndefined();
  });

  it.each<[what: string, silences: number[], timer: { seconds: number; count: number } | undefined]>([
    ['a quarter of a second off, at least', [9.8, 10.2, 9.9], { seconds: 10, count: 3 }],
    ['but not by seconds', [7.7, 7.9, 8.1], undefined],
    ['a fiftieth off, of long ones', [3550, 3570, 3640], { seconds: 3600, count: 3 }],
    ['half of all', [60, 60, 60, 7.7, 8.8, 13], { seconds: 60, count: 3 }],
    ['the shorter one of two', [60, 30, 60, 30, 60, 30], { seconds: 30, count: 3 }],
  ])('a timer is %s', (_, silences, timer) => {
    expect(record(resetAfter(silences)).idle_timeout).toEqual(timer);
  });

  it('before a connection is open, by the client, too', () => {
    const told = story();
    const [client, server] = told.connection(host(3, 42_000), host(9, 81));
    client.syn();
    server.synAck();
    client.rst();
    expect(record(told).stage).toEqual({ handshake: 1 });
  });

  it('each RST is counted at its stage, with who sent it', () => {
    const told = story();
    const [refused, nobody] = told.connection(host(3, 42_000), host(9, 81));
    refused.syn();
    nobody.rst();
    const [client, server] = told.connection(host(4, 42_001), host(9, 80));
    client.syn();
    server.synAck();
    client.ack();
    client.fin();
    server.ack();
    client.rst();
    const { senders, stage } = record(told);
    expect(stage).toEqual({ handshake: 1, closing: 1 });
    expect(senders).toEqual([
      { host: '10.0.0.9', role: 'server', server_port: 81, total: 1, stage: { handshake: 1 }, idle: 0 },
      { host: '10.0.0.4', role: 'client', server_port: 80, total: 1, stage: { closing: 1 }, idle: 0 },
    ]);
  });

  it.each(['linux', 'bsd'])('an RST after the close has its silence, whether it ends TIME_WAIT or not: %s', (profile) => {
    const told = story();
    const [client, server] = told.connection(host(5, 42_002), host(9, 80));
    client.syn();
    server.synAck();
    client.ack();
    client.fin();
    server.fin();
    client.ack();
    told.wait(5);
    server.rst();
    const { senders, ...all } = record(told, profile);
    expect(all).toEqual({ total: 1, stage: { after_close: 1 }, idle: 1 });
    expect(senders).toEqual([{ host: '10.0.0.9', role: 'server', server_port: 80, ...all }]);
  });

  it('a port used again in TIME_WAIT has an age', () => {
    const told = story();
    const between = [host(2, 43_000), host(9, 80)] as const;
    for (let turn = 0; turn < 3; turn++) {
      const [client, server] = told.connection(...between);
      client.next = 1000 * (turn + 1);
      client.syn();
      server.synAck();
      client.ack();
      client.fin();
      server.fin();
      client.ack();
      told.wait(5);
    }
    const { accepted, challenged, age_s } = reuseRecord({ statistics: told.outcome().statistics, clock: new Clock(0, 9) } as Outcome);
    expect([accepted, challenged, age_s.count]).toEqual([2, 0, 2]);
    expect(age_s.max).toBeCloseTo(5, 1);
  });
});
