import { describe, expect, it } from 'vitest';
import { ACK, FIN, PSH } from '../../src/layout/tcp.ts';
import {
  closing,
  established,
  finWait1,
  finWait2,
  ipv4,
  ipv6,
  lastAck,
  midstream,
  MILLISECOND,
  retell,
  SECOND,
  serverTimeWait,
  type Story,
  story,
  timeOf,
  timeWait,
} from '../support/story.ts';

/** How it ended, and how sure that is. */
const confidence = (told: Story): string => `${told.record().close.class} ${told.record().confidence}`;

const OPENED = { client: 'SYN_SENT ESTABLISHED', server: 'SYN_RECV ESTABLISHED' };

/** Modifiers of a half close in which who closed probes, or an ACK of before that comes late. */
const probedAfter = (seconds: number): string[] => {
  const told = finWait2().wait(seconds);
  told.client.keepAlive({ seq: 1 });
  told.server.ack();
  return told.record().close.modifiers;
};

describe('four waves', () => {
  it('as in the source article', () => {
    const told = timeWait();
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'four_wave', initiator: 'client', basis: 'fin_acks', sequence: 'F> A< F< A>', modifiers: [], half_closed_bytes: 0 },
      end_reason: 'closed',
      confidence: 'certain',
      visibility: 'both',
      flow_end_reason: 3,
    });
    expect(told.states()).toEqual({
      client: `${OPENED.client} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`,
      server: `${OPENED.server} CLOSE_WAIT LAST_ACK CLOSED`,
    });
  });

  it('the same when the server closes first', () => {
    const told = serverTimeWait();
    expect(told.record().close).toMatchObject({ class: 'four_wave', initiator: 'server', sequence: 'F< A> F> A<' });
    expect(told.states()).toEqual({
      client: `${OPENED.client} CLOSE_WAIT LAST_ACK CLOSED`,
      server: `${OPENED.server} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`,
    });
  });

  it('the same over IPv6', () => {
    const record = timeWait({ client: ipv6(2, 40000), server: ipv6(9, 80) }).record();
    expect(record).toMatchObject({ client: { ip: '2001:db8::2', port: 40000 }, server: { ip: '2001:db8::9', port: 80 } });
    expect(record.close.class).toBe('four_wave');
  });

  it('each time between its waves', () => {
    const told = established();
    told.client.fin();
    told.wait(1);
    told.server.ack();
    told.wait(2);
    told.server.fin();
    told.wait(4);
    told.client.ack();
    expect(told.record().close).toMatchObject({ fin_ack_s: 1.01, half_closed_s: 2.01, last_ack_s: 4.01, duration_s: 7.03 });
    expect(told.record().close.start).toBe('2020-09-13T12:26:40.040000000Z');
  });

  it('payload in the very segment that first acknowledges the FIN is not new payload after it', () => {
    const { client, server, record } = finWait1();
    server.data(300);
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'four_wave', sequence: 'F> A< F< A>', half_closed_bytes: 0 });
  });

  it('nor is payload in the second FIN', () => {
    const { client, server, record } = finWait2();
    server.fin({ payload: 300 });
    client.ack();
    expect(record()).toMatchObject({
      close: { class: 'four_wave', sequence: 'F> A< F< A>', modifiers: ['fin_with_data'] },
      server: { bytes: 300 },
    });
  });

  it('nor is payload that was sent before and is repeated', () => {
    const { client, server, record } = established();
    const data = server.data(300, { lost: true });
    client.fin();
    server.ack();
    server.again(data);
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ close: { class: 'four_wave', sequence: 'F> A< F< A>' }, server: { bytes: 300 } });
  });

  it('nor is payload sent before, and lost on its way to the capture, when it is repeated', () => {
    const { client, server, record } = established();
    server.data(1000, { lost: true, unseen: true });
    client.fin();
    server.ack();
    server.data(1000, { seq: 1 });
    client.ack();
    server.fin();
    client.ack();
    expect(record()).toMatchObject({
      close: { class: 'four_wave', sequence: 'F> A< F< A>', half_closed_bytes: 0 },
      server: { bytes: 1000 },
    });
  });

  it('but what was sent behind that is', () => {
    const { client, server, record } = established();
    server.data(1000, { lost: true, unseen: true });
    client.fin();
    server.ack();
    server.data(1500, { seq: 1 });
    server.data(200, { lost: true, unseen: true });
    server.data(300);
    server.data(200, { seq: 1501 });
    client.ack();
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'half_close', sequence: 'F> A< D< F< A>', half_closed_bytes: 1000 });
  });

  it('nor is payload sent before that acknowledgement and only captured behind it', () => {
    const told = established();
    told.client.fin({ lost: true }); // arrives later than the data leaves
    told.server.data(300, { ack: 1 });
    told.server.ack({ ack: 2 });
    told.captureEarlier();
    told.server.fin({ ack: 2 });
    told.client.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'four_wave', sequence: 'F> A< F< A>', modifiers: ['out_of_order'] },
      server: { bytes: 300 },
    });
  });
});

describe('three segments', () => {
  it('FIN, FIN+ACK, ACK', () => {
    const told = finWait1();
    told.server.fin();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'three_segment', initiator: 'client', basis: 'fin_acks', sequence: 'F> FA< A>' });
    expect(told.record().close).toMatchObject({ fin_ack_s: 0.01, half_closed_s: 0, last_ack_s: 0.01 });
    expect(told.states()).toEqual({
      client: `${OPENED.client} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`,
      server: `${OPENED.server} CLOSE_WAIT LAST_ACK CLOSED`,
    });
  });

  it('with payload in the FIN+ACK', () => {
    const { client, server, record } = finWait1();
    server.fin({ payload: 10 });
    client.ack();
    expect(record().close).toMatchObject({ class: 'three_segment', sequence: 'F> FA< A>', modifiers: ['fin_with_data'] });
  });

  it('an acknowledgement of the data before the FIN does not acknowledge the FIN', () => {
    const { client, server, record } = established();
    client.data(10);
    client.fin();
    server.ack({ ack: 11 });
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'three_segment', sequence: 'F> FA< A>' });
  });
});

describe('half close', () => {
  it('new payload between the acknowledgement and the second FIN', () => {
    const { client, server, record } = finWait2();
    server.data(100);
    client.ack();
    server.data(50);
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'half_close', initiator: 'client', sequence: 'F> A< D< F< A>', half_closed_bytes: 150 });
  });
});

describe('FINs that cross', () => {
  it('simultaneous: both go through CLOSING and hold TIME_WAIT', () => {
    const told = closing();
    told.crossing(() => {
      told.client.ack();
      told.server.ack();
    });
    expect(told.record().close).toMatchObject({ class: 'simultaneous', initiator: 'both', basis: 'fin_acks', sequence: 'F> F< A> A<' });
    expect(told.states()).toEqual({
      client: `${OPENED.client} FIN_WAIT1 CLOSING TIME_WAIT`,
      server: `${OPENED.server} FIN_WAIT1 CLOSING TIME_WAIT`,
    });
    expect(told.record().time_wait.map(({ holder }) => holder)).toEqual(['client', 'server']);
  });

  it('at one time: the order of capture tells whose came first, whichever address it has', () => {
    for (const [client, server] of [
      [2, 9],
      [9, 2],
    ] as const) {
      const told = story({ client: ipv4(`10.0.0.${client}`, 40_000), server: ipv4(`10.0.0.${server}`, 80), step: 0 });
      const connections = [0, 1, 0, 1].map((first, i) => {
        const ends = told.connection(ipv4(`10.0.0.${client}`, 41_000 + i), ipv4(`10.0.0.${server}`, 80));
        ends[0].syn();
        ends[1].synAck();
        ends[0].ack();
        told.crossing(() => {
          ends[first]!.fin();
          ends[first ^ 1]!.fin();
        });
        return [ends[first]!, ends[first ^ 1]!] as const;
      });
      told.wait(3);
      for (const [, second] of connections) second.ack();
      const { statistics } = told.outcome();
      expect([statistics.finAck.count, statistics.lastAck.count]).toEqual([4, 0]);
      const { close } = told.records().at(-1)!;
      expect(close).toMatchObject({ sequence: 'F< F> A>', fin_ack_s: 3 });
      expect(close).not.toHaveProperty('last_ack_s');
    }
  });

  it('last_ack_missing: one of the two acknowledgements is not there', () => {
    const told = closing();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'last_ack_missing', initiator: 'both', sequence: 'F> F< A>' });
    // The server's FIN is acknowledged, so the server holds TIME_WAIT; the client waits for the acknowledgement of its own.
    expect(told.states()).toEqual({
      client: `${OPENED.client} FIN_WAIT1 CLOSING`,
      server: `${OPENED.server} FIN_WAIT1 CLOSING TIME_WAIT`,
    });
  });

  it('is only likely where a FIN stands for more than a second, and nobody repeats it: the capture lacks the acknowledgement', () => {
    expect(confidence(lastAck())).toBe('last_ack_missing certain');
    expect(confidence(lastAck().wait(1))).toBe('last_ack_missing certain');
    expect(confidence(lastAck().wait(1.1))).toBe('last_ack_missing likely');
    expect(confidence(finWait1().wait(1.1))).toBe('fin_unacked likely');
    const repeated = lastAck().wait(0.2);
    repeated.server.again(repeated.server.lastFin);
    expect(confidence(repeated.wait(5))).toBe('last_ack_missing certain');
    const late = finWait1().wait(3);
    late.server.fin();
    late.client.ack();
    expect(confidence(late)).toBe('three_segment likely');
    const reset = lastAck();
    reset.server.rst();
    expect(confidence(reset.wait(5))).toBe('last_ack_missing certain');
  });

  it("FIN_WAIT2 and not CLOSING where the acknowledgement of one's own came before the peer's FIN, which was sent earlier", () => {
    const told = established();
    told.crossing(() => {
      told.server.fin();
      told.client.fin();
    });
    told.client.ack();
    told.captureEarlier();
    told.server.ack();
    // In the order in which they were sent, as the numbers prove it.
    expect(told.record().close).toMatchObject({ class: 'simultaneous', sequence: 'F< F> A> A<', modifiers: ['out_of_order'] });
    expect(told.states()).toEqual({
      client: `${OPENED.client} FIN_WAIT1 CLOSING TIME_WAIT`,
      server: `${OPENED.server} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`,
    });
  });

  it("the same where the peer's FIN lies behind a hole when one's own is acknowledged: by itself, or with what fills the hole", () => {
    for (const early of [true, false]) {
      const { client, server, record, states } = established();
      client.fin({ lost: true });
      const data = server.data(100, { lost: true, unseen: true });
      server.fin({ lost: true });
      client.ack();
      if (early) server.send(ACK, { ack: 2 });
      server.again(data, { ack: 2 });
      client.send(ACK, { ack: 102 });
      expect(record().close).toMatchObject({ class: 'simultaneous', sequence: 'F> F< A< A>' });
      expect(states()).toEqual({
        client: `${OPENED.client} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`,
        server: `${OPENED.server} FIN_WAIT1 CLOSING TIME_WAIT`,
      });
    }
  });

  it('but CLOSING where only the capture lacks what lies below that FIN, also if it is sent again', () => {
    for (const again of [false, true]) {
      const { client, server, states } = established();
      const data = server.data(100, { unseen: true });
      client.fin({ lost: true });
      server.fin();
      if (again) client.ack();
      if (again) server.again(data, { ack: 2 });
      else server.send(ACK, { ack: 2 });
      client.ack();
      expect(states().client).toBe(`${OPENED.client} FIN_WAIT1 CLOSING TIME_WAIT`);
    }
  });

  it('the same where the log has no room for that FIN any more: nothing else takes its place', () => {
    const told = established();
    told.server.fin();
    told.client.ack();
    for (let i = 0; i < 40; i++) {
      told.server.again(told.server.lastFin);
      told.client.ack();
    }
    told.client.fin({ ack: 1 });
    expect(told.record().close.sequence).toMatch(/^F< A> f< a> f< a>/);
  });

  it('nor that of a FIN that was acknowledged already', () => {
    const told = established();
    told.server.fin({ ack: told.client.next + 1 });
    told.client.ack({ seq: told.client.next + 1 });
    for (let i = 0; i < 40; i++) {
      told.server.again(told.server.lastFin, { ack: told.client.next + 1 });
      told.client.ack({ seq: told.client.next + 1 });
    }
    told.client.fin({ ack: 1 });
    expect(told.record().close.sequence).toMatch(/^F< A> f< a> f< a>/);
  });

  it('nor is an acknowledgement put in front of a FIN that had no room', () => {
    const told = established();
    told.server.fin();
    for (let i = 0; i < 80; i++) told.server.again(told.server.lastFin);
    told.client.fin({ ack: 1 });
    told.client.ack({ seq: told.client.next - 1 });
    const { sequence, modifiers } = told.record().close;
    expect(sequence).toMatch(/^F<( f<)+ \.\.\.$/);
    expect(modifiers).toContain('out_of_order');
  });

  it('a FIN behind payload that never comes is not taken: FIN_WAIT2, and no TIME_WAIT', () => {
    const told = established();
    told.server.data(1000, { unseen: true, lost: true });
    told.server.fin({ seq: 1001 });
    told.client.ack({ ack: 1 });
    told.client.fin({ ack: 1 });
    told.server.ack();
    expect(told.record()).toMatchObject({ close: { class: 'last_ack_missing' }, time_wait: [] });
    expect(told.states().client).toBe(`${OPENED.client} FIN_WAIT1 FIN_WAIT2`);
  });

  it('a FIN that is captured behind a later ACK of its sender lies behind nothing: TIME_WAIT', () => {
    const told = finWait1();
    told.server.fin();
    told.server.ack();
    told.captureEarlier();
    expect(told.record().time_wait).toMatchObject([{ holder: 'client', basis: 'fin' }]);
    expect(told.states().client).toBe(`${OPENED.client} FIN_WAIT1 FIN_WAIT2 TIME_WAIT`);
  });

  it('in TIME_WAIT from the later of the two acknowledgements on', () => {
    const told = closing();
    told.wait(1);
    told.server.ack();
    told.wait(3);
    const last = told.client.ack();
    const [client, server] = told.record().time_wait;
    expect(client?.start).toBe(server?.start);
    expect(timeOf(client?.start)).toBe(last.time);
  });
});

describe('who closed first does not depend on the place of capture', () => {
  it("near the server: the client's FIN is captured behind the server's, but was acknowledged by it", () => {
    const told = finWait1();
    told.server.fin();
    told.captureEarlier();
    told.client.ack();
    expect(told.record().close).toMatchObject({
      class: 'three_segment',
      initiator: 'client',
      sequence: 'F> FA< A>',
      modifiers: ['out_of_order'],
    });
  });

  it('an acknowledgement that was sent before its sender closed, but is captured behind that FIN', () => {
    const told = lastAck();
    told.captureEarlier();
    told.client.ack();
    expect(told.record().close).toMatchObject({
      class: 'four_wave',
      initiator: 'client',
      sequence: 'F> A< F< A>',
      modifiers: ['out_of_order'],
    });
  });

  it('the same in front of a FIN with payload', () => {
    const told = finWait1();
    told.server.ack();
    told.server.fin({ payload: 5 });
    told.captureEarlier();
    told.client.ack();
    expect(told.record().close).toMatchObject({
      class: 'four_wave',
      initiator: 'client',
      sequence: 'F> A< F< A>',
      modifiers: ['fin_with_data', 'out_of_order'],
    });
  });

  it("a FIN captured behind its sender's own next acknowledgement leaves no gap", () => {
    const told = finWait1();
    told.server.fin();
    told.client.ack();
    told.captureEarlier(2); // the last ACK, before both FINs
    expect(told.record()).toMatchObject({ close: { basis: 'fin_acks', modifiers: ['out_of_order'] }, confidence: 'certain' });
  });

  it('a FIN captured behind its acknowledgement', () => {
    const told = finWait2();
    told.captureEarlier();
    told.server.fin();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'four_wave', initiator: 'client', sequence: 'F> A< F< A>' });
  });

  it('a FIN captured behind its acknowledgement and the FIN that follows that', () => {
    const told = established();
    told.client.fin();
    told.server.ack();
    told.captureEarlier();
    told.server.fin();
    told.captureEarlier();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'four_wave', initiator: 'client', sequence: 'F> A< F< A>' });
  });

  it('all that one endpoint sent captured before all of the other', () => {
    const told = established();
    told.client.data(10);
    told.server.data(20);
    told.client.ack();
    told.server.fin();
    told.client.ack();
    told.client.fin();
    told.server.ack();
    for (const first of [0, 1]) {
      const order = [...told.told].sort((a, b) => Number(a.from !== first) - Number(b.from !== first));
      for (const [i, segment] of order.entries()) segment.time = i * MILLISECOND;
      const [record] = retell(order).records;
      expect(record?.close).toMatchObject({ class: 'four_wave', initiator: 'server', sequence: 'F< A> F> A<' });
    }
  });

  it('by order, and no more than likely, where the capture began in the middle', () => {
    const told = midstream();
    told.client.data(10);
    told.server.ack();
    told.client.fin();
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({ close: { class: 'four_wave', initiator: 'client', basis: 'order' }, confidence: 'likely' });
  });

  it('is not both where the first transmission of a FIN is missing and its repetition acknowledges the other', () => {
    const { client, server, record } = established();
    client.fin({ unseen: true });
    server.fin();
    client.fin({ seq: 1 });
    server.ack();
    expect(record().close.initiator).not.toBe('both');
    expect(record()).toMatchObject({ close: { basis: 'order' }, confidence: 'likely' });
  });

  it('by order, and no more than likely, where only a repetition of a FIN acknowledges the other: its sender had gone on behind it before', () => {
    const told = established();
    told.crossing(() => {
      told.client.fin({ unseen: true });
      told.client.ack({ seq: 1 + 1 });
      told.server.fin();
    });
    told.client.ack();
    told.wait(0.2).client.fin({ seq: 1 });
    told.server.ack();
    expect(told.record()).toMatchObject({ close: { class: 'four_wave', initiator: 'server', basis: 'order' }, confidence: 'likely' });
  });

  it('but certain where a FIN is captured behind what its sender acknowledged later', () => {
    const told = established();
    told.client.fin({ unseen: true });
    told.server.data(10);
    told.client.ack();
    told.client.send(FIN | ACK, { seq: 1, ack: 1 });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({ close: { initiator: 'client', basis: 'fin_acks' }, confidence: 'certain' });
  });
});

describe('payload captured behind its own FIN', () => {
  it('fills a hole below it: out_of_order', () => {
    const told = established();
    told.client.data(100);
    told.client.fin();
    told.captureEarlier();
    told.server.ack();
    expect(told.record()).toMatchObject({ client: { bytes: 100 }, close: { class: 'half_open', modifiers: ['out_of_order'] } });
  });

  it('lies beyond it: data_after_fin', () => {
    const told = finWait1();
    told.client.data(100);
    expect(told.record().close.modifiers).toContain('data_after_fin');
  });
});

describe('closes that do not come to their end', () => {
  it('fin_unacked: n FINs and no answer', () => {
    const { client, record, states } = finWait1();
    for (let i = 0; i < 3; i++) client.again(client.lastFin);
    expect(record()).toMatchObject({
      close: { class: 'fin_unacked', initiator: 'client', sequence: 'F> f> f> f>', modifiers: ['fin_retransmitted'] },
      client: { fin: 4, fin_retransmits: 3, state: 'FIN_WAIT1' },
      server: { state: 'ESTABLISHED' },
      end_reason: 'capture_end',
      time_wait: [],
    });
    expect(states().client).toBe(`${OPENED.client} FIN_WAIT1`);
  });

  it('half_open: acknowledged, but the other side never closes', () => {
    const { record } = finWait2();
    expect(record()).toMatchObject({
      close: { class: 'half_open', initiator: 'client', sequence: 'F> A<' },
      client: { state: 'FIN_WAIT2' },
      server: { state: 'CLOSE_WAIT' },
      end_reason: 'capture_end',
      time_wait: [],
    });
  });

  it('last_ack_missing: the active side is in TIME_WAIT from the FIN on, as far as anybody can tell', () => {
    const { record } = lastAck();
    expect(record()).toMatchObject({
      close: { class: 'last_ack_missing', initiator: 'client', sequence: 'F> A< F<' },
      client: { state: 'TIME_WAIT' },
      server: { state: 'LAST_ACK' },
      time_wait: [{ holder: 'client', basis: 'fin' }],
    });
  });

  it('not_closed', () => {
    const { client, server, record } = established();
    client.data(100);
    server.ack();
    expect(record()).toMatchObject({ close: { class: 'not_closed', sequence: '' }, end_reason: 'capture_end', flow_end_reason: 4 });
    expect(record().close).not.toHaveProperty('initiator');
  });
});

describe('FIN retransmissions', () => {
  it('f before the first acknowledgement; a only for one that came after it, one each', () => {
    const { client, server, record } = finWait1();
    client.again(client.lastFin);
    server.ack();
    client.again(client.lastFin);
    server.ack();
    server.ack();
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'four_wave', sequence: 'F> f> A< f> a< F< A>', modifiers: ['fin_retransmitted'] });
  });

  it('last ACK lost: F> A< F< A> f< a>', () => {
    const { client, server, record } = timeWait();
    server.again(server.lastFin);
    client.ack();
    expect(record()).toMatchObject({
      close: { class: 'four_wave', sequence: 'F> A< F< A> f< a>' },
      server: { fin: 2, fin_retransmits: 1 },
    });
  });

  it('the same FIN number is a retransmission with or without its data', () => {
    const { client, server, record } = established();
    client.fin({ payload: 100 });
    client.send(FIN | 0x10, { seq: 101 });
    client.send(FIN | 0x10, { seq: 51, payload: 50 });
    server.ack();
    expect(record()).toMatchObject({
      close: { class: 'half_open', sequence: 'F> f> f> A<', modifiers: ['fin_with_data', 'fin_retransmitted'] },
      client: { fin: 3, fin_retransmits: 2, bytes: 100 },
    });
  });

  it('another FIN number is a FIN whose number changed', () => {
    const { client, server, record } = finWait1();
    client.fin({ seq: 5 });
    server.ack({ ack: 2 });
    expect(record().close).toMatchObject({ class: 'half_open', sequence: 'F> A<', modifiers: expect.arrayContaining(['fin_seq_changed']) });
    expect(record().client).toMatchObject({ fin: 2, fin_retransmits: 0 });
  });

  it('acknowledged by the FIN itself where the first ACK of the FIN is lost on the way: still three or four waves as sent', () => {
    const { client, server, record } = finWait1();
    server.ack({ lost: true });
    client.again(client.lastFin);
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'four_wave', sequence: 'F> A< f> F< A>' });
  });
});

describe('a FIN that nobody would believe', () => {
  it('far outside of all that was sent is no FIN', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    client.fin({ seq: 0x50000000 });
    client.next = 11;
    server.received = 11;
    client.fin();
    server.ack();
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'four_wave', initiator: 'client', sequence: 'F> A< F< A>' });
  });

  it.each([0, -1, -5, 2 ** 31 - 1])('the first of its sender lies beyond nothing, wherever its numbers begin (%i)', (serverIsn) => {
    const { client, server, record } = story({ serverIsn });
    client.syn();
    client.fin({ ack: 0, window: 0 });
    server.fin({ seq: 6 });
    server.data(5, { seq: 1 });
    expect(record()).toMatchObject({ close: { sequence: 'F> FA<' }, server: { fin: 1, bytes: 5 } });
  });

  it.each([0, -3, 2 ** 31 - 1])('beyond the window, acknowledging first, leaves nothing of its acknowledgement (%i)', (clientIsn) => {
    const { client, server, record } = story({ clientIsn });
    client.synAck({ ack: 3, window: 10 });
    server.fin({ seq: 400, ack: 0 });
    server.send(PSH, { seq: 3, payload: 3 });
    expect(record()).toMatchObject({ close: { class: 'no_reply', sequence: '', modifiers: [] }, client: { fin: 1, bytes: 3 } });
  });

  it('beyond the window, and beyond a hole, is no FIN: the right one is', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    client.fin({ seq: 700_000, lost: true });
    client.next = 11;
    client.data(10);
    server.ack();
    client.fin();
    server.fin();
    client.ack();
    expect(record()).toMatchObject({
      client: { bytes: 20, fin: 2 },
      close: { class: 'three_segment', initiator: 'client', sequence: 'F> FA< A>', modifiers: [] },
      confidence: 'certain',
    });
  });

  it('also where its supposed sender goes on with its own FIN, or an acknowledgement', () => {
    for (const acknowledges of [false, true]) {
      const { client, server, record } = established();
      client.data(10);
      server.ack();
      client.fin({ seq: 90_000, lost: true });
      client.next = 11;
      server.data(10);
      if (acknowledges) client.ack();
      client.fin();
      server.fin();
      client.ack();
      expect(record()).toMatchObject({
        close: { class: 'three_segment', initiator: 'client', sequence: 'F> FA< A>', modifiers: [] },
        confidence: 'certain',
      });
    }
  });

  it('but one whose sender goes on behind it is acknowledged by more than its number', () => {
    const { client, server, record } = established();
    client.fin();
    client.data(10);
    server.ack();
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ close: { class: 'four_wave', initiator: 'client' }, end_reason: 'closed' });
  });

  it('and one far beyond is not disproved by an acknowledgement that was sent before it', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    server.data(20);
    client.data(90_000, { unseen: true });
    client.fin();
    client.send(ACK, { seq: 11 });
    server.ack();
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'four_wave', initiator: 'client' });
  });

  it('nor does a number beyond one acknowledge it', () => {
    const { client, server, record } = established();
    client.fin({ lost: true });
    server.send(ACK, { ack: 50_000 });
    client.again(client.lastFin);
    server.ack();
    expect(record().close).toMatchObject({ class: 'half_open', sequence: 'F> f> A<', modifiers: ['fin_retransmitted'] });
  });

  it('nor is its acknowledgement one, or its payload what another FIN brought', () => {
    const told = established();
    told.client.fin({ payload: 10 });
    told.server.fin({ seq: 90_000, ack: 60_000, lost: true });
    told.server.next = 1;
    told.server.data(10);
    told.client.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'four_wave', initiator: 'client', sequence: 'F> A< F< A>', modifiers: ['fin_with_data'] },
      time_wait: [{ holder: 'client' }],
    });
  });

  it('but is one where nobody knows how windows are scaled, because the capture lacks the options', () => {
    const told = story();
    told.client.syn({ words: 8 });
    told.server.synAck({ words: 8 });
    told.client.ack();
    told.client.data(600, { unseen: true });
    told.client.fin();
    told.client.data(600, { seq: 1 });
    told.server.ack();
    expect(told.record().close).toMatchObject({ class: 'half_open', initiator: 'client', sequence: 'F> A<' });
  });

  it('but is one where nothing disproves it: much is missing from the capture', () => {
    const told = established();
    told.client.data(10);
    told.server.ack();
    told.client.data(700_000, { unseen: true });
    told.client.fin({ payload: 20 });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({
      client: { bytes: 30 },
      close: { class: 'four_wave', initiator: 'client', sequence: 'F> A< F< A>', modifiers: ['fin_with_data', 'gap'] },
      time_wait: [{ holder: 'client' }],
    });
  });

  it('and where no hole is before it, because acknowledgements may not be in the capture', () => {
    const { client, server, record } = established();
    client.data(700_000);
    client.fin();
    server.fin();
    client.ack();
    expect(record().close).toMatchObject({ class: 'three_segment', initiator: 'client' });
  });

  it('or inside the window, as both SYNs scaled it', () => {
    const told = story();
    told.client.syn({ scale: 7 });
    told.server.synAck({ scale: 7 });
    told.client.ack();
    told.client.data(50_000, { unseen: true });
    told.client.fin();
    told.server.fin();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'three_segment', modifiers: ['gap'] });
  });

  it('below what the peer has acknowledged is no FIN', () => {
    const { client, server, record } = established();
    client.data(1000);
    server.ack();
    client.fin({ seq: 500 });
    server.ack();
    client.fin();
    server.ack();
    expect(record().close).toMatchObject({ class: 'half_open', sequence: 'F> A<' });
  });
});

describe('one side only', () => {
  it('fin_inferred, and bytes that the capture lacks elsewhere', () => {
    const told = established();
    told.client.data(1000, { unseen: true });
    told.server.ack();
    told.client.data(100);
    told.server.ack();
    told.client.fin({ unseen: true });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'orderly', initiator: 'client', basis: 'inferred', modifiers: ['fin_inferred', 'gap'] },
      confidence: 'likely',
    });
  });

  it("fin_inferred: the silent side's FIN is proved by an acknowledgement one above all its data", () => {
    const told = story();
    told.client.syn();
    told.server.synAck({ unseen: true });
    told.client.ack();
    told.client.fin();
    told.server.fin({ unseen: true });
    told.client.ack();
    const record = told.record();
    expect(record).toMatchObject({
      close: { class: 'orderly', initiator: 'client', modifiers: ['fin_inferred', 'one_sided'] },
      visibility: 'client_only',
      confidence: 'likely',
    });
  });

  it('the same seen from the passive side only', () => {
    const told = story();
    told.client.syn({ unseen: true });
    told.server.synAck();
    told.client.ack({ unseen: true });
    told.client.fin({ unseen: true });
    told.server.ack();
    told.server.fin();
    told.client.ack({ unseen: true });
    expect(told.record()).toMatchObject({
      close: { class: 'orderly', modifiers: expect.arrayContaining(['one_sided']) },
      visibility: 'server_only',
    });
    expect(told.record().confidence).not.toBe('certain');
  });

  it.each([10, 3 * 2 ** 30])('and where it had sent %i bytes before, of which nothing but acknowledgements tells', (payload) => {
    const { client, server, record } = story();
    client.syn({ unseen: true });
    server.synAck();
    for (let sent = 0; sent < payload; sent += 2 ** 29) {
      client.data(Math.min(payload, 2 ** 29), { unseen: true });
      server.ack();
    }
    client.fin({ unseen: true });
    server.ack();
    server.fin();
    expect(record()).toMatchObject({
      close: { class: 'orderly', initiator: 'client', sequence: 'F<', modifiers: ['fin_inferred', 'one_sided'] },
      confidence: 'likely',
    });
  });
});

it('the last ACK is there where it proves the FIN, although that of the first FIN is missing', () => {
  const told = established();
  const fin = told.client.fin();
  told.client.again(fin);
  told.server.ack({ unseen: true });
  told.server.fin({ unseen: true });
  told.client.ack();
  expect(told.record()).toMatchObject({
    close: { class: 'orderly', initiator: 'client', sequence: 'F> f>' },
    time_wait: [{ holder: 'client', basis: 'ack' }],
    confidence: 'likely',
  });
});

describe('a FIN that is not in the capture, but acknowledged by the other FIN', () => {
  for (const [what, options] of [
    ['the lower', {}],
    ['the higher', { client: ipv4('10.0.0.9', 40000), server: ipv4('10.0.0.2', 80) }],
  ] as const) {
    it(`closed first, also where its sender has ${what} address`, () => {
      const told = established(options);
      told.client.fin({ unseen: true });
      told.server.fin();
      const record = told.record();
      expect(record).toMatchObject({
        close: { class: 'last_ack_missing', initiator: 'client', basis: 'inferred', modifiers: ['fin_inferred'] },
        confidence: 'likely',
      });
      expect(record.time_wait.map(({ holder }) => holder)).toEqual(['client']);
    });
  }

  it('closed first, also where its sender goes on behind it', () => {
    const told = established();
    told.client.data(100);
    told.server.ack();
    told.client.fin({ unseen: true });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    const record = told.record();
    expect(record).toMatchObject({
      close: { class: 'orderly', initiator: 'client', basis: 'inferred', sequence: 'F< A>', modifiers: ['fin_inferred'] },
      time_wait: [{ holder: 'client', basis: 'ack' }],
      confidence: 'likely',
    });
    expect(told.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED',
    });
    // Nobody knows how long it took to be acknowledged.
    expect(record.close).not.toHaveProperty('fin_ack_s');
    expect(record.close).toHaveProperty('half_closed_s');
    expect(record.close).toHaveProperty('last_ack_s');
  });

  it('closed first, also where its sender has gone on behind it before it is acknowledged', () => {
    const told = established();
    told.crossing(() => {
      told.client.fin({ unseen: true });
      told.server.data(100);
    });
    told.client.ack();
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record()).toMatchObject({
      close: { class: 'orderly', initiator: 'client', basis: 'inferred', sequence: 'F< A>', modifiers: ['fin_inferred'] },
      server: { bytes: 100 },
      time_wait: [{ holder: 'client', basis: 'ack' }],
    });
  });

  it('is none where its peer has sent none, either: a byte may be missing', () => {
    const told = established();
    told.client.data(1, { unseen: true });
    told.server.ack();
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'not_closed', modifiers: ['gap'] });
  });

  it('is none where more is missing than its number', () => {
    const told = established();
    told.client.data(100, { unseen: true });
    told.client.fin({ unseen: true });
    told.server.ack();
    told.server.fin();
    told.client.ack();
    expect(told.record().close.modifiers).toEqual(['gap']);
  });

  it('has no times of its own where it closed second', () => {
    const told = finWait1();
    told.server.fin({ unseen: true });
    told.client.ack();
    const { close } = told.record();
    expect(close).toMatchObject({ initiator: 'client', basis: 'inferred', modifiers: ['fin_inferred'] });
    for (const name of ['fin_ack_s', 'half_closed_s', 'last_ack_s']) expect(close).not.toHaveProperty(name);
  });

  it('is not supposed where nothing was acknowledged, whatever the number is (here the ISN is 0)', () => {
    for (const serverIsn of [0, 1_000_000]) {
      const told = midstream({ serverIsn });
      told.client.fin();
      expect(told.record(), `ISN ${serverIsn}`).toMatchObject({ close: { class: 'unknown', sequence: 'F>', modifiers: ['one_sided'] } });
    }
  });
});

describe('keep-alives of a connection that the capture begins in the middle of', () => {
  it.each([1, 3])('acknowledge no FIN: %i of one endpoint', (probes) => {
    const told = midstream();
    for (let i = 0; i < probes; i++) {
      told.wait(30).client.keepAlive();
      told.server.ack();
    }
    expect(told.record()).toMatchObject({
      close: { class: 'not_closed', modifiers: [] },
      client: { state: 'ESTABLISHED' },
      server: { state: 'ESTABLISHED' },
    });
  });

  it('nor where the other endpoint closes later: it is the prober that leaks', () => {
    const told = midstream();
    told.client.keepAlive();
    told.server.ack();
    told.wait(30).server.fin();
    told.client.ack();
    told.wait(300);
    expect(told.record()).toMatchObject({
      close: { class: 'half_open', initiator: 'server', sequence: 'F< A>', modifiers: [] },
      client: { state: 'CLOSE_WAIT' },
    });
  });

  it('are not what a reader sends that acknowledges more each time: its FIN is inferred', () => {
    const told = midstream();
    for (let i = 0; i < 3; i++) {
      told.server.data(1000);
      told.client.ack();
    }
    told.client.fin({ unseen: true });
    told.server.ack();
    expect(told.record()).toMatchObject({ close: { class: 'half_open', initiator: 'client', modifiers: ['fin_inferred'] } });
  });

  it('are not what first acknowledges a FIN, either', () => {
    const told = midstream();
    told.client.fin();
    told.server.ack();
    told.server.fin({ unseen: true });
    told.client.ack();
    expect(told.record().close).toMatchObject({ class: 'orderly', initiator: 'client', modifiers: ['fin_inferred'] });
  });

  it('nor of both, one after the other', () => {
    const told = midstream();
    told.client.keepAlive();
    told.server.ack();
    told.server.keepAlive();
    told.client.ack();
    expect(told.record().close.class).toBe('not_closed');
  });
});

describe('a FIN without ACK acknowledges nothing, whatever the numbers are', () => {
  for (const clientIsn of [-2, -100, 1000, 0x7fffffff]) {
    it(`client ISN ${clientIsn}`, () => {
      const told = established({ clientIsn });
      told.client.fin();
      told.server.send(FIN);
      told.client.ack();
      told.server.ack();
      expect(told.record().close).toMatchObject({ class: 'simultaneous', initiator: 'both', sequence: 'F> F< A> A<' });
    });
  }
});

it('a client that has no data may close at once: its FIN completes the handshake', () => {
  const told = story({ client: ipv4('1.2.3.4', 5), server: ipv4('1.2.3.4', 6) });
  told.client.syn();
  told.server.synAck();
  told.client.fin();
  told.server.fin();
  told.client.ack();
  expect(told.record().close).toMatchObject({ class: 'three_segment', sequence: 'F> FA< A>' });
  expect(told.states()).toEqual({
    client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT',
    server: 'SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED',
  });
});

describe('CLOSE_WAIT', () => {
  it('is a suspect when it has lasted a minute of capture time at the end of the capture', () => {
    const told = finWait2();
    const { clock } = told;
    expect(told.outcome({ until: clock + 60 * SECOND }).answers.leaks).toMatchObject({ suspects: 0, leaks: 0 });
    const { leaks } = told.outcome({ until: clock + 60 * SECOND + 1 }).answers;
    expect(leaks).toMatchObject({ suspects: 1, leaks: 0 });
    expect(leaks.worst(9)).toEqual([
      {
        host: '10.0.0.9',
        role: 'server',
        server_port: 80,
        suspects: 1,
        leaks: 0,
        since: clock,
        oldest: [{ since: clock, connection: '10.0.0.2:40000-10.0.0.9:80' }],
      },
    ]);
  });

  it('of several the oldest are named, in whatever order their 4-tuples are', () => {
    const told = story();
    for (const port of [40_003, 40_001, 40_002, 40_000]) {
      const [client, server] = told.connection(ipv4('10.0.0.2', port), ipv4('10.0.0.9', 80));
      client.syn();
      server.synAck();
      client.ack();
      client.fin();
      server.ack();
      told.wait(1);
    }
    const { leaks, stuck } = told.wait(100).outcome().answers;
    const named = [40_003, 40_001, 40_002].map((port) => `10.0.0.2:${port}-10.0.0.9:80`);
    expect(leaks.worst(1)[0]!.oldest.map(({ connection }) => connection)).toEqual(named);
    expect(stuck.worst('fin_wait2', 1)[0]!.sample).toBe(named[0]);
  });

  it('is a leak when the peer has probed it since, and not when it probed before its FIN', () => {
    const probed = finWait2().wait(20);
    probed.client.keepAlive();
    probed.server.ack();
    expect(probed.record().close.modifiers).toEqual(['keepalive_after_fin']);
    expect([probedAfter(0.9), probedAfter(3)]).toEqual([[], ['keepalive_after_fin']]);
    expect(probed.wait(100).outcome().answers.leaks).toMatchObject({ suspects: 0, leaks: 1 });

    const before = established();
    before.client.keepAlive();
    before.server.ack();
    before.client.fin();
    before.server.ack();
    expect(before.wait(100).outcome().answers.leaks).toMatchObject({ suspects: 1, leaks: 0 });
  });

  it('is not probed by an acknowledgement from before the FIN', () => {
    const told = finWait2();
    told.client.keepAlive();
    expect(told.wait(100).outcome().answers.leaks).toMatchObject({ suspects: 1, leaks: 0 });
  });

  it('is none when it has closed meanwhile', () => {
    const told = finWait2().wait(100);
    told.server.fin();
    told.client.ack();
    expect(told.outcome().answers.leaks).toMatchObject({ suspects: 0, leaks: 0 });
  });
});
