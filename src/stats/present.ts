import * as slots from '../layout/slot.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import { IndexTable } from './index-table.ts';
import { type StateName, type StatePair, UNKNOWN } from './states-now.ts';
import { GROUP_WIDTH, type WindowPart } from './window-part.ts';

/** What a look at a connection finds: the states of client and server, and whether they stay so until its next segment. */
export interface Sight {
  readonly pair: StatePair;
  readonly steady: boolean;
}

/** Looks at the connection in a slot. */
export type Look = (slot: number, client: 0 | 1) => Sight;

/** Bits of what is known of a slot, above the number of its pair of states, plus 1. */
const CLIENT = 0x100;
const HOLDS = 0x200;
const UNSTEADY = 0x400;
const FIRST_SLOTS = 1 << 10;

/**
 * The connections of a table by their states, and the ports that they hold. Most of them have had no segment between two looks, and are as
 * they were: a look is about the others.
 */
export class Present {
  /** Of each slot: its segments when it was last looked at, and what was found; 0: nothing. */
  #segments = new Int32Array(FIRST_SLOTS);
  #found = new Int16Array(FIRST_SLOTS);
  readonly #pairs: StatePair[] = [];
  /** HOLDS, by the number of a pair, where its client holds its port. */
  readonly #holds: number[] = [];
  readonly #numbers = new Map<StatePair, number>();
  /** Connections by the number of their pair. */
  readonly #counts: number[] = [];
  /** Groups of which more, or fewer, ports are held than were when it was last taken, and how many. */
  #groups = new IndexTable(GROUP_WIDTH, Infinity);
  #changes: number[] = [];
  readonly #key = new Float64Array(GROUP_WIDTH);

  look(table: ConnectionTable, look: Look): void {
    const { words, count } = table;
    for (let slot = 0, place = 0, left = count; left > 0; slot += slots.SLOT_WORDS, place++) {
      const facts = words[slot + slots.FACTS]!;
      if (facts === 0) continue;
      left--;
      if (place >= this.#found.length) this.#grow(place);
      const segments = (words[slot + slots.SEGMENTS]! + words[slot + slots.SEGMENTS + 1]!) | 0;
      const known = this.#found[place]!;
      if (known !== 0 && (known & UNSTEADY) === 0 && this.#segments[place] === segments) continue;
      this.#segments[place] = segments;
      this.#lookAt(table, slot, look);
    }
  }

  #lookAt(table: ConnectionTable, slot: number, look: Look): void {
    const place = slot / slots.SLOT_WORDS;
    const known = this.#found[place]!;
    const client = (table.words[slot + slots.FACTS]! & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
    const { pair, steady } = look(slot, client);
    const number = this.#numberOf(pair);
    const found = number | (client === 0 ? 0 : CLIENT) | this.#holds[number - 1]! | (steady ? 0 : UNSTEADY);
    if (found === known) return;
    if (known !== 0) this.#count(table, slot, known, -1);
    this.#count(table, slot, found, 1);
    this.#found[place] = found;
  }

  /** The connection in a slot is there until the end, although the slot will have another one. */
  stay(table: ConnectionTable, slot: number, look: Look): void {
    const place = slot / slots.SLOT_WORDS;
    if (place >= this.#found.length) this.#grow(place);
    this.#lookAt(table, slot, look);
    this.#found[place] = 0;
  }

  /** The connection in a slot leaves the table. */
  leave(table: ConnectionTable, slot: number): void {
    const place = slot / slots.SLOT_WORDS;
    const known = this.#found[place];
    if (!known) return; // nobody has looked at it
    this.#count(table, slot, known, -1);
    this.#found[place] = 0;
  }

  /** Connections by their states. */
  states(): Map<string, number> {
    return new Map(this.#counts.flatMap((n, number) => (n > 0 ? [[this.#pairs[number]!, n]] : [])));
  }

  /** How many more ports are held than were at the last call, by group. */
  takeHeld(): WindowPart['held'] {
    if (this.#changes.length === 0) return [];
    const held = { keys: this.#groups.keys(), counts: Float64Array.from(this.#changes) };
    this.#groups = new IndexTable(GROUP_WIDTH, Infinity, this.#changes.length);
    this.#changes = [];
    return [held];
  }

  #count(table: ConnectionTable, slot: number, found: number, by: 1 | -1): void {
    this.#counts[(found & 0xff) - 1]! += by;
    if ((found & HOLDS) === 0) return;
    const group = this.#groups.number(this.#groupKey(table, slot, (found & CLIENT) === 0 ? 0 : 1));
    this.#changes[group] = (this.#changes[group] ?? 0) + by;
  }

  /** The number of a pair of states, plus 1. */
  #numberOf(pair: StatePair): number {
    const known = this.#numbers.get(pair);
    if (known !== undefined) return known;
    this.#pairs.push(pair);
    this.#holds.push(holdsPort(pair) ? HOLDS : 0);
    this.#counts.push(0);
    this.#numbers.set(pair, this.#pairs.length);
    return this.#pairs.length;
  }

  #grow(place: number): void {
    const size = 2 ** Math.ceil(Math.log2(place + 1));
    const segments = new Int32Array(size);
    const found = new Int16Array(size);
    segments.set(this.#segments);
    found.set(this.#found);
    this.#segments = segments;
    this.#found = found;
  }

  /** Writes a slot's group of ports to the key. */
  #groupKey(table: ConnectionTable, slot: number, client: number): Float64Array {
    const { words } = table;
    const key = this.#key;
    key.fill(0);
    const ipv6 = (words[slot + slots.FACTS]! & slots.IPV6) !== 0;
    if (ipv6) {
      const pair = table.pair(slot);
      const view = new DataView(pair.buffer, pair.byteOffset, pair.byteLength);
      for (let word = 0; word < 4; word++) {
        key[word] = view.getUint32(client * 16 + word * 4);
        key[4 + word] = view.getUint32((client ^ 1) * 16 + word * 4);
      }
    } else {
      key[3] = words[slot + slots.LOW + client]! >>> 0;
      key[7] = words[slot + slots.LOW + (client ^ 1)]! >>> 0;
    }
    const ports = words[slot + slots.PORTS]!;
    key[8] = (client === 0 ? ports & 0xffff : ports >>> 16) + (ipv6 ? 0x10000 : 0);
    return key;
  }
}

const PORTLESS: ReadonlySet<StateName> = new Set<StateName>(['CLOSED', UNKNOWN, 'SYN_SENT']);

/** Whether the client of a pair of states holds its port. */
const holdsPort = (pair: StatePair): boolean => !PORTLESS.has(pair.slice(0, pair.indexOf(' ')) as StateName);
