import * as note from '../layout/note.ts';
import * as shape from '../layout/shape.ts';
import { FACTS, HAS_RARE } from '../layout/slot.ts';
import type { Lines } from '../records/line.ts';
import { templateOf } from '../records/template.ts';
import type { Clock } from '../records/time.ts';
import { lacksAck, type Verdict } from '../tracker/close.ts';
import { ENDINGS, type Ended, type Ending, type ShapeTaker } from '../tracker/ended.ts';
import type { Departed } from '../tracker/departed.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import type { HistogramPart } from './histogram.ts';
import { freesPort, type NoteLog, WAIT_ENDS, write } from './note.ts';
import type { Statistics } from './statistics.ts';
import { type Traits, traitsOf } from './traits.ts';

/** Where WebAssembly counts ended connections by their shape: see decode/shape-memory.ts. */
export interface ShapeMemory {
  readonly shapes: Int32Array;
  readonly counters: Float64Array;
  readonly rows: Float64Array;
  readonly templates: Uint8Array;
  readonly templatePlaces: Uint32Array;
  readonly lines: Uint8Array;
  readonly lineEnd: Int32Array;
  readonly timed: Float64Array;
  readonly departures: Int32Array;
  readonly departureStarts: Float64Array;
  readonly departed: Int32Array;
  begin(twoMsl: number, clock: Clock): void;
  concludeInOrder(from: number, to: number, ending: number, time: number, row: number): number;
  conclude(slot: number, ending: number, time: number, packet: number, over: number, row: number, lines: number): number;
  counterOf(slot: number, ending: number, over: number, row: number): number;
  depart(clock: number, until: number, row: number): number;
  enter(slot: number, ending: number): number;
  durations(which: number): HistogramPart;
}

/** Where the lines of connections that are taken by their shape go: into the lines' memory, which is a part of the shapes' own. */
export interface LinesByShape {
  readonly lines: Lines;
  /** One was written. */
  readonly written: (table: ConnectionTable, slot: number, time: number, packet: number) => void;
}

/** Is told of each connection that is taken by its shape, and which counter counts it. */
export type Counted = (table: ConnectionTable, slot: number, counter: number, packet: number, rows: Float64Array, at: number) => void;

/**
 * The shapes of ended connections (layout/shape.ts). The first connection of a shape is concluded upon and counted by others; this learns
 * from it, and takes all that follow: WebAssembly writes their rows, and counts how many there were.
 */
export class Shapes implements ShapeTaker {
  holders = 0;
  since = 0;
  readonly #memory: ShapeMemory;
  readonly #notes: NoteLog;
  /** What the connections have in common that one counter counts. */
  readonly #traits = new Map<number, Traits>();
  readonly #row = new Float64Array(note.COLUMNS);
  readonly #lines: LinesByShape | undefined;
  readonly #counted: Counted | undefined;
  /** Rows that were written: always fewer than there is room for. */
  #rows = 0;
  /** Bytes of templates. */
  #templates = 0;

  /** `twoMsl`: length of TIME_WAIT, ns; `lines`: where each connection is to have its line. */
  constructor(memory: ShapeMemory, notes: NoteLog, twoMsl: number, clock: Clock, lines?: LinesByShape, counted?: Counted) {
    this.#memory = memory;
    this.#notes = notes;
    this.#lines = lines;
    this.#counted = counted;
    memory.begin(twoMsl, clock);
  }

  takes(table: ConnectionTable, slot: number, ending: Ending, time: number, packet: number, over: number): boolean {
    if ((table.words[slot + FACTS]! & HAS_RARE) !== 0) return false;
    const { lines, written } = this.#lines ?? {};
    const from = lines?.room() ?? -1;
    const counter = this.#memory.conclude(slot, codeOf(ending, packet), time, packet, over, this.#rows, from);
    if (counter < 0) return false;
    this.#counted?.(table, slot, counter, packet, this.#memory.rows, this.#rows * note.COLUMNS);
    lines?.written(this.#memory.lineEnd[0]!);
    written?.(table, slot, time, packet);
    if (ending === 'expired' || ending === 'idle_timeout') this.#lookAtHolders(this.#rows * note.COLUMNS);
    if (++this.#rows === shape.ROWS_CAPACITY) this.flush();
    return true;
  }

  takesInOrder(from: number, to: number, time: number): number {
    if (this.#lines || this.#counted) return from; // somebody has to hear of each
    this.flush();
    for (let place = from; ; ) {
      const end = Math.min(to, place + shape.ROWS_CAPACITY);
      const next = this.#memory.concludeInOrder(place, end, codeOf('capture_end', Infinity), time, 0);
      this.#notes.appendInOrder(this.#memory.rows, (next - place) * note.COLUMNS);
      place = next;
      if (place < end || place === to) return place;
    }
  }

  takesExpired(clock: number, until: number, departed: Departed): boolean {
    if (this.#lines || this.#counted) return false;
    const { departures, departureStarts, departed: written } = this.#memory;
    const before = this.#rows;
    this.#rows = this.#memory.depart(clock, until, before);
    if (this.#rows === before) return false;
    departed.addAll(departures, departureStarts, written[0]!, clock);
    if (this.#rows === shape.ROWS_CAPACITY) this.flush();
    return true;
  }

  /** Hands over the rows that were written: before any other row is. */
  flush(): void {
    this.#notes.append(this.#memory.rows, this.#rows * note.COLUMNS);
    this.#rows = 0;
  }

  /** A connection was not taken: those that are like it will be. Answers their counter, -1 where there will be none. */
  learn(connection: Ended): number {
    const { table, slot, ending, time, packet, verdict } = connection;
    if (this.#lines && lacksAck(table, slot, verdict, time)) return -1; // its line is not that of its shape
    const number = this.#enter(table, slot, codeOf(ending, packet));
    if (number < 0) return -1;
    this.#describe(number, connection);
    const counter = counterAt(number, connection.timeWaits);
    if (this.#traits.has(counter)) return counter;
    this.#traits.set(counter, traitsOf(connection));
    this.#memory.counters[counter] = 1;
    if (this.#lines) this.#keep(counter, templateOf(connection));
    return counter;
  }

  /**
   * The counter of a connection that goes on, if the close of one was met that looked like its own does at `time`, ns; else -1. `timed` has
   * the durations of its close then.
   */
  counterOf(slot: number, time: number): number {
    return this.#memory.counterOf(slot, shape.GOES_ON, time, this.#rows);
  }

  /** What took how long in the close of the connection that was taken, or looked for, last: layout/shape.ts's DURATIONS, ns; -1: there is none such. */
  get timed(): Float64Array {
    return this.#memory.timed;
  }

  /** No close was met that looked like that of a connection which goes on. Answers the counter of those that will, -1 where there will be none. */
  meet({ table, slot, verdict, timeWaits }: Pick<Ended, 'table' | 'slot' | 'verdict' | 'timeWaits'>): number {
    const number = this.#enter(table, slot, shape.GOES_ON);
    if (number < 0) return -1;
    this.#memory.shapes[number * shape.SHAPE_WORDS + shape.TIMING] = timingOf(verdict);
    const counter = counterAt(number, timeWaits);
    this.#memory.counters[counter] = 1;
    return counter;
  }

  #enter(table: ConnectionTable, slot: number, code: number): number {
    return (table.words[slot + FACTS]! & HAS_RARE) === 0 ? this.#memory.enter(slot, code) : -1;
  }

  /** Where there is no template, or no more room for one, the lines of such connections are written one by one. */
  #keep(counter: number, template: Uint8Array | undefined): void {
    const { templates, templatePlaces } = this.#memory;
    if (!template || this.#templates + template.length > templates.length) return;
    templates.set(template, this.#templates);
    templatePlaces[counter] = this.#templates + 1;
    this.#templates += template.length;
  }

  /** Adds what was counted. */
  addTo(statistics: Statistics): void {
    const { finAck, halfClosed, lastAck, wholeClose } = statistics;
    for (const [counter, traits] of this.#traits) statistics.count(traits, this.#memory.counters[counter]! - 1);
    for (const [which, histogram] of [finAck, halfClosed, lastAck, wholeClose].entries()) histogram.merge(this.#memory.durations(which));
  }

  #lookAtHolders(row: number): void {
    const { rows } = this.#memory;
    const [low, high] = [rows[row + note.WAIT_END]!, rows[row + note.WAIT_END + 1]!];
    const first = Number.isNaN(low) ? 1 : 0;
    const bits = (Number.isNaN(low) ? 0 : 1) | (Number.isNaN(high) ? 0 : 2);
    this.holders = rows[row + note.WAIT_END + first] === note.EXPIRY ? bits : 0;
    this.since = rows[row + note.WAIT_SINCE + first]!;
  }

  /** Writes what WebAssembly needs to know of all connections of a shape. */
  #describe(number: number, connection: Ended): void {
    const { verdict } = connection;
    const row = this.#row;
    write(row, 0, connection);
    const timing =
      timingOf(verdict) |
      (Number.isNaN(row[note.CLOSE_WAIT]!) ? 0 : shape.IN_CLOSE_WAIT) |
      (verdict.class === 'no_reply' ? shape.UNANSWERED : 0) |
      (freesPort(verdict) ? shape.FREES_PORT : 0);
    const { shapes } = this.#memory;
    const at = number * shape.SHAPE_WORDS;
    shapes[at + shape.TIMING] = timing;
    shapes[at + shape.ROW_FACTS] = row[note.FACTS]! & ~note.IPV6;
    shapes[at + shape.ROW_CLASS] = row[note.CLASS]!;
    shapes[at + shape.ROW_MODIFIERS] = row[note.MODIFIERS]!;
    shapes[at + shape.ROW_RESET] = row[note.RESET]!;
  }
}

/** Which waves of a close there were, and whose. */
function timingOf({ initiator, fin, acked, inferred, reset, resetBy }: Verdict): number {
  return (
    pair([initiator === 0 || initiator === 'both', initiator === 1 || initiator === 'both'], shape.ACTIVE) |
    pair(fin, shape.HAS_FIN) |
    pair(acked, shape.HAS_ACK) |
    pair(inferred, shape.IS_INFERRED) |
    (reset ? shape.IS_RESET : 0) |
    (resetBy === 1 ? shape.IS_RESET_BY_HIGH : 0)
  );
}

/** Of the counters of a shape, that for the ways in which TIME_WAITs have ended. */
function counterAt(number: number, waits: Ended['timeWaits']): number {
  const ways = [0, 0];
  for (const { holder, endedBy } of waits) ways[holder] = 1 + WAIT_ENDS.indexOf(endedBy);
  return number * shape.COUNTERS + ways[0]! * shape.WAYS + ways[1]!;
}

/** A bit for the low endpoint, and the next one for the high. */
const pair = ([low, high]: readonly [boolean, boolean], bit: number): number => (low ? bit : 0) | (high ? bit << 1 : 0);

/** How a connection ended, as keys have it. */
const codeOf = (ending: Ending, packet: number): number => ENDINGS.indexOf(ending) | (packet === Infinity ? shape.ENDED_AT_END : 0);
