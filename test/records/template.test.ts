// What WebAssembly writes by a template is what is written for a connection that is looked at alone.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACK, FIN } from '../../src/layout/tcp.ts';
import { Clock } from '../../src/records/time.ts';
import { established, type Host, ipv4 as host, retell, SECOND, story } from '../support/story.ts';

const port = fc.nat(65_535);
/** IPv6 addresses are texts with and without runs of zeros, and such as have an IPv4 address in them. */
const group = fc.oneof(fc.constant(0), fc.constantFrom(1, 0xffff, 0x0db8), fc.nat(0xffff));
const ipv6 = fc
  .oneof(
    fc.array(group, { minLength: 8, maxLength: 8 }),
    fc.tuple(fc.constantFrom(0, 0xffff), group, fc.nat(0xffff)).map(([sixth, high, low]) => [0, 0, 0, 0, 0, sixth, high, low]),
  )
  .map((groups) => groups.flatMap((value) => [value >> 8, value & 255]));
const ipv4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
const hosts = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
const clocks = fc.tuple(fc.oneof(fc.integer({ min: -70_000_000_000, max: 260_000_000_000 }), fc.nat(2_000_000_000)), fc.constantFrom(6, 9));
/** Between segments, ns; from none to a day. */
const step = fc.oneof(fc.nat(2000), fc.nat(2_000_000_000), fc.nat(86_400_000_000_000), fc.constantFrom(0, 999, 1000, 500, 1_000_000));

const connection = fc.record({ addresses: hosts, ports: fc.tuple(port, port), step, bytes: fc.nat(100_000), close: fc.nat(11) });

/** Closes one connection after the other in four waves, or none, and most in the one way: the first of a way makes the template. */
const captures = fc.tuple(fc.nat(2), fc.array(connection, { minLength: 2, maxLength: 8 })).map(([way, connections]) => {
  const told = story({ step: 1 });
  for (const { addresses, ports, step: between, bytes, close: chosen } of connections) {
    const close = chosen < 3 ? chosen : way;
    const [client, server] = addresses.map((address, i): Host => ({ address, port: ports[i as 0] })) as [Host, Host];
    const ends = told.connection(client, server);
    const pause = (): void => void (told.clock += between);
    ends[0].syn();
    pause();
    ends[1].synAck();
    pause();
    ends[0].ack();
    ends[1].data(bytes + 1);
    pause();
    if (close === 0) continue;
    ends[close - 1]!.fin();
    pause();
    ends[2 - close]!.fin();
    pause();
    ends[close - 1]!.ack();
  }
  return told.told;
});

describe('a line by its template', () => {
  it('is the line of the same connection judged alone', () => {
    let taken = 0;
    fc.assert(
      fc.property(captures, clocks, (told, [origin, digits]) => {
        const clock = new Clock(origin, digits);
        const [judged, byShape] = [retell(told, { clock }), retell(told, { clock, byShape: true })];
        expect(byShape.lines).toEqual(judged.lines);
        for (const line of byShape.lines) JSON.parse(line);
        taken += byShape.lines.length - byShape.records.length;
      }),
      { numRuns: 1300 }, // where a FIN stands for more than a second, the line is none of a template's
    );
    expect(taken).toBeGreaterThan(1300);
  });

  it.each([52.2, 60, 104])('has every ns of a time %d days from the origin', (days) => {
    const told = story({ step: 1 });
    for (let place = 0; place < 4; place++) {
      told.clock = place === 0 ? 0 : Math.round(days * 86_400) * SECOND + place;
      told.connection(host('10.0.0.2', 50_000 + place), host('10.0.0.9', 80))[0].syn();
    }
    const [judged, byShape] = [retell(told.told), retell(told.told, { byShape: true })];
    expect(byShape.records).toHaveLength(1);
    expect(byShape.lines).toEqual(judged.lines);
  });

  it('has all letters of a history that has no room in the slot', () => {
    const told = story();
    for (const fins of [1, 1, 12]) {
      const [client, server] = told.connection(host('10.0.0.2', 50_000 + told.told.length), host('10.0.0.9', 80));
      client.syn();
      server.synAck();
      const ack = client.ack();
      server.ack();
      // FINs so far away that they belong to no live exchange.
      for (let i = 0; i < fins; i++)
        told.told.push({ ...ack, time: told.tick(), flags: FIN | ACK, seq: ack.seq + 0x60000000 + i, digest: told.digest() });
      client.data(10);
      server.data(10);
      client.ack();
    }
    const [judged, byShape] = [retell(told.told), retell(told.told, { byShape: true })];
    expect(byShape.records).toHaveLength(2);
    expect(byShape.lines).toEqual(judged.lines);
    expect(byShape.lines[2]).toContain(`"history":"ShAa${'F'.repeat(12)}Dd"`);
  });

  it('is not written for what ends as none did before', () => {
    expect(retell(established().told, { byShape: true }).records).toHaveLength(1);
  });
});
