// The WebAssembly decoder (assembly/), as the rest of the program sees it: a window of bytes to fill, a call, and views of
// what came out. This is the only file that says WebAssembly.
//
// The views are made once and stay valid, because the module's memory never grows. Each call overwrites what the one before it
// left in them.

import { existsSync, readFileSync } from 'node:fs';
import { DROP_REASONS } from '../layout/drops.ts';
import { CLOCK, DROPS, FRACTION_NS, LIMIT, LINK_TYPE, ORIGIN, SEED, STATE_WORDS, SWAPPED } from '../layout/framing.ts';
import { ADDRESS_PAIR_BYTES, LAYOUT_VERSION, SEGMENT_BYTES } from '../layout/segment.ts';

// @types/node declares WebAssembly for those who include the DOM's types only; what is used of it is written down here.
interface CompiledModule {
  readonly [moduleBrand]: never;
}
declare const moduleBrand: unique symbol;
interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (module: CompiledModule, imports: Record<string, Record<string, unknown>>) => { readonly exports: object };
}
declare const WebAssembly: WebAssemblyNamespace;

/** A compiled decoder: may be sent to other threads, and serves any number of Decoders. */
export type DecoderModule = CompiledModule;

/** How the records of a capture are to be read. */
export interface Framing {
  readonly linkType: number;
  /** Whether the capture's headers are big-endian. */
  readonly swapped: boolean;
  /** Nanoseconds that one unit of a timestamp's fraction is worth: 1000 or 1. */
  readonly fractionNs: number;
  /** Largest captured length that a record may claim. */
  readonly limit: number;
  /** Whole seconds since 1970 (UTC) at which the run's clock reads 0. */
  readonly origin: number;
  /** Keys every hash and digest: the same for all decoders of a run. 32 bits. */
  readonly seed: number;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly decode: (from: number, to: number) => number;
}

export class Decoder {
  /** Bytes to decode. */
  readonly window: Uint8Array;
  /** The batch's records, SEGMENT_WORDS words each (layout/segment.ts). */
  readonly words: Int32Array;
  /** The same bytes, for the time of each record. */
  readonly times: Float64Array;
  /** The batch's IPv6 address pairs, ADDRESS_PAIR_BYTES each. */
  readonly pairs: Uint8Array;
  /** What decode() answers, by the words of layout/framing.ts. */
  readonly state: Int32Array;
  /** DROP_REASONS counters of the last call, a part of `state`. */
  readonly drops: Int32Array;
  /** Most records that a batch holds. */
  readonly capacity: number;
  readonly #clock: Float64Array;
  readonly #decode: Exports['decode'];

  constructor(module: DecoderModule) {
    const { exports } = new WebAssembly.Instance(module, { env: { abort } });
    const constant = (name: string): number => Number(Reflect.get(exports, name).value);
    const version = constant('LAYOUT_VERSION');
    if (version !== LAYOUT_VERSION) throw new Error(`decoder.wasm has layout version ${version}, not ${LAYOUT_VERSION}: build it again`);
    const { memory, decode } = exports as Exports;
    const { buffer } = memory;
    this.capacity = constant('SEGMENTS_CAPACITY');
    this.window = new Uint8Array(buffer, constant('WINDOW'), constant('WINDOW_BYTES'));
    const segments = constant('SEGMENTS');
    const segmentBytes = this.capacity * SEGMENT_BYTES;
    this.words = new Int32Array(buffer, segments, segmentBytes / Int32Array.BYTES_PER_ELEMENT);
    this.times = new Float64Array(buffer, segments, segmentBytes / Float64Array.BYTES_PER_ELEMENT);
    this.pairs = new Uint8Array(buffer, constant('PAIRS'), constant('PAIRS_CAPACITY') * ADDRESS_PAIR_BYTES);
    this.state = new Int32Array(buffer, constant('STATE'), STATE_WORDS);
    this.drops = this.state.subarray(DROPS, DROPS + DROP_REASONS);
    this.#clock = new Float64Array(buffer, this.state.byteOffset + CLOCK * Int32Array.BYTES_PER_ELEMENT, 1);
    this.#decode = decode;
  }

  /** Compiles the module that lies beside the built files; `build` names another one of dist/. */
  static compile(build = 'decoder.wasm'): DecoderModule {
    const beside = new URL(`../${build}`, import.meta.url);
    // Under a test runner this file is still in src/, and the module in dist/.
    const path = existsSync(beside) ? beside : new URL(`../../dist/${build}`, import.meta.url);
    return new WebAssembly.Module(readFileSync(path));
  }

  /** Prepares for a capture, or for windows from the middle of one, where the clock already shows `clock` ns. */
  begin(framing: Framing, clock = -Infinity): void {
    this.state[SWAPPED] = framing.swapped ? 1 : 0;
    this.state[FRACTION_NS] = framing.fractionNs;
    this.state[LINK_TYPE] = framing.linkType;
    this.state[LIMIT] = framing.limit;
    this.state[ORIGIN] = framing.origin;
    this.state[SEED] = framing.seed;
    this.clock = clock;
  }

  /** Decodes the records of window[from..to); answers the offset of the first one that it did not decode. */
  decode(from: number, to: number): number {
    if (!(from >= 0 && from <= to && to <= this.window.length)) throw new RangeError(`no such window: ${from}..${to}`);
    return this.#decode(from, to);
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
