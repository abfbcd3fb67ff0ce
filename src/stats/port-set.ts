const FEW = 24;
const WORDS = 1 << 11;

/** A set of port numbers: a short list at first, then a bit for each port there is. */
export class PortSet {
  count = 0;
  lowest = Infinity;
  highest = -1;
  #few: number[] = [];
  #bits: Int32Array | undefined;

  /** Answers whether the port was taken in: not where the list is full and must not `grow`. */
  add(port: number, grow: boolean): boolean {
    if (this.#bits === undefined) {
      if (this.#few.includes(port)) return true;
      if (this.#few.length < FEW) this.#few.push(port);
      else if (grow) this.#spread(port);
      else return false;
    } else {
      const bit = 1 << (port & 31);
      if ((this.#bits[port >>> 5]! & bit) !== 0) return true;
      this.#bits[port >>> 5]! |= bit;
    }
    this.count++;
    if (port < this.lowest) this.lowest = port;
    if (port > this.highest) this.highest = port;
    return true;
  }

  /** Whether it takes the room of a bit for each port. */
  get isLarge(): boolean {
    return this.#bits !== undefined;
  }

  #spread(port: number): void {
    this.#bits = new Int32Array(WORDS);
    for (const one of [...this.#few, port]) this.#bits[one >>> 5]! |= 1 << (one & 31);
    this.#few = [];
  }
}
