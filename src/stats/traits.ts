import { CLIENT_IS_HIGH, FACTS } from '../layout/slot.ts';
import { type EndReason, endReasonOf } from '../records/connection.ts';
import type { CloseClass } from '../tracker/close.ts';
import type { Ended } from '../tracker/ended.ts';
import { MODIFIER_NAMES, type Modifier } from '../tracker/modifiers.ts';
import { sequenceText } from '../tracker/sequence.ts';
import type { TimeWaitEnd } from '../tracker/time-wait.ts';
import { type StatePair, statesNow } from './states-now.ts';

/** What is counted of an ended connection. */
export interface Traits {
  readonly class: CloseClass;
  readonly initiator: 'client' | 'server' | 'both' | undefined;
  /** Empty: nothing of a close was seen. */
  readonly sequence: string;
  readonly modifiers: readonly Modifier[];
  readonly endReason: EndReason;
  readonly timeWaitEnds: readonly TimeWaitEnd[];
  /** Of client and server, where the capture's end ended it. */
  readonly states: StatePair | undefined;
}

export function traitsOf(connection: Ended): Traits {
  const { table, slot, verdict, timeWaits } = connection;
  const { initiator } = verdict;
  const client = (table.words[slot + FACTS]! & CLIENT_IS_HIGH) === 0 ? 0 : 1;
  return {
    class: verdict.class,
    initiator: initiator === undefined || initiator === 'both' ? initiator : initiator === client ? 'client' : 'server',
    sequence: sequenceText(table, slot, client),
    modifiers: MODIFIER_NAMES.filter((_, bit) => (verdict.modifiers & (1 << bit)) !== 0),
    endReason: endReasonOf(connection),
    timeWaitEnds: timeWaits.map(({ endedBy }) => endedBy),
    states: connection.ending === 'capture_end' ? statesNow(table, slot, verdict, timeWaits) : undefined,
  };
}
