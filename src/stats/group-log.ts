const FIRST_ROWS = 1 << 10;
/** Rows that a log keeps before somebody has to take them all. */
export const ROWS = 1 << 19;

/**
 * Rows of numbers that belong to groups, numbered 0, 1, 2 ..., written down one behind the other. Nobody asks for most groups in the end:
 * so the rows of one are brought together only when somebody does.
 */
export class GroupLog {
  /** Doubles of a row, the group's number in front. */
  readonly #width: number;
  readonly #limit: number;
  #rows = new Float64Array(0);
  #used = 0;
  /** Places of all rows, by group, each group's in order; and where those of a group begin and end. */
  #places = new Int32Array(0);
  #begins = new Int32Array(0);
  #ends = new Int32Array(0);

  /** `width`: doubles of a row; `rows`: as many are kept. */
  constructor(width: number, rows = ROWS) {
    this.#width = width + 1;
    this.#limit = rows * this.#width;
  }

  /** The rows; read them anew after add(). */
  get rows(): Float64Array {
    return this.#rows;
  }

  /** No more rows can be added before all are taken by drain(). */
  get isFull(): boolean {
    return this.#used === this.#limit;
  }

  /** Makes room for a group's next row; answers where it is to be written. */
  add(group: number): number {
    if (this.#used === this.#rows.length) this.#grow();
    const at = this.#used;
    this.#rows[at] = group;
    this.#used += this.#width;
    return at + 1;
  }

  /** Hands over all rows, in the order in which they came. */
  drain(take: (group: number, at: number) => void): void {
    for (let at = 0; at < this.#used; at += this.#width) take(this.#rows[at]!, at + 1);
    this.#used = 0;
  }

  /** Brings the rows together by group, once all have come. `groups`: how many there are. */
  index(groups: number): void {
    if (this.#used === 0) return; // it has been done
    const rows = this.#rows;
    const begins = new Int32Array(groups + 1);
    for (let at = 0; at < this.#used; at += this.#width) begins[rows[at]! + 1]!++;
    for (let group = 0; group < groups; group++) begins[group + 1]! += begins[group]!;
    this.#begins = begins;
    this.#ends = begins.slice(0, groups);
    this.#places = new Int32Array(this.#used / this.#width);
    for (let at = 0; at < this.#used; at += this.#width) this.#places[this.#ends[rows[at]!]!++] = at + 1;
    this.#used = 0;
  }

  /** Where the rows of a group lie, in order, after index(). They are handed over once. */
  take(group: number): Int32Array {
    const places = this.#places.subarray(this.#begins[group], this.#ends[group]);
    this.#ends[group] = this.#begins[group]!;
    return places;
  }

  #grow(): void {
    const rows = new Float64Array(Math.min(this.#limit, Math.max(FIRST_ROWS * this.#width, this.#rows.length * 2)));
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
