/** Name under which what goes beyond a limit is counted. */
export const OTHERS = 'others';
/** Names that are looked for one after the other before the map is asked. */
const FEW = 6;

interface Cell {
  readonly name: string;
  count: number;
}

/** Counts by name, at most `limit` names; what comes beyond goes to OTHERS. */
export class Tally {
  readonly #limit: number;
  readonly #cells = new Map<string, Cell>();
  /** The first names met. */
  readonly #few: Cell[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(name: string, count = 1): void {
    for (const cell of this.#few) {
      if (cell.name === name) {
        cell.count += count;
        return;
      }
    }
    this.#cell(name).count += count;
  }

  #cell(name: string): Cell {
    const known = this.#cells.get(name);
    if (known) return known;
    if (this.#cells.size >= this.#limit && name !== OTHERS) return this.#cell(OTHERS);
    const cell = { name, count: 0 };
    this.#cells.set(name, cell);
    if (this.#few.length < FEW) this.#few.push(cell);
    return cell;
  }

  get counts(): Map<string, number> {
    return new Map(Array.from(this.#cells.values(), ({ name, count }) => [name, count]));
  }

  merge(counts: ReadonlyMap<string, number>): void {
    for (const [name, count] of counts) this.add(name, count);
  }

  /** Most frequent first, then by name. */
  sorted(): [string, number][] {
    return [...this.counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }
}
