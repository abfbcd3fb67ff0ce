// Connections whose TIME_WAIT is over, as far as nothing has to be decided of them: they are concluded upon by their shape, and leave the
// table. What tells their late segments is written down for src/tracker/departed.ts.

import * as departure from '../src/layout/departure.ts';
import * as note from '../src/layout/note.ts';
import { EXPIRED, ROWS_CAPACITY } from '../src/layout/shape.ts';
import { FIN_SEQ, HASH, HIGH, LOW, PORTS } from '../src/layout/slot.ts';
import { columnsOf, conclude } from './conclude.ts';
import { isExpiryShared, nextExpired, nextExpiry, shiftExpiry } from './expiry.ts';
import { DEPARTED, DEPARTURE_STARTS, DEPARTURES } from './memory.ts';
import { leave, slotAt } from './table.ts';

/**
 * Lets connections go that are due up to `clock` and before `until`, as far as there is room for their rows, which are written from
 * number `row` on. It stops before one that has no shape yet, and before several that are due at the same time: those go by 4-tuple.
 * @returns the number of the next row; DEPARTED tells how many departures were written
 */
export function depart(clock: f64, until: f64, row: i32): i32 {
  let written = 0;
  for (; row < ROWS_CAPACITY; row++) {
    const due = nextExpiry();
    if (due > clock || due >= until || isExpiryShared()) break;
    const slot = nextExpired();
    if (conclude(slot, EXPIRED, due, -1, due, row, -1) < 0) break;
    shiftExpiry();
    if (writeDeparture(written, slot, columnsOf(row))) written++;
    leave(slot);
  }
  store<i32>(DEPARTED, written);
  return row;
}

/** Writes a departure, unless it was not a TIME_WAIT's end that ended the first holder's; answers whether. */
function writeDeparture(number: i32, slot: i32, columns: usize): bool {
  const low = load<f64>(columns, note.WAIT_END << 3);
  const high = load<f64>(columns, (note.WAIT_END + 1) << 3);
  const first: usize = isNaN(low) ? 1 : 0;
  if (load<f64>(columns + (first << 3), note.WAIT_END << 3) != <f64>note.EXPIRY) return false;
  const words = slotAt(slot);
  const entry = DEPARTURES + <usize>(number * departure.DEPARTURE_WORDS * 4);
  store<i32>(entry, load<i32>(words, LOW << 2), departure.LOW << 2);
  store<i32>(entry, load<i32>(words, HIGH << 2), departure.HIGH << 2);
  store<i32>(entry, load<i32>(words, PORTS << 2), departure.PORTS << 2);
  store<i32>(entry, load<i32>(words, HASH << 2), departure.HASH << 2);
  store<u64>(entry, load<u64>(words, FIN_SEQ << 2), departure.FIN_SEQS << 2);
  store<i32>(entry, (isNaN(low) ? 0 : 1) | (isNaN(high) ? 0 : 2), departure.HOLDERS << 2);
  store<f64>(DEPARTURE_STARTS + ((<usize>number) << 3), load<f64>(columns + (first << 3), note.WAIT_SINCE << 3));
  return true;
}
