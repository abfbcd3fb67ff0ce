import { FACTS, FIN_ACKED, FIN_TIME, FINS, RESET, SEEN } from '../layout/slot.ts';
import { ACK, FIN, RST } from '../layout/tcp.ts';
import { holdsTimeWait } from './close.ts';
import type { Segment } from './segment.ts';
import type { ConnectionTable } from './table.ts';
import type { Profile } from './time-wait.ts';

// What makes TIME_WAIT begin anew (SPEC §4).

/**
 * A segment of the peer makes the holder of TIME_WAIT count from the beginning; answers whether, as far as is known by now.
 * @param before the bits CLOSED and RESET of the connection's facts before it
 * @param profile whether by any segment with ACK, or a repeated FIN alone; and how long TIME_WAIT is
 */
export function restarts(
  table: ConnectionTable,
  slot: number,
  { sender, flags, time }: Segment,
  before: number,
  { restartedByAnyAck, twoMsl }: Profile,
): boolean {
  const { words, times } = table;
  const holder = sender ^ 1;
  if ((flags & (ACK | RST)) !== ACK || !holdsTimeWait(table, slot, holder)) return false;
  const repeatedFin = (flags & FIN) !== 0 && words[slot + FINS + sender]! > 1;
  if (!repeatedFin && !(before !== 0 && restartedByAnyAck)) return false;
  const rare = table.rare(slot);
  if ((words[slot + FACTS]! & RESET) !== 0) rare.knocked[holder as 0] = time;
  else if ((words[slot + SEEN + sender]! & FIN_ACKED) === 0) {
    // It counts only if the holder's ACK is missing to the end; and who has left by then has nothing to begin anew.
    if (time - Math.max(times[(slot >> 1) + FIN_TIME + sender]!, rare.earlyRestarted[holder as 0]) > twoMsl) return false;
    rare.earlyRestarts[holder as 0]++;
    rare.earlyRestarted[holder as 0] = time;
  } else if (before !== 0) {
    rare.restarts[holder as 0]++;
    rare.restarted[holder as 0] = time;
    return true;
  }
  return false;
}

/** The holder of TIME_WAIT acknowledges after an RST: whatever its profile says, it has not left. What it answers started its time again. */
export function survives(table: ConnectionTable, slot: number, holder: number): boolean {
  const rare = table.peekRare(slot);
  const knocked = rare?.knocked[holder as 0] ?? 0;
  if (!rare || knocked === 0) return false;
  rare.restarts[holder as 0]++;
  rare.restarted[holder as 0] = knocked;
  return true;
}
