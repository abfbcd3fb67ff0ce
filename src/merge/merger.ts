import type { ConnectionRecord } from '../records/connection.ts';
import type { EndedRecord, SegmentRecord } from '../records/segment.ts';
import type { Delivery } from '../shard/job.ts';
import { endOf, placeCount, precedes, timeOf } from '../shard/places.ts';
import type { Answers } from '../stats/answers.ts';
import type { WindowPart } from '../stats/window-part.ts';
import { LineChunks } from './line-chunks.ts';
import type { WindowRecord } from './window.ts';
import type { GroupWindowRecord } from './window-groups.ts';
import type { WindowQueue } from './window-queue.ts';

/** Whoever takes the rows of all shards, and brings them into one order. */
export type RowTaker = Pick<Answers, 'isEmpty' | 'fill' | 'close' | 'merge'>;

/** What leaves a run. */
export type Item = ConnectionRecord | EndedRecord | SegmentRecord | WindowRecord | GroupWindowRecord | Uint8Array;

/** The windows of capture time, and what leaves the run for one. */
export interface CaptureWindows {
  readonly queue: WindowQueue;
  readonly items: (whole: WindowPart) => Item[];
}

/** Items that leave at once, and those of one window more: a silent hour may have a million. */
const BATCH_ITEMS = 1024;

/** What a shard has delivered and nobody has taken yet: its deliveries in order, and the place in the first one. */
interface Queue {
  readonly deliveries: Delivery[];
  place: number;
  /** Deliveries that were taken. */
  taken: number;
  /** Whether the first one was looked at. */
  opened: boolean;
  /** Of the latest one that was: nothing that comes behind it belongs before that time, ns. */
  over: number;
  /** What was noted in the deliveries of the present window, as far as nobody has it, with their numbers; and the place in the first chunk. */
  readonly notes: { readonly rows: Float64Array; readonly delivery: number }[];
  row: number;
}

/**
 * Brings what the shards deliver into one order: by the time and packet that ended a record, then by 4-tuple. A window is over when
 * all shards have delivered the last of it; nothing that comes later belongs before it.
 */
export class Merger {
  readonly #queues: readonly Queue[];
  readonly #answers: RowTaker;
  readonly #windows: CaptureWindows | undefined;
  readonly #lines = new LineChunks();
  /** The window that comes next. */
  next = 0;

  /** `answers`: takes the rows that were noted of ended connections; `windows`: where windows of capture time are wanted. */
  constructor(shards: number, answers: RowTaker, windows?: CaptureWindows) {
    this.#queues = Array.from({ length: shards }, () => ({
      deliveries: [],
      place: 0,
      taken: 0,
      opened: false,
      over: -Infinity,
      notes: [],
      row: 0,
    }));
    this.#answers = answers;
    this.#windows = windows;
  }

  /** Deliveries of each shard that are merged, their rows, too. */
  get taken(): number[] {
    return this.#queues.map(({ taken, notes }) => notes[0]?.delivery ?? taken);
  }

  /** Takes one shard's delivery, each shard's in its order; yields all that is now in its final place: the loop over it must go on to its end. */
  *add(delivery: Delivery): Generator<Item[], void, undefined> {
    this.#queues[delivery.shard]!.deliveries.push(delivery);
    let ready: Item[] = [];
    for (;;) {
      const state = this.#mergeInto(ready);
      if (state === 'over') this.next++;
      if (state === 'waits') break;
      if (state === 'full') {
        yield ready;
        ready = [];
      }
    }
    this.#lines.flush(ready as Uint8Array[]);
    this.#mergeNotes();
    yield ready;
  }

  /**
   * Merges what is there of the next window, until that is over, a shard has yet to deliver of it, or enough can leave.
   * A scan for the first one of few shards beats a heap.
   */
  #mergeInto(merged: Item[]): 'over' | 'waits' | 'full' {
    for (;;) {
      let first: Queue | undefined;
      let over = true;
      let until = Infinity;
      for (const queue of this.#queues) {
        const head = this.#head(queue);
        if (!head)
          until = Math.min(until, queue.over); // what comes first may be what this shard has yet to deliver
        else if (queue.place < placeCount(head.places)) {
          over = false;
          if (!first || precedes(head.places, queue.place, first.deliveries[0]!.places, first.place)) first = queue;
        }
      }
      if (until < Infinity && !(first && timeOf(first.deliveries[0]!.places, first.place) < until))
        return this.#leave(merged, until) ? 'waits' : 'full';
      if (over) {
        if (!this.#leave(merged)) return 'full';
        this.#mergeNotes();
        for (const queue of this.#queues) take(queue);
        return 'over';
      }
      const { places, records, text } = first!.deliveries[0]!;
      if (!this.#leave(merged, timeOf(places, first!.place))) return 'full';
      this.#break(merged);
      const place = first!.place++;
      if (text) this.#lines.add(text, endOf(places, place - 1), endOf(places, place), merged as Uint8Array[]);
      else merged.push(records[place]!);
    }
  }

  /** The delivery that a shard's next item is in; one without items is the last of its window. */
  #head(queue: Queue): Delivery | undefined {
    let head = this.#open(queue);
    while (head && !head.last && queue.place === placeCount(head.places)) {
      take(queue);
      head = this.#open(queue);
    }
    return head;
  }

  /** A shard's first delivery; what it brings beside its items is put where it is wanted. */
  #open(queue: Queue): Delivery | undefined {
    const [head] = queue.deliveries;
    if (head && !queue.opened) {
      queue.opened = true;
      for (const rows of head.notes) queue.notes.push({ rows, delivery: queue.taken });
      queue.over = head.over;
      this.#windows?.queue.add(head.parts);
    }
    return head;
  }

  /** Lets the windows of capture time go that are over at a time, or all; answers whether these were all, because enough can leave before. */
  #leave(merged: Item[], time?: number): boolean {
    if (!this.#windows) return true;
    const { queue, items } = this.#windows;
    for (; time === undefined ? !queue.isEmpty : queue.isOver(time); merged.push(...queue.take(time).flatMap(items))) {
      this.#lines.flush(merged as Uint8Array[]);
      if (merged.length >= BATCH_ITEMS) return false;
    }
    return true;
  }

  /** Something comes that is not a window. */
  #break(merged: Item[]): void {
    if (!this.#windows) return;
    const { queue, items } = this.#windows;
    for (const silence of queue.silence()) merged.push(...items(silence));
  }

  /** Gives away what was noted, as far as nothing can come before it. */
  #mergeNotes(): void {
    const answers = this.#answers;
    for (;;) {
      for (const [shard, queue] of this.#queues.entries()) {
        if (!answers.isEmpty(shard)) continue;
        const [next] = queue.notes;
        if (next) {
          queue.row = answers.fill(shard, next.rows, queue.row);
          if (queue.row < next.rows.length) continue;
          queue.notes.shift();
          queue.row = 0;
        } else if (queue.opened && queue.deliveries[0]!.last) answers.close(shard);
        else return; // what comes first may be what this shard has yet to deliver
      }
      if (!answers.merge(this.#queues.length)) return;
    }
  }
}

function take(queue: Queue): void {
  queue.deliveries.shift();
  queue.place = 0;
  queue.taken++;
  queue.opened = false;
}
