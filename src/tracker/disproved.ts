import {
  ACKED,
  ACKED_KNOWN,
  F,
  F_AGAIN,
  FA,
  FACTS,
  FAST_OPEN,
  FIN_ACKED,
  FIN_ACKS_ANEW,
  FIN_HAS_ACK,
  FIN_LATE,
  FIN_SENT,
  FIN_SUPPOSED,
  FIN_WITH_ACK,
  ISS_KNOWN,
  NXT,
  NXT_KNOWN,
  SCALE_KNOWN,
  SCALE_SHIFT,
  SEEN,
  SYN_ACK_SENT,
  UNCOVERED,
} from '../layout/slot.ts';
import { areCovered } from './holes.ts';
import type { FarFin } from './rare.ts';
import { rewrite, tokens } from './sequence.ts';
import type { ConnectionTable } from './table.ts';

// Facts that turn out to be none of this connection: they are taken back, so that what is really its own can be seen.

const FIN_FACTS = FIN_SENT | FIN_ACKS_ANEW | FIN_HAS_ACK | FIN_LATE | FIN_WITH_ACK;
const OPEN_FACTS = SYN_ACK_SENT | ISS_KNOWN | NXT_KNOWN | ACKED_KNOWN | SCALE_KNOWN | (15 << SCALE_SHIFT) | UNCOVERED;

/** What an endpoint has sent so far was of another incarnation: the RST of its peer, in SYN_SENT, says so (RFC 9293 §3.5, figures 8 and 9). */
export function disown(table: ConnectionTable, slot: number, sender: number): void {
  const { words } = table;
  words[slot + SEEN + sender]! &= ~(OPEN_FACTS | FIN_FACTS);
  words[slot + SEEN + (sender ^ 1)]! &= ~FIN_SUPPOSED;
  words[slot + FACTS]! &= ~FAST_OPEN;
  dropTokens(table, slot, (token) => token >> 3 === sender);
}

/** A FIN was not its sender's, which goes on where it was before. */
export function disproveFin(table: ConnectionTable, slot: number, sender: number, { nxt, acked }: FarFin): void {
  const { words } = table;
  // It was the first to acknowledge the peer's FIN: nobody has.
  if ((words[slot + SEEN + sender]! & FIN_WITH_ACK) !== 0) words[slot + SEEN + (sender ^ 1)]! &= ~FIN_ACKED;
  words[slot + SEEN + sender]! &= ~FIN_FACTS;
  words[slot + NXT + sender] = nxt;
  if (acked === undefined) words[slot + SEEN + sender]! &= ~ACKED_KNOWN;
  else words[slot + ACKED + sender] = acked;
  const holes = table.rare(slot).holes[sender as 0];
  const hole = holes.indexOf(nxt);
  if (hole >= 0) holes.length = hole; // it lies before that FIN
  if (areCovered(holes, words[slot + ACKED + (sender ^ 1)]!)) words[slot + SEEN + sender]! &= ~UNCOVERED;
  dropTokens(table, slot, (token) => token >> 3 === sender && [F, FA, F_AGAIN].includes(token & 7));
}

function dropTokens(table: ConnectionTable, slot: number, isWrong: (token: number) => boolean): void {
  const kept = tokens(table, slot).filter((token) => !isWrong(token));
  rewrite(table, slot, kept);
}
