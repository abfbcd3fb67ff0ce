import { wordsText } from '../records/address.ts';
import { IndexTable } from './index-table.ts';
import { ADDRESS, ADDRESS_WORDS, FACTS, IPV6 } from '../layout/note.ts';
import { clientOf, portOf } from './note.ts';

/** Owners that are told apart. */
const OWNERS = 1 << 16;
const WIDTH = ADDRESS_WORDS + 2;

/** An address in a role at a service: its own port where it is the server, else the server's. */
export interface Owner {
  host: string;
  role: 'client' | 'server';
  server_port: number;
}

/** Something of each owner, made when it is first met. Rows must come in the order of precedes(). */
export class ByOwner<T> {
  readonly #table = new IndexTable(WIDTH, OWNERS);
  readonly #key = new Float64Array(WIDTH);
  readonly #items: T[] = [];
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  /** What belongs to an endpoint of a row; undefined where there are too many owners. */
  of(rows: Float64Array, at: number, endpoint: number): T | undefined {
    const client = clientOf(rows, at);
    for (let word = 0; word < ADDRESS_WORDS; word++) this.#key[word] = rows[at + ADDRESS + endpoint * ADDRESS_WORDS + word]!;
    this.#key[ADDRESS_WORDS] = portOf(rows, at, 1 - client);
    this.#key[ADDRESS_WORDS + 1] = (rows[at + FACTS]! & IPV6) | (endpoint === client ? 1 : 0);
    const number = this.#table.number(this.#key);
    return number < 0 ? undefined : (this.#items[number] ??= this.#make());
  }

  /** All of them, in the order in which they were met. */
  *entries(): Generator<[Owner, T]> {
    for (const [number, item] of this.#items.entries()) {
      const key = this.#table.key(number);
      const bits = key[ADDRESS_WORDS + 1]!;
      const role = (bits & 1) === 0 ? 'server' : 'client';
      yield [{ host: wordsText(key, 0, (bits & IPV6) !== 0), role, server_port: key[ADDRESS_WORDS]! }, item];
    }
  }
}
