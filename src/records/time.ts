/** RFC 3339 knows the years 0000 to 9999 only; what a damaged timestamp says beyond becomes their first or last second. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;

/** How capture times become text: the run's origin and the capture's own resolution. */
export class Clock {
  /** Whole seconds since 1970 (UTC) at which the run's clock reads 0. */
  readonly origin: number;
  /** Digits of a second that the capture's timestamps have: 6 or 9. */
  readonly digits: number;
  #second = Number.NaN;
  #text = '';

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
    if (second !== this.#second) {
      this.#second = second;
      const since1970 = Math.min(Math.max(this.origin + second, FIRST_SECOND), LAST_SECOND);
      this.#text = new Date(since1970 * 1000).toISOString().slice(0, -5);
    }
    return `${this.#text}.${String(ticks - second * perSecond).padStart(this.digits, '0')}Z`;
  }

  /** A duration in seconds, with the capture's resolution. */
  seconds(duration: number): number {
    const unit = 10 ** (9 - this.digits);
    return Math.round(duration / unit) / 10 ** this.digits;
  }
}
