import { NUMBER } from '../layout/ledger.ts';
import type { Account } from './ledger.ts';

/**
 * The log of an account, by holder. Nobody asks for most holders in the end: so the rows of one are brought together only when somebody
 * does.
 */
export class GroupLog {
  readonly #account: Account;
  /** Places of all rows, by holder, each holder's in order; and where those of a holder begin and end. */
  #places = new Int32Array(0);
  #begins = new Int32Array(0);
  #ends = new Int32Array(0);

  constructor(account: Account) {
    this.#account = account;
  }

  /** Hands over all rows, in the order in which they came. Those of holders beyond the limit come with the number -1. */
  drain(take: (holder: number, at: number) => void): void {
    const { rows, columns, logged } = this.#account;
    for (let at = 0; at < logged * columns; at += columns) take(rows[at + NUMBER]!, at);
    this.#account.clear();
  }

  /** Brings the rows together by holder, once all have come. */
  index(): void {
    const { rows, columns, logged, holders } = this.#account;
    if (logged === 0) return; // it has been done
    const end = logged * columns;
    const begins = new Int32Array(holders + 2); // those beyond the limit first
    for (let at = 0; at < end; at += columns) begins[rows[at + NUMBER]! + 2]!++;
    for (let holder = 0; holder <= holders; holder++) begins[holder + 1]! += begins[holder]!;
    this.#begins = begins.subarray(1);
    const ends = begins.slice(0, holders + 1);
    this.#places = new Int32Array(logged);
    for (let at = 0; at < end; at += columns) this.#places[ends[rows[at + NUMBER]! + 1]!++] = at;
    this.#ends = ends.subarray(1);
    this.#account.clear();
  }

  /** Where the rows of a holder lie, in order, after index(). They are handed over once. */
  take(holder: number): Int32Array {
    const places = this.#places.subarray(this.#begins[holder], this.#ends[holder]);
    this.#ends[holder] = this.#begins[holder]!;
    return places;
  }
}
