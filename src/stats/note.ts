import { KEEPALIVE_AFTER_FIN } from '../layout/modifiers.ts';
import {
  ADDRESS,
  ADDRESS_WORDS,
  AT_END,
  CLASS,
  CLIENT_IS_HIGH,
  CLOSE_WAIT,
  COLUMNS,
  FACTS,
  HELD_UNTIL,
  IPV6,
  LAST,
  LEAKS_HIGH,
  MODIFIERS,
  NO_REPLY,
  PACKET,
  PORTS,
  PROBED,
  REPEATS_FIN,
  RESET,
  RESET_BY_HIGH,
  RESET_IDLE,
  START,
  TIME,
  WAIT_END,
  WAIT_FROM,
  WAIT_SINCE,
  WAIT_TO,
} from '../layout/note.ts';
import * as slots from '../layout/slot.ts';
import { ackedTime, CLOSE_CLASSES, CloseTimes, closeTimes, isOver, type Verdict } from '../tracker/close.ts';
import type { Ended } from '../tracker/ended.ts';
import { RESET_STAGES, resetStage } from './reset-stage.ts';

/** How a TIME_WAIT ended: the values of WAIT_END. */
export const WAIT_ENDS = ['expiry', 'reuse', 'rst', 'capture_end'] as const;

/** Rows that are kept together: few enough to stay in the cache. */
const CHUNK_ROWS = 1024;
/** Written anew for each connection. */
const TIMES = new CloseTimes();

/** Takes rows, which are overwritten afterwards. */
export type NoteTaker = (rows: Float64Array) => void;
const CLASS_PLACE = new Map<string, number>(CLOSE_CLASSES.map((name, place) => [name, place]));
const END_PLACE = new Map<string, number>(WAIT_ENDS.map((name, place) => [name, place]));

/** The endpoint (0 or 1) that is the client. */
export const clientOf = (rows: Float64Array, at: number): 0 | 1 => ((rows[at + FACTS]! & CLIENT_IS_HIGH) === 0 ? 0 : 1);

export const portOf = (rows: Float64Array, at: number, endpoint: number): number =>
  endpoint === 0 ? rows[at + PORTS]! >>> 16 : rows[at + PORTS]! & 0xffff;

/** The rows of one shard, in the order of precedes(). Where there is a taker, it gets them soon; else they wait for take(). */
export class NoteLog {
  readonly #taker: NoteTaker | undefined;
  #rows = chunk(CHUNK_ROWS * COLUMNS);
  #used = 0;
  #full: Float64Array[] = [];
  /** Chunks that nobody needs any more. */
  readonly #spare: Float64Array[] = [];

  constructor(taker?: NoteTaker) {
    this.#taker = taker;
  }

  add(connection: Ended): void {
    if (this.#used === this.#rows.length) this.#makeRoom();
    write(this.#rows, this.#used, connection);
    this.#sink(this.#used);
    this.#used += COLUMNS;
  }

  /** Adds rows that were written elsewhere: those before `end`. */
  append(rows: Float64Array, end: number): void {
    for (let from = 0; from < end; ) {
      const to = this.#copy(rows, from, end);
      for (; from < to; from += COLUMNS, this.#used += COLUMNS) if (rows[from + PACKET] === -1) this.#sink(this.#used);
    }
  }

  /** The same of rows that no timer made: they are in their order. */
  appendInOrder(rows: Float64Array, end: number): void {
    for (let from = 0; from < end; ) {
      const to = this.#copy(rows, from, end);
      this.#used += to - from;
      from = to;
    }
  }

  /** Copies rows, from `from` on, behind those that are used; answers where those begin that had no room. */
  #copy(rows: Float64Array, from: number, end: number): number {
    if (this.#used === this.#rows.length) this.#makeRoom();
    const to = Math.min(end, from + this.#rows.length - this.#used);
    this.#rows.set(rows.subarray(from, to), this.#used);
    return to;
  }

  /** The rows since the last call, in chunks, most of which are shared with other threads. */
  take(): Float64Array[] {
    if (this.#taker) this.#drain(this.#used);
    else if (this.#used > (this.#spare.length > 0 ? 0 : this.#rows.length / 2)) this.#close(this.#used);
    else if (this.#used > 0) this.#full.push(this.#rows.slice(0, this.#used));
    this.#used = 0;
    const chunks = this.#full;
    this.#full = [];
    return chunks;
  }

  /** Takes a chunk back, whose rows are needed no more: new memory costs more than to write them. */
  reuse({ buffer }: Float64Array): void {
    const rows = new Float64Array(buffer);
    if (rows.length === CHUNK_ROWS * COLUMNS) this.#spare.push(rows);
  }

  #makeRoom(): void {
    const end = this.#tie();
    if (this.#taker) this.#drain(end);
    else if (end > 0) this.#close(end);
    if (this.#used === this.#rows.length) this.#grow();
  }

  /** The rows before `end` are a chunk; those behind it begin the next one. */
  #close(end: number): void {
    const rest = this.#rows.subarray(end, this.#used);
    const least = Math.max(CHUNK_ROWS * COLUMNS, rest.length * 2); // where the log had grown, these may be many
    const rows = (least === CHUNK_ROWS * COLUMNS ? this.#spare.pop() : undefined) ?? chunk(least);
    rows.set(rest);
    this.#full.push(this.#rows.subarray(0, end));
    this.#rows = rows;
    this.#used -= end;
  }

  /** Gives the rows before `end` away. */
  #drain(end: number): void {
    this.#taker!(this.#rows.subarray(0, end));
    this.#rows.copyWithin(0, end, this.#used);
    this.#used -= end;
  }

  /** Where the rows begin among which the next one may still have its place. */
  #tie(): number {
    const rows = this.#rows;
    let at = this.#used - COLUMNS;
    if (rows[at + PACKET] !== -1) return this.#used;
    while (at > 0 && rows[at - COLUMNS + TIME] === rows[at + TIME]) at -= COLUMNS;
    return at;
  }

  /** Timers that run out at the same time do so in no particular order: their rows go by 4-tuple. */
  #sink(at: number): void {
    const rows = this.#rows;
    for (let place = at; place > 0 && precedes(rows, place, rows, place - COLUMNS); place -= COLUMNS) {
      const row = rows.slice(place, place + COLUMNS);
      rows.copyWithin(place, place - COLUMNS, place);
      rows.set(row, place - COLUMNS);
    }
  }

  #grow(): void {
    const rows = chunk(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Memory that another thread reads and this one writes again: what is moved there is gone, and costs both to give back and to have anew. */
const chunk = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));

/** Whether row `i` of `a` comes before row `j` of `b`: by time, packet, 4-tuple. */
export function precedes(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  if (a[i + TIME] !== b[j + TIME]) return a[i + TIME]! < b[j + TIME]!;
  if (a[i + PACKET] !== b[j + PACKET]) return a[i + PACKET]! < b[j + PACKET]!;
  const family = (a[i + FACTS]! & IPV6) - (b[j + FACTS]! & IPV6);
  if (family !== 0) return family < 0;
  for (let column = ADDRESS; column <= PORTS; column++) if (a[i + column] !== b[j + column]) return a[i + column]! < b[j + column]!;
  return false;
}

/** Writes a connection's row. */
export function write(rows: Float64Array, at: number, connection: Ended): void {
  const { table, slot, verdict, timeWaits } = connection;
  const { words, times } = table;
  const facts = words[slot + slots.FACTS]!;
  const client = (facts & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
  const ipv6 = (facts & slots.IPV6) !== 0;
  const atEnd = connection.packet === Infinity;
  rows[at + TIME] = connection.time;
  rows[at + PACKET] = connection.packet;
  if (ipv6) writePair(rows, at + ADDRESS, table.pair(slot));
  else {
    for (let word = at + ADDRESS; word < at + PORTS; word++) rows[word] = 0; // a call to fill() costs more than so few words
    rows[at + ADDRESS + ADDRESS_WORDS - 1] = words[slot + slots.LOW]! >>> 0;
    rows[at + ADDRESS + 2 * ADDRESS_WORDS - 1] = words[slot + slots.HIGH]! >>> 0;
  }
  rows[at + PORTS] = words[slot + slots.PORTS]! >>> 0;
  rows[at + FACTS] =
    (client === 1 ? CLIENT_IS_HIGH : 0) | (ipv6 ? IPV6 : 0) | (atEnd ? AT_END : 0) | repeatsFin(connection, 0) | repeatsFin(connection, 1);
  rows[at + CLASS] = CLASS_PLACE.get(verdict.class)!;
  rows[at + MODIFIERS] = verdict.modifiers;
  rows[at + START] = times[(slot >> 1) + slots.START]!;
  rows[at + LAST] = times[(slot >> 1) + slots.LAST]!;
  for (let word = at + WAIT_FROM; word < at + COLUMNS; word++) rows[word] = Number.NaN;
  for (const wait of timeWaits) {
    rows[at + WAIT_FROM + wait.holder] = wait.start;
    rows[at + WAIT_TO + wait.holder] = wait.endedBy === 'capture_end' ? Infinity : wait.end;
    rows[at + WAIT_SINCE + wait.holder] = wait.since;
    rows[at + WAIT_END + wait.holder] = END_PLACE.get(wait.endedBy)!;
  }
  writeReset(rows, at, connection);
  writeCloseWait(rows, at, connection);
  rows[at + HELD_UNTIL] = heldUntil(connection, rows, at, client, atEnd);
}

/**
 * Whether the client's port is free but for TIME_WAIT: the connection is over, or only one endpoint was captured, of which a FIN was seen that
 * it had no need to repeat.
 */
export function freesPort(verdict: Verdict): boolean {
  return isOver(verdict) || (verdict.class === 'unknown' && (verdict.fin[0] || verdict.fin[1]));
}

/** Whether an endpoint repeats its FIN in vain: a bit of FACTS. */
function repeatsFin({ table, slot, verdict }: Ended, endpoint: 0 | 1): number {
  return !verdict.reset && !verdict.acked[endpoint] && table.words[slot + slots.FIN_RETRANSMITS + endpoint]! > 0
    ? REPEATS_FIN << endpoint
    : 0;
}

function writeReset(rows: Float64Array, at: number, { table, slot, verdict }: Ended): void {
  const stage = resetStage(verdict);
  rows[at + RESET] = stage === undefined ? -1 : RESET_STAGES.indexOf(stage);
  rows[at + RESET_IDLE] = stage === undefined ? 0 : (table.peekRare(slot)?.resetIdle ?? 0);
  if (stage !== undefined && verdict.resetBy === 1) rows[at + FACTS]! |= RESET_BY_HIGH;
}

/** An endpoint that has acknowledged the peer's FIN, and has not sent its own when the capture ends. */
function writeCloseWait(rows: Float64Array, at: number, { table, slot, verdict, packet }: Ended): void {
  rows[at + CLOSE_WAIT] = Number.NaN;
  if (packet !== Infinity || verdict.class !== 'half_open') return;
  const closer = verdict.fin[0] ? 0 : 1;
  rows[at + CLOSE_WAIT] = ackedTime(table, slot, verdict, closer);
  if (closer === 0) rows[at + FACTS]! |= LEAKS_HIGH;
  if ((verdict.modifiers & KEEPALIVE_AFTER_FIN) !== 0) rows[at + FACTS]! |= PROBED;
}

/**
 * Until when the client's port was taken: to the end of its TIME_WAIT; to the close, where there is none; to the latest segment,
 * where the handshake never was complete or something else ended the record. Infinity: beyond the capture.
 */
function heldUntil(connection: Ended, rows: Float64Array, at: number, client: number, atEnd: boolean): number {
  const { verdict } = connection;
  if (!Number.isNaN(rows[at + WAIT_TO + client]!)) return rows[at + WAIT_TO + client]!;
  if (freesPort(verdict)) {
    const { start, duration } = closeTimes(connection.table, connection.slot, verdict, TIMES);
    if (!Number.isNaN(start)) return start + Math.max(duration, 0);
  }
  return atEnd && rows[at + CLASS] !== NO_REPLY ? Infinity : rows[at + LAST]!;
}

function writePair(rows: Float64Array, at: number, pair: Uint8Array): void {
  for (let word = 0; word < 2 * ADDRESS_WORDS; word++) {
    const byte = word * 4;
    rows[at + word] = ((pair[byte]! << 24) | (pair[byte + 1]! << 16) | (pair[byte + 2]! << 8) | pair[byte + 3]!) >>> 0;
  }
}
