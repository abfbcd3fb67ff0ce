import { FACTS, HIGH, IPV6, LOW, PORTS } from './slot.ts';
import type { ConnectionTable } from './table.ts';

/** Doubles hold integers of this many bits. */
const EXACT_BITS = 53;
const ADDRESS_BITS = 32;

/** All slots in use, ordered by 4-tuple: family, addresses, ports. */
export function slotsByTuple(table: ConnectionTable): number[] {
  const { words } = table;
  const slots = table.slots();
  // A typed array sorts numbers many times faster than a comparator does: the low address, as far as it fits above the
  // position in the list. The comparator is left with runs of equal addresses.
  const positionBits = Math.ceil(Math.log2(slots.length + 1));
  const dropped = 2 ** Math.max(0, ADDRESS_BITS + 1 + positionBits - EXACT_BITS);
  const leading = (slot: number): number => {
    const family = (words[slot + FACTS]! & IPV6) === 0 ? 0 : 2 ** ADDRESS_BITS;
    const address = family === 0 ? words[slot + LOW]! >>> 0 : firstWord(table.pair(slot));
    return Math.floor((family + address) / dropped);
  };
  const keys = Float64Array.from(slots, (slot, position) => leading(slot) * 2 ** positionBits + position).sort();
  const ordered = Array.from(keys, (key) => slots[key % 2 ** positionBits]!);
  for (let from = 0; from < ordered.length; ) {
    const head = Math.floor(keys[from]! / 2 ** positionBits);
    let to = from + 1;
    while (to < ordered.length && Math.floor(keys[to]! / 2 ** positionBits) === head) to++;
    if (to - from > 1) {
      const run = ordered.slice(from, to).sort((a, b) => compareTuples(table, a, b));
      for (let i = 0; i < run.length; i++) ordered[from + i] = run[i]!;
    }
    from = to;
  }
  return ordered;
}

const firstWord = (pair: Uint8Array): number => ((pair[0]! << 24) | (pair[1]! << 16) | (pair[2]! << 8) | pair[3]!) >>> 0;

/** Orders two connections by 4-tuple. */
export function compareTuples(table: ConnectionTable, a: number, b: number): number {
  const { words } = table;
  const family = (words[a + FACTS]! & IPV6) - (words[b + FACTS]! & IPV6);
  if (family !== 0) return family;
  if ((words[a + FACTS]! & IPV6) !== 0) {
    const order = Buffer.compare(table.pair(a), table.pair(b));
    if (order !== 0) return order;
  } else {
    const low = (words[a + LOW]! >>> 0) - (words[b + LOW]! >>> 0);
    if (low !== 0) return low;
    const high = (words[a + HIGH]! >>> 0) - (words[b + HIGH]! >>> 0);
    if (high !== 0) return high;
  }
  return (words[a + PORTS]! >>> 0) - (words[b + PORTS]! >>> 0);
}

/** A text that sorts as compareTuples() does. */
export function tupleKey(table: ConnectionTable, slot: number): string {
  const { words } = table;
  const ipv6 = (words[slot + FACTS]! & IPV6) !== 0;
  const addresses = ipv6 ? Array.from(table.pair(slot)) : [words[slot + LOW]!, words[slot + HIGH]!].flatMap(bytesOf);
  return String.fromCharCode(ipv6 ? 1 : 0, ...addresses, ...bytesOf(words[slot + PORTS]!));
}

const bytesOf = (word: number): number[] => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
