import * as slots from '../layout/slot.ts';
import type { Verdict } from '../tracker/close.ts';
import { type State, transitions } from '../tracker/states.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import type { TimeWait } from '../tracker/time-wait.ts';

/** Where nobody knows an endpoint's state. */
export const UNKNOWN = 'UNKNOWN';
export type StateName = State | typeof UNKNOWN;
/** States of client and server. */
export type StatePair = `${StateName} ${StateName}`;

/** The states that client and server are in, after a verdict on the connection. Those of most connections need no list of transitions. */
export function statesNow(table: ConnectionTable, slot: number, verdict: Verdict, waits: readonly TimeWait[]): StatePair {
  const facts = table.words[slot + slots.FACTS]!;
  const client = (facts & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
  if (verdict.class === 'not_closed' && (facts & slots.SIMULTANEOUS_OPEN) === 0) return 'ESTABLISHED ESTABLISHED';
  if ((facts & (slots.CLOSED | slots.RESET)) === slots.CLOSED && waits.length === 1) {
    const [{ holder, endedBy }] = waits as [TimeWait];
    if (endedBy !== 'capture_end') return 'CLOSED CLOSED';
    return holder === client ? 'TIME_WAIT CLOSED' : 'CLOSED TIME_WAIT';
  }
  const state = (endpoint: number): StateName => transitions(table, slot, endpoint, verdict, waits).at(-1)?.state ?? UNKNOWN;
  return `${state(client)} ${state(client ^ 1)}`;
}
