import { FACTS, RESET, RESET_BY_HIGH, RESET_IDLE } from '../layout/note.ts';
import { ByOwner, type Owner } from './owners.ts';
import { RESET_STAGES, type ResetStage } from './reset-stage.ts';

/** Idle timeouts that people configure, s. */
export const ROUND = [
  1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 75, 90, 100, 120, 150, 180, 240, 300, 350, 360, 400, 600, 900, 1200, 1800, 3600, 7200,
] as const;
/** How far a timer may be off, as a share of its time and at least. */
const TOLERANCE = 0.02;
const LEAST_NS = 0.25e9;

/** RSTs that one sender sent. */
export interface Resets {
  total: number;
  stages: Record<ResetStage, number>;
  /** After a silence of a second and longer. */
  idle: number;
  /** Of those, after the silence of a timer that people like, by its seconds. */
  round: Map<number, number>;
}

const none = (): Resets => ({ total: 0, stages: { handshake: 0, established: 0, closing: 0, after_close: 0 }, idle: 0, round: new Map() });

/** Who resets connections, at which stage, and after what silence: a load balancer's timer shows as a round number. */
export class ResetSenders {
  readonly all = none();
  readonly #senders = new ByOwner<Resets>(none);

  add(rows: Float64Array, at: number): void {
    const place = rows[at + RESET]!;
    if (place < 0) return; // most have none, and what is looked up under -1 is looked for as a name
    const stage = RESET_STAGES[place]!;
    const idle = rows[at + RESET_IDLE]!;
    count(this.all, stage, idle);
    const sender = this.#senders.of(rows, at, (rows[at + FACTS]! & RESET_BY_HIGH) === 0 ? 0 : 1);
    if (sender) count(sender, stage, idle);
  }

  /** Those who sent the most. */
  worst(top: number): (Owner & Resets)[] {
    const all = [...this.#senders.entries()].map(([owner, resets]) => Object.assign(owner, resets));
    return all.sort((a, b) => b.total - a.total).slice(0, top);
  }
}

function count(resets: Resets, stage: ResetStage, idle: number): void {
  resets.total++;
  resets.stages[stage]++;
  if (idle === 0) return;
  resets.idle++;
  const round = ROUND.find((seconds) => Math.abs(idle - seconds * 1e9) <= Math.max(LEAST_NS, seconds * 1e9 * TOLERANCE));
  if (round !== undefined) resets.round.set(round, (resets.round.get(round) ?? 0) + 1);
}
