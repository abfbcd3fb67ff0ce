import { describe, expect, it } from 'vitest';
import { ipv4, story } from '../support/story.ts';

const CLIENT = ipv4('10.0.0.2', 40_000);
const SERVER = ipv4('10.0.0.9', 80);

/** A connection that is closed by one of them, of which only one was captured; a hundred seconds later the capture ends. Ports that its client then holds. */
function heldAfter(closer: 'client' | 'server', captured: 'client' | 'server' | 'both'): number | undefined {
  const told = story();
  const [client, server] = told.connection(CLIENT, SERVER);
  const ours = { unseen: captured === 'server' };
  const theirs = { unseen: captured === 'client' };
  client.syn(ours);
  server.synAck(theirs);
  client.ack(ours);
  client.data(50, ours);
  server.data(100, theirs);
  const [first, second] = closer === 'client' ? [client, server] : [server, client];
  const [own, peer] = closer === 'client' ? [ours, theirs] : [theirs, ours];
  first.fin(own);
  second.ack(peer);
  second.fin(peer);
  first.ack(own);
  told.wait(100);
  told.connection(ipv4('10.0.0.3', 1), ipv4('10.0.0.4', 2))[0].syn();
  const { highest } = told.outcome().answers.ports.snapshot(0, told.clock, 5);
  return highest.find(({ client: address }) => address === '10.0.0.2')?.held.now;
}

describe("a client's port is free in the end", () => {
  for (const closer of ['client', 'server'] as const)
    for (const captured of ['both', 'client', 'server'] as const)
      it(`where the ${closer} closed first, and ${captured} was captured`, () => {
        expect(heldAfter(closer, captured)).toBe(0);
      });
});
