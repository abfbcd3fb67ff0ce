import { FIN, RST, SYN } from '../layout/tcp.ts';
import type { SegmentRecord } from '../records/segment.ts';

/** Plain segments in a row of which the middle is told together, and how many are still told one by one at its beginning and end. */
const LONG = 16;
const FIRST = 4;
const LAST = 4;
/** Entries from which on no segment is told by itself but a sender's first of a kind. */
const MOST = 20_000;
/** Numbers that lie further back are of another exchange. */
const HALF_SPACE = 1 << 30;
/** Holes in what a sender has sent that are remembered. */
const HOLES = 64;

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

/** The segments of a connection in their order. Of many plain ones in a row the middle is a passage, so that a long connection takes little memory. */
export class Passages {
  #entries: Entry[] = [];
  /** Plain segments since the last one that is not. */
  #plain = 0;
  #passage: Passage | undefined;
  readonly #kinds = new Set<string>();
  readonly #senders = new Map<string, Sender>();

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(segment: SegmentRecord): void {
    let sender = this.#senders.get(segment.from);
    if (!sender) this.#senders.set(segment.from, (sender = new Sender()));
    this.#append({ segment, again: sender.repeats(segment) });
  }

  /** What came first were SYNs that another connection held: one, and the same again. */
  begin(held: readonly SegmentRecord[]): void {
    this.#entries.unshift(...held.map((segment, i) => ({ segment, again: i > 0 && !segment.copy })));
  }

  /** Gives away the held SYNs from the first one on that `begins` another connection, so that they are that one's. */
  release(begins: (held: SegmentRecord) => boolean): SegmentRecord[] {
    const released: SegmentRecord[] = [];
    this.#entries = this.#entries.filter((entry) => {
      const held = 'segment' in entry && entry.segment.held && begins(entry.segment);
      if (held) released.push(entry.segment);
      return !held;
    });
    return released;
  }

  #append(step: Step): void {
    const { flags, from } = step.segment;
    const special = flags & (SYN | FIN | RST);
    const kind = `${from} ${special}`;
    const apart = special !== 0 && (this.#entries.length < MOST || !this.#kinds.has(kind));
    if (apart) {
      this.#kinds.add(kind);
      this.#plain = 0;
      this.#passage = undefined;
    }
    this.#entries.push(step);
    if (apart || ++this.#plain <= LONG) return;
    for (let middle = this.#passage ? 1 : LONG + 1 - FIRST - LAST; middle > 0; middle--)
      this.#shorten(this.#entries.length - LAST - middle);
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
}

/** What a sender has sent so far. */
class Sender {
  #end: number | undefined;
  #syn: number | undefined;
  /** Of the latest SYN that tried to begin another connection. */
  #strange: number | undefined;
  /** It has sent more than SYNs: another SYN is no new beginning. */
  #begun = false;
  /** Stretches below the end that were not seen. */
  #holes: { readonly from: number; readonly to: number }[] = [];

  /** Whether all that a segment carries had been seen before. */
  repeats({ flags, seq, payload, copy }: SegmentRecord): boolean {
    const length = payload + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
    if (copy || (flags & RST) !== 0) return false;
    const to = (seq + length) | 0;
    const isSyn = (flags & SYN) !== 0;
    if (isSyn && this.#syn !== seq && !this.#begun) {
      [this.#syn, this.#end, this.#holes] = [seq, to, []];
      return false;
    }
    if (isSyn && this.#syn !== seq) {
      const again = this.#strange === seq;
      this.#strange = seq;
      return again;
    }
    if (!isSyn) this.#begun = true;
    if (length === 0) return false;
    if (this.#end === undefined) this.#end = seq | 0;
    const ahead = (to - this.#end) | 0;
    if (ahead > 0) {
      if (((seq - this.#end) | 0) > 0) this.#skip(this.#end, seq | 0);
      this.#end = to;
      return false;
    }
    return -ahead < HALF_SPACE && !this.#fills(seq | 0, to);
  }

  /** A stretch was not seen. Where holes are too many, the last one takes in what lies between: then too little is called a repetition, not too much. */
  #skip(from: number, to: number): void {
    const last = this.#holes.length < HOLES ? undefined : this.#holes.pop();
    this.#holes.push({ from: last?.from ?? from, to });
  }

  /** Whether a stretch has something of a hole, which it fills. */
  #fills(from: number, to: number): boolean {
    const holes = this.#holes;
    this.#holes = holes.flatMap((hole) => {
      if (((to - hole.from) | 0) <= 0 || ((hole.to - from) | 0) <= 0) return [hole];
      const below = { from: hole.from, to: from };
      const above = { from: to, to: hole.to };
      return [below, above].filter((rest) => ((rest.to - rest.from) | 0) > 0);
    });
    return this.#holes.length !== holes.length || this.#holes.some((hole, i) => hole !== holes[i]);
  }
}
