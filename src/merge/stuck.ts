import type { Owner } from '../stats/owners.ts';
import { STUCK_KINDS, type StuckKind } from '../stats/stuck.ts';
import type { Outcome } from './outcome.ts';

/** One owner's endpoints that are stuck in the same state. */
export interface StuckOwner extends Owner {
  total: number;
  /** In FIN_WAIT2: how long the oldest is, at the end of the capture. */
  oldest_s?: number;
  /** One of them, `client:port-server:port`. */
  connection: string;
}

/** Endpoints that do not get on, by what they wait for (stats/stuck.ts), and who has the most of them. */
export type StuckRecord = Record<StuckKind, { total: number; owners: StuckOwner[] }>;

/** Owners of each kind, so that a summary's line stays below 16 KiB. */
const OWNERS = 3;

/** `top`: how many owners of all kinds together it names, and at least OWNERS of each. */
export function stuckRecord({ answers: { stuck }, clock, lastTime }: Outcome, top: number): StuckRecord {
  const each = Math.max(OWNERS, Math.floor(top / STUCK_KINDS.length));
  const ownersOf = (kind: StuckKind): StuckOwner[] =>
    stuck.worst(kind, each).map(({ host, role, server_port, total, since, sample }) => {
      const owner: StuckOwner = { host, role, server_port, total, connection: sample };
      if (since < Infinity) owner.oldest_s = clock.seconds(lastTime - since);
      return owner;
    });
  return Object.fromEntries(STUCK_KINDS.map((kind) => [kind, { total: stuck.totals[kind], owners: ownersOf(kind) }])) as StuckRecord;
}
