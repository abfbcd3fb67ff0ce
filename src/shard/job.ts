import { type ConnectionRecord, connectionRecord } from '../records/connection.ts';
import { Lines } from '../records/line.ts';
import { type EndedRecord, type SegmentRecord, segmentRecord } from '../records/segment.ts';
import { Clock } from '../records/time.ts';
import type { GroupBy } from '../stats/grouping.ts';
import { NoteLog, type NoteTaker } from '../stats/note.ts';
import { type LinesByShape, Shapes } from '../stats/shapes.ts';
import { Statistics, type StatisticsPart } from '../stats/statistics.ts';
import { Intervals } from '../stats/intervals.ts';
import { isEmpty, type WindowPart } from '../stats/window-part.ts';
import { WindowCounter } from '../stats/windows.ts';
import { type Ended, RELEASED } from '../tracker/ended.ts';
import type { BoundTaker } from '../tracker/measure.ts';
import { GENERATION } from '../layout/slot.ts';
import { SYN } from '../layout/tcp.ts';
import { Segment } from '../tracker/segment.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import type { Profile } from '../tracker/time-wait.ts';
import type { Watch } from '../tracker/watch.ts';
import { Decoder } from '../decode/decoder.ts';
import { type Counts, type DecodingTask, settingOf } from './decoding.ts';
import type { Exchange } from './exchange.ts';
import { PlaceLog, type Places } from './places.ts';
import type { Windows } from './plan.ts';
import { FULL, type SegmentTaker, Shard, WAITS } from './shard.ts';

/** In what form connections leave a shard: not at all, as typed records, as such among records of all their segments, or as lines of JSON in ASCII. */
export type Form = 'none' | 'records' | 'segments' | 'lines';

/** All that a shard needs to know, as plain data. */
export interface ShardTask extends DecodingTask {
  readonly digits: number;
  /** How far a packet may come behind others that were captured later, ms. */
  readonly lateness: number;
  readonly profile: Profile;
  readonly idleTimeout: number;
  /** Length of a window of capture time, ns; Infinity: none are wanted. */
  readonly interval: number;
  /** By what the connections of a window are told apart. */
  readonly per: GroupBy | undefined;
  readonly form: Form;
  readonly transitions: boolean;
}

/**
 * Windows whose ends are delivered together where no single connection has to leave, and no window of capture time, of which there may be many; and
 * their bytes, which may end as many connections as they hold packets.
 */
const TOGETHER = 32;
const TOGETHER_BYTES = 1 << 26;

/** How many windows one delivery is about. */
export const windowsOf = ({ form, interval, windowBytes }: Pick<ShardTask, 'form' | 'interval' | 'windowBytes'>): number =>
  form === 'none' && interval === Infinity ? Math.min(TOGETHER, Math.floor(TOGETHER_BYTES / windowBytes)) : 1;

/** Bytes of lines, or records, from which on a delivery is a part of what ended in its window. */
const PART_BYTES = 4 << 20;
const PART_RECORDS = 1 << 12;
/** Connections that were looked at for the windows of capture time, and groups of them, from which on it is, too. */
const PART_LOOKS = 1 << 16;

/** The connections that ended in one window of one shard (or a few, windowsOf()), or a part of them, in order. */
export interface Delivery {
  readonly shard: number;
  /** Counts the deliveries; the last one also has what the end of the capture ended. */
  readonly window: number;
  /** This is all, or the last part, of what ended in it. */
  readonly last: boolean;
  /** Where each belongs among those of all shards. */
  readonly places: Places;
  /** The records; or the lines, one behind the other. */
  readonly records: (ConnectionRecord | EndedRecord | SegmentRecord)[];
  readonly text: Uint8Array<ArrayBuffer> | undefined;
  /** What was noted of them (stats/note.ts), in chunks; none where a taker has it already. */
  readonly notes: Float64Array[];
  /** This shard's part of the windows of capture time that are over. */
  readonly parts: WindowPart[];
  /** End of the last of those, or of an earlier one: nothing of the shard is still to come that belongs before it. ns. */
  readonly over: number;
}

/** What a shard has counted when it is done, as plain data. */
export interface ShardResult {
  readonly counts: Counts;
  readonly segments: number;
  readonly duplicates: number;
  /** First fragments that are no segments after all. */
  readonly pieces: number;
  readonly late: number;
  readonly oddities: Float64Array;
  readonly statistics: StatisticsPart;
}

/** One shard's part of a run, in whatever thread. */
export class ShardJob {
  readonly exchange: Exchange;
  readonly #task: ShardTask;
  readonly #shard: Shard;
  readonly #statistics = new Statistics();
  readonly #notes: NoteLog;
  /** Takes most connections where no single one is asked for. */
  readonly #shapes: Shapes | undefined;
  readonly #counter: WindowCounter;
  readonly #clock: Clock;
  readonly #windows: Windows;
  readonly #lines: Lines | undefined;
  readonly #places = new PlaceLog();
  #records: (ConnectionRecord | EndedRecord | SegmentRecord)[] = [];
  readonly #segment = new Segment();
  #parts: WindowPart[] = [];
  #over = -Infinity;
  /** What was looked at for the parts. */
  #looks = 0;
  /** The last window of capture time, and where the capture's end cut it short. */
  #rest: { readonly number: number; readonly end: number } | undefined;

  /** `taker`: gets what is noted of ended connections, where there is no other shard to wait for. */
  constructor(task: ShardTask, taker?: NoteTaker) {
    const decoder = new Decoder(task.module, task.memories[task.index]!);
    const setting = settingOf(task, decoder);
    this.exchange = setting.exchange;
    this.#windows = setting.windows;
    this.#task = task;
    this.#notes = new NoteLog(taker);
    this.#clock = new Clock(task.origin, task.digits);
    const { measured } = this.#statistics;
    const bound: BoundTaker = (host, what) => measured.add(host, what);
    if (task.form === 'lines') this.#lines = new Lines(this.#clock, task.transitions, decoder.shapes.lines);
    const watched = task.interval < Infinity;
    const differ = task.transitions || task.distinguished !== 0; // connections of one shape do then in more than a template leaves open
    if (task.form === 'none' || (task.form === 'lines' && !differ))
      this.#shapes = new Shapes(
        decoder.shapes,
        this.#notes,
        task.profile.twoMsl,
        this.#clock,
        this.#lines && this.#linesByShape(this.#lines),
        watched ? (...counted) => this.#counter.counted(...counted) : undefined,
      );
    this.#counter = new WindowCounter(task.profile, task.per, this.#shapes);
    const watch = watched ? this.#watch(new Intervals(task.origin, task.interval)) : undefined;
    const ended = (connection: Ended): void => this.#ended(connection);
    // Deliveries that are about several windows are whole: a shard that waits with a part of one would hold up the windows behind it.
    const isFull = windowsOf(task) > 1 ? undefined : (): boolean => this.#isFull;
    const tracked = task.form === 'segments' ? this.#tracked : undefined;
    this.#shard = new Shard({ ...setting, tracked }, decoder, { ...task, watch, bound, shapes: this.#shapes, ended, isFull });
  }

  /**
   * Runs to the end; yields what each window has ended, in parts where that is much, and last, in parts, what the end of the capture did.
   * Yields undefined where there is nothing to do until the exchange has news.
   */
  *run(): Generator<Delivery | undefined, void, undefined> {
    const together = windowsOf(this.#task);
    let window = 0;
    for (const tracked of this.#shard.run()) {
      // What the capture's end ends comes in parts of the last window.
      if (tracked === WAITS) yield undefined;
      else if (tracked === FULL) yield this.#take(window, false);
      else if (tracked === this.#windows.announced && this.#windows.complete) yield this.#take(window, false);
      else if ((tracked + 1) % together === 0) yield this.#take(window++, true);
    }
    if (this.#rest) this.#part(this.#rest.number, 0, this.#rest.end);
    yield this.#take(window, true);
  }

  /** Takes back what a delivery noted, once it is merged. */
  reuse(notes: readonly Float64Array[]): void {
    for (const rows of notes) this.#notes.reuse(rows);
  }

  /** Gives back what others may want of the captures, if nothing was read of them for a while. */
  restIfIdle(): void {
    this.#shard.decoding.restIfIdle();
  }

  result(): ShardResult {
    const { decoding, tracker } = this.#shard;
    this.#shapes?.addTo(this.#statistics);
    return {
      counts: decoding.counts,
      segments: tracker.segments,
      duplicates: tracker.duplicates,
      pieces: tracker.pieces,
      late: tracker.late,
      oddities: tracker.oddities.counts,
      statistics: this.#statistics.part(),
    };
  }

  /** So much has ended in one window that it is to be delivered in parts: a clock that leaps ends all that was silent at once. */
  get #isFull(): boolean {
    return (this.#lines?.length ?? 0) >= PART_BYTES || this.#records.length >= PART_RECORDS || this.#looks >= PART_LOOKS;
  }

  #watch(intervals: Intervals): Watch {
    const counter = this.#counter;
    return {
      intervals,
      opened: (table, slot) => counter.opened(table, slot),
      closing: (table, slot, time) => counter.closing(table, slot, time),
      over: (table, number, quiet) => {
        counter.look(table, intervals.last(number));
        this.#looks += table.count >> 3; // most are as they were
        this.#part(number, 0);
        for (let next = number + 1; next <= number + quiet; ) {
          const last = Math.min(number + quiet, intervals.over(counter.look(table, intervals.last(next))));
          this.#part(next, last - next);
          next = last + 1;
        }
        this.#over = intervals.end(number + quiet);
      },
      last: (table, number, end) => {
        counter.look(table, end);
        this.#rest = { number, end };
      },
    };
  }

  #part(number: number, repeats: number, end?: number): void {
    for (const part of this.#counter.take(number, repeats, end)) {
      if (isEmpty(part)) continue;
      this.#parts.push(part);
      this.#looks += part.groups.size + part.held.reduce((sum, { counts }) => sum + counts.length, 0);
    }
  }

  #ended(connection: Ended): void {
    this.#shapes?.flush();
    this.#statistics.add(connection);
    this.#notes.add(connection);
    const counter = this.#shapes?.learn(connection) ?? -1;
    if (this.#task.interval < Infinity) this.#counter.ended(connection, counter);
    const { form, transitions } = this.#task;
    const { table, slot, time, packet } = connection;
    if (this.#lines) {
      this.#lines.add(connection);
      this.#endLine(this.#lines.length, table, slot, time, packet);
    } else if (form === 'records' || form === 'segments') {
      const record = connectionRecord(connection, this.#clock, transitions);
      this.#records.push(form === 'records' ? record : { type: 'ended', connection: this.#numberOf(table, slot), record });
      this.#place(table, slot, time, packet, 0);
    }
  }

  #tracked: SegmentTaker = (batch, packet, copy) => {
    const { table } = this.#shard.tracker;
    const segment = this.#segment.load(batch, 0);
    const slot = table.find(batch, segment);
    const waits = slot < 0 ? undefined : table.peekRare(slot)?.held?.segment;
    const held = waits !== undefined && (segment.flags & SYN) !== 0 && segment.seq === waits.seq && segment.sender === waits.sender;
    const record = segmentRecord(segment, batch, { connection: this.#numberOf(table, slot), held, copy });
    if (!record) return;
    this.#records.push(record);
    this.#places.add(segment.time, packet, 0);
  };

  /** A number that no other connection of the run has; -1 where there is none in the slot. */
  #numberOf({ words }: ConnectionTable, slot: number): number {
    return slot < 0 ? -1 : (words[slot + GENERATION]! >>> 0) * this.#task.shards + this.#task.index;
  }

  #linesByShape(lines: Lines): LinesByShape {
    return { lines, written: (table, slot, time, packet) => this.#endLine(lines.length, table, slot, time, packet) };
  }

  /** A line was written: it ends at `end`. */
  #endLine(end: number, table: ConnectionTable, slot: number, time: number, packet: number): void {
    const { shards, interval } = this.#task;
    // Nothing else comes between the lines of an only shard.
    if (shards === 1 && this.#places.count === 1 && interval === Infinity) this.#places.extend(end);
    else this.#place(table, slot, time, packet, end);
  }

  /** Says where an item belongs among those of all shards. */
  #place(table: ConnectionTable, slot: number, time: number, packet: number, end: number): void {
    this.#places.add(time, packet, end);
    if (this.#task.shards > 1 && (packet < 0 || packet >= RELEASED)) this.#places.tie(table, slot);
  }

  #take(window: number, last: boolean): Delivery {
    this.#shapes?.flush();
    const delivery = {
      shard: this.#task.index,
      window,
      last,
      places: this.#places.take(),
      records: this.#records,
      text: this.#lines && this.#lines.length > 0 ? this.#lines.take() : undefined,
      notes: this.#notes.take(),
      parts: this.#parts,
      over: this.#over,
    };
    this.#records = [];
    this.#parts = [];
    this.#looks = 0;
    return delivery;
  }
}
