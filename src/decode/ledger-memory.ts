import { readFileSync } from 'node:fs';
import {
  ACCOUNT,
  BEYOND,
  CLOSED,
  GROUP_COLUMNS,
  GROUP_WORDS,
  GROUPS,
  HOLDERS,
  HOLDERS_CAPACITY,
  HOST_COLUMNS,
  HOST_WORDS,
  HOSTS,
  LANE_END,
  LANE_NEXT,
  LANE_ROWS,
  LANES,
  LEDGER_PAGES,
  LOG_CAPACITY,
  LOGGED,
  STATE_WORDS,
} from '../layout/ledger.ts';
import { COLUMNS } from '../layout/note.ts';
import { built } from '../platform/built.ts';
import { copyBytes } from '../platform/copy.ts';
import { type CompiledModule, constantOf, Instance, Memory, Module } from './webassembly.ts';

/** What the module exports: assembly/ledger.ts. */
interface Exports {
  readonly begin: (seed: number, rows: number) => void;
  readonly look: (lane: number) => void;
  readonly indexHosts: () => void;
  readonly indexGroups: () => void;
  readonly merge: (lanes: number) => number;
}

let module: CompiledModule | undefined;

/** A ledger (layout/ledger.ts) in the memory of a WebAssembly module that keeps it: stats/ledger.ts says how it is used. */
export class LedgerMemory {
  readonly lanes: Float64Array;
  readonly hosts: AccountMemory;
  readonly groups: AccountMemory;
  readonly reuses: Int32Array;
  readonly #state: Int32Array;
  readonly #exports: Exports;

  /** `rows`: that a log keeps before it is full. */
  constructor(rows = LOG_CAPACITY) {
    module ??= new Module(readFileSync(built('ledger.wasm')));
    // No other thread has it; but V8 counts memory that is not shared, all of it, as its heap's, and collects garbage because of that.
    const memory = new Memory({ initial: LEDGER_PAGES, maximum: LEDGER_PAGES, shared: true });
    const { exports } = new Instance(module, { env: { memory } });
    const { buffer } = memory;
    const constant = (name: string): number => constantOf(exports, name);
    this.#exports = exports as Exports;
    this.#state = new Int32Array(buffer, constant('STATE'), STATE_WORDS);
    this.lanes = new Float64Array(buffer, constant('LANES'), LANES * LANE_ROWS * COLUMNS);
    const account = (first: number, name: string, width: number, columns: number, index: () => void): AccountMemory => {
      const ints = (of: string, length: number): Int32Array => new Int32Array(buffer, constant(`${name}_${of}`), length);
      return new AccountMemory(
        this.#state.subarray(first, first + ACCOUNT),
        new Uint32Array(buffer, constant(`${name}_KEYS`), HOLDERS_CAPACITY * width),
        ints('MEMBERS', HOLDERS_CAPACITY),
        new Float64Array(buffer, constant(`${name}_LOG`), (rows + 1) * columns),
        columns,
        { places: ints('PLACES', rows + 1), begins: ints('BEGINS', HOLDERS_CAPACITY + 1), ends: ints('ENDS', HOLDERS_CAPACITY + 1) },
        index,
      );
    };
    const { indexHosts, indexGroups } = this.#exports;
    this.hosts = account(HOSTS, 'HOST', HOST_WORDS, HOST_COLUMNS, indexHosts);
    this.groups = account(GROUPS, 'GROUP', GROUP_WORDS, GROUP_COLUMNS, indexGroups);
    this.reuses = new Int32Array(buffer, constant('GROUP_REUSES'), HOLDERS_CAPACITY);
    this.#exports.begin(Math.floor(Math.random() * 2 ** 52), rows);
  }

  isEmpty(lane: number): boolean {
    return this.#state[LANE_NEXT + lane] === this.#state[LANE_END + lane];
  }

  fill(lane: number, rows: Float64Array, from: number, alter?: (rows: Float64Array) => void): number {
    const part = rows.subarray(from, from + LANE_ROWS * COLUMNS);
    const begin = lane * LANE_ROWS * COLUMNS;
    const lanes = this.lanes.subarray(begin, begin + part.length);
    copyBytes(part, lanes);
    alter?.(lanes);
    this.#state[LANE_NEXT + lane] = 0;
    this.#state[LANE_END + lane] = part.length / COLUMNS;
    this.#exports.look(lane);
    return from + part.length;
  }

  close(lane: number): void {
    this.#state[LANE_NEXT + lane] = 0;
    this.#state[LANE_END + lane] = CLOSED;
  }

  merge(lanes: number): number {
    return this.#exports.merge(lanes);
  }
}

/** Places of an account's rows, by holder; where those of each begin and end, and in front of them those of all beyond the limit. */
interface Places {
  readonly places: Int32Array;
  readonly begins: Int32Array;
  readonly ends: Int32Array;
}

/** One of its accounts. */
class AccountMemory {
  readonly rows: Float64Array;
  readonly columns: number;
  readonly places: Places;
  readonly #index: () => void;
  readonly #state: Int32Array;
  readonly #keys: Uint32Array;
  readonly #members: Int32Array;

  /** `state`: the account's words; `rows`: of its log, and room for one more. */
  constructor(
    state: Int32Array,
    keys: Uint32Array,
    members: Int32Array,
    rows: Float64Array,
    columns: number,
    places: Places,
    index: () => void,
  ) {
    this.#state = state;
    this.#keys = keys;
    this.#members = members;
    this.rows = rows;
    this.columns = columns;
    this.places = places;
    this.#index = index;
  }

  get holders(): number {
    return this.#state[HOLDERS]!;
  }

  get beyond(): number {
    return this.#state[BEYOND]!;
  }

  get members(): Int32Array {
    return this.#members.subarray(0, this.holders);
  }

  get logged(): number {
    return this.#state[LOGGED]!;
  }

  get isFull(): boolean {
    return this.logged >= this.rows.length / this.columns - 1;
  }

  key(number: number): Uint32Array {
    const width = this.#keys.length / HOLDERS_CAPACITY;
    return this.#keys.subarray(number * width, (number + 1) * width);
  }

  index(): void {
    this.#index();
  }

  clear(): void {
    this.#state[LOGGED] = 0;
  }
}
