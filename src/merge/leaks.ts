import type { Owner } from '../stats/owners.ts';
import type { Outcome } from './outcome.ts';

/** Who is left in CLOSE_WAIT for more than a minute when the capture ends (SPEC §4). */
export interface LeakRecord extends Owner {
  suspects: number;
  /** The peer still probes the connection and is answered: the program lives and does not close. */
  leaks: number;
  /** The oldest one's time in CLOSE_WAIT so far. */
  oldest_s: number;
  /** A few of the connections, `client:port-server:port`. */
  connections: string[];
}

export function leaksRecord(outcome: Outcome, top: number): { suspects: number; leaks: number; owners: LeakRecord[] } {
  const { clock, lastTime, answers } = outcome;
  const { suspects, leaks } = answers.leaks;
  const owners = answers.leaks.worst(top).map((one) => ({
    host: one.host,
    role: one.role,
    server_port: one.server_port,
    suspects: one.suspects,
    leaks: one.leaks,
    oldest_s: clock.seconds(lastTime - one.since),
    connections: one.oldest.map(({ connection }) => connection),
  }));
  return { suspects, leaks, owners };
}
