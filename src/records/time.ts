import { writeAscii, writeInteger } from './ascii.ts';

/** RFC 3339 knows the years 0000 to 9999 only; what a damaged timestamp says beyond becomes their first or last second. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;
/** Seconds whose texts are kept: a power of two. */
const KEPT = 256;

/** Largest whole number of ticks whose decimal fraction is the shortest text of the double nearest to it. */
const EXACT_TICKS = 1e15;
/** Doubles below are written with an exponent. */
const SHORTEST = 1e-6;
const ZERO = 0x30;
const POINT = 0x2e;
const ZULU = 0x5a;

/** How capture times become text: the run's origin and the capture's own resolution. */
export class Clock {
  /** Whole seconds since 1970 (UTC) at which the run's clock reads 0. */
  readonly origin: number;
  /** Digits of a second that the capture's timestamps have: 6 or 9. */
  readonly digits: number;
  readonly #unit: number;
  readonly #perSecond: number;
  /** Texts of seconds met lately: the times of one connection lie in a few, seconds or a TIME_WAIT apart. */
  readonly #seconds = new Float64Array(KEPT).fill(Number.NaN);
  readonly #texts: string[] = Array.from({ length: KEPT }, () => '');
  readonly #ascii: Uint8Array[] = Array.from({ length: KEPT }, () => new Uint8Array(0));

  constructor(origin: number, digits: number) {
    this.origin = origin;
    this.digits = digits;
    this.#unit = 10 ** (9 - digits);
    this.#perSecond = 10 ** digits;
  }

  /** RFC 3339, UTC, with the capture's resolution. `time`: ns on the capture clock. */
  text(time: number): string {
    const ticks = Math.round(time / this.#unit);
    const second = Math.floor(ticks / this.#perSecond);
    // The 1 in front keeps the zeros behind it.
    return `${this.#texts[this.#placeOf(second)]!}${String(this.#fraction(ticks, second) + this.#perSecond).slice(1)}Z`;
  }

  /** A duration in seconds, with the capture's resolution. */
  seconds(duration: number): number {
    return Math.round(duration / this.#unit) / this.#perSecond;
  }

  /** Writes text() in ASCII; answers where it ends. */
  writeText(time: number, bytes: Uint8Array, from: number): number {
    const ticks = Math.round(time / this.#unit);
    const second = Math.floor(ticks / this.#perSecond);
    const ascii = this.#ascii[this.#placeOf(second)]!;
    bytes.set(ascii, from);
    const at = this.#writeFraction(this.#fraction(ticks, second), bytes, from + ascii.length);
    bytes[at] = ZULU;
    return at + 1;
  }

  /** Writes seconds() as JSON.stringify() would; answers where it ends. */
  writeSeconds(duration: number, bytes: Uint8Array, from: number): number {
    const ticks = Math.round(duration / this.#unit);
    const seconds = ticks / this.#perSecond;
    if (!(ticks >= 0 && ticks < EXACT_TICKS) || (ticks > 0 && seconds < SHORTEST)) return writeAscii(JSON.stringify(seconds), bytes, from);
    const whole = Math.floor(seconds);
    let at = writeInteger(whole, bytes, from);
    const fraction = ticks - whole * this.#perSecond;
    if (fraction === 0) return at;
    bytes[at++] = POINT;
    at = this.#writeFraction(fraction, bytes, at);
    while (bytes[at - 1] === ZERO) at--;
    return at;
  }

  /** Ticks within a second. The product is not exact where a damaged timestamp is centuries away. */
  #fraction(ticks: number, second: number): number {
    return Math.min(Math.max(ticks - second * this.#perSecond, 0), this.#perSecond - 1);
  }

  /** Where the texts of a second are kept: up to and with the decimal point. */
  #placeOf(second: number): number {
    const place = second & (KEPT - 1);
    if (second !== this.#seconds[place]) {
      this.#seconds[place] = second;
      const since1970 = Math.min(Math.max(this.origin + second, FIRST_SECOND), LAST_SECOND);
      const text = `${new Date(since1970 * 1000).toISOString().slice(0, -5)}.`;
      this.#texts[place] = text;
      this.#ascii[place] = Buffer.from(text, 'latin1');
    }
    return place;
  }

  /** All digits of a fraction, zeros in front. */
  #writeFraction(ticks: number, bytes: Uint8Array, from: number): number {
    let rest = ticks | 0;
    for (let at = from + this.digits - 1; at >= from; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    return from + this.digits;
  }
}
