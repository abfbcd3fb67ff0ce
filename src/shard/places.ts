import { FACTS, HIGH, IPV6, LOW, PAIRED, PORTS } from '../layout/slot.ts';
import { tupleKey } from '../tracker/order.ts';
import type { ConnectionTable } from '../tracker/table.ts';

// Columns of a place: when the record ended, and the packet that ended it (-1: a timer, RELEASED, Infinity: the end of the capture); its 4-tuple,
// where others may have ended then, too; and where its line ends.
const TIME = 0;
const PACKET = 1;
const LOW_AT = 2;
const HIGH_AT = 3;
const PORTS_AT = 4;
/** Number of the text that sorts as what the columns before cannot hold: an IPv6 tuple, a scope. -1: none. */
const TEXT = 5;
const END = 6;
const WIDTH = 7;

const FIRST_PLACES = 16;

/** Where the items of a delivery belong among those of all shards, in order, as plain data. */
export interface Places {
  readonly columns: Float64Array<ArrayBuffer>;
  readonly texts: readonly string[];
}

export const placeCount = ({ columns }: Places): number => columns.length / WIDTH;
export const timeOf = ({ columns }: Places, place: number): number => columns[place * WIDTH + TIME]!;
/** Bytes of text up to the end of an item's line. */
export const endOf = ({ columns }: Places, place: number): number => (place < 0 ? 0 : columns[place * WIDTH + END]!);

/** Whether item `i` of `a` comes before item `j` of `b`: by time, packet, 4-tuple. */
export function precedes(a: Places, i: number, b: Places, j: number): boolean {
  for (let column = TIME; column <= PORTS_AT; column++) {
    const one = a.columns[i * WIDTH + column]!;
    const other = b.columns[j * WIDTH + column]!;
    if (one !== other) return one < other;
  }
  return textOf(a, i) < textOf(b, j);
}

function textOf({ columns, texts }: Places, place: number): string {
  const text = columns[place * WIDTH + TEXT]!;
  return text < 0 ? '' : texts[text]!;
}

/** Notes where items belong. */
export class PlaceLog {
  #columns = new Float64Array(FIRST_PLACES * WIDTH);
  #used = 0;
  #texts: string[] = [];

  /** Items since take(). */
  get count(): number {
    return this.#used / WIDTH;
  }

  /** An item; `end`: where its line ends. */
  add(time: number, packet: number, end: number): void {
    if (this.#used === this.#columns.length) this.#grow();
    const columns = this.#columns;
    const at = this.#used;
    columns[at + TIME] = packet === Infinity ? Infinity : time;
    columns[at + PACKET] = packet;
    columns.fill(0, at + LOW_AT, at + TEXT);
    columns[at + TEXT] = -1;
    columns[at + END] = end;
    this.#used += WIDTH;
  }

  /** The item added last has others beside it that ended at the same time: they go by their 4-tuples. */
  tie(table: ConnectionTable, slot: number): void {
    const columns = this.#columns;
    const at = this.#used - WIDTH;
    const { words } = table;
    const facts = words[slot + FACTS]!;
    const isIpv6 = (facts & IPV6) !== 0;
    columns[at + LOW_AT] = isIpv6 ? Infinity : words[slot + LOW]! >>> 0;
    columns[at + HIGH_AT] = isIpv6 ? 0 : words[slot + HIGH]! >>> 0;
    columns[at + PORTS_AT] = isIpv6 ? 0 : words[slot + PORTS]! >>> 0;
    if ((facts & PAIRED) !== 0) columns[at + TEXT] = this.#texts.push(tupleKey(table, slot)) - 1;
  }

  /** The line of the item added last goes on to `end`. */
  extend(end: number): void {
    this.#columns[this.#used - WIDTH + END] = end;
  }

  /** What was noted since the last call. */
  take(): Places {
    const places = { columns: this.#columns.slice(0, this.#used), texts: this.#texts };
    this.#used = 0;
    this.#texts = [];
    return places;
  }

  #grow(): void {
    const columns = new Float64Array(this.#columns.length * 2);
    columns.set(this.#columns);
    this.#columns = columns;
  }
}
