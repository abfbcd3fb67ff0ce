import type { ConnectionTable } from './table.ts';

/** Who wants to know what becomes of connections before their records end, at certain capture times. */
export interface Watch {
  /** The first capture time, and how much later the next ones are, ns. */
  readonly first: number;
  readonly interval: number;
  /** A connection begins in a slot. */
  opened(table: ConnectionTable, slot: number): void;
  /** Both FINs of a connection are acknowledged, or an RST was believed; or that turned out otherwise. */
  closing(table: ConnectionTable, slot: number, time: number): void;
  /** Capture time has come to one of those times. */
  boundary(table: ConnectionTable, time: number): void;
  /** The capture has ended; all that is left ends now. `start`: the latest of those times. */
  last(table: ConnectionTable, start: number, time: number): void;
}

/** Tells the watch that capture time has come to `boundary`; answers the next one. Without connections, those up to `clock` are passed over. */
export function crossed(watch: Watch, table: ConnectionTable, boundary: number, clock: number): number {
  watch.boundary(table, boundary);
  const next = boundary + watch.interval;
  return table.count > 0 ? next : next + Math.max(0, Math.floor((clock - next) / watch.interval)) * watch.interval;
}
