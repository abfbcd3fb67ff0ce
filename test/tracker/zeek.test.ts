import { describe, expect, it } from 'vitest';
import { ACK, FIN, RST, SYN } from '../../src/layout/tcp.ts';
import { established, finWait1, finWait2, ipv4, midstream, type Story, story, synReceived, synSent, timeWait } from '../support/story.ts';

const told = (begin: Story, tell: (told: Story) => unknown): Story => {
  tell(begin);
  return begin;
};

/** A SYN-ACK, and from no port that is a server's: who is one, nobody knows. */
const begun = (): Story =>
  told(story({ server: ipv4('10.0.0.9', 12345) }), ({ client, server }) => (client.syn({ unseen: true }), server.synAck()));

describe("Zeek's conn_state", () => {
  const cases: [string, string, Story][] = [
    ['S0', 'a SYN that nobody answers', synSent()],
    ['S1', 'established, not closed', established()],
    ['SF', 'a normal close', timeWait()],
    ['REJ', 'a SYN answered by RST', told(synSent(), ({ server }) => server.rst({ seq: -server.isn }))],
    ['S2', 'closed by the originator only', finWait2()],
    ['S3', 'closed by the responder only', told(established(), ({ server }) => server.fin())],
    ['RSTO', 'aborted by the originator', told(established(), ({ client }) => (client.data(1), client.rst()))],
    ['RSTR', 'aborted by the responder', told(established(), ({ server }) => (server.data(1), server.rst()))],
    ['RSTOS0', 'SYN, then RST, and never a SYN-ACK', told(synSent(), ({ client }) => client.send(RST))],
    [
      'RSTRH',
      'SYN-ACK, then RST, and never a SYN',
      told(story(), ({ client, server }) => (client.syn({ unseen: true }), server.synAck(), server.rst())),
    ],
    ['SH', 'SYN, then FIN, and never a SYN-ACK', told(synSent(), ({ client }) => client.fin())],
    [
      'SHR',
      'SYN-ACK, then FIN, and never a SYN',
      told(story(), ({ client, server }) => (client.syn({ unseen: true }), server.synAck(), server.fin())),
    ],
    ['OTH', 'in the middle, not closed', told(midstream(), ({ client, server }) => (client.data(1), server.ack()))],
    ['SF', 'in the middle, and closed', told(midstream(), ({ client, server }) => (client.fin(), server.fin(), client.ack()))],
    ['SF', 'a RST after both FINs', told(timeWait(), ({ server }) => server.rst())],
    ['RSTO', 'FIN and RST by the originator', told(finWait1(), ({ client }) => client.rst())],
  ];
  for (const [state, what, { record }] of cases) {
    it(`${state}: ${what}`, () => {
      expect(record().zeek.conn_state).toBe(state);
    });
  }
});

it('RSTR of two RSTs after data, also where the numbers pass 2^31', () => {
  for (const clientIsn of [1000, 0x7fffffff - 50]) {
    const { client, server, record } = established({ clientIsn });
    client.data(100);
    server.rst();
    client.rst();
    expect(record().zeek.conn_state, `ISN ${clientIsn}`).toBe('RSTR');
  }
});

describe("Zeek's history", () => {
  it('of the source article', () => {
    const { client, server, record } = established();
    server.data(41);
    client.ack();
    client.fin();
    server.ack();
    server.fin();
    client.ack();
    expect(record().zeek).toEqual({ conn_state: 'SF', history: 'ShAdFaf' });
  });

  it('a and d once per direction, f, h, r, s again with another number only', () => {
    const { client, server, record } = established();
    for (let i = 0; i < 3; i++) {
      client.data(10);
      server.data(10);
      client.ack();
      server.ack();
    }
    client.fin();
    client.again(client.lastFin);
    client.fin({ seq: 99 });
    expect(record().zeek.history).toBe('ShADdaFF');
  });

  it('a SYN repeated with the same number is no other S', () => {
    const syn = synSent();
    syn.client.again(syn.told[0]);
    expect(syn.record().zeek.history).toBe('S');
  });

  it('r with the number of each new RST', () => {
    const { client, record } = established();
    client.rst();
    client.rst();
    client.rst({ seq: 50 });
    expect(record().zeek.history).toBe('ShARR');
  });

  it('i for FIN with RST, q for SYN with FIN or RST', () => {
    const inconsistent = established();
    inconsistent.client.send(FIN | RST | ACK);
    expect(inconsistent.record().zeek.history).toBe('ShAI');
    const several = story();
    several.client.send(SYN | FIN);
    expect(several.record().zeek.history).toBe('Q');
  });

  it('t for repeated payload, at 1, 10, 100 ...', () => {
    const { client, server, record } = established();
    const data = client.data(10);
    server.ack();
    for (let i = 0; i < 12; i++) client.again(data);
    expect(record().zeek.history).toBe('ShADaTT');
  });

  it('w for a window of zero', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack({ window: 0 });
    expect(record().zeek.history).toBe('ShADaw');
  });

  it('g for payload that is acknowledged but not there', () => {
    const { client, server, record } = established();
    client.data(10);
    client.data(100, { unseen: true });
    server.ack();
    expect(record().zeek.history).toContain('G');
  });

  it('no g where Zeek has not seen both open', () => {
    const { client, server, record } = midstream();
    client.data(10);
    server.ack();
    client.data(100, { unseen: true });
    server.ack();
    server.data(10);
    expect(record().zeek.history).toBe('Dad');
  });

  it('^ where the first segment comes from a likely server, and is no SYN', () => {
    const { server, client, record } = midstream();
    server.data(10);
    client.ack();
    expect(record().zeek.history).toBe('^dA');
    const unknown = midstream({ server: ipv4('10.0.0.9', 12345) });
    unknown.server.data(10);
    expect(unknown.record().zeek.history).toBe('D');
  });

  it('^h for a SYN-ACK whose connection goes on, and H where it was perhaps a scan', () => {
    const alone = begun();
    expect(alone.record().zeek).toEqual({ conn_state: 'OTH', history: 'H' });
    const refused = begun();
    refused.client.rst();
    expect(refused.record().zeek.history).toBe('Hr');
    const acknowledged = begun();
    acknowledged.client.ack();
    acknowledged.client.data(10);
    acknowledged.server.data(10);
    expect(acknowledged.record().zeek.history).toBe('^hADd');
    const sending = begun();
    sending.server.data(10);
    sending.client.ack();
    expect(sending.record().zeek.history).toBe('^hdA');
    const closed = begun();
    closed.client.ack();
    closed.client.fin();
    closed.server.ack();
    closed.server.fin();
    expect(closed.record().zeek).toEqual({ conn_state: 'SF', history: '^hAFaf' });
  });

  it('g for payload that is missing below what was seen, once it is acknowledged', () => {
    const { client, server, record } = established();
    client.data(10);
    const lost = client.data(100, { unseen: true });
    client.data(10);
    server.ack({ ack: 10 });
    expect(record().zeek.history).toBe('ShADa');
    server.ack();
    expect(record().zeek.history).toBe('ShADaG');
    server.ack();
    client.again(lost);
    expect(record().zeek.history).toBe('ShADaGT');
  });

  it('g for payload that is missing before a FIN', () => {
    const { client, server, record } = established();
    client.data(10);
    server.ack();
    server.data(100, { unseen: true });
    server.fin();
    client.ack();
    client.fin();
    server.ack();
    expect(record().zeek.history).toBe('ShADafgF');
  });

  it('is bounded', () => {
    const { client, record } = established();
    for (let i = 0; i < 500; i++) client.rst({ seq: 10_000 + i });
    expect(record().zeek.history.length).toBeLessThan(200);
    expect(record().zeek.history).toMatch(/^ShAR+$/);
  });
});

describe("Wireshark's completeness", () => {
  const cases: [number, string, Story][] = [
    [1, 'SYN', synSent()],
    [3, 'SYN, SYN-ACK', synReceived()],
    [7, 'a handshake', established()],
    [15, 'with data', told(established(), ({ client }) => client.data(1))],
    [31, 'with data and FIN', told(established(), ({ client }) => (client.data(1), client.fin()))],
    [23, 'FIN without data', finWait1()],
    [39, 'RST', told(established(), ({ client }) => client.send(RST))],
    [37, 'refused: the RST has an ACK', told(synSent(), ({ server }) => server.rst({ seq: -server.isn }))],
    [63, 'all', told(timeWait(), ({ client, server }) => (server.data(1), client.rst()))],
    [2, 'SYN-ACK alone', told(story(), ({ client, server }) => (client.syn({ unseen: true }), server.synAck()))],
    [12, 'in the middle', told(midstream(), ({ client, server }) => (client.data(1), server.ack()))],
    [9, 'payload in a SYN', told(story(), ({ client }) => client.syn({ payload: 4 }))],
    [0, 'a FIN without ACK', told(midstream(), ({ client }) => client.send(FIN))],
  ];
  for (const [bits, what, { record }] of cases) {
    it(`${bits}: ${what}`, () => {
      expect(record().wireshark.completeness).toBe(bits);
    });
  }
});
