import type { Batch, Segment } from './segment.ts';

/**
 * The memory that a tracker's connections lie in, and what WebAssembly does in it (assembly/walk.ts, table.ts): the short path
 * of ordinary segments, and the index by 4-tuple. Whoever makes a tracker brings one; one tracker uses it at a time.
 */
export interface TableMemory {
  /** Answers of walk() and its counters: layout/tracking.ts. */
  readonly answers: Int32Array;
  /** The slots (layout/slot.ts); `times` and `bytes` are the same bytes. Read them anew after grow(). */
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly bytes: Uint8Array;
  /** IPv6 addresses of connections, ADDRESS_PAIR_BYTES an entry. */
  readonly pairs: Uint8Array;
  /** Forgets all connections and packets. */
  forget(): void;
  /** Makes room for as many slots. @throws RangeError where that is more than there can be */
  grow(slots: number): void;
  /** Brings records to where walk() can read them, and answers them there. */
  stage(batch: Batch): Batch;
  /** Takes the records staged last from number `from` on until one has to be decided, or the time is `due`; answers its number. */
  walk(from: number, due: number): number;
  /** The slot of a segment's connection, or -1. */
  find(segment: Segment, pairs: Uint8Array): number;
  /** Gives a slot to a segment's connection: zeros but for its key. `pair`: where its addresses are kept, or NO_PAIR. */
  enter(slot: number, segment: Segment, pairs: Uint8Array, pair: number): void;
  /** Takes a slot out of the index. */
  leave(slot: number): void;
}
