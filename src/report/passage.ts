import { FIN, RST, SYN } from '../layout/tcp.ts';
import type { SegmentRecord } from '../records/segment.ts';

/** Plain segments in a row of which the middle is told together, and how many are still told one by one at its beginning and end. */
const LONG = 16;
const FIRST = 4;
const LAST = 4;
/** Entries from which on all segments are as plain as others. */
const MOST = 20_000;
/** Numbers that lie further back are of another exchange. */
const HALF_SPACE = 1 << 30;

/** One segment; `again`: all that it carries had been seen before. */
export interface Step {
  readonly segment: SegmentRecord;
  readonly again: boolean;
}

/** Segments that are told together. */
export interface Passage {
  readonly first: SegmentRecord;
  last: SegmentRecord;
  /** Segments and payload bytes of each sender, by its address and port; without copies. */
  readonly sent: Map<string, { segments: number; bytes: number }>;
}

export type Entry = Step | Passage;

export const beginOf = (entry: Entry): SegmentRecord => ('segment' in entry ? entry.segment : entry.first);

/** The segments of a 4-tuple in their order. Of many plain ones in a row the middle is a passage, so that a long connection takes little memory. */
export class Passages {
  #entries: Entry[] = [];
  /** Plain segments since the last one that is not. */
  #plain = 0;
  #passage: Passage | undefined;
  /** End of what each sender has sent, and the number of its latest SYN, by its address and port. */
  readonly #ends = new Map<string, number>();
  readonly #syns = new Map<string, number>();

  add(segment: SegmentRecord): void {
    const apart = (segment.flags & (SYN | FIN | RST)) !== 0 && this.#entries.length < MOST;
    if (apart) this.cut();
    this.#entries.push({ segment, again: this.#isAgain(segment) });
    if (apart || ++this.#plain <= LONG) return;
    for (let middle = this.#passage ? 1 : LONG + 1 - FIRST - LAST; middle > 0; middle--)
      this.#shorten(this.#entries.length - LAST - middle);
  }

  /** What comes is no part of what came before. */
  cut(): void {
    this.#plain = 0;
    this.#passage = undefined;
  }

  /** Gives away the entries up to the first one that `isBeyond`. */
  take(isBeyond: (begin: SegmentRecord) => boolean): Entry[] {
    const found = this.#entries.findIndex((entry) => isBeyond(beginOf(entry)));
    return this.#entries.splice(0, found < 0 ? this.#entries.length : found);
  }

  /** Takes the segment at a place, behind the passage if there is one, into the passage. */
  #shorten(at: number): void {
    const { segment } = this.#entries[at] as Step;
    if (this.#passage) this.#entries.splice(at, 1);
    else this.#entries[at] = this.#passage = { first: segment, last: segment, sent: new Map() };
    const { sent } = this.#passage;
    this.#passage.last = segment;
    if (segment.copy) return;
    const sum = sent.get(segment.from) ?? { segments: 0, bytes: 0 };
    sent.set(segment.from, { segments: sum.segments + 1, bytes: sum.bytes + segment.payload });
  }

  #isAgain({ from, flags, seq, payload, copy }: SegmentRecord): boolean {
    const length = payload + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
    if (copy || length === 0 || (flags & RST) !== 0) return false;
    const end = (seq + length) | 0;
    const anew = (flags & SYN) !== 0 && this.#syns.get(from) !== seq;
    if (anew) this.#syns.set(from, seq);
    const known = anew ? undefined : this.#ends.get(from);
    const behind = known === undefined ? -1 : (known - end) | 0;
    if (behind >= 0 && behind < HALF_SPACE) return true;
    this.#ends.set(from, end);
    return false;
  }
}
