import type { ConnectionTable } from './table.ts';

/** Who wants to know what becomes of connections before their records end, at the ends of windows of capture time. */
export interface Watch {
  /** Windows are numbered from 0. */
  readonly intervals: {
    end(number: number): number;
    /** The last window that is over at a time. */
    over(time: number): number;
  };
  /** A connection begins in a slot. */
  opened(table: ConnectionTable, slot: number): void;
  /** Both FINs of a connection are acknowledged, or an RST was believed; or that turned out otherwise. */
  closing(table: ConnectionTable, slot: number, time: number): void;
  /**
   * A window is over, and so are `quiet` ones behind it, in which no segment came and no timer ran out: all that may have changed is that
   * a TIME_WAIT without a timer is over.
   */
  over(table: ConnectionTable, number: number, quiet: number): void;
  /** The capture has ended within a window; all that is left ends now. */
  last(table: ConnectionTable, number: number, time: number): void;
}

/** The windows of a watch, as capture time passes them. */
export class PassingWindows {
  /** When the present one is over, ns; Infinity where nobody watches. */
  next: number;
  readonly #watch: Watch | undefined;
  #number = 0;

  constructor(watch: Watch | undefined) {
    this.#watch = watch;
    this.next = watch?.intervals.end(0) ?? Infinity;
  }

  /**
   * The present window is over, and so are all behind it that end up to `until`, before which nothing happens. Without connections there is
   * nothing to tell of those.
   */
  pass(table: ConnectionTable, until: number): void {
    const { intervals } = this.#watch!;
    const last = intervals.over(until);
    this.#watch!.over(table, this.#number, table.count > 0 ? last - this.#number : 0);
    this.#number = last + 1;
    this.next = intervals.end(this.#number);
  }

  /** The capture has ended. */
  end(table: ConnectionTable, time: number): void {
    this.#watch?.last(table, this.#number, time);
  }
}
