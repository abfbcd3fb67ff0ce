// The WebAssembly decoder (assembly/), as the rest of the program sees it: a window of bytes to fill, a call, and views of
// what came out.
//
// The views are made once and stay valid, because only what lies behind them grows. Each call overwrites what the one before
// it left in them.

import { readFileSync } from 'node:fs';
import {
  BINS,
  COUNTS_WORDS,
  PAIR_COUNT,
  SEGMENTS_CAPACITY,
  SHARDS_CAPACITY,
  SLOTS_CAPACITY,
  STREAM_BYTES,
  STREAM_MARGIN,
  WINDOW_BYTES,
} from '../layout/batch.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { INSTRUCTION_WORDS } from '../layout/filter.ts';
import {
  AT_END,
  CLOCK,
  DISTINGUISHED,
  DROPS,
  FAR,
  FILTER_LENGTH,
  FIRST,
  FORM,
  INTERFACE_BYTES,
  INTERFACE_COUNT,
  INTERFACE_WORDS,
  ORIGIN,
  SEED,
  SHARDS,
  STATE_WORDS,
  UNITS,
} from '../layout/framing.ts';
import { ADDRESS_PAIR_BYTES, LAYOUT_VERSION, SEGMENT_BYTES } from '../layout/segment.ts';
import { MEMORY_PAGES, MOST_PAGES } from '../layout/tracking.ts';
import { built } from '../platform/built.ts';
import { type ShapeExports, ShapeMemory } from './shape-memory.ts';
import { Switchboard, type TableExports, TableMemory } from './table-memory.ts';
import { type CompiledModule, constantOf, Instance, Memory, Module, type SharedMemory } from './webassembly.ts';

/** A decoder's memory: other threads may read the batches in it. */
export type DecoderMemory = SharedMemory;

/** A compiled decoder: may be sent to other threads, and serves any number of Decoders. */
export type DecoderModule = CompiledModule;

/** How the records of a stretch of a capture are written, and on which interfaces they were captured. */
export interface Framing {
  /** Bits of layout/framing.ts. */
  readonly form: number;
  /** Entries of INTERFACE_WORDS numbers. */
  readonly interfaces: Float64Array;
}

/** What all decoders of a run have in common. */
export interface DecoderSetting {
  /** Whole seconds since 1970 (UTC) at which the run's clock reads 0. */
  readonly origin: number;
  /** Keys every hash and digest: the same for all decoders of a run. 32 bits. */
  readonly seed: number;
  /** Shards among which the 4-tuples are divided. */
  readonly shards: number;
  /** Units of the largest window (layout/batch.ts); absent: 1. */
  readonly units?: number | undefined;
  /** Bits of layout/framing.ts: what is a part of the identity of connections; absent: their 4-tuples alone. */
  readonly distinguished?: number | undefined;
  /** Program of the filter (layout/filter.ts); absent: all segments pass. */
  readonly filter?: Int32Array | undefined;
}

/** What the places of batches depend on. */
type BatchSetting = Pick<DecoderSetting, 'shards' | 'units'>;
const WHOLE: BatchSetting = { shards: 1 };

/** A batch as one shard takes it: its own records, and the address pairs of all. */
export interface ShardBatch {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly pairs: Uint8Array;
  readonly count: number;
}

/** Views of one bin of one decoder's memory. */
interface BinViews {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly pairs: Uint8Array;
  readonly noPairs: Uint8Array;
  readonly counts: Int32Array;
}

interface Exports extends TableExports, ShapeExports {
  readonly begin: (slot: number) => void;
  readonly decode: (from: number, stop: number, to: number) => number;
}

/** Batches of a decoder whose records go to as many shards, of windows of as many units. */
export const slotsOf = (shards: number, units: number): number =>
  Math.min(Math.floor(SLOTS_CAPACITY / units), Math.floor(BINS / (shards * units)));

/** What the module calls its imports from a tracker: the file that declares them, assembly/host.ts. */
const HOST = 'host';

export class Decoder {
  readonly memory: DecoderMemory;
  /** Bytes to decode: WINDOW_BYTES that are read into it, and behind them the latest ones of a stream. */
  readonly window: Uint8Array;
  /** What decode() answers, by the words of layout/framing.ts. */
  readonly state: Int32Array;
  /** DROP_REASONS counters of the last call, a part of `state`. */
  readonly drops: Int32Array;
  /** Where a tracker keeps its connections: behind all that the decoder needs. */
  readonly table: TableMemory;
  /** Where ended connections are counted by their shape. */
  readonly shapes: ShapeMemory;
  readonly #origin: Float64Array;
  readonly #clock: Float64Array;
  readonly #first: Float64Array;
  readonly #exports: Exports;
  readonly #interfaces: Float64Array;
  readonly #filter: Int32Array;
  readonly #constant: (name: string) => number;
  readonly #views = new Map<number, BinViews>();
  /** What the places of those depend on. */
  #viewed = WHOLE;

  constructor(module: DecoderModule, memory: DecoderMemory) {
    const calls = Module.imports(module).filter(({ module: from }) => from === HOST);
    const switchboard = new Switchboard(calls.map(({ name }) => name));
    const { exports } = new Instance(module, { env: { abort, memory }, [HOST]: switchboard.imports });
    const constant = (name: string): number => constantOf(exports, name);
    const version = constant('LAYOUT_VERSION');
    if (version !== LAYOUT_VERSION || constant('INTERFACE_BYTES') !== INTERFACE_BYTES)
      throw new Error(`decoder.wasm has layout version ${version}, not ${LAYOUT_VERSION}: build it again`);
    const { buffer } = memory;
    this.memory = memory;
    this.window = new Uint8Array(buffer, constant('WINDOW'), WINDOW_BYTES + STREAM_BYTES);
    this.state = new Int32Array(buffer, constant('STATE'), STATE_WORDS);
    this.drops = this.state.subarray(DROPS, DROPS + DROP_REASONS);
    this.#origin = new Float64Array(buffer, this.state.byteOffset + ORIGIN * Int32Array.BYTES_PER_ELEMENT, 1);
    this.#clock = new Float64Array(buffer, this.state.byteOffset + CLOCK * Int32Array.BYTES_PER_ELEMENT, 1);
    this.#first = new Float64Array(buffer, this.state.byteOffset + FIRST * Int32Array.BYTES_PER_ELEMENT, 1);
    this.#constant = constant;
    this.#exports = exports as Exports;
    this.#interfaces = new Float64Array(buffer, constant('INTERFACES'), constant('INTERFACES_BYTES') / Float64Array.BYTES_PER_ELEMENT);
    this.#filter = new Int32Array(buffer, constant('FILTER'), constant('FILTER_BYTES') / Int32Array.BYTES_PER_ELEMENT);
    this.table = new TableMemory(memory, exports as Exports, switchboard, constant);
    this.shapes = new ShapeMemory(buffer, exports as Exports, constant);
  }

  /** Memory for one decoder and one tracker. Pages that nobody touches cost nothing. */
  static memory(): DecoderMemory {
    return new Memory({ initial: MEMORY_PAGES, maximum: MOST_PAGES, shared: true });
  }

  /** Where the bytes of a stream lie in a decoder's memory, behind its window: STREAM_BYTES, and STREAM_MARGIN behind them. */
  stream(memory: DecoderMemory): Uint8Array {
    return new Uint8Array(memory.buffer, this.#constant('STREAM'), STREAM_BYTES + STREAM_MARGIN);
  }

  /** Compiles the module; `build` names another one of dist/. */
  static compile(build = 'decoder.wasm'): DecoderModule {
    return new Module(readFileSync(built(build)));
  }

  /** Begins a window: empties the batch of a slot and all counters. The capture clock already shows `clock` ns. */
  begin(setting: DecoderSetting, framing: Framing, slot = 0, clock = -Infinity): void {
    if (!(slot >= 0 && slot < slotsOf(setting.shards, setting.units ?? 1))) throw new RangeError(`no such slot: ${slot}`);
    const { state } = this;
    state[FORM] = framing.form;
    state[INTERFACE_COUNT] = framing.interfaces.length / INTERFACE_WORDS;
    this.#interfaces.set(framing.interfaces);
    this.#origin[0] = setting.origin;
    state[SEED] = setting.seed;
    state[SHARDS] = setting.shards;
    state[UNITS] = setting.units ?? 1;
    state[DISTINGUISHED] = setting.distinguished ?? 0;
    state[FILTER_LENGTH] = (setting.filter?.length ?? 0) / INSTRUCTION_WORDS;
    if (setting.filter) this.#filter.set(setting.filter);
    this.clock = clock;
    this.#exports.begin(slot);
  }

  /**
   * Adds to the batch the records that begin in window[from..stop) and end before `to`; answers the offset of the first one that
   * it did not decode.
   * @param atEnd whether the capture ends at `to`
   * @param far whether the bytes were put there by others than this thread: then what is needed of them is fetched beforehand, of all at once, so that only the
   * first call about them says so
   */
  decode(from: number, to: number, stop = to, atEnd = true, far = false): number {
    if (!(from >= 0 && from <= to && stop <= to && to <= this.window.length))
      throw new RangeError(`no such window: ${from}..${stop}..${to}`);
    this.state[AT_END] = atEnd ? 1 : 0;
    this.state[FAR] = far ? 1 : 0;
    return this.#exports.decode(from, stop, to);
  }

  /** How what follows is written. Valid until the next window begins. */
  get framing(): Framing {
    return { form: this.state[FORM]!, interfaces: this.#interfaces.subarray(0, this.state[INTERFACE_COUNT]! * INTERFACE_WORDS) };
  }

  /**
   * A shard's part of a slot's batch, of this decoder or of another one's memory, which goes by the number `of`. Valid until it is decoded into
   * again.
   */
  batch(memory: DecoderMemory, slot: number, { shards, units = 1 }: BatchSetting = WHOLE, shard = 0, of = 0): ShardBatch {
    if (this.#viewed.shards !== shards || this.#viewed.units !== units) {
      this.#viewed = { shards, units };
      this.#views.clear();
    }
    const key = (of * SLOTS_CAPACITY + slot) * SHARDS_CAPACITY + shard;
    let views = this.#views.get(key);
    if (!views) this.#views.set(key, (views = this.#binViews(memory, slot, (slot * shards + shard) * units, units)));
    const { words, times, pairs, noPairs, counts } = views;
    const bytes = counts[PAIR_COUNT]! * ADDRESS_PAIR_BYTES;
    return { words, times, pairs: bytes === 0 ? noPairs : pairs.subarray(0, bytes), count: counts[shard]! };
  }

  #binViews(memory: DecoderMemory, slot: number, bin: number, units: number): BinViews {
    // A memory that grows has a new buffer for the same bytes; those who ask whether a batch is theirs compare buffers.
    const { buffer } = memory === this.memory ? this.window : memory;
    const place = (name: string, number: number): number => this.#constant(name) + number * this.#constant(`${name}_BYTES`);
    const records = place('SEGMENTS', bin);
    const bytes = units * SEGMENTS_CAPACITY * SEGMENT_BYTES;
    const pairs = place('PAIRS', slot * units);
    return {
      words: new Int32Array(buffer, records, bytes / Int32Array.BYTES_PER_ELEMENT),
      times: new Float64Array(buffer, records, bytes / Float64Array.BYTES_PER_ELEMENT),
      pairs: new Uint8Array(buffer, pairs, units * this.#constant('PAIRS_BYTES')),
      noPairs: new Uint8Array(buffer, pairs, 0),
      counts: new Int32Array(buffer, place('COUNTS', slot), COUNTS_WORDS),
    };
  }

  /** The first packet's own timestamp in the last call, ns since the origin; Infinity where there was none. */
  get firstTime(): number {
    return this.#first[0] ?? Number.NaN;
  }

  /** The capture clock, ns since the origin: the largest timestamp so far, -Infinity before the first. */
  get clock(): number {
    return this.#clock[0] ?? Number.NaN;
  }

  set clock(time: number) {
    this.#clock[0] = time;
  }
}

/** An assertion of a debug build failed. */
function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`decoder.wasm: assertion failed at line ${line}, column ${column}`);
}
