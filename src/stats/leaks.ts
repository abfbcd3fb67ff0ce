import { CLOSE_WAIT, FACTS, LEAKS_HIGH, PROBED, TIME } from '../layout/note.ts';
import { ByOwner, type Owner } from './owners.ts';
import { endpointsText } from './note-text.ts';

/** Silence in CLOSE_WAIT after which an endpoint is suspected of never closing (SPEC §4), ns. */
export const PATIENCE = 60e9;
/** Connections that stand for all of an owner's. */
const SAMPLES = 3;

export interface Leak {
  /** The peer is gone or silent; or it still probes, and is answered: the program lives and does not close. */
  suspects: number;
  leaks: number;
  /** Since when the oldest is in CLOSE_WAIT, ns. */
  since: number;
  /** Some, the oldest first. */
  oldest: { since: number; connection: string }[];
}

/** Endpoints that had acknowledged the peer's FIN and sent none of their own for a minute and longer when the capture ended. */
export class Leaks {
  suspects = 0;
  leaks = 0;
  readonly #owners = new ByOwner<Leak>(() => ({ suspects: 0, leaks: 0, since: Infinity, oldest: [] }));

  add(rows: Float64Array, at: number): void {
    const since = rows[at + CLOSE_WAIT]!;
    if (Number.isNaN(since) || rows[at + TIME]! - since <= PATIENCE) return;
    const facts = rows[at + FACTS]!;
    const grade = (facts & PROBED) === 0 ? 'suspects' : 'leaks';
    this[grade]++;
    const leak = this.#owners.of(rows, at, (facts & LEAKS_HIGH) === 0 ? 0 : 1);
    if (!leak) return;
    leak[grade]++;
    leak.since = Math.min(leak.since, since);
    const { oldest } = leak;
    let place = oldest.length;
    while (place > 0 && oldest[place - 1]!.since > since) place--;
    if (place === SAMPLES) return;
    oldest.splice(place, 0, { since, connection: endpointsText(rows, at) });
    if (oldest.length > SAMPLES) oldest.pop();
  }

  /** Those with the most, then the oldest. */
  worst(top: number): (Owner & Leak)[] {
    const all = [...this.#owners.entries()].map(([owner, leak]) => Object.assign(owner, leak));
    return all.sort((a, b) => b.leaks + b.suspects - a.leaks - a.suspects || a.since - b.since).slice(0, top);
  }
}
