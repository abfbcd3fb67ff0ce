import { FACTS, HIGH, IPV6, LOW, PORTS } from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

/** Doubles hold integers of this many bits. */
const EXACT_BITS = 53;
const ADDRESS_BITS = 32;

/** All slots in use, ordered by 4-tuple: family, addresses, ports. */
export function slotsByTuple(table: ConnectionTable): Int32Array {
  const { words } = table;
  const slots = table.slots();
  // A typed array sorts numbers many times faster than a comparator does: the low address, as far as it fits above the
  // position in the list. The comparator is left with runs of equal addresses.
  const positions = 2 ** Math.ceil(Math.log2(slots.length + 1));
  const dropped = Math.max(1, (2 ** (ADDRESS_BITS + 1) * positions) / 2 ** EXACT_BITS);
  const keys = new Float64Array(slots.length);
  for (let position = 0; position < slots.length; position++) {
    const slot = slots[position]!;
    const address = (words[slot + FACTS]! & IPV6) === 0 ? words[slot + LOW]! >>> 0 : 2 ** ADDRESS_BITS + firstWord(table.pair(slot));
    keys[position] = Math.floor(address / dropped) * positions + position;
  }
  keys.sort();
  const ordered = new Int32Array(slots.length);
  let from = 0;
  let head = -1;
  for (let place = 0; place < keys.length; place++) {
    const leading = Math.floor(keys[place]! / positions);
    if (leading !== head) {
      orderRun(table, ordered, from, place);
      from = place;
      head = leading;
    }
    ordered[place] = slots[keys[place]! - leading * positions]!;
  }
  orderRun(table, ordered, from, keys.length);
  return ordered;
}

/** Orders the slots in from..to, whose leading parts are equal: few, so each is moved down to its place. */
function orderRun(table: ConnectionTable, ordered: Int32Array, from: number, to: number): void {
  if (to - from > LONG_RUN) {
    ordered.subarray(from, to).sort((a, b) => compareTuples(table, a, b));
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const slot = ordered[i]!;
    let at = i;
    for (; at > from && compareTuples(table, ordered[at - 1]!, slot) > 0; at--) ordered[at] = ordered[at - 1]!;
    ordered[at] = slot;
  }
}

/** Longer runs are left to the general sort. */
const LONG_RUN = 16;

const firstWord = (pair: Uint8Array): number => ((pair[0]! << 24) | (pair[1]! << 16) | (pair[2]! << 8) | pair[3]!) >>> 0;

/** Bytes of an address pair without its scope. */
const ADDRESSES = 32;

/** Orders two connections by 4-tuple, and by what else is a part of their identity. */
export function compareTuples(table: ConnectionTable, a: number, b: number): number {
  const { words } = table;
  const family = (words[a + FACTS]! & IPV6) - (words[b + FACTS]! & IPV6);
  if (family !== 0) return family;
  if ((words[a + FACTS]! & IPV6) !== 0) {
    const order = Buffer.compare(table.pair(a).subarray(0, ADDRESSES), table.pair(b).subarray(0, ADDRESSES));
    if (order !== 0) return order;
  } else {
    const low = (words[a + LOW]! >>> 0) - (words[b + LOW]! >>> 0);
    if (low !== 0) return low;
    const high = (words[a + HIGH]! >>> 0) - (words[b + HIGH]! >>> 0);
    if (high !== 0) return high;
  }
  const ports = (words[a + PORTS]! >>> 0) - (words[b + PORTS]! >>> 0);
  if (ports !== 0) return ports;
  const [one, other] = [table.scope(a), table.scope(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A text that sorts as compareTuples() does. */
export function tupleKey(table: ConnectionTable, slot: number): string {
  const { words } = table;
  const [low, high, ports] = [words[slot + LOW]!, words[slot + HIGH]!, words[slot + PORTS]!];
  if ((words[slot + FACTS]! & IPV6) === 0)
    return String.fromCharCode(
      0,
      low >>> 16,
      low & 0xffff,
      high >>> 16,
      high & 0xffff,
      ports >>> 16,
      ports & 0xffff,
      ...scopeUnits(table, slot),
    );
  return String.fromCharCode(1, ...table.pair(slot).subarray(0, ADDRESSES), ports >>> 16, ports & 0xffff, ...scopeUnits(table, slot));
}

/** A scope in units of 16 bits, the highest first. */
function scopeUnits(table: ConnectionTable, slot: number): number[] {
  const scope = table.scope(slot);
  return scope === 0n ? [] : [48n, 32n, 16n, 0n].map((shift) => Number((scope >> shift) & 0xffffn));
}
