import { CLOSE_CLASSES } from '../tracker/close.ts';
import { HALF_OPEN_DETECTED } from '../layout/modifiers.ts';
import { AT_END, CLASS, CLOSE_WAIT, FACTS, LEAKS_HIGH, MODIFIERS, NO_REPLY, REPEATS_FIN, RESET, RESET_BY_HIGH } from '../layout/note.ts';
import { clientOf } from './note.ts';
import { endpointsText } from './note-text.ts';
import { ByOwner, type Owner } from './owners.ts';

/** Where an endpoint is stuck, or was found to be. */
export const STUCK_KINDS = ['no_reply', 'fin_wait2', 'fin_wait1', 'last_ack', 'half_open'] as const;
export type StuckKind = (typeof STUCK_KINDS)[number];

const HALF_OPEN_CLASS = CLOSE_CLASSES.indexOf('half_open');
const FIN_UNACKED = CLOSE_CLASSES.indexOf('fin_unacked');
const LAST_ACK_MISSING = CLOSE_CLASSES.indexOf('last_ack_missing');

/** Connections of one owner that are stuck in the same way. */
export interface Stuck {
  total: number;
  /** In FIN_WAIT2: since when the oldest is, ns; Infinity: nobody knows. */
  since: number;
  /** A connection that stands for all of them. */
  sample: string;
}

/**
 * Endpoints that do not get on:
 *
 *   no_reply    the handshake was never completed: the server's, who did not answer the SYN, or was not answered
 *   fin_wait2   the peer has acknowledged the FIN, and had not sent its own when the capture ended
 *   fin_wait1   the FIN was repeated and never acknowledged, and the peer sent none
 *   last_ack    the same of an endpoint that closed second, or, where the FINs crossed, of one in CLOSING
 *   half_open   the peer had forgotten the connection: it sent a SYN in the middle, and then an RST
 */
export class StuckEndpoints {
  readonly totals: Record<StuckKind, number> = { no_reply: 0, fin_wait2: 0, fin_wait1: 0, last_ack: 0, half_open: 0 };
  readonly #owners = Object.fromEntries(
    STUCK_KINDS.map((kind) => [kind, new ByOwner<Stuck>(() => ({ total: 0, since: Infinity, sample: '' }))]),
  ) as Record<StuckKind, ByOwner<Stuck>>;

  add(rows: Float64Array, at: number): void {
    const facts = rows[at + FACTS]!;
    if ((rows[at + MODIFIERS]! & HALF_OPEN_DETECTED) !== 0) this.#count('half_open', rows, at, (facts & RESET_BY_HIGH) === 0 ? 1 : 0);
    const name = rows[at + CLASS]!;
    if (name === NO_REPLY) this.#count('no_reply', rows, at, 1 - clientOf(rows, at));
    if (name === HALF_OPEN_CLASS && (facts & AT_END) !== 0) this.#count('fin_wait2', rows, at, (facts & LEAKS_HIGH) === 0 ? 1 : 0);
    if (rows[at + RESET] !== -1) return;
    for (const endpoint of [0, 1] as const) {
      if ((facts & (REPEATS_FIN << endpoint)) === 0) continue;
      if (name === FIN_UNACKED) this.#count('fin_wait1', rows, at, endpoint);
      if (name === LAST_ACK_MISSING) this.#count('last_ack', rows, at, endpoint);
    }
  }

  #count(kind: StuckKind, rows: Float64Array, at: number, endpoint: number): void {
    this.totals[kind]++;
    const stuck = this.#owners[kind].of(rows, at, endpoint);
    if (!stuck) return;
    const since = kind === 'fin_wait2' ? rows[at + CLOSE_WAIT]! : Infinity;
    if (stuck.total++ === 0 || since < stuck.since) stuck.sample = endpointsText(rows, at);
    stuck.since = Math.min(stuck.since, since);
  }

  /** The owners with the most of one kind, then the oldest. */
  worst(kind: StuckKind, top: number): (Owner & Stuck)[] {
    const all = [...this.#owners[kind].entries()].map(([owner, stuck]) => Object.assign(owner, stuck));
    // Unknown ages compare as equal: their order is that in which they were met.
    return all.sort((a, b) => b.total - a.total || (a.since === b.since ? 0 : a.since - b.since)).slice(0, top);
  }
}
