import { NUMBER } from '../layout/ledger.ts';
import type { Account } from './ledger.ts';

/**
 * The log of an account, by holder. Nobody asks for most holders in the end: so the rows of one are brought together only when somebody
 * does.
 */
export class GroupLog {
  readonly #account: Account;

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
    if (this.#account.logged === 0) return; // it has been done
    this.#account.index();
    this.#account.clear();
  }

  /** Where the rows of a holder lie, in order, after index(), as long as they were not taken. */
  rowsOf(holder: number): Int32Array {
    const { places, begins, ends } = this.#account.places;
    return places.subarray(begins[holder + 1], ends[holder + 1]);
  }

  /** The same; they are handed over once. */
  take(holder: number): Int32Array {
    const { begins, ends } = this.#account.places;
    const taken = this.rowsOf(holder);
    ends[holder + 1] = begins[holder + 1]!;
    return taken;
  }
}
