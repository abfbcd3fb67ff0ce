/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// Endpoints that cannot finish their close: who, how many, and where they stand when the capture ends.

import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/merge/outcome.ts';
import { stateMatrix } from '../../src/merge/states.ts';
import { stuckRecord } from '../../src/merge/stuck.ts';
import { Clock } from '../../src/records/time.ts';
import { findings } from '../../src/report/findings.ts';
import type { SummaryRecord } from '../../src/index.ts';
import { type Endpoint, type Host, ipv4, SECOND, type Story, story } from '../support/story.ts';

const host = (last: number, port: number): Host => ipv4(`10.0.0.${last}`, port);
const record = (told: Story) =>
  stuckRecord({ answers: told.outcome().answers, clock: new Clock(0, 9), lastTime: told.clock } as Outcome, 20);
const matrix = (told: Story) => stateMatrix(told.outcome().statistics.states.counts);

/** Connections of one client, as many as there are in `closes`, each closed as it says. */
function closed(closes: readonly ((client: Endpoint, server: Endpoint, told: Story) => void)[]): Story {
  const told = story();
  closes.forEach((close, i) => {
    const [client, server] = told.connection(host(2, 41_000 + i), host(9, 80));
    client.syn();
    server.synAck();
    client.ack();
    close(client, server, told);
  });
  return told;
}

const finWait2 = (client: Endpoint, server: Endpoint): void => {
  client.fin();
  server.ack();
};
const finWait1 = (client: Endpoint): void => {
  client.fin({ lost: true });
  client.again(client.lastFin, { lost: true });
};
const lastAck = (client: Endpoint, server: Endpoint): void => {
  finWait2(client, server);
  server.fin({ lost: true });
  server.again(server.lastFin, { lost: true });
};
const halfOpen = (client: Endpoint, server: Endpoint, told: Story): void => {
  const [again] = told.connection(client.hosts[0], client.hosts[1], 900_000);
  again.syn();
  server.ack();
  client.rst({ ack: 0 });
};
const open = (): void => {};
const none = { total: 0, owners: [] };
const client = { host: '10.0.0.2', role: 'client', server_port: 80 };
const server = { host: '10.0.0.9', role: 'server', server_port: 80 };

describe('stuck endpoints', () => {
  it('in FIN_WAIT2, with the age of the oldest', () => {
    const told = closed([finWait2, finWait2]).wait(30);
    const { fin_wait2, ...others } = record(told);
    const [{ oldest_s, ...owner }] = fin_wait2.owners as [(typeof fin_wait2.owners)[0]];
    expect(owner).toEqual({ ...client, total: 2, connection: '10.0.0.2:41000-10.0.0.9:80' });
    expect(oldest_s).toBeCloseTo((told.clock - told.told[4]!.time) / SECOND, 9);
    expect(others).toEqual({ no_reply: none, fin_wait1: none, last_ack: none, half_open: none });
    expect(matrix(told)).toEqual({ FIN_WAIT2: { CLOSE_WAIT: 2 } });
  });

  it('in FIN_WAIT2 by a FIN that only its acknowledgement proves: since that, whoever closed', () => {
    const told = closed([]).wait(100);
    const begun = told.clock;
    for (const closes of [0, 1, 0, 1]) {
      const ends = told.connection(host(2, 42_000 + told.told.length), host(9, 80));
      ends[0].syn();
      ends[1].synAck();
      ends[0].ack();
      ends[1 - closes]!.data(100);
      ends[closes]!.ack();
      ends[closes]!.fin({ unseen: true });
      ends[1 - closes]!.ack();
    }
    told.wait(50);
    const { owners, total } = record(told).fin_wait2;
    expect(total).toBe(4);
    for (const { oldest_s } of owners) {
      expect(oldest_s).toBeGreaterThan(50);
      expect(oldest_s).toBeLessThan((told.clock - begun) / SECOND);
    }
    expect(told.outcome().answers.leaks).toMatchObject({ suspects: 0, leaks: 0 });
  });

  it('in FIN_WAIT1 and LAST_ACK, where the FIN was repeated', () => {
    const told = closed([finWait1, (end) => void end.fin({ lost: true }), lastAck, open]);
    const { fin_wait2, fin_wait1, last_ack, half_open } = record(told);
    expect([fin_wait2, half_open]).toEqual([none, none]);
    expect(fin_wait1).toEqual({ total: 1, owners: [{ ...client, total: 1, connection: '10.0.0.2:41000-10.0.0.9:80' }] });
    expect(last_ack).toEqual({ total: 1, owners: [{ ...server, total: 1, connection: '10.0.0.2:41002-10.0.0.9:80' }] });
    expect(matrix(told)).toEqual({
      ESTABLISHED: { ESTABLISHED: 1 },
      FIN_WAIT1: { ESTABLISHED: 2 },
      TIME_WAIT: { LAST_ACK: 1 },
    });
  });

  it('not where it was the other FIN that was repeated', () => {
    const repeated = (one: Endpoint, other: Endpoint): void => {
      one.fin({ lost: true });
      one.again(one.lastFin);
      other.fin();
    };
    expect(record(closed([repeated]))).toEqual({ no_reply: none, fin_wait2: none, fin_wait1: none, last_ack: none, half_open: none });
  });

  it('in CLOSING: the one that was not acknowledged, whichever address it has', () => {
    const crossed = (one: Endpoint, other: Endpoint, told: Story): void => {
      told.crossing(() => {
        one.fin();
        other.fin();
      });
      other.ack({ lost: true });
      other.again(other.lastFin);
    };
    const only = (who: object) => ({ total: 1, owners: [{ ...who, total: 1, connection: '10.0.0.2:41000-10.0.0.9:80' }] });
    expect(record(closed([crossed])).last_ack).toEqual(only(server));
    expect(record(closed([(one, other, told) => crossed(other, one, told)])).last_ack).toEqual(only(client));
  });

  it('half open: the one that still had the connection which its peer had forgotten', () => {
    const { half_open, ...others } = record(closed([halfOpen, open]));
    expect(half_open).toEqual({ total: 1, owners: [{ ...server, total: 1, connection: '10.0.0.2:41000-10.0.0.9:80' }] });
    expect(others).toEqual({ no_reply: none, fin_wait2: none, fin_wait1: none, last_ack: none });
  });

  it('in the handshake: the server that does not answer, or is not answered', () => {
    const told = closed([open]);
    for (let i = 0; i < 3; i++) told.connection(host(2, 42_000 + i), host(8, 81))[0].syn();
    const [syn, answers] = told.connection(host(2, 43_000), host(9, 80));
    syn.syn();
    answers.synAck();
    const [, refuses] = told.connection(host(2, 44_000), host(9, 82));
    refuses.rst({ seq: -refuses.isn });
    expect(record(told).no_reply).toEqual({
      total: 4,
      owners: [
        { host: '10.0.0.8', role: 'server', server_port: 81, total: 3, connection: '10.0.0.2:42000-10.0.0.8:81' },
        { ...server, total: 1, connection: '10.0.0.2:43000-10.0.0.9:80' },
      ],
    });
  });

  it('none of them where the close went on, or was only late', () => {
    const told = closed([
      (a, b) => {
        finWait2(a, b);
        b.fin();
        b.again(b.lastFin);
        a.ack();
      },
      (a, b) => {
        finWait1(a);
        a.again(a.lastFin);
        b.ack();
        b.fin();
        a.ack();
      },
    ]);
    expect(record(told)).toEqual({ no_reply: none, fin_wait2: none, fin_wait1: none, last_ack: none, half_open: none });
    expect(matrix(told)).toEqual({ TIME_WAIT: { CLOSED: 2 } });
  });
});

describe('what the report says of them', () => {
  const said = (told: Story): string[] => {
    const nothing = {
      ports: { worst: [] },
      close_wait: { owners: [] },
      end_reason: {},
      resets: { senders: [], stage: {} },
      reuse: { challenged: 0 },
      time_wait: { measured: { worst: [] } },
      connections: 100,
    };
    return findings({ ...nothing, stuck: record(told) } as unknown as SummaryRecord).map(({ text, filter }) => `${text} | ${filter}`);
  };

  it('a pile in FIN_WAIT2, not a few', () => {
    expect(said(closed(Array(9).fill(finWait2)))).toEqual([]);
    const [text] = said(closed(Array(12).fill(finWait2)).wait(9));
    expect(text).toMatch(
      /^10\.0\.0\.2, a client of port 80, has 12 connections in FIN_WAIT2 at the end, the oldest for 9\.\d+ s: the peer/,
    );
    expect(text).toContain('(10.0.0.2:41000-10.0.0.9:80 for one). | tcp port 80 and host 10.0.0.2');
  });

  it('FINs that nobody acknowledges, from three on; and each half-open connection', () => {
    expect(said(closed([finWait1, finWait1, lastAck, lastAck]))).toEqual([]);
    expect(said(closed([finWait1, finWait1, finWait1, lastAck, lastAck, lastAck, halfOpen]))).toEqual([
      expect.stringMatching(
        /^10\.0\.0\.2, a client of port 80, stays in FIN_WAIT1: it repeated the FIN of 3 connections and never got an ACK/,
      ),
      expect.stringMatching(/^The server 10\.0\.0\.9:80 stays in LAST_ACK: it repeated the FIN of 3 connections/),
      expect.stringMatching(
        /^The server 10\.0\.0\.9:80 kept 1 connection that the other side had forgotten.* \| tcp port 80 and host 10\.0\.0\.9$/,
      ),
    ]);
  });
});
