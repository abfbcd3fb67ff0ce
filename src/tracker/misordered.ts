import { OUT_OF_ORDER } from '../layout/modifiers.ts';
import {
  A,
  ACK_OVERTAKEN,
  F,
  FA,
  FIN_ACK,
  FIN_ACKED,
  FIN_ACKED_TIME,
  FIN_ACKS_ANEW,
  FIN_HAS_ACK,
  FIN_SEQ,
  FIN_WITH_ACK,
  MODIFIERS,
  SEEN,
} from '../layout/slot.ts';
import { rewrite, tokenOf, tokens } from './sequence.ts';
import { distance } from './serial.ts';
import type { ConnectionTable } from './table.ts';

// Closes whose packets were captured in another order than they were sent: the numbers tell, and the log is put right.

/** The FIN was captured after the segment that acknowledges it. */
export function acknowledgedAlready(table: ConnectionTable, slot: number, sender: number, time: number): void {
  const { words, times } = table;
  const receiver = sender ^ 1;
  words[slot + SEEN + sender]! |= FIN_ACKED;
  words[slot + MODIFIERS]! |= OUT_OF_ORDER;
  times[(slot >> 1) + FIN_ACKED_TIME + sender] = time;
  const byItsFin =
    (words[slot + SEEN + receiver]! & FIN_HAS_ACK) !== 0 &&
    distance(words[slot + FIN_ACK + receiver]!, words[slot + FIN_SEQ + sender]!) > 0;
  if (!byItsFin) return table.log(slot, A, receiver);
  // The peer's FIN carried that acknowledgement, or repeated it, so this FIN was sent before it.
  const list = tokens(table, slot);
  const own = list.pop()!;
  if (own >> 3 !== sender || (own & 7) > FA) return; // there was no room for it
  const at = list.findIndex((token) => token >> 3 === receiver && (token & 7) <= FA);
  if ((words[slot + SEEN + receiver]! & FIN_ACKS_ANEW) === 0) list.splice(at, 0, own, tokenOf(A, receiver));
  else {
    list[at] = tokenOf(FA, receiver);
    list.splice(at, 0, own);
    words[slot + SEEN + receiver]! |= FIN_WITH_ACK;
  }
  rewrite(table, slot, list);
}

/** An acknowledgement of the peer's FIN whose number shows that it was sent before its sender's own FIN, yet captured behind it. */
export function overtaken(table: ConnectionTable, slot: number, sender: number, firstTime: boolean): void {
  const { words } = table;
  if ((words[slot + SEEN + sender]! & ACK_OVERTAKEN) !== 0) return;
  if (!firstTime && (words[slot + SEEN + sender]! & FIN_WITH_ACK) === 0) return;
  words[slot + SEEN + sender] = (words[slot + SEEN + sender]! | ACK_OVERTAKEN) & ~FIN_WITH_ACK;
  words[slot + MODIFIERS]! |= OUT_OF_ORDER;
  const list = tokens(table, slot);
  const at = list.findIndex((token) => token >> 3 === sender && (token & 7) <= FA);
  if (at < 0) return; // there was no room for it
  list[at] = tokenOf(F, sender);
  list.splice(at, 0, tokenOf(A, sender));
  rewrite(table, slot, list);
}

/**
 * A FIN that acknowledges less than its sender did already: it was sent before that acknowledgement of the peer's FIN, yet captured behind it. The
 * peer may have met them in that order, as its states say.
 */
export function sentBeforeAck(table: ConnectionTable, slot: number, sender: number): void {
  const list = tokens(table, slot);
  const at = list.indexOf(tokenOf(A, sender));
  if (at < 0 || list.at(-1) !== tokenOf(F, sender)) return; // there was no room for both
  table.words[slot + MODIFIERS]! |= OUT_OF_ORDER;
  list.splice(at, 0, list.pop()!);
  table.rare(slot).finBehindAck = sender;
  rewrite(table, slot, list);
}
