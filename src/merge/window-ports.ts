import { wordsText } from '../records/address.ts';
import { IndexTable } from '../stats/index-table.ts';
import { GROUP_WIDTH, type WindowPart } from '../stats/window-part.ts';
import { rounded } from './ports.ts';

/** Ports that a client holds towards one server address and port, at the end of a window. */
export interface HeldRecord {
  client: string;
  server: string;
  server_port: number;
  held: number;
  pressure: number;
}

/** Names in a list, so that a line stays below 16 KiB. */
const TOP = 10;
/** Groups that are kept although they hold nothing any more. */
const IDLE = 1 << 12;

/** The ports that are held at the end of one window after the other. */
export class HeldPorts {
  readonly #range: number;
  #groups = new IndexTable(GROUP_WIDTH, Infinity);
  readonly #key = new Float64Array(GROUP_WIDTH);
  #counts: number[] = [];
  /** Groups that hold any. */
  #holders = 0;
  #worst: HeldRecord[] = [];

  /** `range`: ephemeral ports of a client. */
  constructor(range: number) {
    this.#range = range;
  }

  /** Who holds the most at the end of the next window. */
  next(held: WindowPart['held']): HeldRecord[] {
    if (held.length === 0) return this.#worst;
    for (const { keys, counts } of held) this.#add(keys, counts);
    if (this.#groups.count > 2 * this.#holders + IDLE) this.#forget();
    this.#worst = leading(this.#groups.words, this.#counts, TOP).map((group) => this.#record(group));
    return this.#worst;
  }

  #add(keys: Float64Array, changes: Float64Array): void {
    const key = this.#key;
    for (let place = 0; place < changes.length; place++) {
      const by = changes[place]!;
      for (let word = 0; word < GROUP_WIDTH; word++) key[word] = keys[place * GROUP_WIDTH + word]!;
      const group = this.#groups.number(key);
      const before = (this.#counts[group] ??= 0);
      this.#counts[group] = before + by;
      this.#holders += Number(before + by > 0) - Number(before > 0);
    }
  }

  /** Groups that hold nothing are let go, so that only those that do take room. */
  #forget(): void {
    const groups = new IndexTable(GROUP_WIDTH, Infinity, this.#holders);
    const counts: number[] = [];
    for (const [group, count] of this.#counts.entries()) if (count > 0) counts[groups.number(this.#groups.key(group))] = count;
    this.#groups = groups;
    this.#counts = counts;
  }

  #record(group: number): HeldRecord {
    const words = this.#groups.key(group);
    const ipv6 = words[8]! >= 0x10000;
    const held = this.#counts[group]!;
    return {
      client: wordsText(words, 0, ipv6),
      server: wordsText(words, 4, ipv6),
      server_port: words[8]! & 0xffff,
      held,
      pressure: rounded(held / this.#range, 6),
    };
  }
}

/** The `top` groups that count most, then by their keys; none without any. */
function leading(keys: Float64Array, counts: readonly number[], top: number): number[] {
  const leads = (a: number, b: number): boolean => {
    if (counts[a] !== counts[b]) return counts[a]! > counts[b]!;
    for (let i = 0; i < GROUP_WIDTH; i++) {
      const difference = keys[a * GROUP_WIDTH + i]! - keys[b * GROUP_WIDTH + i]!;
      if (difference !== 0) return difference < 0;
    }
    return false;
  };
  const best: number[] = [];
  for (let group = 0; group < counts.length; group++) {
    const count = counts[group]!;
    if (count === 0) continue;
    if (best.length === top && (count < counts[best[top - 1]!]! || !leads(group, best[top - 1]!))) continue;
    if (best.length === top) best.pop();
    let at = best.length;
    while (at > 0 && leads(group, best[at - 1]!)) at--;
    best.splice(at, 0, group);
  }
  return best;
}
