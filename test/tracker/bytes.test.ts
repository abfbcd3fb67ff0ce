import { describe, expect, it } from 'vitest';
import { ACK, SYN } from '../../src/layout/tcp.ts';
import { established, finWait1, midstream, story, synSent } from '../support/story.ts';

describe('bytes are the union of the sequence ranges seen', () => {
  it('ordinary data', () => {
    const { client, server, record } = established();
    client.data(100);
    server.data(1000);
    client.data(1);
    expect(record()).toMatchObject({ client: { bytes: 101, segments: 4 }, server: { bytes: 1000, segments: 2 } });
  });

  it('retransmissions count once, partial and larger ones too', () => {
    const { client, record } = established();
    client.data(100);
    client.data(100, { seq: 1 });
    client.data(50, { seq: 1 });
    client.data(150, { seq: 51 });
    expect(record().client).toMatchObject({ bytes: 200, segments: 6 });
  });

  it('holes are not counted, and the gap is told', () => {
    const { client, server, record } = established();
    client.data(100, { unseen: true });
    client.data(50);
    server.ack();
    expect(record()).toMatchObject({ client: { bytes: 50 }, close: { modifiers: ['gap'] }, confidence: 'likely' });
  });

  it('a hole that is filled later is no gap but out of order', () => {
    const { client, server, record } = established();
    client.data(100, { lost: true });
    client.data(50, { seq: 101, lost: true });
    const { story: told } = client;
    told.captureEarlier();
    server.ack({ ack: 151 });
    expect(record()).toMatchObject({ client: { bytes: 150 }, close: { modifiers: ['out_of_order'] }, confidence: 'certain' });
  });

  it('a segment over several holes fills each', () => {
    const { client, record } = established();
    for (const seq of [11, 31, 51]) client.data(10, { seq });
    expect(record().client.bytes).toBe(30);
    client.data(60, { seq: 1 });
    expect(record().client.bytes).toBe(60);
  });

  it('at most 64 holes are remembered, also where one is filled in its midst; those that were forgotten are counted', () => {
    const told = established();
    told.client.data(10, { seq: 5001 });
    for (let i = 0; i < 100; i++) told.client.data(10, { seq: 11 + 40 * i });
    told.client.data(5000, { seq: 1 });
    const { records, tracker } = told.outcome();
    expect(tracker.oddities.toRecord()).toEqual({ hole_forgotten: 37 });
    expect(records[0]?.client.bytes).toBe(5010 - (10 + 36 * 30));
  });

  it('across the wrap of sequence numbers', () => {
    for (const clientIsn of [-50, 0x7fffffff, 2 ** 32 - 1, -1]) {
      const { client, server, record } = established({ clientIsn });
      client.data(100);
      client.data(100, { seq: 51 });
      server.ack();
      expect(record().client.bytes, String(clientIsn)).toBe(150);
    }
  });

  it('what comes late into a hole that was acknowledged long ago', () => {
    const { client, server, record } = established();
    client.data(10);
    const lost = client.data(100, { unseen: true });
    client.data(10);
    server.ack();
    for (let i = 0; i < 5; i++) {
      client.data(50);
      server.data(20);
    }
    client.ack();
    client.again(lost);
    client.again(lost);
    server.ack();
    const { client: sender, server: receiver, close } = record();
    expect([sender.bytes, receiver.bytes, close.modifiers]).toEqual([10 + 100 + 10 + 5 * 50, 5 * 20, ['out_of_order']]);
  });

  it("a keep-alive's byte is not payload", () => {
    const { client, server, record } = established();
    client.keepAlive({ payload: 1 });
    server.ack();
    client.data(10);
    client.keepAlive({ payload: 1 });
    expect(record()).toMatchObject({ client: { bytes: 10 }, close: { modifiers: [] } });
  });

  it('nor is it where the capture lacks the data below it', () => {
    const { client, server, record } = established();
    client.data(100, { unseen: true });
    client.ack();
    client.keepAlive({ payload: 1 });
    server.ack();
    expect(record().client.bytes).toBe(0);
  });

  it('but one byte that comes late, or again, is, where the peer has not acknowledged it', () => {
    const late = established();
    const byte = late.client.data(1, { unseen: true });
    late.client.ack();
    late.client.again(byte);
    late.server.ack();
    late.server.fin();
    late.client.ack();
    expect(late.record()).toMatchObject({
      client: { bytes: 1 },
      close: { class: 'half_open', initiator: 'server', sequence: 'F< A>', modifiers: ['out_of_order'] },
    });
    const again = established();
    const seen = again.client.data(1);
    again.client.again(seen);
    again.server.ack();
    expect(again.record()).toMatchObject({ client: { bytes: 1 }, close: { class: 'not_closed', modifiers: [] } });
  });

  it('a probe of a byte that the capture lacks, with others, is no FIN before it', () => {
    const told = established();
    const { client, server } = told;
    client.data(10, { unseen: true });
    for (let i = 0; i < 2; i++) {
      told.wait(75);
      client.keepAlive();
      server.ack();
    }
    expect(told.record()).toMatchObject({ close: { class: 'not_closed', modifiers: ['gap'] }, confidence: 'likely', client: { bytes: 0 } });
    expect(told.states()).toEqual({ client: 'SYN_SENT ESTABLISHED', server: 'SYN_RECV ESTABLISHED' });
    client.data(20);
    server.ack();
    client.fin();
    server.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'half_open', initiator: 'client', sequence: 'F> A<', modifiers: ['gap'] },
      client: { bytes: 20 },
    });
  });

  it("a probe of a window of zero is no keep-alive's", () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack({ window: 0 });
    client.keepAlive();
    server.ack({ window: 0 });
    client.fin();
    server.ack({ window: 0 });
    expect(record().close.modifiers).toEqual(['zero_window_at_close']);
  });

  it('the SYN and the FIN are no bytes; payload in them is', () => {
    const { client, server, record } = story();
    client.syn({ payload: 5 });
    server.synAck();
    client.fin({ payload: 7 });
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ client: { bytes: 12 }, server: { bytes: 0 } });
  });

  it('in the middle of a connection, from the first segment seen on, and what is reordered below it', () => {
    const { client, server, record } = midstream();
    client.data(50, { seq: 51 });
    client.data(50, { seq: 1 });
    server.ack({ ack: 101 });
    expect(record().client.bytes).toBe(100);
  });

  it('payload of a number that belongs to no live exchange is not counted', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    client.data(10, { seq: 0x70000000 });
    expect(record().client).toMatchObject({ bytes: 10, segments: 4 });
  });

  it('one byte of payload is one byte, whatever the numbers before it were', () => {
    const { client, record } = synSent();
    const wild = 2 ** 30 + 2_098_198_863;
    client.data(0, { seq: 2 ** 30 });
    client.fin({ seq: wild });
    client.data(1, { seq: wild });
    expect(record().client.bytes).toBeLessThanOrEqual(1);
  });

  it('so it is where a SYN-ACK numbers its sender anew', () => {
    const { client, server, record } = story();
    client.send(SYN | ACK, { seq: 0, ack: 0 });
    server.send(SYN | ACK, { seq: 1, ack: 0 });
    server.send(SYN | ACK, { seq: 0, ack: 0 });
    server.data(8, { seq: 0 });
    const { client: one, server: other } = record();
    expect(one.bytes + other.bytes).toBeLessThanOrEqual(8);
  });

  it('payload beyond the own FIN', () => {
    const { client, record } = finWait1();
    client.data(10, { seq: 1 });
    expect(record().client.state).toBe('FIN_WAIT1');
  });
});

it('segments, syn, fin, rst count all that the endpoint sent', () => {
  const { client, server, record } = story();
  const syn = client.syn();
  client.again(syn);
  server.synAck();
  client.ack();
  client.fin();
  client.again(client.lastFin);
  client.rst();
  client.rst();
  expect(record()).toMatchObject({ client: { segments: 7, syn: 2, fin: 2, fin_retransmits: 1, rst: 2 }, server: { segments: 1, syn: 1 } });
});
