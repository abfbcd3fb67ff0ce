import { FACTS, HIGH, IPV6, LOW, PORTS } from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

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
