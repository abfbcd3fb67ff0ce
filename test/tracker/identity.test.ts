import { describe, expect, it } from 'vitest';
import { ACK, FIN, RST, SYN } from '../../src/layout/tcp.ts';
import {
  closing,
  type Endpoint,
  established,
  finWait2,
  type Host,
  inBrief,
  ipv4,
  lastAck,
  timeOf,
  SECOND,
  serverTimeWait,
  type Story,
  story,
  synReceived,
  synSent,
  timeWait,
} from '../support/story.ts';

/** Another incarnation, up to its third segment. */
function opensAgain(told: Story, isn = 500_000) {
  const [client, server] = told.incarnation(isn);
  const syn = client.syn();
  server.synAck();
  client.ack();
  return { client, server, syn };
}

describe('a SYN with an unknown number starts the next incarnation at once', () => {
  it('where the old one is closed, after its TIME_WAIT', () => {
    const told = timeWait().wait(300);
    opensAgain(told);
    expect(told.records().map(({ close }) => close.class)).toEqual(['four_wave', 'not_closed']);
  });

  it('where the old one was reset', () => {
    const told = established();
    told.client.rst();
    const [client] = told.incarnation();
    client.syn();
    const [old, next] = told.records();
    expect(old).toMatchObject({ close: { class: 'rst_abort', modifiers: [] }, end_reason: 'reset' });
    expect(next).toMatchObject({ close: { class: 'no_reply' }, open: 'syn_only' });
  });

  it('where it comes from the holder of TIME_WAIT itself', () => {
    const told = timeWait().wait(1);
    const [client] = told.incarnation();
    const syn = client.syn();
    const [old, next] = told.records();
    expect(old).toMatchObject({ time_wait: [{ holder: 'client', ended_by: 'reuse' }], close: { modifiers: ['reuse_in_time_wait'] } });
    expect(timeOf(next?.start)).toBe(syn.time);
  });

  it('where it comes from the holder and the last ACK is missing', () => {
    const told = lastAck().wait(1);
    opensAgain(told);
    expect(told.records().map(({ end_reason }) => end_reason)).toHaveLength(2);
  });

  it('where both hold it', () => {
    const told = closing();
    told.client.ack();
    told.server.ack();
    opensAgain(told.wait(1));
    const [old] = told.records();
    expect(old?.time_wait.map(({ ended_by }) => ended_by)).toEqual(['reuse', 'reuse']);
  });

  it('where the same host opens it the other way round', () => {
    const told = timeWait().wait(100);
    const [client, server] = told.connection(...(told.client.hosts.toReversed() as [Host, Host]));
    client.syn();
    server.synAck();
    client.ack();
    const [, next] = told.records();
    expect(next).toMatchObject({ client: { ip: '10.0.0.9', port: 80 }, server: { ip: '10.0.0.2', port: 40000 } });
  });

  it('where an attempt that nobody answered is given up', () => {
    const told = synSent();
    const [client] = told.incarnation();
    client.syn();
    expect(told.records().map(inBrief)).toEqual([
      '10.0.0.2:40000>10.0.0.9:80 syn_only no_reply [] tuple_reused',
      '10.0.0.2:40000>10.0.0.9:80 syn_only no_reply [] capture_end',
    ]);
  });
});

describe('otherwise it is held', () => {
  it('a SYN-ACK accepts it: the incarnation begins at that SYN', () => {
    const told = established();
    told.client.data(10);
    told.server.ack();
    told.wait(100);
    const { syn } = opensAgain(told);
    const [old, next] = told.records();
    expect(old).toMatchObject({ close: { class: 'not_closed' }, end_reason: 'tuple_reused', client: { syn: 1 } });
    expect(next).toMatchObject({ open: 'three_way', client: { syn: 1, segments: 2 }, server: { syn: 1, segments: 1 } });
    expect(timeOf(next?.start)).toBe(syn.time);
  });

  it('so does a RST with ack = ISN + 1', () => {
    const told = established();
    const [client, server] = told.incarnation();
    client.syn();
    server.rst({ seq: -server.isn });
    expect(told.records().map(inBrief)).toEqual([
      '10.0.0.2:40000>10.0.0.9:80 three_way not_closed [] tuple_reused',
      '10.0.0.2:40000>10.0.0.9:80 refused refused [R<] reset',
    ]);
  });

  it('repetitions of it belong to it', () => {
    const told = finWait2();
    const [client, server] = told.incarnation();
    const syn = client.syn();
    client.again(syn);
    client.again(syn);
    server.synAck();
    client.ack();
    const [old, next] = told.records();
    expect(old?.client.syn).toBe(1);
    expect(next).toMatchObject({ client: { syn: 3, segments: 4 } });
    expect(timeOf(next?.start)).toBe(syn.time);
  });

  it('a plain ACK challenges it: the old incarnation lives on, with that SYN among its own', () => {
    const told = established();
    const [client] = told.incarnation();
    client.syn();
    told.server.ack();
    told.client.data(10);
    told.server.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'not_closed', modifiers: ['syn_challenged'] },
      client: { syn: 2, segments: 4, bytes: 10 },
    });
  });

  it('its sender then resets: half_open_detected', () => {
    const told = established();
    const [client] = told.incarnation();
    client.syn();
    told.server.ack();
    told.client.send(RST);
    expect(told.record().close).toMatchObject({ class: 'rst_abort', initiator: 'client', modifiers: ['half_open_detected'] });
  });

  it('a challenged number is no known ISN: the same SYN may start an incarnation later', () => {
    const told = established();
    const [client, server] = told.incarnation();
    const syn = client.syn();
    told.server.ack();
    told.client.send(RST);
    client.again(syn);
    server.synAck();
    client.ack();
    const [old, next] = told.records();
    expect(old?.close).toMatchObject({ class: 'rst_abort', modifiers: ['half_open_detected'] });
    expect(next).toMatchObject({ open: 'three_way', client: { syn: 1 } });
  });

  it('the same SYN is held again after a challenge without a RST, and may then be accepted', () => {
    const told = established();
    const [client, server] = told.incarnation();
    const syn = client.syn();
    told.server.ack();
    client.again(syn);
    server.synAck();
    client.ack();
    const [old, next] = told.records();
    expect(old).toMatchObject({ end_reason: 'tuple_reused', close: { modifiers: ['syn_challenged'] } });
    expect(next).toMatchObject({ open: 'three_way', client: { syn: 1 } });
  });

  it('never answered, it begins an incarnation of its own where the old one is closed', () => {
    const told = serverTimeWait().wait(1);
    const [client] = told.incarnation();
    const syn = client.syn();
    client.again(syn);
    const [old, next] = told.records();
    expect(old).toMatchObject({ end_reason: 'closed', client: { syn: 1 }, time_wait: [{ ended_by: 'capture_end' }] });
    expect(next).toMatchObject({ open: 'syn_only', close: { class: 'no_reply' }, client: { syn: 2 } });
    expect(timeOf(next?.start)).toBe(syn.time);
    expect(told.records({ until: told.clock + 100 * SECOND })).toHaveLength(2);
  });

  it('never answered, it is the end of an old one that is not closed', () => {
    const told = established();
    const [client] = told.wait(1).incarnation();
    client.syn();
    told.copy(2 * SECOND); // sent again
    const record = told.record();
    expect(timeOf(record.end)).toBe(told.clock);
    expect(record.client).toMatchObject({ syn: 3, segments: 4 });
  });

  it('never answered, it stays with an old one that is not closed', () => {
    const told = established();
    const [client] = told.incarnation();
    client.syn();
    expect(told.record()).toMatchObject({ client: { syn: 2 }, close: { class: 'not_closed' } });
  });

  it('the SYN-ACK is not in the capture, but its sender goes on from the new number', () => {
    const told = finWait2();
    const [client, server] = told.incarnation();
    client.syn();
    server.synAck({ unseen: true });
    client.ack();
    client.data(10);
    const [old, next] = told.records();
    expect(old).toMatchObject({ close: { class: 'half_open' }, end_reason: 'tuple_reused' });
    expect(next).toMatchObject({ client: { bytes: 10, syn: 1 } });
  });
});

/** Two connections of the same ports, of which only the server was captured, and how each of them ends. */
const twiceByServer = (ends: (client: Endpoint, server: Endpoint) => void): Story => {
  const told = story();
  for (const isn of [1, 2]) {
    const [client, server] = told.incarnation(isn * 100_000, isn * 7_000_000);
    client.syn({ unseen: true });
    server.synAck();
    client.data(50, { unseen: true });
    server.data(100);
    ends(client, server);
    told.wait(1);
  }
  return told;
};

describe('one-sided captures', () => {
  it('only the server is seen: a SYN-ACK with a new ISN on a finished tuple starts the next incarnation', () => {
    const told = twiceByServer((client, server) => {
      server.fin();
      client.fin({ unseen: true });
      server.ack();
    });
    expect(told.records().map(({ server }) => server)).toMatchObject([
      { syn: 1, fin: 1, bytes: 100 },
      { syn: 1, fin: 1, bytes: 100 },
    ]);
  });

  it('a SYN-ACK with a new ISN where a FIN of the one before, and the SYN, are not in the capture', () => {
    const told = story();
    for (const isn of [1, 2]) {
      const [client, server] = told.incarnation(isn * 100_000, isn * 7_000_000);
      client.syn({ unseen: isn === 2 });
      server.synAck();
      client.ack();
      client.data(100);
      server.ack();
      client.fin({ unseen: isn === 1 });
      server.fin();
      client.ack();
      told.wait(1);
    }
    expect(told.records().map(({ close, end_reason }) => `${close.class} ${close.initiator} ${end_reason}`)).toEqual([
      'orderly client closed',
      'three_segment client closed',
    ]);
  });

  it('a SYN-ACK with a new ISN where the last ACK of the one before, and the SYN, are not in the capture', () => {
    const told = lastAck();
    const [client, server] = told.wait(5).incarnation();
    client.syn({ unseen: true });
    server.synAck();
    client.ack();
    client.data(10);
    const [old, next] = told.records();
    expect(old).toMatchObject({ close: { class: 'last_ack_missing' }, end_reason: 'tuple_reused', confidence: 'likely' });
    expect(next).toMatchObject({ client: { bytes: 10 }, server: { syn: 1 } });
  });

  it('only the server is seen: a SYN-ACK with a new ISN on a connection that had gone on, which the client has aborted', () => {
    const told = twiceByServer(() => {});
    expect(told.records().map(({ server, end_reason }) => [server.bytes, end_reason])).toEqual([
      [100, 'tuple_reused'],
      [100, 'capture_end'],
    ]);
  });

  it('only the server is seen: a SYN-ACK behind the refusal of another SYN', () => {
    const told = story();
    told.client.syn({ unseen: true });
    told.server.rst({ seq: -told.server.isn });
    const [client, server] = told.wait(1).incarnation();
    client.syn({ unseen: true });
    server.synAck();
    client.ack({ unseen: true });
    server.data(100);
    expect(told.records().map(({ close, server: { bytes } }) => [close.class, bytes])).toEqual([
      ['refused', 0],
      ['not_closed', 100],
    ]);
  });

  it('only the server is seen: several SYN-ACKs, of which the client takes one, are one connection', () => {
    const told = story();
    const [client, server] = told.incarnation();
    client.syn({ unseen: true });
    server.synAck();
    server.synAck({ seq: 12_345 });
    client.ack({ unseen: true });
    server.data(100);
    expect(told.record()).toMatchObject({ server: { syn: 2, bytes: 100 } });
  });

  it('a bare ACK of an earlier incarnation acknowledges nothing', () => {
    const told = established();
    told.client.data(100);
    told.server.data(5000);
    told.client.ack();
    told.server.send(ACK, { seq: -1_000_000, ack: 300_000_000 });
    told.client.ack();
    told.client.fin();
    told.server.ack();
    told.server.fin();
    told.client.ack();
    const { records, tracker } = told.outcome();
    expect(records).toMatchObject([{ close: { class: 'four_wave', initiator: 'client', modifiers: [] }, confidence: 'certain' }]);
    expect(tracker.oddities.toRecord()).toEqual({ ack_implausible: 1 });
  });

  it('a bare ACK from below what its sender has sent does, where the window of its receiver has shrunk', () => {
    const told = established();
    told.client.data(2000, { lost: true });
    told.server.ack();
    told.server.fin({ unseen: true });
    told.client.ack({ seq: 501 });
    expect(told.record().close).toMatchObject({ class: 'half_open', initiator: 'server', modifiers: ['fin_inferred'] });
  });

  it('only the server is seen, and resets', () => {
    const told = story();
    for (const isn of [1, 2]) {
      const [client, server] = told.incarnation(isn * 100_000, isn * 7_000_000);
      client.syn({ unseen: true });
      server.synAck();
      client.data(50, { unseen: true });
      server.rst();
      told.wait(1);
    }
    expect(told.records()).toHaveLength(2);
  });

  it('only the client is seen: its lone SYN after the close is a connection', () => {
    const told = story();
    told.client.syn();
    told.server.synAck({ unseen: true });
    told.client.ack();
    told.client.fin();
    told.server.fin({ unseen: true });
    told.client.ack();
    const [client] = told.wait(3).incarnation();
    client.syn();
    expect(told.records()).toMatchObject([
      { client: { syn: 1 }, close: { class: 'orderly' }, end_reason: 'closed' },
      { client: { syn: 1 }, open: 'syn_only', close: { class: 'no_reply' } },
    ]);
  });

  it('only the client is seen', () => {
    const told = story();
    for (const isn of [1, 2]) {
      const [client, server] = told.incarnation(isn * 100_000, isn * 7_000_000);
      client.syn();
      server.synAck({ unseen: true });
      client.ack();
      client.fin();
      server.fin({ unseen: true });
      client.ack();
      told.wait(1);
    }
    expect(told.records().map(({ client }) => client)).toMatchObject([
      { syn: 1, fin: 1 },
      { syn: 1, fin: 1 },
    ]);
  });
});

describe('nothing is lost on the way', () => {
  it('a held SYN is counted where the silent connection ends meanwhile', () => {
    const told = established();
    const [client] = told.incarnation();
    client.syn();
    told.wait(100);
    told.client.data(10);
    const records = told.records({ idleTimeout: 10 });
    expect(records.reduce((sum, record) => sum + record.client.syn, 0)).toBe(2);
    expect(records.reduce((sum, record) => sum + record.client.segments + record.server.segments, 0)).toBe(told.told.length);
  });

  it('a held SYN that was silent too long when it is let go ends no earlier than the connection before', () => {
    const told = serverTimeWait();
    told.incarnation()[0].syn();
    told.wait(100);
    told.connection(ipv4('10.0.0.3', 40_000), ipv4('10.0.0.9', 80))[0].syn();
    const { endings } = told.outcome({ idleTimeout: 10 });
    expect(endings.map(({ ending }) => ending)).toEqual(['expired', 'idle_timeout', 'capture_end']);
    expect(endings[1]!.time).toBe(endings[0]!.time);
  });

  it('a SYN with RST is a RST, also where a SYN of the same number is held', () => {
    const told = established();
    const [client] = told.incarnation();
    client.syn();
    client.send(SYN | RST, { seq: 0 });
    expect(told.records().reduce((sum, record) => sum + record.client.rst, 0)).toBe(1);
  });

  it('the FIN of a SYN with FIN that is held', () => {
    const told = established();
    const [client] = told.incarnation();
    client.send(SYN | FIN);
    expect(told.record().client).toMatchObject({ syn: 2, fin: 1 });
  });
});

it('an ISN of 0 is a number like any other: a SYN after a lone RST starts an incarnation', () => {
  for (const isn of [0, 1000]) {
    const told = story();
    told.client.rst({ seq: 50 });
    const [client, server] = told.incarnation(isn, 5000);
    client.syn();
    server.synAck();
    client.ack();
    expect(
      told.records().map(({ open }) => open),
      `ISN ${isn}`,
    ).toEqual(['midstream', 'three_way']);
  }
});

it('different ports and addresses are different connections; both directions are one', () => {
  const told = established();
  for (const [client, server] of [
    [ipv4('10.0.0.2', 40001), ipv4('10.0.0.9', 80)],
    [ipv4('10.0.0.3', 40000), ipv4('10.0.0.9', 80)],
    [ipv4('10.0.0.2', 80), ipv4('10.0.0.9', 40000)],
  ] as const) {
    const [c, s] = told.connection(client, server);
    c.syn();
    s.synAck();
    c.ack();
  }
  expect(told.records()).toHaveLength(4);
});

it('a host may talk to itself', () => {
  const told = story({ client: ipv4('127.0.0.1', 40000), server: ipv4('127.0.0.1', 80) });
  told.client.syn();
  told.server.synAck();
  told.client.ack();
  told.client.fin();
  told.server.fin();
  told.client.ack();
  expect(told.record()).toMatchObject({
    client: { port: 40000 },
    server: { port: 80 },
    close: { class: 'three_segment', initiator: 'client' },
  });
});

describe('the reason why a record ends', () => {
  it('tuple_reused is for unfinished ones; one that had closed is closed', () => {
    const half = finWait2();
    opensAgain(half);
    expect(half.records()[0]).toMatchObject({ end_reason: 'tuple_reused', close: { class: 'half_open' }, flow_end_reason: 3 });
    const done = timeWait();
    opensAgain(done);
    expect(done.records()[0]).toMatchObject({ end_reason: 'closed', flow_end_reason: 3 });
  });

  it('a half-open handshake is unfinished', () => {
    const told = synReceived();
    told.wait(200);
    opensAgain(told);
    expect(told.records()[0]).toMatchObject({ close: { class: 'no_reply' }, end_reason: 'tuple_reused' });
  });
});
