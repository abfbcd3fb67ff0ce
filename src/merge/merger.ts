import type { ConnectionRecord } from '../records/connection.ts';
import type { Delivery } from '../shard/job.ts';

/** What a shard has delivered and nobody has taken yet: its deliveries in order, and the place in the first one. */
interface Queue {
  readonly deliveries: Delivery[];
  place: number;
  /** Deliveries that were taken. */
  taken: number;
}

/**
 * Brings what the shards deliver into one order: by the time and packet that ended a record, then by 4-tuple. A window is over when
 * all shards have delivered the last of it; nothing that comes later belongs before it.
 */
export class Merger {
  readonly #queues: readonly Queue[];
  /** The window that comes next. */
  next = 0;

  constructor(shards: number) {
    this.#queues = Array.from({ length: shards }, () => ({ deliveries: [], place: 0, taken: 0 }));
  }

  /** Deliveries of each shard that are merged. */
  get taken(): number[] {
    return this.#queues.map(({ taken }) => taken);
  }

  /** Takes one shard's delivery, each shard's in its order; answers all that is now in its final place. */
  add(delivery: Delivery): (ConnectionRecord | Uint8Array)[] {
    this.#queues[delivery.shard]!.deliveries.push(delivery);
    const ready: (ConnectionRecord | Uint8Array)[] = [];
    while (this.#mergeInto(ready)) this.next++;
    return ready;
  }

  /** Merges what is there of the next window; answers whether that was all. A scan for the first one of few shards beats a heap. */
  #mergeInto(merged: (ConnectionRecord | Uint8Array)[]): boolean {
    for (;;) {
      let first: Queue | undefined;
      let over = true;
      for (const queue of this.#queues) {
        const head = this.#head(queue);
        if (!head) return false; // what comes first may be what this shard has yet to deliver
        if (queue.place === head.items.length) continue;
        over = false;
        if (!first || precedes(head, queue.place, first.deliveries[0]!, first.place)) first = queue;
      }
      if (over) {
        for (const queue of this.#queues) take(queue);
        return true;
      }
      merged.push(first!.deliveries[0]!.items[first!.place++]!);
    }
  }

  /** The delivery that a shard's next item is in; one without items is the last of its window. */
  #head(queue: Queue): Delivery | undefined {
    let [head] = queue.deliveries;
    while (head && !head.last && queue.place === head.items.length) {
      take(queue);
      [head] = queue.deliveries;
    }
    return head;
  }
}

function take(queue: Queue): void {
  queue.deliveries.shift();
  queue.place = 0;
  queue.taken++;
}

function precedes(a: Delivery, i: number, b: Delivery, j: number): boolean {
  if (a.times[i] !== b.times[j]) return a.times[i]! < b.times[j]!;
  if (a.packets[i] !== b.packets[j]) return a.packets[i]! < b.packets[j]!;
  return a.tuples[i]! < b.tuples[j]!;
}
