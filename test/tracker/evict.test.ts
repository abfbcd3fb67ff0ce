import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Story, ipv4, lastAck, MILLISECOND, SECOND, story, timeOf, timeWait } from '../support/story.ts';

const server = ipv4('10.0.0.9', 80);

/** SYNs that nobody answers, from as many ports. */
function flood(told: Story, from: number, count: number): Story {
  for (let i = 0; i < count; i++) told.connection(ipv4('10.0.0.3', from + i), server)[0].syn();
  return told;
}

describe('more connections than there is room for', () => {
  it('evict those that were silent longest, and every one has its record', () => {
    const told = story();
    const [client, peer] = told.connection(ipv4('10.0.0.2', 40_000), server);
    client.syn();
    peer.synAck();
    client.ack();
    for (let i = 0; i < 10; i++) {
      flood(told, 1000 + i * 10, 10);
      client.data(1);
      peer.ack();
    }
    const { records, statistics } = told.outcome({ capacity: 16 });
    expect(records).toHaveLength(101);
    const evicted = records.filter(({ end_reason }) => end_reason === 'evicted');
    expect(evicted.length).toBeGreaterThanOrEqual(101 - 16);
    expect(evicted.every(({ client: { port } }) => port < 40_000)).toBe(true);
    expect(evicted.every(({ flow_end_reason: reason }) => reason === 5)).toBe(true); // lack of resources (RFC 5102 §5.11.3)
    expect(statistics.endReasons.counts.get('evicted')).toBe(evicted.length);
    // Who has spoken since stays.
    expect(records.find(({ client: { port } }) => port === 40_000)).toMatchObject({
      end_reason: 'capture_end',
      client: { segments: 12 },
    });
    const kept = records.filter(({ end_reason }) => end_reason === 'capture_end');
    const latest = Math.max(...evicted.map(({ end }) => timeOf(end)));
    expect(kept.filter(({ end }) => timeOf(end) < latest)).toEqual([]);
  });

  it('leave TIME_WAIT as long as it has to be', () => {
    const told = timeWait();
    const { records, answers } = flood(told.wait(1), 1000, 40).outcome({ capacity: 8, until: told.clock + 2 * SECOND });
    const [closed, ...others] = records.filter(({ end_reason }) => end_reason === 'closed');
    expect(others).toEqual([]);
    expect(closed?.time_wait).toMatchObject([{ holder: 'client', ended_by: 'expiry' }]);
    const [{ start, end } = { start: '', end: '' }] = closed?.time_wait ?? [];
    expect(timeOf(end) - timeOf(start)).toBe(60 * SECOND);
    expect(answers.waiting.together(0, told.clock + 2 * SECOND)).toMatchObject({ now: 1, peak: 1 });
  });

  it('leave it also where the last ACK is missing', () => {
    const told = lastAck();
    const { records } = flood(told.wait(1), 1000, 40).outcome({ capacity: 8, until: told.clock + 2 * SECOND });
    const closed = records.find(({ close }) => close.class === 'last_ack_missing');
    expect(closed).toMatchObject({ end_reason: 'evicted', time_wait: [{ holder: 'client', basis: 'fin', ended_by: 'expiry' }] });
    const [{ start, end } = { start: '', end: '' }] = closed?.time_wait ?? [];
    expect(timeOf(end) - timeOf(start)).toBe(60 * SECOND);
  });

  it('are evicted where the clock stands still, too', () => {
    const told = flood(story({ step: 0 }), 1000, 100);
    const { records } = told.outcome({ capacity: 10 });
    expect(records).toHaveLength(100);
    expect(new Set(records.map(({ client: { port } }) => port)).size).toBe(100);
  });

  it('count the same by their shape', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 40 }), fc.array(fc.tuple(fc.nat(30), fc.nat(4)), { maxLength: 150 }), (capacity, steps) => {
        const told = story();
        const ends = new Map<number, ReturnType<Story['connection']>>();
        for (const [port, what] of steps) {
          const pair = ends.get(port) ?? told.connection(ipv4('10.0.0.2', 40_000 + port), server);
          ends.set(port, pair);
          const [client, peer] = pair;
          if (client.next === 0) client.syn();
          else [() => peer.synAck(), () => client.ack(), () => client.data(3), () => client.fin(), () => peer.fin()][what]!();
        }
        told.wait(5 * MILLISECOND);
        const one = told.outcome({ capacity });
        const other = told.outcome({ capacity, byShape: true });
        expect(other.rows).toEqual(one.rows);
        expect(other.lines).toEqual(one.lines);
        expect(one.rows.length).toBeGreaterThanOrEqual(new Set(steps.map(([port]) => port)).size);
      }),
    );
  });
});
