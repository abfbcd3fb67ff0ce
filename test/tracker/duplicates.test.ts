import { describe, expect, it } from 'vitest';
import { NO_IDENTIFICATION } from '../../src/layout/segment.ts';
import { RST } from '../../src/layout/tcp.ts';
import { established, finWait1, MILLISECOND, SECOND, type Story, story, timeWait } from '../support/story.ts';

const duplicates = (told: Story): number => told.outcome().tracker.duplicates;

describe('the same packet captured twice within a millisecond', () => {
  it('is one, on another interface', () => {
    const told = story({ step: 10 * MILLISECOND });
    for (const send of [() => told.client.syn(), () => told.server.synAck(), () => told.client.ack(), () => told.client.data(10)]) {
      send();
      told.copy(100_000, { link: 2 });
    }
    const { tracker, records } = told.outcome();
    expect(tracker).toMatchObject({ duplicates: 4, segments: 4 });
    expect(records).toMatchObject([{ client: { segments: 3, syn: 1, bytes: 10 }, server: { segments: 1 } }]);
  });

  it('is one on the same interface too, in IPv4 with an identification', () => {
    const told = established();
    told.copy(500_000);
    expect(duplicates(told)).toBe(1);
  });

  it('is one up to a millisecond, and another one beyond', () => {
    for (const [after, count] of [
      [MILLISECOND, 1],
      [MILLISECOND + 1, 0],
    ] as const) {
      const told = established();
      told.copy(after);
      expect(duplicates(told), `${after} ns`).toBe(count);
    }
  });

  it('the millisecond is that of the first copy', () => {
    const told = established();
    told.copy(0.6 * MILLISECOND);
    told.copy(0.6 * MILLISECOND);
    expect(duplicates(told)).toBe(1);
  });

  it('any number of copies', () => {
    const told = finWait1();
    for (let i = 0; i < 9; i++) told.copy(100_000, { link: i });
    expect(told.outcome().tracker).toMatchObject({ duplicates: 9, segments: 4 });
    expect(told.record()).toMatchObject({ client: { fin: 1, fin_retransmits: 0 }, close: { modifiers: [] } });
  });

  it('other bytes are another packet', () => {
    const told = established();
    told.copy(1000, { digest: 12345 });
    expect(duplicates(told)).toBe(0);
  });

  it('the same digest with another sequence number is another packet', () => {
    const told = established();
    told.client.data(10);
    told.client.data(10);
    const [first, second] = told.told.slice(-2) as [(typeof told.told)[number], (typeof told.told)[number]];
    second.digest = first.digest;
    second.time = first.time + 1000;
    expect(duplicates(told)).toBe(0);
  });

  it('the same digest on another connection is another packet', () => {
    const told = established();
    const [client] = told.connection({ address: [1, 2, 3, 4], port: 5 }, { address: [6, 7, 8, 9], port: 10 });
    const { digest } = told.told.at(-1)!;
    client.syn().digest = digest;
    told.told.at(-1)!.time = told.told.at(-2)!.time + 1000;
    expect(duplicates(told)).toBe(0);
  });
});

describe('where nothing numbers the packets (IPv6, identification 0)', () => {
  it('a segment without payload, SYN and FIN is a copy only on another interface', () => {
    const burst = (link: number, flags = NO_IDENTIFICATION) => {
      const told = established();
      told.client.ack().flags |= flags;
      told.copy(1000, { link });
      return duplicates(told);
    };
    expect(burst(1)).toBe(0);
    expect(burst(2)).toBe(1);
    const resets = established();
    resets.client.send(RST).flags |= NO_IDENTIFICATION;
    resets.copy(1000);
    expect(duplicates(resets)).toBe(0);
  });

  it('a burst of equal ACKs seen on two interfaces is counted once per ACK, in whatever order it is captured', () => {
    for (const links of [
      [1, 2, 1, 2],
      [1, 1, 2, 2],
    ]) {
      const told = established();
      const [first, ...rest] = links;
      const ack = told.server.ack();
      ack.flags |= NO_IDENTIFICATION;
      ack.link = first!;
      for (const link of rest) told.copy(1000, { link });
      expect(told.record().server.segments, String(links)).toBe(3);
    }
  });

  it('SYN, FIN and payload are copies on the same interface too', () => {
    for (const send of [
      (told: Story) => told.client.fin(),
      (told: Story) => told.client.data(5),
      (told: Story) => told.incarnation()[0].syn(),
    ]) {
      const told = established();
      send(told).flags |= NO_IDENTIFICATION;
      told.copy(1000);
      expect(duplicates(told)).toBe(1);
    }
  });
});

it('a clock that went back: packets whose own times are far apart are no copies', () => {
  const told = established();
  told.copy(0, { lag: 100 }); // 1.6 ms before the capture clock
  expect(duplicates(told)).toBe(0);
  const near = established();
  near.copy(0, { lag: 30 });
  expect(duplicates(near)).toBe(1);
});

it('many packets within one millisecond do not make the memory of copies forget', () => {
  const told = story({ step: 100 });
  const pairs = 2000;
  for (let i = 0; i < pairs; i++) {
    const [client] = told.connection({ address: [10, 1, i >> 8, i & 255], port: 1000 }, { address: [10, 9, 9, 9], port: 80 });
    client.syn();
  }
  const copies = told.told.map((segment, i) => ({ ...segment, link: 2, time: told.clock + 100 * (i + 1) }));
  told.told.push(...copies);
  expect(told.outcome().tracker).toMatchObject({ duplicates: pairs, segments: pairs });
});

it('a whole connection seen twice is the same as seen once', () => {
  const once = timeWait();
  const twice = timeWait();
  twice.told.splice(0, Infinity, ...twice.told.flatMap((told) => [told, { ...told, time: told.time + 1000, link: 2 }]));
  expect(twice.record({ until: SECOND })).toEqual(once.record({ until: SECOND }));
});
