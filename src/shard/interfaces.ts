import type { Framing } from '../decode/decoder.ts';
import { INTERFACE_BYTES, INTERFACE_WORDS } from '../layout/framing.ts';

/** Entries that a run may need, those of equal sections counted once. */
const CAPACITY = 1 << 16;
/** The words before the entries: how many there are. */
const HEADER_BYTES = 8;

/** Which entries of the log are the interfaces of a section, and how its headers are written. */
export interface SectionRange {
  readonly form: number;
  readonly from: number;
  readonly to: number;
}

/** Nothing is known of how what follows is written. */
export const NO_SECTION: SectionRange = { form: 0, from: 0, to: 0 };

/**
 * The interfaces of all sections of a run, in memory that all shards share. Whoever proves a window adds those that it brought;
 * because windows are proved one after the other, nobody else writes meanwhile.
 */
export class InterfaceLog {
  readonly buffer: SharedArrayBuffer;
  readonly #count: Int32Array;
  readonly #entries: Float64Array;

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + CAPACITY * INTERFACE_BYTES)) {
    this.buffer = buffer;
    this.#count = new Int32Array(buffer, 0, 1);
    this.#entries = new Float64Array(buffer, HEADER_BYTES);
  }

  framing({ form, from, to }: SectionRange): Framing {
    return { form, interfaces: this.#entries.subarray(from * INTERFACE_WORDS, to * INTERFACE_WORDS) };
  }

  /**
   * Where the interfaces of a section are in the log, to which they are added if they are not the present section's, or more.
   * @throws Error where there is no more room
   */
  range(present: SectionRange, { form, interfaces }: Framing): SectionRange {
    const length = interfaces.length / INTERFACE_WORDS;
    const count = Atomics.load(this.#count, 0);
    const known = this.framing(present).interfaces;
    const continues = known.every((value, i) => Object.is(value, interfaces[i]));
    if (continues && length === present.to - present.from) return { form, from: present.from, to: present.to };
    const from = continues && present.to === count && present.from < present.to ? present.from : count;
    if (from + length > CAPACITY) throw new Error(`more than ${CAPACITY} capture interfaces`);
    this.#entries.set(interfaces, from * INTERFACE_WORDS);
    Atomics.store(this.#count, 0, from + length);
    return { form, from, to: from + length };
  }

  /** All interfaces of the run. */
  get all(): Float64Array {
    return this.#entries.subarray(0, Atomics.load(this.#count, 0) * INTERFACE_WORDS);
  }
}
