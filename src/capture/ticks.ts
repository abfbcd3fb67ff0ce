// Records whose times count ticks: those of Network Monitor, and of NetXRay. assembly/ticks.ts has a drawing.

import {
  NETMON_HEADER_BYTES,
  NETXRAY_HEADER_BYTES,
  SHORT_LENGTHS,
  TRAILER_SHIFT,
  UTC_OFFSET,
  UTC_TRAILER_BYTES,
} from '../layout/framing.ts';
import { type Interface, interfacesOf, type Section } from './section.ts';

/** Units of 100 ns from 1601, which UTC counts from, to 1970. */
const FILETIME_1970 = 116_444_736_000_000_000n;

/** What the fields of such records say, by the offsets of their headers. */
export class TickRecords {
  /** Bytes before the captured ones, and behind them. */
  readonly header: number;
  readonly trailer: number;
  readonly only: Interface;
  readonly #short: boolean;

  constructor(section: Section) {
    const [only] = interfacesOf(section);
    if (!only) throw new Error('a section without its interface');
    this.only = only;
    this.#short = (section.form & SHORT_LENGTHS) !== 0;
    this.header = this.#short ? NETXRAY_HEADER_BYTES : NETMON_HEADER_BYTES;
    this.trailer = section.form >> TRAILER_SHIFT;
  }

  captured(view: DataView, at: number): number {
    return this.#short ? view.getUint16(at + 10, true) : view.getUint32(at + 12, true);
  }

  original(view: DataView, at: number): number {
    return this.#short ? view.getUint16(at + 8, true) : view.getUint32(at + 8, true);
  }

  /** Of a record that has a trailer; all of it has to be there. */
  medium(view: DataView, at: number): number {
    return view.getUint16(this.#behind(view, at), true);
  }

  /** Whether a record's time is in its trailer. */
  get isUtc(): boolean {
    return this.trailer === UTC_TRAILER_BYTES;
  }

  /** A record's time, units since 1970; all of one that has it in its trailer has to be there. */
  stamp(view: DataView, at: number): bigint {
    if (!this.isUtc) return this.ticked(view, at);
    return BigInt.asIntN(64, view.getBigInt64(this.#behind(view, at) + UTC_OFFSET, true) - FILETIME_1970);
  }

  /** The same by the ticks. Those before the start are negative, which shows where they are multiplied. */
  ticked(view: DataView, at: number): bigint {
    const tenfold = BigInt.asIntN(64, view.getBigUint64(at, true) * 10n);
    return BigInt.asIntN(64, (this.isUtc ? tenfold : tenfold / 10n) + BigInt(this.only.start));
  }

  #behind(view: DataView, at: number): number {
    return at + this.header + this.captured(view, at);
  }
}
