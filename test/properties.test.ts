/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
// What must hold whatever was captured. Two kinds of captures: soups of segments that nobody would send, and scripts, in which
// two endpoints talk by the rules while segments are lost, repeated, reordered or not captured.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_WINDOW_SCALE } from '../src/layout/segment.ts';
import { ACK, FIN, PSH, RST, SYN } from '../src/layout/tcp.ts';
import type { ConnectionRecord } from '../src/records/connection.ts';
import {
  type Endpoint,
  type Host,
  inBrief,
  ipv4,
  ipv6,
  MILLISECOND,
  type Outcome,
  retell,
  SECOND,
  story,
  type Told,
  timeOf,
} from './support/story.ts';

const RUNS = { numRuns: 400 };
const PROFILES = ['linux', 'rfc9293', 'bsd', 'macos', 'windows'];

/** A counterexample's segments in a form that can be read: `10.0.0.1:40000 > SYN ACK seq 1 ack 2 len 3 at 0.5 s`. */
function readable(told: readonly Told[]): Told[] {
  return told.map((segment) =>
    Object.defineProperty({ ...segment }, fc.toStringMethod, {
      value: () => {
        const names = Object.entries({ FIN, SYN, RST, PSH, ACK }).filter(([, bit]) => (segment.flags & bit) !== 0);
        const { address, port } = segment.hosts[segment.from];
        return `${address.join('.')}:${port} ${segment.from === 0 ? '>' : '<'} ${names.map(([name]) => name).join(' ')} seq ${segment.seq} ack ${segment.ack} len ${segment.payload} win ${segment.window} digest ${segment.digest} at ${segment.time / SECOND} s\n`;
      },
    }),
  );
}

// -- soups

const TUPLES: readonly (readonly [Host, Host])[] = [
  [ipv4('10.0.0.1', 40000), ipv4('10.0.0.2', 80)],
  [ipv4('10.0.0.2', 40000), ipv4('10.0.0.1', 80)],
  [ipv4('200.0.0.1', 80), ipv4('10.0.0.2', 80)],
  [ipv6(1, 40000), ipv6(2, 80)],
  [
    { ...ipv6(1, 5), digest: 7 },
    { ...ipv6(2, 6), digest: 8 },
  ],
  [
    { ...ipv6(3, 5), digest: 7 },
    { ...ipv6(4, 6), digest: 8 },
  ],
];

const flags = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(SYN, SYN | ACK, ACK, ACK | PSH, FIN | ACK, FIN | ACK, RST, RST | ACK) },
  { weight: 1, arbitrary: fc.nat(63) },
);
const number = fc.oneof({ weight: 6, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) });
const step = fc.constantFrom(1000, 2 * MILLISECOND, 2 * MILLISECOND, 100 * MILLISECOND, SECOND, 70 * SECOND);

const soup = (tuples: readonly (readonly [Host, Host])[], maxLength = 40): fc.Arbitrary<Told[]> =>
  fc
    .array(
      fc.record({
        tuple: fc.nat(tuples.length - 1),
        from: fc.constantFrom<0 | 1>(0, 1),
        flags,
        seq: number,
        ack: number,
        payload: fc.constantFrom(0, 0, 0, 1, 3, 8),
        window: fc.constantFrom(500, 500, 500, 0, 3),
        digest: fc.nat(3),
        link: fc.nat(1),
        step,
      }),
      { maxLength },
    )
    .map((segments) => {
      let time = 0;
      const told = segments.map(({ tuple, step: after, digest, ...segment }, i) => {
        time += after;
        const same = { tsval: 0, scale: NO_WINDOW_SCALE, words: 5, lag: 0 };
        return { ...segment, ...same, time, hosts: tuples.at(tuple)!, digest: digest === 0 ? 1 : i + 100 };
      });
      return readable(told);
    });

// -- scripts

interface Line {
  who: 0 | 1;
  what: 'syn' | 'synAck' | 'ack' | 'data' | 'fin' | 'rst' | 'keepAlive' | 'repeat' | 'late' | 'incarnation';
  amount: number;
  lost: boolean;
  unseen: boolean;
  step: number;
}

const lineOf = (unseen: fc.Arbitrary<boolean>): fc.Arbitrary<Line> =>
  fc.record({
    who: fc.constantFrom<0 | 1>(0, 1),
    what: fc.constantFrom('ack', 'ack', 'data', 'data', 'fin', 'fin', 'rst', 'keepAlive', 'repeat', 'late', 'syn', 'synAck', 'incarnation'),
    amount: fc.integer({ min: 1, max: 100 }),
    lost: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    unseen,
    step,
  });

/** Plays a script: each line does what its endpoint could do now; what makes no sense is left out. */
function play(lines: readonly Line[], handshake: boolean): Told[] {
  const told = story({ step: 2 * MILLISECOND });
  let ends: [Endpoint, Endpoint] = [told.client, told.server];
  if (handshake) {
    told.client.syn();
    told.server.synAck();
    told.client.ack();
  }
  let incarnations = 0;
  const sent = ({ hosts, from, isn }: Endpoint, kind: number): boolean =>
    told.told.some(
      (segment) => segment.hosts === hosts && segment.from === from && segment.seq === isn && (segment.flags & (SYN | ACK)) === kind,
    );
  const asked = (end: Endpoint): boolean => sent(end, SYN);
  const answered = (end: Endpoint): boolean => sent(end, SYN | ACK);
  for (const { who, what, amount, lost, unseen, step: after } of lines) {
    told.clock += after;
    const own = ends[who];
    const different = { lost, unseen };
    const mine = told.told.filter(({ hosts, from }) => hosts === own.hosts && from === who);
    if (what === 'incarnation') ends = told.incarnation(++incarnations * 1_000_000, incarnations * 7_777_777);
    else if (what === 'syn') {
      if (own.next === 0) own.syn(different);
    } else if (what === 'synAck') {
      // The answer to a SYN; from one who has sent a SYN itself, only where the two crossed or the handshake was split.
      if (own.received === 1 && own.next <= 1 && (!asked(own) || asked(own.peer))) own.synAck({ ...different, seq: 0 });
    } else if (own.next === 0 || own.received === undefined || (asked(own) && asked(own.peer) && !answered(own))) continue;
    else if (what === 'data') {
      if (!own.lastFin) own.data(amount, different);
    } else if (what === 'repeat') {
      const last = mine.at(-amount % mine.length);
      const begun = (own.received ?? 0) > 1 || own.next > 1;
      if (last && (last.flags & RST) === 0 && !((last.flags & SYN) !== 0 && begun)) own.again(last, different);
    } else if (what === 'late') {
      if (told.told.length > 1 && !unseen) told.captureEarlier(Math.min(amount % 3, told.told.length - 1));
    } else if (what === 'fin') {
      if (own.lastFin) own.again(own.lastFin, different);
      else own.fin(different);
    } else own[what](different);
  }
  return told.told;
}

const scriptOf = (unseen: fc.Arbitrary<boolean>): fc.Arbitrary<Told[]> =>
  fc.tuple(fc.array(lineOf(unseen), { maxLength: 25 }), fc.boolean()).map(([lines, handshake]) => readable(play(lines, handshake)));
const script = scriptOf(fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }));
/** A capture that lacks nothing. */
const completeScript = scriptOf(fc.constant(false));

const captures: readonly [string, fc.Arbitrary<Told[]>][] = [
  ['soup', soup(TUPLES)],
  ['soup of one tuple', soup(TUPLES.slice(0, 1))],
  ['script', script],
];

/** The same capture as often, from other ports, all of them at the same times or nearly so. */
const crowdOf = (told: readonly Told[], size: number): Told[] =>
  Array.from({ length: size }, (_, i) =>
    told.map(({ hosts: [client, server], time, digest, ...segment }) => ({
      ...segment,
      time: time + (i >> 1),
      digest: digest + i * 1_000_000,
      hosts: [{ ...client, port: client.port + i * 100 }, server] as const,
    })),
  )
    .flat()
    .sort((a, b) => a.time - b.time);

/** What statistics say, whatever the order in which they counted; of histograms the bins that are not empty. */
const countsOf = ({ statistics }: Outcome): string =>
  JSON.stringify(statistics.part(), (_, value: unknown) => {
    if (value instanceof Map) return [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1));
    return value instanceof Float64Array ? Array.from(value.entries()).filter(([, count]) => count > 0) : value;
  });

const retelling = fc.record({ profile: fc.constantFrom(...PROFILES), idleTimeout: fc.constantFrom(Infinity, 5) });

/** What two captures that tell the same must have in common. */
const facts = (records: readonly ConnectionRecord[]) =>
  records.map(({ community_id: _id, client: { ip: _ip, ...client }, server: { ip: _other, ...server }, ...record }) => ({
    ...record,
    client,
    server,
  }));

const NEXT: Readonly<Record<string, readonly string[]>> = {
  SYN_SENT: ['SYN_RECV', 'ESTABLISHED', 'CLOSED'],
  SYN_RECV: ['ESTABLISHED', 'FIN_WAIT1', 'CLOSED'],
  ESTABLISHED: ['FIN_WAIT1', 'CLOSE_WAIT', 'CLOSED'],
  FIN_WAIT1: ['FIN_WAIT2', 'CLOSING', 'TIME_WAIT', 'CLOSED'],
  FIN_WAIT2: ['TIME_WAIT', 'CLOSED'],
  CLOSING: ['TIME_WAIT', 'CLOSED'],
  TIME_WAIT: ['CLOSED'],
  CLOSE_WAIT: ['LAST_ACK', 'CLOSED'],
  LAST_ACK: ['CLOSED'],
  CLOSED: [],
};

const endpoints = (records: readonly ConnectionRecord[]) => records.flatMap(({ client, server }) => [client, server]);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

for (const [kind, capture] of captures) {
  describe(`any ${kind}`, () => {
    const holds = (what: string, check: (outcome: Outcome, told: readonly Told[]) => void): void => {
      it(what, () => {
        fc.assert(
          fc.property(capture, retelling, (told, how) => check(retell(told, how), told)),
          RUNS,
        );
      });
    };

    holds('counts every segment exactly once', ({ records, tracker, statistics }, told) => {
      expect(sum(endpoints(records).map(({ segments }) => segments))).toBe(tracker.segments);
      expect(tracker.segments + tracker.duplicates + tracker.late).toBe(told.length);
      expect(tracker.table.count).toBe(0);
      expect(statistics.connections).toBe(records.length);
    });

    holds('counts SYN, FIN and RST as they were sent', ({ records, tracker }, told) => {
      fc.pre(tracker.duplicates + tracker.late === 0);
      for (const [name, bit] of [
        ['syn', SYN],
        ['fin', FIN],
        ['rst', RST],
      ] as const) {
        expect(sum(endpoints(records).map((endpoint) => endpoint[name])), name).toBe(
          told.filter((segment) => (segment.flags & bit) !== 0).length,
        );
      }
    });

    holds('counts no more bytes than were sent', ({ records }, told) => {
      expect(sum(endpoints(records).map(({ bytes }) => bytes))).toBeLessThanOrEqual(sum(told.map(({ payload }) => payload)));
      for (const { bytes } of endpoints(records)) expect(bytes).toBeGreaterThanOrEqual(0);
    });

    holds('lets TIME_WAIT start, end and expire in this order, within the connection', ({ records }) => {
      for (const record of records) {
        for (const { start, end, expiry, holder } of record.time_wait) {
          expect(timeOf(start), inBrief(record)).toBeGreaterThanOrEqual(timeOf(record.start));
          expect(timeOf(end), inBrief(record)).toBeGreaterThanOrEqual(timeOf(start));
          expect(timeOf(expiry), inBrief(record)).toBeGreaterThanOrEqual(timeOf(end));
          expect(
            record[holder].states?.some(([state]) => state === 'TIME_WAIT'),
            inBrief(record),
          ).toBe(true);
        }
        const waiting = (['client', 'server'] as const).filter((role) => record[role].states?.some(([state]) => state === 'TIME_WAIT'));
        expect(record.time_wait.map(({ holder }) => holder).sort(), inBrief(record)).toEqual(waiting);
      }
    });

    holds('lets time run one way in every list of states', ({ records }) => {
      for (const { states = [], state } of endpoints(records)) {
        for (let i = 1; i < states.length; i++) expect(states.at(i)![1]).toBeGreaterThanOrEqual(states.at(i - 1)![1]);
        expect(state).toBe(states.at(-1)?.[0]);
      }
    });

    holds('agrees with itself', ({ records }) => {
      for (const record of records) {
        const { close, end_reason, client, server, visibility, confidence } = record;
        expect(timeOf(record.end), inBrief(record)).toBeGreaterThanOrEqual(timeOf(record.start));
        expect(visibility).toBe(client.segments === 0 ? 'server_only' : server.segments === 0 ? 'client_only' : 'both');
        expect(confidence === 'unknown', inBrief(record)).toBe(close.class === 'unknown');
        expect(close.initiator === undefined, inBrief(record)).toBe(close.basis === undefined);
        if (['not_closed', 'no_reply'].includes(close.class)) expect(close.sequence, inBrief(record)).toBe('');
        if (['refused', 'aborted_handshake', 'rst_abort'].includes(close.class)) expect(end_reason, inBrief(record)).toBe('reset');
        for (const value of [close.duration_s, close.fin_ack_s, close.half_closed_s, close.last_ack_s]) {
          if (value !== undefined) expect(value, inBrief(record)).toBeGreaterThanOrEqual(0);
        }
      }
    });

    holds('names each wave in its place', ({ records }) => {
      for (const record of records) {
        const tokens = record.close.sequence.split(' ').filter((token) => token !== '');
        for (const side of ['>', '<']) {
          const own = tokens.filter((token) => token.endsWith(side)).map((token) => token.slice(0, -1));
          const peer = tokens.filter((token) => !token.endsWith(side)).map((token) => token.slice(0, -1));
          expect(own.filter((token) => token === 'F' || token === 'FA').length, inBrief(record)).toBeLessThanOrEqual(1);
          expect(own.filter((token) => token === 'A' || token === 'FA').length, inBrief(record)).toBeLessThanOrEqual(1);
          expect(own.filter((token) => token === 'D').length, inBrief(record)).toBeLessThanOrEqual(1);
          expect(own.filter((token) => token === 'a').length, inBrief(record)).toBeLessThanOrEqual(
            peer.filter((token) => token === 'f').length,
          );
        }
        const reset = tokens.findIndex((token) => token.startsWith('R'));
        if (reset >= 0) expect(reset, inBrief(record)).toBe(tokens.length - 1);
      }
    });

    it('gives the same answer for batches of any size and for any key of the hash', () => {
      fc.assert(
        fc.property(capture, retelling, fc.integer({ min: 1, max: 7 }), fc.integer(), (told, how, batch, seed) => {
          const whole = retell(told, how);
          const cut = retell(told, { ...how, batch, seed });
          expect(cut.records).toEqual(whole.records);
          expect(cut.endings).toEqual(whole.endings);
        }),
        RUNS,
      );
    });

    it('says the same of connections whether each is judged or taken by its shape', () => {
      let taken = 0;
      fc.assert(
        fc.property(capture, retelling, (told, how) => {
          const crowd = crowdOf(told, 4);
          const [judged, byShape] = [retell(crowd, how), retell(crowd, { ...how, byShape: true })];
          expect(String(byShape.rows)).toBe(String(judged.rows));
          expect(countsOf(byShape)).toBe(countsOf(judged));
          expect(byShape.lines).toEqual(judged.lines);
          const atOnce = retell(crowd, { ...how, byShape: true, lines: false });
          expect(String(atOnce.rows)).toBe(String(judged.rows));
          expect(countsOf(atOnce)).toBe(countsOf(judged));
          taken += byShape.rows.length - byShape.records.length;
        }),
        RUNS,
      );
      expect(taken).toBeGreaterThan(RUNS.numRuns / 4);
    });

    it('gives the same answer where constants are added to the sequence numbers', () => {
      const offset = fc.oneof(fc.integer(), fc.constantFrom(-1, -5, 2 ** 31, 2 ** 31 - 3));
      fc.assert(
        fc.property(capture, retelling, offset, offset, (told, how, client, server) => {
          const offsets = [client, server] as const;
          const moved = told.map((segment) => ({
            ...segment,
            seq: (segment.seq + offsets[segment.from]) | 0,
            ack: (segment.ack + offsets[segment.from === 0 ? 1 : 0]) | 0,
          }));
          // An RST that acknowledges and has the number 0 answers a SYN: that number is no sequence's.
          const answers = (segment: (typeof told)[number]): boolean =>
            (segment.flags & (SYN | RST | ACK)) === (RST | ACK) && segment.seq === 0;
          fc.pre(!told.some(answers) && !moved.some(answers));
          expect(retell(moved, how).records).toEqual(retell(told, how).records);
        }),
        RUNS,
      );
    });
  });
}

describe('two endpoints that exchange their addresses', () => {
  for (const [kind, capture] of captures.slice(1)) {
    it(`have the same record with the addresses exchanged (${kind})`, () => {
      fc.assert(
        fc.property(capture, retelling, (told, how) => {
          const exchanged = told.map((segment) => {
            const [client, server] = segment.hosts;
            return {
              ...segment,
              hosts: [
                { ...client, address: server.address },
                { ...server, address: client.address },
              ] as const,
            };
          });
          const [one, other] = [retell(told, how).records, retell(exchanged, how).records];
          expect(facts(other)).toEqual(facts(one));
          expect(other.map(({ client, server }) => [server.ip, client.ip])).toEqual(
            one.map(({ client, server }) => [client.ip, server.ip]),
          );
        }),
        RUNS,
      );
    });
  }
});

describe('two endpoints that talk by the rules', () => {
  it('go through states as in the diagram of RFC 9293', () => {
    fc.assert(
      fc.property(completeScript, (told) => {
        for (const record of retell(told).records) {
          for (const { states = [] } of [record.client, record.server]) {
            for (let i = 1; i < states.length; i++) {
              expect(NEXT[states.at(i - 1)![0]], `${inBrief(record)}: ${states.map(([name]) => name).join(' ')}`).toContain(
                states.at(i)![0],
              );
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the order of the records', () => {
  it('is by the packet that ended them, and by 4-tuple at the end of the capture', () => {
    fc.assert(
      fc.property(soup(TUPLES), (told) => {
        const { endings, records } = retell(told);
        const packets = endings.map(({ packet }) => packet).filter((packet) => packet >= 0 && packet < Infinity);
        expect(packets).toEqual(packets.toSorted((a, b) => a - b));
        const last = records.filter((_, i) => endings.at(i)!.packet === Infinity).map(tuple);
        expect(last).toEqual(last.toSorted());
        const times = endings.map(({ time }) => time);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
      RUNS,
    );
  });

  const tuple = ({ client, server }: ConnectionRecord): string => {
    const text = ({ ip, port }: { ip: string; port: number }): string =>
      (ip.includes(':')
        ? `6${ip}`
        : `4${ip
            .split('.')
            .map((part) => part.padStart(3, '0'))
            .join('.')}`) + `|${String(port).padStart(5, '0')}`;
    const [[lowIp, lowPort] = [], [highIp, highPort] = []] = [text(client), text(server)].sort().map((end) => end.split('|'));
    return [lowIp, highIp, lowPort, highPort].join(' ');
  };
});

describe('bytes', () => {
  it('are the union of the sequence ranges, in whatever order they come', () => {
    const range = fc.record({ seq: fc.integer({ min: 1, max: 3000 }), payload: fc.integer({ min: 2, max: 400 }) });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.integer(), (ranges, clientIsn) => {
        const { client, server, record } = story({ clientIsn });
        client.syn();
        server.synAck();
        client.ack();
        for (const { seq, payload } of ranges) client.data(payload, { seq });
        const seen = new Set(ranges.flatMap(({ seq, payload }) => Array.from({ length: payload }, (_, i) => seq + i)));
        expect(record().client.bytes).toBe(seen.size);
      }),
      RUNS,
    );
  });
});

it('IPv6 addresses whose digests collide remain apart, on the short path too', () => {
  const hosts = [
    [
      { ...ipv6(1, 5), digest: 7 },
      { ...ipv6(2, 6), digest: 8 },
    ],
    [
      { ...ipv6(3, 5), digest: 7 },
      { ...ipv6(4, 6), digest: 8 },
    ],
  ] as const;
  const told = story({ client: hosts[0][0], server: hosts[0][1] });
  const [client, server] = told.connection(hosts[1][0], hosts[1][1], 1000, 2_000_000);
  for (const [a, b] of [
    [told.client, told.server],
    [client, server],
  ] as const) {
    a.syn();
    b.synAck();
    a.ack();
    b.ack();
  }
  for (let i = 0; i < 5; i++) {
    told.client.data(10);
    client.data(1);
  }
  expect(told.records().map(({ client: { ip, bytes, segments } }) => [ip, bytes, segments])).toEqual([
    ['2001:db8::1', 50, 7],
    ['2001:db8::3', 5, 7],
  ]);
});
