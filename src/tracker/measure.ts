import { ADDRESS_PAIR_BYTES } from '../layout/segment.ts';
import { CLOSED, FACTS, FIN_ACKED_TIME, IPV6, LOW, RESET } from '../layout/slot.ts';
import { RST } from '../layout/tcp.ts';
import { holdsTimeWait } from './close.ts';
import type { Segment } from './segment.ts';
import { type Bound, Stay } from './stay.ts';
import type { ConnectionTable } from './table.ts';

/** Takes a bound on the length of a host's TIME_WAIT; the address in network order, valid during the call. */
export type BoundTaker = (host: Uint8Array, bound: Bound) => void;

const ADDRESS = new Uint8Array(4);
const VIEW = new DataView(ADDRESS.buffer);

/** An address in network order: an IPv4 one from its number, an IPv6 one from its place in a list of pairs. */
export function addressBytes(number: number, pairs: Uint8Array | undefined, pair: number, endpoint: number): Uint8Array {
  if (pairs) return pairs.subarray(pair * ADDRESS_PAIR_BYTES + endpoint * 16, pair * ADDRESS_PAIR_BYTES + endpoint * 16 + 16);
  VIEW.setInt32(0, number);
  return ADDRESS;
}

/** What a closed connection's endpoint, which holds TIME_WAIT, has shown of its length. */
export function stayOf(table: ConnectionTable, slot: number, holder: number): Stay {
  const { times } = table;
  const start = Math.max(times[(slot >> 1) + FIN_ACKED_TIME]!, times[(slot >> 1) + FIN_ACKED_TIME + 1]!);
  return (table.rare(slot).stays[holder as 0] ??= new Stay(start, start));
}

/** A segment came after both FINs had been acknowledged. `before`: the connection's FACTS before it was taken. */
export function measure(table: ConnectionTable, slot: number, segment: Segment, before: number, take: BoundTaker): void {
  const facts = table.words[slot + FACTS]!;
  if ((before & facts & CLOSED) === 0) return;
  const unbelieved = (segment.flags & RST) !== 0 && (before & RESET) === (facts & RESET);
  for (const holder of [0, 1]) {
    if (!holdsTimeWait(table, slot, holder)) continue;
    const stay = stayOf(table, slot, holder);
    if (segment.sender !== holder) stay.hear(segment);
    else if (!unbelieved) report(table, slot, holder, stay.speak(segment), take);
  }
}

/** Hands a bound on, if there is one. */
export function report(table: ConnectionTable, slot: number, holder: number, bound: Bound | undefined, take: BoundTaker): void {
  if (!bound) return;
  const { words } = table;
  if ((words[slot + FACTS]! & IPV6) !== 0) take(addressBytes(0, table.pair(slot), 0, holder), bound);
  else take(addressBytes(words[slot + LOW + holder]!, undefined, 0, holder), bound);
}
