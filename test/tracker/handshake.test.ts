import { describe, expect, it } from 'vitest';
import { ACK, FIN, PSH, RST, SYN } from '../../src/layout/tcp.ts';
import {
  established,
  finWait1,
  ipv4,
  midstream,
  timeOf,
  stateNames,
  type Story,
  story,
  synReceived,
  synSent,
  timeWait,
} from '../support/story.ts';

describe('who is the client', () => {
  it('is the sender of the first SYN', () => {
    expect(established().record().client).toMatchObject({ ip: '10.0.0.2', port: 40000 });
    const other = established({ client: ipv4('192.168.9.9', 443), server: ipv4('10.0.0.1', 50000) });
    expect(other.record().client).toMatchObject({ ip: '192.168.9.9', port: 443 });
  });

  it('is the receiver of a SYN-ACK that was captured first', () => {
    const { client, server, record } = story();
    client.syn({ unseen: true });
    server.synAck();
    expect(record()).toMatchObject({ client: { ip: '10.0.0.2' }, server: { ip: '10.0.0.9' } });
  });

  it('is the higher port where the capture begins in the middle, whoever speaks first', () => {
    for (const first of ['client', 'server'] as const) {
      const told = midstream();
      told[first].data(10);
      expect(told.record()).toMatchObject({ open: 'midstream', confidence: 'likely', client: { port: 40000 }, server: { port: 80 } });
    }
    const { client, record } = midstream({ client: ipv4('10.0.0.2', 80), server: ipv4('10.0.0.9', 40000) });
    client.data(10);
    expect(record().client).toMatchObject({ port: 40000 });
  });

  it('is the sender of the earlier SYN where the SYNs cross', () => {
    const told = story({ client: ipv4('10.0.0.9', 50000), server: ipv4('10.0.0.2', 50000) });
    told.crossing(() => {
      told.client.syn();
      told.server.syn();
    });
    told.crossing(() => {
      told.client.synAck({ seq: 0 });
      told.server.synAck({ seq: 0 });
    });
    expect(told.record()).toMatchObject({ open: 'simultaneous_open', client: { ip: '10.0.0.9' } });
  });

  it('is the sender of a SYN that was captured behind its first data, whatever the ports', () => {
    const told = story({ server: ipv4('10.0.0.9', 50000) });
    told.client.syn();
    told.server.synAck();
    told.client.data(10);
    told.captureEarlier(2);
    told.server.ack();
    expect(told.record()).toMatchObject({ open: 'three_way', client: { ip: '10.0.0.2', port: 40000 }, server: { port: 50000 } });
  });
});

describe('the states of a handshake', () => {
  it('SYN_SENT from the SYN on', () => {
    expect(synSent().states()).toEqual({ client: 'SYN_SENT', server: '' });
    expect(synSent().record().client.state).toBe('SYN_SENT');
    expect(synSent().record().server).not.toHaveProperty('state');
  });

  it('SYN_RECV from the SYN-ACK on; the client is not established by seeing it', () => {
    expect(synReceived().states()).toEqual({ client: 'SYN_SENT', server: 'SYN_RECV' });
  });

  it("ESTABLISHED, both, at the client's own acknowledgement of the SYN-ACK", () => {
    const told = synReceived();
    told.wait(1);
    const ack = told.client.ack();
    const record = told.record();
    const since = (ack.time - told.told.at(0)!.time) / 1e9;
    expect(record.client.states).toEqual([
      ['SYN_SENT', 0],
      ['ESTABLISHED', since],
    ]);
    expect(record.server.states).toEqual([
      ['SYN_RECV', 0.01],
      ['ESTABLISHED', since],
    ]);
  });

  it('data that acknowledges the SYN-ACK establishes as well as an ACK does', () => {
    const { client, states } = synReceived();
    client.data(10);
    expect(states()).toEqual({ client: 'SYN_SENT ESTABLISHED', server: 'SYN_RECV ESTABLISHED' });
  });

  it('a RST that acknowledges the SYN-ACK does not establish', () => {
    const { client, states, record } = synReceived();
    client.rst();
    expect(states()).toEqual({ client: 'SYN_SENT CLOSED', server: 'SYN_RECV CLOSED' });
    expect(record().close).toMatchObject({ class: 'aborted_handshake', initiator: 'client', basis: 'rst', sequence: 'R>' });
  });

  it('an acknowledgement of something else does not establish', () => {
    const { client, states } = synReceived();
    client.ack({ ack: 0 });
    expect(states()).toEqual({ client: 'SYN_SENT', server: 'SYN_RECV' });
  });

  it('SYN_SENT SYN_RECV ESTABLISHED of both where the SYNs cross', () => {
    const told = story();
    told.crossing(() => {
      told.client.syn();
      told.server.syn();
    });
    told.crossing(() => {
      told.client.synAck({ seq: 0 });
      told.server.synAck({ seq: 0 });
    });
    expect(told.states()).toEqual({ client: 'SYN_SENT SYN_RECV ESTABLISHED', server: 'SYN_SENT SYN_RECV ESTABLISHED' });
  });
});

describe('two SYN-ACKs that are numbered differently', () => {
  it('may be three, of which the client takes the first', () => {
    const told = story();
    told.client.syn();
    for (const seq of [0, 5000, 9000]) told.server.synAck({ seq });
    told.client.send(ACK, { ack: 1 });
    told.client.data(10, { ack: 1 });
    expect(told.record()).toMatchObject({ client: { bytes: 10 } });
    expect(told.outcome().tracker.oddities.toRecord()).toEqual({ syn_ack_isn_changed: 2 });
  });

  it('are none where the first was only guessed, from what was acknowledged before it', () => {
    const told = synSent();
    told.client.send(ACK, { seq: -400_000, ack: -700_000, lost: true });
    told.client.next = 1;
    told.server.synAck();
    told.client.ack();
    told.client.fin();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({ close: { class: 'three_segment', modifiers: [] }, confidence: 'certain' });
  });

  it('count by the first one once the connection is open, whoever sends the other', () => {
    for (const from of ['client', 'server'] as const) {
      const told = established();
      const { client, server, record } = told;
      client.data(100);
      server.data(100);
      told[from].synAck({ seq: 5000, ack: 700, lost: true });
      told[from].next = 101;
      client.ack();
      server.fin();
      client.fin();
      server.ack();
      expect(record()).toMatchObject({
        client: { bytes: 100 },
        server: { bytes: 100 },
        close: { class: 'three_segment', initiator: 'server', sequence: 'F< FA> A<', modifiers: [] },
        confidence: 'certain',
      });
      expect(told.outcome().tracker.oddities.toRecord()).toEqual({ syn_ack_isn_changed: 1 });
    }
  });

  it.each([
    ['first', 0, 70_000],
    ['first', 0, -70_000],
    ['first', 0, 2 ** 31 - 5],
    ['second', 70_000, 70_000],
    ['second', -70_000, -70_000],
  ])('are of the one that the client takes: the %s (%i of %i)', (_which, taken, other) => {
    const told = story();
    told.client.syn();
    told.server.synAck({ seq: 0 });
    told.client.syn({ seq: 0 });
    told.server.synAck({ seq: other });
    const ack = told.client.send(ACK, { ack: taken + 1 });
    told.server.data(200, { seq: taken + 1 });
    told.client.send(ACK, { ack: taken + 201 });
    told.client.fin({ ack: taken + 201 });
    told.server.send(FIN | ACK, { seq: taken + 201 });
    told.client.send(ACK, { ack: taken + 202 });
    const record = told.record();
    expect(record).toMatchObject({ open: 'three_way', close: { class: 'three_segment', modifiers: [] }, server: { bytes: 200 } });
    expect(record.client.states![1]).toEqual(['ESTABLISHED', (ack.time - told.told[0]!.time) / 1e9]);
  });
});

describe('open', () => {
  it('three_way, retransmissions included', () => {
    const { client, server, record } = story();
    const syn = client.syn({ lost: true });
    client.again(syn);
    server.synAck({ lost: true });
    server.synAck({ seq: 0 });
    client.ack();
    expect(record()).toMatchObject({ open: 'three_way', client: { syn: 2, segments: 3 }, server: { syn: 2, segments: 2 } });
  });

  it('fast_open: the SYN-ACK acknowledges payload of the SYN', () => {
    const { client, server, record } = story();
    client.syn({ payload: 20 });
    server.synAck();
    client.ack();
    expect(record()).toMatchObject({ open: 'fast_open', client: { bytes: 20 } });
  });

  it('fast_open: a server that closes before the client has acknowledged its SYN-ACK never is ESTABLISHED', () => {
    const { client, server, states } = story();
    client.syn({ payload: 20 });
    server.synAck();
    server.data(100);
    server.fin();
    client.ack();
    client.fin();
    server.ack();
    expect(states()).toEqual({
      client: 'SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED',
      server: 'SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT',
    });
  });

  it('three_way where the SYN-ACK does not acknowledge that payload, which is sent again and counted once', () => {
    const { client, server, record } = story();
    client.syn({ payload: 20 });
    server.synAck({ ack: 1 });
    client.data(20, { seq: 1 });
    expect(record()).toMatchObject({ open: 'three_way', client: { bytes: 20 } });
  });

  it('split_handshake: the server answers with a bare SYN, the client with a SYN-ACK', () => {
    const { client, server, record } = story();
    client.syn();
    server.syn();
    client.synAck({ seq: 0 });
    server.ack();
    expect(record()).toMatchObject({ open: 'split_handshake', client: { ip: '10.0.0.2' } });
  });

  it('split_handshake, where the server first acknowledges the SYN, in five segments', () => {
    const told = synSent();
    told.server.ack({ seq: 77 });
    told.server.next = 0;
    told.server.syn();
    told.client.synAck({ seq: 0 });
    told.server.ack();
    told.client.data(4);
    told.server.ack();
    expect(told.record()).toMatchObject({
      open: 'split_handshake',
      client: { ip: '10.0.0.2', bytes: 4, state: 'ESTABLISHED' },
      server: { syn: 1, bytes: 0, state: 'ESTABLISHED' },
      close: { class: 'not_closed', modifiers: [] },
    });
  });

  it('syn_only and synack_only', () => {
    expect(synSent().record()).toMatchObject({ open: 'syn_only', visibility: 'client_only' });
    const { client, server, record } = story();
    client.syn({ unseen: true });
    server.synAck();
    expect(record()).toMatchObject({ open: 'synack_only', visibility: 'server_only' });
  });

  it('midstream, which is never certain', () => {
    const { client, server, record } = midstream();
    client.data(10);
    server.ack();
    expect(record()).toMatchObject({ open: 'midstream', confidence: 'likely', visibility: 'both', close: { class: 'not_closed' } });
  });
});

describe('handshakes that lead nowhere', () => {
  it('no_reply: SYNs only', () => {
    const { client, record } = story();
    const syn = client.syn();
    client.again(syn);
    client.again(syn);
    expect(record()).toMatchObject({
      close: { class: 'no_reply', sequence: '' },
      client: { syn: 3 },
      end_reason: 'capture_end',
      confidence: 'certain',
    });
    expect(record().close).not.toHaveProperty('initiator');
  });

  it('no_reply: SYN-ACKs that nobody acknowledges', () => {
    const { server, record } = synReceived();
    server.synAck({ seq: 0 });
    server.synAck({ seq: 0 });
    expect(record()).toMatchObject({ close: { class: 'no_reply' }, server: { syn: 3, state: 'SYN_RECV' } });
  });

  it('refused: a SYN answered by RST with ack = ISN + 1', () => {
    const { server, record, states } = synSent();
    server.rst({ seq: -server.isn });
    expect(record()).toMatchObject({
      open: 'refused',
      close: { class: 'refused', initiator: 'server', basis: 'rst', sequence: 'R<' },
      end_reason: 'reset',
      flow_end_reason: 3,
      confidence: 'certain',
    });
    expect(states().client).toBe('SYN_SENT CLOSED');
  });

  it('refused: with payload in the SYN, the RST acknowledges all of it', () => {
    const { client, server, record } = story();
    client.syn({ payload: 7 });
    server.rst({ seq: -server.isn });
    expect(record().close.class).toBe('refused');
  });

  it('refused: only the server is seen, whose RST has the number of an answer to a segment without ACK', () => {
    for (const port of [40_000, 79]) {
      const told = story({ client: ipv4('10.0.0.2', port) });
      told.client.syn({ unseen: true });
      told.server.rst({ seq: -told.server.isn });
      expect(told.record()).toMatchObject({
        open: 'refused',
        client: { ip: '10.0.0.2', state: 'CLOSED' },
        close: { class: 'refused', initiator: 'server', sequence: 'R<', modifiers: ['one_sided'] },
        visibility: 'server_only',
        confidence: 'likely',
      });
      expect(told.states()).toEqual({ client: 'SYN_SENT CLOSED', server: 'CLOSED' });
    }
  });

  it('refused: the SYN was captured behind its refusal', () => {
    const { client, server, record, records, states } = story();
    server.rst({ seq: -server.isn, ack: 1 });
    client.syn();
    expect(record()).toMatchObject({
      open: 'refused',
      client: { syn: 1 },
      close: { class: 'refused', initiator: 'server', sequence: 'R<', modifiers: [] },
      visibility: 'both',
      confidence: 'certain',
      wireshark: { completeness: 36 },
    });
    expect(states()).toEqual({ client: 'SYN_SENT CLOSED', server: 'CLOSED' });
    client.syn({ seq: 100 });
    expect(records().map(({ close }) => close.class)).toEqual(['refused', 'no_reply']);
  });

  it('a RST of another number, or without an acknowledgement, refuses nothing where no SYN was seen', () => {
    for (const different of [{ seq: 1 }, { seq: -7000, flags: RST }]) {
      const told = story();
      told.client.syn({ unseen: true });
      told.server.rst(different);
      expect(told.record()).toMatchObject({ open: 'midstream', close: { class: 'rst_abort' } });
    }
  });

  it('a RST that does not acknowledge the SYN refuses nothing', () => {
    const { client, server, record } = synSent();
    server.rst({ seq: -server.isn, ack: 5000 });
    server.synAck();
    client.ack();
    expect(record()).toMatchObject({ open: 'three_way', close: { class: 'not_closed' }, server: { rst: 1 } });
  });

  it('a RST without ACK refuses nothing', () => {
    const { client, server, record } = synSent();
    server.send(RST, { seq: -server.isn });
    server.synAck();
    client.ack();
    expect(record()).toMatchObject({ open: 'three_way', close: { class: 'not_closed' }, server: { rst: 1 } });
  });

  it('aborted_handshake: the server resets after its SYN-ACK, or the client after its SYN', () => {
    const server = synReceived();
    server.server.rst();
    expect(server.record().close).toMatchObject({ class: 'aborted_handshake', initiator: 'server', sequence: 'R<' });
    const client = synSent();
    client.client.send(RST);
    expect(client.record().close).toMatchObject({ class: 'aborted_handshake', initiator: 'client', sequence: 'R>' });
  });

  it('of which there is one side: what a RST behind the SYN-ACK acknowledges tells whether it was open', () => {
    for (const [payload, open, close] of [
      [0, 'synack_only', 'aborted_handshake'],
      [5000, 'three_way', 'rst_abort'],
    ] as const) {
      const { client, server, record } = story();
      client.syn({ unseen: true });
      server.synAck();
      if (payload > 0) client.data(payload, { unseen: true });
      server.rst();
      expect(record()).toMatchObject({
        open,
        close: { class: close, modifiers: ['one_sided'] },
        confidence: 'likely',
      });
    }
  });

  it('a port scan: SYN, SYN-ACK, RST without ACK at the number that the SYN-ACK acknowledged', () => {
    const { client, record } = synReceived();
    client.send(RST);
    expect(record().close.class).toBe('aborted_handshake');
  });

  it('a SYN-ACK for a SYN that its sender has given up is answered by RST: aborted', () => {
    const { client, server, record } = synSent();
    server.synAck();
    client.send(RST, { seq: 1 });
    expect(record()).toMatchObject({ close: { class: 'aborted_handshake', initiator: 'client' }, end_reason: 'reset' });
  });
});

describe('what is left of another incarnation answers a SYN', () => {
  /** The old numbers, below the SYN's or above it. */
  const old = [-700_000, 700_000];

  it.each(old)('an ACK of %i: the RST that it is answered by ends nothing, and the same SYN is accepted (RFC 9293, figure 9)', (number) => {
    const told = synSent();
    const { client, server } = told;
    server.ack({ seq: 400_000, ack: number });
    client.send(RST, { seq: number });
    client.syn({ seq: 0 });
    server.next = 0;
    server.synAck();
    client.ack();
    client.data(500);
    server.ack();
    client.fin();
    server.fin();
    client.ack();
    expect(told.record()).toMatchObject({
      open: 'three_way',
      client: { bytes: 500, syn: 2, rst: 1 },
      close: { class: 'three_segment', initiator: 'client', sequence: 'F> FA< A>', modifiers: ['rst_invalid'] },
      time_wait: [{ holder: 'client' }],
      end_reason: 'closed',
      confidence: 'certain',
    });
    expect(told.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED',
    });
  });

  it.each(old)('a SYN-ACK of %i: the same, and the right one counts (RFC 9293, figure 8)', (number) => {
    const told = synSent();
    const { client, server } = told;
    server.synAck({ seq: 5000, ack: number });
    client.send(RST, { seq: number });
    server.next = 0;
    server.synAck({ seq: 0 });
    client.received = 1;
    client.ack();
    client.fin();
    server.ack();
    server.fin();
    client.ack();
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'four_wave', sequence: 'F> A< F< A>' },
      end_reason: 'closed',
    });
  });

  it('what comes late from the client meets SYN_RECV: its RST ends nothing, and the handshake goes on', () => {
    for (const of of [ACK, FIN | ACK, PSH | ACK] as const) {
      const told = synReceived();
      const { client, server } = told;
      const number = -700_000;
      client.send(of, { seq: -400_000, ack: number, payload: of === (PSH | ACK) ? 200 : 0, lost: true });
      server.send(RST, { seq: number, lost: true });
      client.next = 1;
      client.ack();
      client.data(500);
      server.ack();
      client.fin();
      server.fin();
      client.ack();
      const { records, tracker } = told.outcome();
      expect(records).toMatchObject([
        {
          open: 'three_way',
          client: { bytes: 500, syn: 1 },
          close: { class: 'three_segment', initiator: 'client', sequence: 'F> FA< A>', modifiers: ['rst_invalid'] },
          end_reason: 'closed',
          confidence: 'certain',
        },
      ]);
      expect(tracker.oddities.toRecord()).toEqual({ ack_implausible: 1, rst_invalid: 1 });
      expect(told.states()).toEqual({
        client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT',
        server: 'SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED',
      });
    }
  });

  it('a FIN of the old one, or payload, is not of this one', () => {
    for (const of of [FIN | ACK, PSH | ACK] as const) {
      const told = synSent();
      const number = -700_000;
      const { client, server } = told;
      server.send(of, { seq: 400_000, ack: number, payload: of === (PSH | ACK) ? 200 : 0 });
      client.send(RST, { seq: number });
      client.syn({ seq: 0 });
      server.next = 0;
      server.synAck();
      client.received = 1;
      client.ack();
      client.fin();
      server.fin();
      client.ack();
      expect(told.record()).toMatchObject({
        open: 'three_way',
        close: { class: 'three_segment', initiator: 'client', sequence: 'F> FA< A>', modifiers: ['rst_invalid'] },
        server: { bytes: 0 },
        confidence: 'certain',
      });
    }
  });

  it('but one that acknowledges what the capture lacks is, where it lacks the SYN-ACK, too', () => {
    const { client, server, record } = synSent();
    server.synAck({ unseen: true });
    for (let i = 0; i < 10; i++) client.data(10_000, { unseen: true });
    server.fin();
    client.fin();
    expect(record()).toMatchObject({ close: { class: 'last_ack_missing', initiator: 'server', sequence: 'F< FA>' }, confidence: 'likely' });
  });

  it.each([1, 100])('of a SYN with %i bytes, which its SYN-ACK acknowledges: fast open', (payload) => {
    const { client, server, record } = story();
    client.syn({ payload });
    server.synAck();
    client.ack();
    expect(record()).toMatchObject({ open: 'fast_open', client: { bytes: payload } });
  });

  it('payload of this one, behind what the capture lacks of the handshake and of the client', () => {
    const { client, server, record } = synSent();
    server.synAck({ unseen: true });
    client.data(1000, { unseen: true });
    server.data(200);
    client.ack();
    expect(record()).toMatchObject({ open: 'three_way', server: { bytes: 200 }, close: { class: 'not_closed', modifiers: ['gap'] } });
  });

  it.each([0, 1, 2 ** 31 - 2, -(2 ** 31)])('nothing tells how far a silent peer went, which begins at %i', (serverIsn) => {
    const { client, record } = story({ serverIsn });
    client.syn();
    client.ack({ seq: 0 });
    client.synAck({ seq: 0, ack: 2 });
    expect(record()).toMatchObject({ open: 'three_way', server: { segments: 0, bytes: 0 } });
  });

  it('a SYN-ACK that the capture lacks, and what came next, is a gap: the acknowledgement tells where it began', () => {
    const { client, server, record } = story();
    client.syn();
    server.synAck({ unseen: true });
    client.ack();
    server.data(10, { unseen: true });
    server.data(20);
    client.ack();
    expect(record()).toMatchObject({ open: 'three_way', close: { modifiers: ['gap'] }, server: { bytes: 20 } });
  });

  it('a stray RST below its own numbers changes nothing of what the SYN-ACK showed', () => {
    const told = story();
    told.client.syn({ payload: 10 });
    told.server.synAck({ scale: 7 });
    const { record } = told;
    told.client.send(RST, { seq: -50 });
    expect(record()).toMatchObject({
      open: 'fast_open',
      server: { state: 'SYN_RECV' },
      close: { class: 'no_reply', modifiers: ['rst_invalid'] },
    });
    told.client.ack();
    expect(told.states()).toEqual({ client: 'SYN_SENT ESTABLISHED', server: 'SYN_RECV ESTABLISHED' });
    expect(record().server.states?.[0]).toEqual(['SYN_RECV', 0.01]);
  });

  it("takes back nothing of its sender's own", () => {
    const { client, record } = synSent();
    client.send(FIN, { seq: 1 });
    client.send(RST, { seq: -50 });
    expect(record().close).toMatchObject({ sequence: 'F>', modifiers: ['rst_invalid'] });
  });

  it('a RST at what payload, or a FIN, has acknowledged aborts: the handshake is missing from the capture', () => {
    const data = synSent();
    data.server.data(100, { seq: 1, ack: 501 });
    data.client.send(RST, { seq: 501 });
    expect(data.record()).toMatchObject({
      close: { class: 'aborted_handshake', sequence: 'R>', modifiers: ['gap'] },
      confidence: 'likely',
    });
    const fin = synSent();
    fin.server.fin({ seq: 1, ack: 501 });
    fin.client.send(RST, { seq: 501 });
    expect(fin.record()).toMatchObject({ close: { class: 'aborted_handshake', sequence: 'F< R>' }, confidence: 'likely' });
  });

  it('a RST of its own number still aborts', () => {
    const { client, server, record } = synSent();
    server.ack({ seq: 400_000, ack: -700_000 });
    server.next = 0;
    server.synAck();
    client.rst();
    expect(record()).toMatchObject({ close: { class: 'aborted_handshake', initiator: 'client' } });
  });
});

describe('a SYN that was refused, sent again and accepted', () => {
  it('is not refused, and its connection is as any other', () => {
    const told = synSent();
    told.server.send(RST | ACK, { seq: 0, ack: 1 });
    told.wait(1);
    told.client.syn({ seq: 0 });
    told.server.synAck();
    told.client.ack();
    told.client.fin();
    told.server.fin();
    told.client.ack();
    told.wait(200);
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'three_segment', sequence: 'F> FA< A>', modifiers: [] },
      time_wait: [{ ended_by: 'expiry' }],
      end_reason: 'closed',
    });
  });

  it('but stays refused where nobody acknowledges that: the RST may have come after the SYN-ACK', () => {
    const { server, record } = synSent();
    server.send(RST | ACK, { seq: 1, ack: 1 });
    server.synAck();
    expect(record()).toMatchObject({ close: { class: 'refused', sequence: 'R<', initiator: 'server' }, end_reason: 'reset' });
  });

  it('does not leave the table while it lives', () => {
    const told = synSent();
    told.server.send(RST | ACK, { seq: 0, ack: 1 });
    told.client.syn({ seq: 0 });
    told.server.synAck();
    told.client.ack();
    told.wait(200);
    told.client.data(10);
    expect(told.record()).toMatchObject({ client: { bytes: 10 }, close: { class: 'not_closed' }, end_reason: 'capture_end' });
  });
});

describe('a repeated ISN is a retransmission, whatever its place in the file', () => {
  it('a SYN captured again in the established connection, and after its close', () => {
    const told = timeWait();
    told.client.again(told.told[0]);
    expect(told.record()).toMatchObject({ open: 'three_way', client: { syn: 2 }, close: { class: 'four_wave' } });
    const open = established();
    open.client.again(open.told[0]);
    open.server.ack();
    expect(open.record().close).toMatchObject({ class: 'not_closed', modifiers: [] });
  });

  it('a SYN-ACK captured again after the close', () => {
    const told = timeWait();
    told.server.send(SYN | ACK, { seq: 0, ack: 1 });
    expect(told.record()).toMatchObject({ server: { syn: 2 }, close: { class: 'four_wave' } });
  });

  it('a SYN-ACK captured before its SYN', () => {
    const told = synReceived();
    told.captureEarlier();
    told.client.ack();
    expect(told.record()).toMatchObject({ open: 'three_way', client: { ip: '10.0.0.2' } });
    expect(stateNames(told.record().client.states)).toBe('SYN_SENT ESTABLISHED');
  });
});

describe('segments in an order that no host would send', () => {
  it('a SYN-ACK, and a SYN of the same number by the same endpoint', () => {
    const { client, record } = story();
    client.synAck();
    client.syn({ seq: 0 });
    expect(record().client).toMatchObject({ segments: 2, syn: 2, ip: expect.any(String) });
  });

  it('the ACK of a SYN-ACK that is not in the capture, captured before its own SYN', () => {
    const inOrder = story();
    inOrder.client.syn();
    inOrder.server.synAck({ unseen: true });
    inOrder.client.ack();
    expect(inOrder.states().client).toBe('SYN_SENT ESTABLISHED');
    expect(inOrder.captureEarlier().states().client).toBe('SYN_SENT ESTABLISHED');
  });
});

it('start, end and duration are those of the first and the last segment', () => {
  const told = finWait1();
  told.wait(2);
  told.server.ack();
  const record = told.record();
  expect(timeOf(record.start)).toBe(10_000_000);
  expect(timeOf(record.end)).toBe(2_050_000_000);
  expect(record.duration_s).toBe(2.04);
});

/** A connection in which both have sent a hundred kilobytes, and none of that was captured. */
const transferred = (): Story => {
  const told = story();
  told.client.syn();
  told.server.synAck();
  told.client.ack({ unseen: true });
  for (const [sender, receiver] of [
    [told.client, told.server],
    [told.server, told.client],
  ] as const) {
    for (let i = 0; i < 10; i++) sender.data(10_000, { unseen: true });
    receiver.ack({ unseen: true });
  }
  return told;
};

describe('in a capture of SYNs, FINs and RSTs alone', () => {
  const closers = ['client', 'server'] as const;

  it.each(closers)('the %s closes, and the other after it', (closer) => {
    const told = transferred();
    told[closer].fin();
    told[closer === 'client' ? 'server' : 'client'].fin();
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'last_ack_missing', initiator: closer, modifiers: ['gap'] },
      confidence: 'likely',
    });
  });

  it.each(closers)('the %s resets', (closer) => {
    const told = transferred();
    told[closer].send(RST | ACK);
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'rst_abort', initiator: closer, sequence: closer === 'client' ? 'R>' : 'R<' },
      end_reason: 'reset',
      confidence: 'likely',
    });
    expect(told.states()).toEqual({ client: 'SYN_SENT ESTABLISHED CLOSED', server: 'SYN_RECV ESTABLISHED CLOSED' });
  });

  it('the client resets, and has sent nothing', () => {
    const told = synReceived();
    told.client.ack({ unseen: true });
    told.server.data(5000, { unseen: true });
    told.client.send(RST | ACK);
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'rst_abort', initiator: 'client', modifiers: ['gap'] },
      confidence: 'likely',
    });
  });

  it('a RST of any other number is not believed where either goes on behind it', () => {
    const told = synReceived();
    told.client.send(RST | ACK, { seq: 100_000 });
    told.client.ack();
    const { time } = told.told.at(-1)!;
    told.client.data(10);
    told.server.ack();
    const { client, close, start } = told.record();
    expect(close).toMatchObject({ class: 'not_closed', modifiers: ['rst_challenged'] });
    expect(timeOf(start) + client.states!.find(([state]) => state === 'ESTABLISHED')![1] * 1e9).toBeCloseTo(time, -3);
    const again = synReceived();
    again.client.send(RST | ACK, { seq: 100_000 });
    again.wait(1).server.again(again.told[1]);
    expect(again.record()).toMatchObject({ open: 'synack_only', close: { class: 'no_reply', modifiers: ['rst_challenged'] } });
  });

  it('and one without a number is of somebody who knows none', () => {
    const told = synReceived({ serverIsn: 2 ** 31 + 5 });
    told.server.send(RST | ACK, { seq: -told.server.isn });
    expect(told.record()).toMatchObject({ close: { class: 'aborted_handshake' }, confidence: 'certain' });
  });
});
