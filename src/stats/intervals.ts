/** The windows of capture time, numbered from 0: they begin at multiples of the interval since 1970. Times are ns on the capture clock. */
export class Intervals {
  readonly #first: number;
  readonly #length: number;

  /** @param origin whole seconds since 1970 at which the capture clock reads 0 @param length ns */
  constructor(origin: number, length: number) {
    this.#first = length - Number((BigInt(origin) * 1_000_000_000n) % BigInt(length));
    this.#length = length;
  }

  start(number: number): number {
    return this.end(number - 1);
  }

  end(number: number): number {
    return this.#first + number * this.#length;
  }

  /** The last window that is over at a time; -1: none is; Infinity: all are. */
  over(time: number): number {
    if (time === Infinity) return Infinity;
    let number = Math.max(-1, Math.floor((time - this.#first) / this.#length));
    while (this.end(number + 1) <= time) number++; // what the division rounded off
    while (number >= 0 && this.end(number) > time) number--;
    return number;
  }

  /** The last instant of a window: what happens at its end happens in the next one. */
  last(number: number): number {
    const end = this.end(number);
    return end - Math.max(1, end * Number.EPSILON);
  }
}
