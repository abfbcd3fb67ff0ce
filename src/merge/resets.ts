import type { Owner } from '../stats/owners.ts';
import type { ResetStage } from '../stats/reset-stage.ts';
import type { Resets } from '../stats/resets.ts';
import type { Outcome } from './outcome.ts';

/** RSTs that ended connections, or came after their close, by the stage at which they came. */
export interface ResetCounts {
  total: number;
  stage: Partial<Record<ResetStage, number>>;
  /** After a silence of a second or more. */
  idle: number;
  /** A timer: the round number of seconds of silence after which most of those came. */
  idle_timeout?: { seconds: number; count: number };
}

export interface ResetsRecord extends ResetCounts {
  senders: (Owner & ResetCounts)[];
}

/** RSTs after the same silence from which on it is no accident. */
const AGREEING = 3;

export function resetsRecord({ answers }: Outcome, top: number): ResetsRecord {
  const senders = answers.resets.worst(top).map((one) => {
    const { host, role, server_port } = one;
    return Object.assign({ host, role, server_port }, countsOf(one));
  });
  return { ...countsOf(answers.resets.all), senders };
}

function countsOf({ total, stages, idle, round }: Resets): ResetCounts {
  const stage = Object.fromEntries(Object.entries(stages).filter(([, n]) => n > 0));
  const [best] = [...round].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const agree = best !== undefined && best[1] >= AGREEING && best[1] * 2 >= idle;
  return { total, stage, idle, ...(agree && { idle_timeout: { seconds: best[0], count: best[1] } }) };
}
