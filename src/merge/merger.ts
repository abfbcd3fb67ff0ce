import type { ConnectionRecord } from '../records/connection.ts';
import type { WindowRecord } from './window.ts';
import { mergeParts, type WindowPart } from '../stats/window-part.ts';
import type { Delivery } from '../shard/job.ts';
import { COLUMNS, type NoteTaker, precedes as precedesRow } from '../stats/note.ts';

/** What leaves a run. */
export type Item = ConnectionRecord | WindowRecord | string;

/**
 * Brings what the shards deliver into one order: by the time and packet that ended a record, then by 4-tuple. A window is over when
 * all shards have delivered it; nothing that comes later belongs before it.
 */
export class Merger {
  readonly #shards: number;
  readonly #note: NoteTaker;
  readonly #waiting = new Map<number, Delivery[]>();
  readonly #window: (whole: WindowPart) => WindowRecord | string;
  /** The window that comes next. */
  next = 0;

  /**
   * `note`: takes the rows that were noted of ended connections (stats/note.ts), in the same order; `window`: makes a window of capture
   * time what leaves the run.
   */
  constructor(shards: number, note: NoteTaker, window: (whole: WindowPart) => WindowRecord | string) {
    this.#shards = shards;
    this.#note = note;
    this.#window = window;
  }

  /** Takes one shard's delivery; answers all that is now in its final place. */
  add(delivery: Delivery): Item[] {
    const list = this.#waiting.get(delivery.window);
    if (list) list.push(delivery);
    else this.#waiting.set(delivery.window, [delivery]);
    const ready: Item[] = [];
    for (let window = this.#waiting.get(this.next); window?.length === this.#shards; window = this.#waiting.get(this.next)) {
      this.#waiting.delete(this.next++);
      const parts = window.flatMap((one) => one.parts).sort((a, b) => Number(a.last) - Number(b.last) || a.end - b.end);
      const deliveries = window.filter(({ items }) => items.length > 0);
      mergeInto(ready, deliveries, (time) => this.#windows(ready, parts, ({ end, last }) => end <= time && !last));
      this.#windows(ready, parts, () => true);
      this.#mergeNotes(window.map(({ notes }) => notes));
    }
    return ready;
  }

  /** Takes the windows of capture time out that are due. */
  #windows(ready: Item[], parts: WindowPart[], isDue: (part: WindowPart) => boolean): void {
    while (parts[0] && isDue(parts[0])) {
      const { end, last } = parts[0];
      const others = parts.findIndex((part) => part.end !== end || part.last !== last);
      ready.push(this.#window(mergeParts(parts.splice(0, others < 0 ? parts.length : others))));
    }
  }

  /** The same k-way merge of rows; each shard's come in chunks. */
  #mergeNotes(logs: readonly (readonly Float64Array[])[]): void {
    const heads = logs.map((chunks) => ({ chunks, chunk: 0, rows: chunks[0], at: 0 })).filter(({ rows }) => rows !== undefined);
    while (heads.length > 0) {
      let first = heads[0]!;
      for (const head of heads) if (head !== first && precedesRow(head.rows!, head.at, first.rows!, first.at)) first = head;
      this.#note(first.rows!, first.at);
      first.at += COLUMNS;
      if (first.at < first.rows!.length) continue;
      first.rows = first.chunks[++first.chunk];
      first.at = 0;
      if (first.rows === undefined) heads.splice(heads.indexOf(first), 1);
    }
  }
}

/** A k-way merge; k is the number of shards, so a scan for the first one beats a heap. `before`: what comes ahead of a time. */
function mergeInto(merged: Item[], deliveries: readonly Delivery[], before: (time: number) => void): void {
  const heads = deliveries.map(() => 0);
  for (;;) {
    let first = -1;
    for (let i = 0; i < deliveries.length; i++) {
      if (heads[i]! < deliveries[i]!.items.length && (first < 0 || precedes(deliveries[i]!, heads[i]!, deliveries[first]!, heads[first]!)))
        first = i;
    }
    if (first < 0) return;
    const place = heads[first]!++;
    before(deliveries[first]!.times[place]!);
    merged.push(deliveries[first]!.items[place]!);
  }
}

function precedes(a: Delivery, i: number, b: Delivery, j: number): boolean {
  if (a.times[i] !== b.times[j]) return a.times[i]! < b.times[j]!;
  if (a.packets[i] !== b.packets[j]) return a.packets[i]! < b.packets[j]!;
  return a.tuples[i]! < b.tuples[j]!;
}
