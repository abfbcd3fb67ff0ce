import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';

// Wireshark's tcp.completeness: what was seen of a conversation, whoever sent it and whatever its numbers (its user's guide, "TCP Conversation Completeness").
export const COMPLETE_SYN = 1;
export const COMPLETE_SYN_ACK = 2;
export const COMPLETE_ACK = 4;
export const COMPLETE_DATA = 8;
export const COMPLETE_FIN = 16;
export const COMPLETE_RST = 32;

/** The bits that one segment adds. `first`: it is the first of its connection (only there does a SYN count). */
export function completeness(flags: number, payload: number, first: boolean): number {
  let bits = 0;
  if ((flags & (SYN | ACK)) === SYN) {
    if (first) bits |= COMPLETE_SYN | (payload > 0 ? COMPLETE_DATA : 0);
  } else if ((flags & (SYN | ACK)) === (SYN | ACK)) bits |= COMPLETE_SYN_ACK;
  else if ((flags & ACK) !== 0) bits |= payload > 0 ? COMPLETE_DATA : COMPLETE_ACK;
  if ((flags & (FIN | ACK)) === (FIN | ACK)) bits |= COMPLETE_FIN;
  if ((flags & RST) !== 0) bits |= COMPLETE_RST;
  return bits;
}
