/** RFC 3339 knows the years 0000 to 9999 only; what a damaged timestamp says beyond becomes their first or last second. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;
/** Seconds whose texts are kept: a power of two. */
const KEPT = 256;

/** How capture times become text: the run's origin and the capture's own resolution. */
export class Clock {
  /** Whole seconds since 1970 (UTC) at which the run's clock reads 0. */
  readonly origin: number;
  /** Digits of a second that the capture's timestamps have: 6 or 9. */
  readonly digits: number;
  /** Texts of seconds met lately: the times of one connection lie in a few, seconds or a TIME_WAIT apart. */
  readonly #seconds = new Float64Array(KEPT).fill(Number.NaN);
  readonly #texts: string[] = Array.from({ length: KEPT }, () => '');

  constructor(origin: number, digits: number) {
    this.origin = origin;
    this.digits = digits;
  }

  /** RFC 3339, UTC, with the capture's resolution. `time`: ns on the capture clock. */
  text(time: number): string {
    const unit = 10 ** (9 - this.digits);
    const ticks = Math.round(time / unit);
    const perSecond = 10 ** this.digits;
    const second = Math.floor(ticks / perSecond);
    const place = second & (KEPT - 1);
    if (second !== this.#seconds[place]) {
      this.#seconds[place] = second;
      const since1970 = Math.min(Math.max(this.origin + second, FIRST_SECOND), LAST_SECOND);
      this.#texts[place] = new Date(since1970 * 1000).toISOString().slice(0, -5);
    }
    // The 1 in front keeps the zeros behind it.
    return `${this.#texts[place]!}.${String(ticks - second * perSecond + perSecond).slice(1)}Z`;
  }

  /** A duration in seconds, with the capture's resolution. */
  seconds(duration: number): number {
    const unit = 10 ** (9 - this.digits);
    return Math.round(duration / unit) / 10 ** this.digits;
  }
}
