import type { ConnectionRecord } from '../records/connection.ts';
import type { Delivery } from '../shard/job.ts';
import { endOf, placeCount, precedes, timeOf } from '../shard/places.ts';
import type { Answers } from '../stats/answers.ts';
import { mergeParts, type WindowPart } from '../stats/window-part.ts';
import { LineChunks } from './line-chunks.ts';
import type { WindowRecord } from './window.ts';
import type { GroupWindowRecord } from './window-groups.ts';

/** Whoever takes the rows of all shards, and brings them into one order. */
export type RowTaker = Pick<Answers, 'isEmpty' | 'fill' | 'close' | 'merge'>;

/** What leaves a run. */
export type Item = ConnectionRecord | WindowRecord | GroupWindowRecord | Uint8Array;

/** What a shard has delivered and nobody has taken yet: its deliveries in order, and the place in the first one. */
interface Queue {
  readonly deliveries: Delivery[];
  place: number;
  /** Deliveries that were taken. */
  taken: number;
  /** Whether the first one was looked at. */
  opened: boolean;
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
  readonly #window: (whole: WindowPart) => Item[];
  readonly #lines = new LineChunks();
  /** Windows of capture time that ended in the present one, as far as they have not left. */
  readonly #parts: WindowPart[] = [];
  /** The window that comes next. */
  next = 0;

  /**
   * `answers`: takes the rows that were noted of ended connections; `window`: makes a window of capture time what leaves the run.
   */
  constructor(shards: number, answers: RowTaker, window: (whole: WindowPart) => Item[]) {
    this.#queues = Array.from({ length: shards }, () => ({ deliveries: [], place: 0, taken: 0, opened: false, notes: [], row: 0 }));
    this.#answers = answers;
    this.#window = window;
  }

  /** Deliveries of each shard that are merged, their rows, too. */
  get taken(): number[] {
    return this.#queues.map(({ taken, notes }) => notes[0]?.delivery ?? taken);
  }

  /** Takes one shard's delivery, each shard's in its order; answers all that is now in its final place. */
  add(delivery: Delivery): Item[] {
    this.#queues[delivery.shard]!.deliveries.push(delivery);
    const ready: Item[] = [];
    while (this.#mergeInto(ready)) {
      this.#leave(ready, () => true);
      this.next++;
    }
    this.#lines.flush(ready as Uint8Array[]);
    this.#mergeNotes();
    return ready;
  }

  /** Merges what is there of the next window; answers whether that was all. A scan for the first one of few shards beats a heap. */
  #mergeInto(merged: Item[]): boolean {
    for (;;) {
      let first: Queue | undefined;
      let over = true;
      let waits = false;
      for (const queue of this.#queues) {
        const head = this.#head(queue);
        if (!head)
          waits = true; // what comes first may be what this shard has yet to deliver
        else if (queue.place < placeCount(head.places)) {
          over = false;
          if (!first || precedes(head.places, queue.place, first.deliveries[0]!.places, first.place)) first = queue;
        }
      }
      if (waits) return false;
      if (over) {
        this.#mergeNotes();
        for (const queue of this.#queues) take(queue);
        return true;
      }
      const { places, records, text } = first!.deliveries[0]!;
      const place = first!.place++;
      this.#leave(merged, ({ end, last }) => end <= timeOf(places, place) && !last);
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
      this.#parts.push(...head.parts);
      if (head.parts.length > 0) this.#parts.sort((a, b) => Number(a.last) - Number(b.last) || a.end - b.end);
    }
    return head;
  }

  /** Lets the windows of capture time go that are due. */
  #leave(merged: Item[], isDue: (part: WindowPart) => boolean): void {
    const parts = this.#parts;
    while (parts[0] && isDue(parts[0])) {
      const { end, last } = parts[0];
      const others = parts.findIndex((part) => part.end !== end || part.last !== last);
      this.#lines.flush(merged as Uint8Array[]);
      merged.push(...this.#window(mergeParts(parts.splice(0, others < 0 ? parts.length : others))));
    }
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
