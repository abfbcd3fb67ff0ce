import type { Batch, Segment } from './segment.ts';

/** What WebAssembly calls while it gathers facts (assembly/host.ts), by name. */
export type HostCalls = Readonly<Record<string, (a: number, b: number, c: number, d: number, e: number) => number | void>>;

/**
 * The memory that a tracker's connections lie in, and what WebAssembly does in it (assembly/): it finds connections by 4-tuple, and
 * gathers the facts that segments show. Whoever makes a tracker brings one; one tracker uses it at a time.
 */
export interface TableMemory {
  /** Answers of walk() and its counters: layout/tracking.ts. */
  readonly answers: Int32Array;
  /** All that lies before the slots: a record's first word is at a quarter of its address. */
  readonly records: { readonly words: Int32Array; readonly times: Float64Array };
  /** The slots (layout/slot.ts); `times` and `bytes` are the same bytes. Read them anew after grow(). */
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly bytes: Uint8Array;
  /** Connections in the table. */
  readonly connections: number;
  /** Forgets all connections and packets; `calls` are made from now on, and ended connections stay as long as `stay`, ns. */
  attach(calls: HostCalls, stay: number): void;
  /** Forgets all connections and packets. */
  forget(): void;
  /** Makes room for as many slots. @throws RangeError where that is more than there can be */
  grow(slots: number): void;
  /** Brings records to where walk() can read them, and answers them there. */
  stage(batch: Batch): Batch;
  /** Takes the records staged last from number `from` on until the host has to do something, or the time is `due`; answers that one's number. */
  walk(from: number, due: number): number;
  /** An ended connection waits anew: it leaves the table when it has stayed as long as all do, counted from `time`, ns. */
  expireAfter(slot: number, time: number): void;
  /** When the next of those that wait is due, ns; Infinity where none is. */
  readonly nextExpiry: number;
  /** The slot of that one, which waits no longer. */
  shiftExpired(): number;
  /** The slot of a segment's connection, or -1. */
  find(segment: Segment, pairs: Uint8Array): number;
  /** Opens a connection, whose first segment this is; answers its slot, or -1 where grow() has to make room first. */
  open(segment: Segment, pairs: Uint8Array): number;
  /** Forgets all of a connection but its 4-tuple: the next incarnation, whose first segment this is. */
  renew(slot: number, segment: Segment): void;
  /** Shows a segment to its connection; WAS of the answers tells what that was before. */
  show(slot: number, segment: Segment): void;
  /** Counts in full what ordinary segments have left for later: BYTES, Zeek's history, completeness. */
  settle(slot: number): void;
  /** All slots in use, in the order of compareTuples() (order.ts). Valid until it is asked for again. */
  order(): Int32Array;
  /** Gives a slot back. */
  leave(slot: number): void;
  /** Appends a token to the log of a close. */
  log(slot: number, kind: number, endpoint: number): void;
  /** Notes what had gone on before a close began: keep-alive probes, or a window of zero. */
  noteSilence(slot: number): void;
  /** 32 bytes of IPv6 addresses, low endpoint first, and 8 bytes of scope, of a connection that has an address pair. */
  pair(slot: number): Uint8Array;
}
