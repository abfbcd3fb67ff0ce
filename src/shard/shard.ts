import type { Decoder } from '../decode/decoder.ts';
import { PACKET_WORD, SEGMENT_WORDS } from '../layout/segment.ts';
import type { TrackerOptions } from '../tracker/options.ts';
import type { Batch } from '../tracker/segment.ts';
import { Tracker } from '../tracker/tracker.ts';
import { Decoding, type DecodingSetting } from './decoding.ts';

/** Instead of a window's number: there is nothing to do until the exchange has news. */
export const WAITS = -1;
/** Instead of a window's number: so much has ended in the window that is being tracked that it is to be sent off. */
export const FULL = -2;
/** Windows that a shard may have left to track when it decodes another: with more of them, the others wait for their slots. */
const BEHIND = 2;

/** Is shown a segment that was tracked, the only one of a batch, with the number of its packet in the run, and whether that was a copy of an earlier one. */
export type SegmentTaker = (batch: Batch, packet: number, copy: boolean) => void;

export interface ShardSetting extends DecodingSetting {
  /** Absent where nobody wants to see each segment. */
  readonly tracked?: SegmentTaker | undefined;
}

/**
 * One of the workers of a run, owning one shard of the connections. It decodes windows that no other has claimed, and tracks, in the
 * order of the windows, those segments of all of them that belong to its connections.
 */
export class Shard {
  readonly tracker: Tracker;
  readonly decoding: Decoding;
  readonly #setting: ShardSetting;
  readonly #decoder: Decoder;

  constructor(setting: ShardSetting, decoder: Decoder, options: TrackerOptions) {
    this.#setting = setting;
    this.#decoder = decoder;
    this.decoding = new Decoding(setting, decoder);
    this.tracker = new Tracker(options, decoder.table);
  }

  /**
   * Runs to the end; yields the number of a window when this shard has tracked it, so that what it ended can be sent off. What the
   * end of the capture ended comes in parts, under the number of the last window plus one. Yields WAITS where there is nothing to do
   * until the exchange has news, and FULL within a window.
   */
  *run(): Generator<number, void, undefined> {
    try {
      yield* this.#trackAll();
    } finally {
      this.decoding.close();
    }
  }

  *#trackAll(): Generator<number, void, undefined> {
    const { decoding } = this;
    const { index, windows, exchange } = this.#setting;
    let tracked = 0;
    for (;;) {
      exchange.look();
      if (windows.complete && tracked === windows.announced) break;
      let busy = decoding.prove();
      const congested = exchange.isCongested(tracked);
      if (tracked < exchange.proved && !congested) {
        for (const _ of this.#track(tracked)) yield FULL;
        exchange.setTracked(index, ++tracked);
        yield tracked - 1;
        busy = true;
      }
      const behind = congested ? 0 : exchange.proved - tracked;
      if (behind <= BEHIND && decoding.next()) busy = true;
      else decoding.restIfIdle();
      if (!busy) yield WAITS;
    }
    decoding.close();
    for (const _ of this.tracker.finish(exchange.proof(tracked - 1).clock)) yield tracked;
  }

  *#track(number: number): Generator<void, void, undefined> {
    const { index, exchange, memories, tracked } = this.#setting;
    const { clock, owner, slot } = exchange.proof(number);
    const batch = this.#decoder.batch(memories[owner]!, slot, this.#setting, index, owner);
    const { packets } = exchange.proof(number - 1);
    if (tracked) yield* this.#trackEach(batch, packets, tracked);
    else yield* this.tracker.track(batch, packets);
    yield* this.tracker.advance(clock);
  }

  /** One by one, so that what each of them ends comes before it. */
  *#trackEach({ words, times, pairs, count }: Batch, packets: number, tracked: SegmentTaker): Generator<void, void, undefined> {
    for (let at = 0; at < count * SEGMENT_WORDS; at += SEGMENT_WORDS) {
      const one = {
        words: words.subarray(at, at + SEGMENT_WORDS),
        times: times.subarray(at >> 1, (at + SEGMENT_WORDS) >> 1),
        pairs,
        count: 1,
      };
      const { duplicates } = this.tracker;
      yield* this.tracker.advance(one.times[0]!);
      yield* this.tracker.track(one, packets);
      tracked(one, packets + one.words[PACKET_WORD]!, this.tracker.duplicates > duplicates);
    }
  }
}
