/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
import { describe, expect, it } from 'vitest';
import { ACK, FIN, RST } from '../../src/layout/tcp.ts';
import {
  closing,
  established,
  finWait1,
  finWait2,
  lastAck,
  midstream,
  type Story,
  story,
  synReceived,
  synSent,
  timeWait,
} from '../support/story.ts';

describe('a RST is believed', () => {
  it('at exactly the number that its receiver expects: rst_abort', () => {
    const told = established();
    told.client.data(100);
    told.server.ack();
    told.client.rst();
    expect(told.record()).toMatchObject({
      close: { class: 'rst_abort', initiator: 'client', basis: 'rst', sequence: 'R>', duration_s: 0, modifiers: [] },
      client: { rst: 1, state: 'CLOSED' },
      server: { rst: 0, state: 'CLOSED' },
      end_reason: 'reset',
      confidence: 'certain',
      time_wait: [],
    });
    expect(told.states()).toEqual({ client: 'SYN_SENT ESTABLISHED CLOSED', server: 'SYN_RECV ESTABLISHED CLOSED' });
  });

  it('at what the receiver has acknowledged, although more was sent', () => {
    const { client, record } = established();
    client.data(100, { lost: true });
    client.send(RST, { seq: 1 });
    expect(record().close.class).toBe('rst_abort');
  });

  it('at the end of what its sender has sent, although less was acknowledged', () => {
    const { client, record } = established();
    client.data(100, { lost: true });
    client.rst({ seq: 101 });
    expect(record().close.class).toBe('rst_abort');
  });

  it('at the end of what its sender has sent, where something below is missing: unless its receiver lives on', () => {
    for (const lives of [false, true]) {
      const { client, server, record, states } = established();
      server.data(100);
      client.ack();
      const fin = server.fin({ unseen: true, lost: true });
      server.ack({ lost: true });
      server.rst({ lost: true });
      if (!lives) {
        expect(record().close).toMatchObject({ class: 'rst_abort', initiator: 'server', sequence: 'R<' });
        continue;
      }
      client.ack();
      server.again(fin);
      client.send(ACK, { ack: 102 });
      client.data(300);
      server.rst();
      expect(record().close).toMatchObject({
        initiator: 'server',
        class: 'data_after_close_rst',
        sequence: 'F< A> D> R<',
        modifiers: ['out_of_order', 'rst_challenged'],
      });
      expect(states()).toEqual({
        client: 'SYN_SENT ESTABLISHED CLOSE_WAIT CLOSED',
        server: 'SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
      });
    }
  });

  it('at that number behind what only the capture lacks, whatever is known of the window', () => {
    const told = midstream();
    told.client.window = 501;
    told.server.data(100);
    told.client.ack();
    told.server.data(1000, { unseen: true });
    told.server.data(1000);
    told.server.rst();
    expect(told.record()).toMatchObject({ close: { class: 'rst_abort', initiator: 'server' }, confidence: 'likely' });
    const full = established();
    full.client.window = 2000;
    full.server.data(100);
    full.client.ack();
    full.server.data(1000, { unseen: true });
    full.server.data(1000);
    full.server.rst();
    expect(full.record()).toMatchObject({ close: { class: 'rst_abort', initiator: 'server' }, confidence: 'likely' });
  });

  it('at that number, which an acknowledgement confirms that was under way', () => {
    const { client, server, record } = established();
    server.data(1000, { unseen: true });
    server.data(500);
    server.rst();
    client.send(ACK, { ack: 1501 });
    expect(record().close).toMatchObject({ class: 'rst_abort', initiator: 'server', modifiers: ['gap'] });
  });

  it('without ACK, when it answers a segment', () => {
    const { server, record } = established();
    server.send(RST, { seq: 1 });
    expect(record().close).toMatchObject({ class: 'rst_abort', initiator: 'server', sequence: 'R<' });
  });

  it('without ACK, right behind the SYN-ACK: who was sent that is in SYN_SENT no more', () => {
    const { server, record } = synReceived();
    server.send(RST, { seq: 1 });
    expect(record()).toMatchObject({ close: { class: 'aborted_handshake', initiator: 'server', sequence: 'R<', modifiers: [] } });
    const early = synSent();
    early.server.send(RST, { seq: 1 });
    expect(early.record()).toMatchObject({ close: { class: 'no_reply', modifiers: ['rst_invalid'] } });
  });

  it('but not where the other one shows that it was still in SYN_SENT: it tries again', () => {
    const told = synReceived();
    told.server.send(RST, { seq: 1 });
    told.client.again(told.told[0]);
    told.server.synAck();
    told.client.ack();
    told.client.data(100);
    told.server.ack();
    expect(told.record()).toMatchObject({
      open: 'three_way',
      close: { class: 'not_closed', modifiers: ['rst_challenged'] },
      end_reason: 'capture_end',
    });
  });

  it('in a capture that began in the middle', () => {
    const { client, server, record } = midstream();
    client.data(10);
    server.ack();
    server.rst();
    expect(record()).toMatchObject({ close: { class: 'rst_abort', initiator: 'server' }, confidence: 'likely' });
  });
});

describe('a RST inside the window but not at the exact number', () => {
  it('counts where its receiver is never seen alive again', () => {
    const { client, record, states } = established();
    client.rst({ seq: 11 });
    expect(record()).toMatchObject({
      close: { class: 'rst_abort', initiator: 'client', basis: 'rst', sequence: 'R>' },
      end_reason: 'reset',
      confidence: 'likely',
    });
    expect(states()).toEqual({ client: 'SYN_SENT ESTABLISHED CLOSED', server: 'SYN_RECV ESTABLISHED CLOSED' });
  });

  it('counts in the order of the waves: after one FIN', () => {
    const { client, record } = finWait2();
    client.rst({ seq: 20 });
    expect(record().close).toMatchObject({ class: 'fin_then_rst', sequence: 'F> A< R>' });
  });

  it('does not count where the receiver challenges it and goes on', () => {
    const { client, server, record } = established();
    client.rst({ seq: 11 });
    server.ack();
    client.fin();
    server.ack();
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ close: { class: 'four_wave', sequence: 'F> A< F< A>' }, client: { rst: 1 }, end_reason: 'closed' });
  });

  it('counts although its own sender goes on sending', () => {
    const { client, record } = established();
    client.rst({ seq: 11 });
    client.data(10);
    expect(record()).toMatchObject({ close: { class: 'rst_abort' }, end_reason: 'reset' });
  });

  it('counts although the receiver sends RSTs and SYNs afterwards, which prove nothing', () => {
    const { client, server, record } = established();
    client.rst({ seq: 11 });
    server.rst({ seq: 300 });
    expect(record().close.class).toBe('rst_abort');
  });

  it('counts before a RST by its receiver, which proves nothing either', () => {
    const { client, server, record } = established();
    client.rst({ seq: 11 });
    server.rst();
    expect(record().close).toMatchObject({ class: 'rst_abort', initiator: 'client', sequence: 'R>', duration_s: 0 });
  });

  it('but not before one that refuses a SYN', () => {
    const { client, server, record } = synSent();
    client.send(RST, { seq: 5000 });
    server.send(RST | ACK, { seq: 0, ack: 1 });
    expect(record()).toMatchObject({ open: 'refused', close: { class: 'refused', initiator: 'server', sequence: 'R<' } });
  });

  it('looks at the window of its receiver, up to its last number', () => {
    const reset = (seq: number, windows: [client: number, server: number] = [500, 500]) => {
      const told = established();
      told.client.data(1, { window: windows[0] });
      told.server.ack({ window: windows[1] });
      told.client.ack({ window: windows[0] });
      told.server.rst({ seq: 1 + seq });
      const { class: name, modifiers } = told.record().close;
      return [name, ...modifiers];
    };
    expect(reset(499)).toEqual(['rst_abort']);
    expect(reset(500)).toEqual(['not_closed', 'rst_invalid']);
    expect(reset(1000, [500, 5000])).toEqual(['not_closed', 'rst_invalid']);
    expect(reset(1000, [5000, 500])).toEqual(['rst_abort']);
  });

  it('comes after a silence of a second or more, or after none that is told', () => {
    const idle = (seconds: number): number | undefined => {
      const told = established().wait(seconds);
      told.server.rst();
      return told.record().close.reset_idle_s;
    };
    expect(idle(0.98)).toBeUndefined();
    expect(idle(0.99)).toBe(1); // and the step to the next segment
    const lone = story().wait(100);
    lone.server.rst({ seq: 5, ack: 7 });
    expect(lone.record().close.reset_idle_s).toBeUndefined();
  });

  it('of a client that sends its FIN twice behind it: FIN_WAIT1 is from the first one', () => {
    const told = established();
    told.server.rst();
    told.wait(1).client.fin();
    told.wait(5).client.again(told.client.lastFin);
    const { states } = told.record().client;
    expect(states?.find(([state]) => state === 'FIN_WAIT1')?.[1]).toBeCloseTo(1.04);
  });

  it('scales the window as both SYNs said', () => {
    const reset = (scale: number | undefined) => {
      const told = established();
      if (scale !== undefined) for (const syn of told.told.slice(0, 2)) syn.scale = scale;
      told.client.rst({ seq: 5000 });
      return told.record().close.class;
    };
    expect(reset(undefined)).toBe('not_closed'); // window 500
    expect(reset(7)).toBe('rst_abort');
  });
});

describe('a RST that nobody believes is counted and changes nothing', () => {
  it('beyond the window, or below it', () => {
    for (const seq of [5000, -100]) {
      const { client, server, record } = established();
      client.data(10);
      server.ack();
      client.rst({ seq });
      expect(record()).toMatchObject({
        close: { class: 'not_closed', sequence: '' },
        client: { rst: 1, state: 'ESTABLISHED' },
        end_reason: 'capture_end',
      });
    }
  });

  it('then the connection closes as if it had not come', () => {
    const { client, server, record } = established();
    server.rst({ seq: 0x40000000 });
    client.fin();
    server.ack();
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ close: { class: 'four_wave', sequence: 'F> A< F< A>' }, server: { rst: 1 } });
  });
});

describe('FIN and RST', () => {
  it('fin_then_rst: both by the same side', () => {
    const told = finWait2();
    told.client.rst();
    expect(told.record().close).toMatchObject({ class: 'fin_then_rst', initiator: 'client', basis: 'fin_acks', sequence: 'F> A< R>' });
    expect(told.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED',
    });
  });

  it('fin_then_rst: before anybody acknowledges the FIN', () => {
    const { client, record } = finWait1();
    client.rst();
    expect(record().close).toMatchObject({ class: 'fin_then_rst', sequence: 'F> R>' });
  });

  it('fin_then_rst: at the number of a FIN that was acknowledged, which Linux believes in CLOSE_WAIT, and in LAST_ACK', () => {
    const told = finWait2();
    told.client.send(RST, { seq: 1 });
    expect(told.record()).toMatchObject({ close: { class: 'fin_then_rst', sequence: 'F> A< R>', modifiers: [] }, time_wait: [] });
    expect(told.states().server).toBe('SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED');
    const last = lastAck();
    last.client.send(RST, { seq: 1 });
    expect(last.record()).toMatchObject({ close: { class: 'last_ack_missing', sequence: 'F> A< F< R>' }, time_wait: [] });
    expect(last.states().server).toBe('SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED');
  });

  it('fin_then_rst: whom it resets had taken the FIN, though it did not come to acknowledge it', () => {
    for (const rst of [{}, { seq: 1, flags: RST }]) {
      const { client, server, record, states } = established();
      client.fin();
      const fin = record().close.start;
      client.rst(rst);
      client.rst(rst);
      server.data(100);
      expect(record().close).toMatchObject({ class: 'fin_then_rst', sequence: 'F> R>', start: fin });
      expect(states()).toEqual({ client: 'SYN_SENT ESTABLISHED FIN_WAIT1 CLOSED', server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED' });
    }
  });

  it('also where what comes behind the RST leaves a hole', () => {
    const { client, states } = established();
    client.fin();
    client.rst();
    client.data(100, { seq: 5000 });
    expect(states().server).toBe('SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED');
  });

  it('but not where the FIN lies behind something that it lacks', () => {
    const { client, server, states } = established();
    client.data(100, { unseen: true, lost: true });
    client.fin({ lost: true });
    server.ack();
    client.rst();
    expect(states().server).toBe('SYN_RECV ESTABLISHED CLOSED');
  });

  it('one without ACK that has no number behind its FIN: the acknowledgement of that found nobody', () => {
    const { client, server, states } = established();
    client.fin();
    server.data(100, { ack: 1 });
    server.ack();
    client.rst({ seq: 1, ack: 0, flags: RST });
    client.rst({ seq: 2, ack: 0, flags: RST });
    expect(states()).toEqual({ client: 'SYN_SENT ESTABLISHED FIN_WAIT1 CLOSED', server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED' });
    const told = finWait2();
    told.server.data(100);
    told.client.rst({ ack: 0, flags: RST });
    expect(told.states().client).toBe('SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED');
  });

  it('but nobody believes it in TIME_WAIT, nor one below it', () => {
    const waits = timeWait();
    waits.server.send(RST, { seq: 1 });
    expect(waits.record()).toMatchObject({ close: { modifiers: ['rst_invalid'] }, client: { state: 'TIME_WAIT' } });
    const below = finWait2();
    below.client.send(RST, { seq: 0 });
    expect(below.record().close).toMatchObject({ class: 'half_open', modifiers: ['rst_invalid'] });
  });

  it('FIN_WAIT2 and not CLOSING where the FIN that crossed its own lies behind something that it lacks, until it resets', () => {
    const { client, server, states } = established();
    const data = client.data(100, { lost: true });
    client.fin({ lost: true });
    server.ack();
    server.fin();
    client.ack();
    client.again(data);
    server.send(RST, { seq: 2 });
    expect(states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 CLOSING CLOSED',
      server: 'SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
    });
  });

  it('fin_answered_by_rst', () => {
    const told = finWait1();
    told.server.rst();
    expect(told.record()).toMatchObject({
      close: { class: 'fin_answered_by_rst', initiator: 'client', sequence: 'F> R<' },
      end_reason: 'reset',
      time_wait: [],
    });
    expect(told.states().client).toBe('SYN_SENT ESTABLISHED FIN_WAIT1 CLOSED');
  });

  it('data_after_close_rst: data for a socket that is closed', () => {
    const { client, server, record, states } = finWait2();
    server.data(100);
    client.send(RST, { seq: 2 });
    expect(record().close).toMatchObject({ class: 'data_after_close_rst', initiator: 'client', sequence: 'F> A< D< R>' });
    expect(states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED',
    });
  });

  it('data_after_close_rst: the same with a FIN behind the data', () => {
    const { client, server, record } = finWait2();
    server.data(100);
    server.fin();
    client.send(RST, { seq: 2 });
    expect(record().close).toMatchObject({ class: 'data_after_close_rst', initiator: 'client', sequence: 'F> A< D< F< R>' });
  });

  it('not where the data was acknowledged before: the RST answers something else', () => {
    const fin = finWait2();
    fin.server.data(100);
    fin.client.ack();
    fin.wait(60).server.fin();
    fin.client.send(RST, { seq: 2 });
    expect(fin.record().close.class).toBe('last_ack_missing');
    const none = finWait2();
    none.server.data(100);
    none.client.ack();
    none.wait(60).client.send(RST, { seq: 2 });
    expect(none.record().close.class).toBe('fin_then_rst');
  });

  it('not where the other one resets', () => {
    const { server, record } = finWait2();
    server.data(100);
    server.fin();
    server.rst();
    expect(record().close.class).toBe('last_ack_missing');
  });

  it('not data_after_close_rst where the data was sent before the FIN was acknowledged', () => {
    const { client, server, record } = finWait1();
    server.data(100, { ack: 1 });
    client.send(RST, { seq: 2 });
    expect(record().close).toMatchObject({ class: 'fin_then_rst', sequence: 'F> R>' });
  });

  it('both FINs, then RST instead of the last ACK: last_ack_missing, and nobody waits', () => {
    const { client, record } = lastAck();
    client.rst();
    expect(record()).toMatchObject({ close: { class: 'last_ack_missing', sequence: 'F> A< F< R>' }, time_wait: [], end_reason: 'reset' });
  });

  it('crossed FINs, then RST: last_ack_missing', () => {
    for (const acknowledges of [false, true]) {
      const told = closing();
      if (acknowledges) told.client.rst();
      else told.client.send(RST);
      expect(told.record().close).toMatchObject({ class: 'last_ack_missing', sequence: 'F> F< R>' });
      // Who answers a FIN with RST alone has not taken it.
      expect(told.states()).toEqual({
        client: `SYN_SENT ESTABLISHED FIN_WAIT1 ${acknowledges ? 'CLOSING ' : ''}CLOSED`,
        server: 'SYN_RECV ESTABLISHED FIN_WAIT1 CLOSING CLOSED',
      });
    }
  });

  it('one that acknowledges a number more than was captured proves a FIN, and several that something is missing', () => {
    const one = established();
    one.server.data(100);
    one.client.ack();
    one.server.fin({ unseen: true });
    one.client.rst();
    expect(one.record()).toMatchObject({
      close: { class: 'fin_answered_by_rst', initiator: 'server', basis: 'inferred', sequence: 'R>', modifiers: ['fin_inferred'] },
      confidence: 'likely',
    });
    expect(one.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED CLOSE_WAIT CLOSED',
      server: 'SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
    });
    const several = established();
    several.server.data(100, { unseen: true });
    several.client.rst();
    expect(several.record()).toMatchObject({ close: { class: 'rst_abort', modifiers: ['gap'] }, confidence: 'likely' });
  });

  it('what was acknowledged before it proves no other FIN, nor one, where there are keep-alives alone', () => {
    const told = established();
    told.server.data(100);
    told.client.ack();
    told.server.fin({ unseen: true });
    told.client.ack();
    told.wait(100).client.rst();
    expect(told.record().close).toMatchObject({ class: 'fin_answered_by_rst', initiator: 'server' });
    expect(told.record().close.duration_s).toBeGreaterThan(100);
    const probed = midstream();
    probed.client.keepAlive();
    probed.server.rst();
    expect(probed.record().close).toMatchObject({ class: 'rst_abort', initiator: 'server' });
    expect(probed.record().close.modifiers).not.toContain('fin_inferred');
  });

  it('nor is anything certain where the last that an endpoint sent is missing', () => {
    const { client, server, record } = established();
    client.fin({ unseen: true, lost: true });
    server.fin();
    client.ack();
    expect(record()).toMatchObject({ close: { class: 'half_open', initiator: 'server' }, confidence: 'likely' });
  });

  it('one that acknowledges the FIN comes from CLOSE_WAIT', () => {
    for (const acknowledges of [false, true]) {
      const told = finWait1();
      if (acknowledges) told.server.rst();
      else told.server.send(RST);
      expect(told.record().close).toMatchObject({ class: 'fin_answered_by_rst', sequence: 'F> R<' });
      expect(told.states()).toEqual({
        client: 'SYN_SENT ESTABLISHED FIN_WAIT1 CLOSED',
        server: `SYN_RECV ESTABLISHED ${acknowledges ? 'CLOSE_WAIT ' : ''}CLOSED`,
      });
    }
  });

  it('one inside the window that acknowledges the FIN, too, where nobody is seen alive behind it', () => {
    const told = finWait1();
    told.server.rst({ seq: 101 });
    expect(told.record()).toMatchObject({ close: { class: 'fin_answered_by_rst' }, confidence: 'likely' });
    expect(told.states().server).toBe('SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED');
  });

  it('one inside the window, and a FIN behind it that its receiver answers with RST: that was reset before', () => {
    const told = finWait2();
    told.server.rst({ seq: 101 });
    told.server.fin({ payload: 50 });
    told.client.send(RST);
    expect(told.record()).toMatchObject({
      close: { class: 'fin_answered_by_rst', initiator: 'client', sequence: 'F> A< R<' },
      time_wait: [],
    });
    expect(told.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED',
    });
  });

  it("after a FIN that the capture lacks: the peer's acknowledgement proves that, and who closed first", () => {
    const told = established();
    told.client.data(100);
    told.server.ack();
    told.client.fin({ unseen: true });
    told.server.ack();
    told.wait(5);
    told.server.rst();
    expect(told.record()).toMatchObject({
      close: { class: 'fin_answered_by_rst', initiator: 'client', basis: 'inferred', modifiers: ['fin_inferred'] },
      confidence: 'likely',
    });
    expect(told.states()).toEqual({
      client: 'SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED',
      server: 'SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED',
    });
    const both = established();
    both.client.fin({ unseen: true });
    both.server.ack();
    both.server.fin({ payload: 50 });
    both.client.send(RST);
    expect(both.record()).toMatchObject({ close: { class: 'last_ack_missing', initiator: 'client' }, confidence: 'likely' });
  });

  it('a FIN inside a RST counts as a FIN flag and is processed as RST only', () => {
    const { client, record } = established();
    client.send(RST | FIN | ACK);
    expect(record()).toMatchObject({ close: { class: 'rst_abort', sequence: 'R>' }, client: { fin: 1, rst: 1, fin_retransmits: 0 } });
  });
});

describe('after a RST', () => {
  it('what its receiver had sent before it came tells through which states that went', () => {
    const fin = established();
    fin.client.rst();
    fin.server.fin();
    fin.server.fin();
    expect(fin.record().close).toMatchObject({ class: 'rst_abort', initiator: 'client', sequence: 'R>', duration_s: 0 });
    expect(fin.states()).toEqual({ client: 'SYN_SENT ESTABLISHED CLOSED', server: 'SYN_RECV ESTABLISHED FIN_WAIT1 CLOSED' });
    const { client, server } = fin.record();
    expect(server.states!.at(-1)![1]).toBe(server.states!.at(-2)![1]);
    expect(server.states!.at(-1)![1]).toBeGreaterThan(client.states!.at(-1)![1]);

    const closes = (told: Story): string => {
      expect(told.record()).toMatchObject({ close: { class: 'fin_then_rst', initiator: 'client', sequence: 'F> R>' }, time_wait: [] });
      expect(told.states().client).toBe('SYN_SENT ESTABLISHED FIN_WAIT1 CLOSED');
      return told.states().server.replace('SYN_RECV ESTABLISHED ', '');
    };
    const reset = (): Story => {
      const told = established();
      told.client.data(100);
      told.client.fin();
      told.client.rst({ seq: 1, ack: 0, flags: RST });
      return told;
    };
    const ack = reset();
    expect(closes(ack)).toBe('CLOSED');
    ack.server.ack();
    expect(closes(ack)).toBe('CLOSE_WAIT CLOSED');
    ack.server.fin();
    expect(closes(ack)).toBe('CLOSE_WAIT LAST_ACK CLOSED');
    const both = reset();
    both.server.fin();
    expect(closes(both)).toBe('CLOSE_WAIT LAST_ACK CLOSED');
    const crossed = reset();
    crossed.server.fin({ ack: 1 });
    expect(closes(crossed)).toBe('FIN_WAIT1 CLOSED');
    crossed.server.ack();
    expect(closes(crossed)).toBe('FIN_WAIT1 CLOSING CLOSED');
  });

  it('nothing follows it in the sequence', () => {
    const { client, server, record } = established();
    client.rst();
    server.fin();
    client.rst();
    server.ack();
    expect(record().close).toMatchObject({ class: 'rst_abort', sequence: 'R>' });
  });

  it('data_after_rst', () => {
    const { client, server, record } = established();
    client.rst();
    server.data(10);
    expect(record().close).toMatchObject({ class: 'rst_abort', modifiers: ['data_after_rst'] });
  });

  it('rst_storm: a RST for each of many segments', () => {
    const storm = (resets: number) => {
      const { client, server, record } = established();
      for (let i = 0; i < resets; i++) {
        server.data(10, { lost: true });
        client.send(RST, { seq: 1 });
      }
      return record();
    };
    expect(storm(9).close.modifiers).not.toContain('rst_storm');
    expect(storm(10).close.modifiers).toContain('rst_storm');
    expect(storm(50).close.modifiers).toContain('rst_storm');
    expect(storm(50)).toMatchObject({ client: { rst: 50 }, close: { sequence: 'R>' } });
  });
});

describe('after a full close', () => {
  it('nothing follows it in the sequence, also where TIME_WAIT lives on', () => {
    const { server, record } = timeWait();
    server.rst();
    server.again(server.lastFin);
    expect(record({ profile: 'macos' })).toMatchObject({ close: { sequence: 'F> A< F< A> R<' }, server: { fin_retransmits: 1 } });
  });

  it('rst_after_close: it never changes the class, and is named once', () => {
    const { server, record } = timeWait();
    server.rst();
    server.rst();
    expect(record()).toMatchObject({
      close: { class: 'four_wave', initiator: 'client', basis: 'fin_acks', sequence: 'F> A< F< A> R<', modifiers: ['rst_after_close'] },
      end_reason: 'closed',
    });
  });

  it('the same after three segments and after crossing FINs', () => {
    const three = finWait1();
    three.server.fin();
    three.client.ack();
    three.server.rst();
    expect(three.record().close).toMatchObject({ class: 'three_segment', sequence: 'F> FA< A> R<', modifiers: ['rst_after_close'] });
    const crossed = closing();
    crossed.client.ack();
    crossed.server.ack();
    crossed.client.rst();
    expect(crossed.record().close).toMatchObject({ class: 'simultaneous', sequence: 'F> F< A> A< R>', modifiers: ['rst_after_close'] });
  });

  it('the RST by which a closed host answers a late ACK', () => {
    const { client, server, record } = timeWait();
    server.again(server.lastFin);
    client.ack();
    server.send(RST, { seq: 2 });
    expect(record().close).toMatchObject({ class: 'four_wave', sequence: 'F> A< F< A> f< a> R<' });
  });
});

describe('after a RST that ended TIME_WAIT', () => {
  it('a repeated FIN is still counted, and named', () => {
    const { client, server, record } = timeWait();
    server.send(RST, { seq: 2 });
    server.again(server.lastFin);
    client.ack();
    expect(record()).toMatchObject({
      server: { fin: 2, fin_retransmits: 1 },
      close: { sequence: 'F> A< F< A> R<', modifiers: ['fin_retransmitted', 'rst_after_close'] },
    });
  });
});

describe('silence before a close', () => {
  it('no probe is an acknowledgement from before the FIN that is captured between one from behind it and the FIN itself', () => {
    const told = established();
    told.client.data(100);
    const early = told.server.ack();
    const fin = told.server.fin({ unseen: true, lost: true });
    told.server.ack({ lost: true });
    told.server.again(early);
    told.server.again(fin);
    told.client.fin();
    told.server.ack();
    expect(told.record().close).toMatchObject({ class: 'three_segment', modifiers: ['out_of_order'] });
  });

  it('keepalive_before_close: unanswered probes, then RST', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    for (let i = 0; i < 3; i++) client.keepAlive();
    client.rst();
    expect(record().close).toMatchObject({ class: 'rst_abort', modifiers: ['keepalive_before_close'] });
  });

  it('also where the acknowledgement before it is not in the capture', () => {
    const { client, server, record } = established();
    client.data(100);
    server.ack({ unseen: true });
    client.keepAlive();
    server.ack();
    client.fin();
    expect(record().close.modifiers).toEqual(['keepalive_before_close']);
  });

  it('not where the last byte, of which nobody has heard, is sent again', () => {
    const { client, server, record } = established();
    client.data(1, { lost: true });
    client.data(1, { seq: 1 });
    server.ack();
    client.fin();
    expect(record()).toMatchObject({ client: { bytes: 1 }, close: { modifiers: [] } });
  });

  it('not where data followed the probes', () => {
    const { client, server, record } = established();
    client.keepAlive();
    server.ack();
    client.data(10);
    server.ack();
    client.rst();
    expect(record().close.modifiers).toEqual([]);
  });

  it('zero_window_at_close: a FIN or RST while the window is shut', () => {
    const { client, server, record } = established();
    client.data(100);
    server.ack({ window: 0 });
    client.rst();
    expect(record().close).toMatchObject({ class: 'rst_abort', modifiers: ['zero_window_at_close'] });
    const fin = established();
    fin.server.ack({ window: 0 });
    fin.client.fin();
    expect(fin.record().close.modifiers).toEqual(['zero_window_at_close']);
  });

  it('not where the window opened again', () => {
    const { client, server, record } = established();
    client.data(100);
    server.ack({ window: 0 });
    server.ack({ window: 700 });
    client.rst();
    expect(record().close.modifiers).toEqual([]);
  });
});
