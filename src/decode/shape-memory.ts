import { DEPARTURE_WORDS } from '../layout/departure.ts';
import { COLUMNS } from '../layout/note.ts';
import { LINES_BYTES, TEMPLATES_BYTES } from '../layout/line.ts';
import { COUNTERS, DURATION_BINS, DURATION_DOUBLES, DURATIONS, ROWS_CAPACITY, SHAPE_WORDS, SHAPES_CAPACITY } from '../layout/shape.ts';

/** What the module exports for those who take ended connections by their shape: assembly/conclude.ts, depart.ts, shape.ts. */
export interface ShapeExports {
  readonly beginConclusions: (twoMsl: number, origin: number, digits: number) => void;
  readonly conclude: (slot: number, ending: number, time: number, packet: number, over: number, row: number, lines: number) => number;
  readonly counterOf: (slot: number, ending: number, over: number, row: number) => number;
  readonly concludeInOrder: (from: number, to: number, ending: number, time: number, row: number) => number;
  readonly depart: (clock: number, until: number, row: number) => number;
  readonly enterShape: (slot: number, ending: number) => number;
}

/** Durations that were counted: bins as in stats/histogram.ts. */
interface Durations {
  readonly bins: Float64Array;
  readonly count: number;
  readonly max: number;
}

/** The part of a decoder's memory where ended connections are counted by their shape (layout/shape.ts). */
export class ShapeMemory {
  /** Shapes, SHAPE_WORDS each. */
  readonly shapes: Int32Array;
  /** COUNTERS of each shape: 0: no such connection was met; else one more than were counted. */
  readonly counters: Float64Array;
  /** Rows (layout/note.ts) of connections that were taken, ROWS_CAPACITY at most. */
  readonly rows: Float64Array;
  /** Templates of lines (layout/line.ts), and which one each counter has: its place plus 1; 0: none. */
  readonly templates: Uint8Array;
  readonly templatePlaces: Uint32Array;
  /** Lines; and where the one written last ends. */
  readonly lines: Uint8Array;
  readonly lineEnd: Int32Array;
  /** Departures (layout/departure.ts), when the TIME_WAIT of each last started, ns, and how many there are. */
  readonly departures: Int32Array;
  readonly departureStarts: Float64Array;
  readonly departed: Int32Array;
  /** What conclude() or counterOf() has timed last, ns: the DURATIONS of a close; -1: it has none such. */
  readonly timed: Float64Array;
  readonly #sums: Float64Array;
  readonly #exports: ShapeExports;

  constructor(buffer: ArrayBufferLike, exports: ShapeExports, constant: (name: string) => number) {
    this.#exports = exports;
    this.shapes = new Int32Array(buffer, constant('SHAPES'), SHAPES_CAPACITY * SHAPE_WORDS);
    this.counters = new Float64Array(buffer, constant('SHAPE_COUNTERS'), SHAPES_CAPACITY * COUNTERS);
    this.rows = new Float64Array(buffer, constant('SHAPE_ROWS'), ROWS_CAPACITY * COLUMNS);
    this.templates = new Uint8Array(buffer, constant('TEMPLATES'), TEMPLATES_BYTES);
    this.templatePlaces = new Uint32Array(buffer, constant('TEMPLATE_PLACES'), SHAPES_CAPACITY * COUNTERS);
    this.lines = new Uint8Array(buffer, constant('LINES'), LINES_BYTES);
    this.lineEnd = new Int32Array(buffer, constant('LINE_END'), 1);
    this.departures = new Int32Array(buffer, constant('DEPARTURES'), ROWS_CAPACITY * DEPARTURE_WORDS);
    this.departureStarts = new Float64Array(buffer, constant('DEPARTURE_STARTS'), ROWS_CAPACITY);
    this.departed = new Int32Array(buffer, constant('DEPARTED'), 1);
    this.timed = new Float64Array(buffer, constant('TIMED'), DURATIONS);
    this.#sums = new Float64Array(buffer, constant('DURATION_SUMS'), DURATIONS * DURATION_DOUBLES);
  }

  /** Forgets all shapes and what was counted. `twoMsl`: length of TIME_WAIT, ns; `origin`, `digits`: as of records/time.ts's Clock. */
  begin(twoMsl: number, { origin, digits }: { readonly origin: number; readonly digits: number }): void {
    this.#exports.beginConclusions(twoMsl, origin, digits);
  }

  /**
   * Counts, times and notes a connection, and writes its line at `lines` unless that is -1, if one of its shape was met that ended in the
   * same way; answers its counter, or -1. See assembly/conclude.ts.
   */
  conclude(slot: number, ending: number, time: number, packet: number, over: number, row: number, lines: number): number {
    return this.#exports.conclude(slot, ending, time, packet, over, row, lines);
  }

  /** The counter of a connection, if one of its shape was met that ended in the same way, or -1; its close is timed. `row`: is overwritten. */
  counterOf(slot: number, ending: number, over: number, row: number): number {
    return this.#exports.counterOf(slot, ending, over, row);
  }

  /**
   * The same, but for lines, of those connections that the capture's end ends at `time`, in order, whose places begin at `from`; answers
   * the place of the first one that was not counted, or `to`.
   */
  concludeInOrder(from: number, to: number, ending: number, time: number, row: number): number {
    return this.#exports.concludeInOrder(from, to, ending, time, row);
  }

  /**
   * Concludes upon connections that are due up to `clock` and before `until`, and lets them leave the table; answers the number of the next
   * row, which is `row` where none went. See assembly/depart.ts.
   */
  depart(clock: number, until: number, row: number): number {
    return this.#exports.depart(clock, until, row);
  }

  /** The shape of a connection, which gets a place where it is new; -1 where there are too many. */
  enter(slot: number, ending: number): number {
    return this.#exports.enterShape(slot, ending);
  }

  /** What was counted of one of the DURATIONS. */
  durations(which: number): Durations {
    const sums = this.#sums.subarray(which * DURATION_DOUBLES, (which + 1) * DURATION_DOUBLES);
    const [count = 0, max = 0] = sums.subarray(DURATION_BINS);
    return { bins: sums.subarray(0, DURATION_BINS), count, max };
  }
}
