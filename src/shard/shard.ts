import type { Decoder, DecoderMemory, DecoderSetting } from '../decode/decoder.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { DOUBTED_S, DOUBTED_TICKS_S, TICKS } from '../layout/framing.ts';
import { PACKET_WORD, SEGMENT_WORDS } from '../layout/segment.ts';
import type { TrackerOptions } from '../tracker/options.ts';
import type { Batch } from '../tracker/segment.ts';
import { Tracker } from '../tracker/tracker.ts';
import { BatchSlots } from './batch-slots.ts';
import type { Exchange } from './exchange.ts';
import { type InterfaceLog, NO_SECTION, type SectionRange } from './interfaces.ts';
import type { Windows } from './plan.ts';
import { type DecodedWindow, type Opener, type Place, type Trouble, WindowReader } from './windows.ts';

/** Instead of a window's number: there is nothing to do until the exchange has news. */
export const WAITS = -1;
/** Instead of a window's number: so much has ended in the window that is being tracked that it is to be sent off. */
export const FULL = -2;
/** Windows that a shard may have left to track when it decodes another: with more of them, the others wait for their slots. */
const BEHIND = 2;
/** Windows that a shard may have decoded from guesses: while another proves what comes before, there is that much to do. */
const GUESSES = 4;
/** Troubles that a shard keeps; of further ones it knows only how many. */
export const TROUBLES = 100;

/** What a shard counted of the windows that it decoded. */
export interface Counts {
  packets: number;
  /** Of each capture, by its index. */
  readonly packetsOf: number[];
  timeRegressions: number;
  readonly drops: Float64Array;
  /** The first window that held packets, and the time of its first one. */
  first: { window: number; time: number };
  /** The first troubles, with the window where they were met; and how many captures or places were in trouble. */
  readonly troubles: { window: number; capture: number; trouble: Trouble }[];
  damages: number;
}

/** Is shown a segment that was tracked, the only one of a batch, with the number of its packet in the run, and whether that was a copy of an earlier one. */
export type SegmentTaker = (batch: Batch, packet: number, copy: boolean) => void;

export interface ShardSetting extends DecoderSetting {
  readonly index: number;
  readonly windows: Windows;
  readonly open: Opener;
  readonly exchange: Exchange;
  readonly interfaces: InterfaceLog;
  /** The decoder memories of all shards, by index. */
  readonly memories: readonly DecoderMemory[];
  /** Absent where nobody wants to see each segment. */
  readonly tracked?: SegmentTaker | undefined;
}

/** A window that was decoded, and in which section it was begun. */
interface Guess {
  readonly number: number;
  readonly decoded: DecodedWindow;
  readonly section: SectionRange;
}

/**
 * One of the workers of a run, owning one shard of the connections. It decodes windows that no other has claimed, and tracks, in the
 * order of the windows, those segments of all of them that belong to its connections.
 *
 * A window in the middle of a capture is decoded from a guessed record boundary, because the true one is known only when
 * the window before is decoded. The guess counts only if that window ended exactly there, in the same section; and its clock,
 * which clamps times that run backwards, only if it had been the same. Otherwise the window is decoded again. So the answer is
 * always that of one walk from the front.
 */
export class Shard {
  readonly tracker: Tracker;
  readonly counts: Counts = {
    packets: 0,
    packetsOf: [],
    timeRegressions: 0,
    drops: new Float64Array(DROP_REASONS),
    first: { window: Infinity, time: Number.NaN },
    troubles: [],
    damages: 0,
  };
  readonly #setting: ShardSetting;
  readonly #decoder: Decoder;
  readonly #reader: WindowReader;
  readonly #slots: BatchSlots;

  constructor(setting: ShardSetting, decoder: Decoder, options: TrackerOptions) {
    this.#setting = setting;
    this.#decoder = decoder;
    this.#reader = new WindowReader(setting, this.#decoder, setting.open);
    this.tracker = new Tracker(options, decoder.table);
    this.#slots = new BatchSlots(setting.exchange);
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
      this.#reader.close();
    }
  }

  *#trackAll(): Generator<number, void, undefined> {
    const { index, windows, exchange } = this.#setting;
    let tracked = 0;
    const guesses: Guess[] = [];
    for (;;) {
      exchange.look();
      if (windows.complete && tracked === windows.announced) break;
      let idle = true;
      while (guesses.length > 0 && exchange.proved === guesses[0]!.number) {
        this.#prove(guesses.shift()!);
        idle = false;
      }
      const congested = exchange.isCongested(tracked);
      if (tracked < exchange.proved && !congested) {
        for (const _ of this.#track(tracked)) yield FULL;
        exchange.setTracked(index, ++tracked);
        yield tracked - 1;
        idle = false;
      }
      const behind = congested ? 0 : exchange.proved - tracked;
      const guess = guesses.length < GUESSES && behind <= BEHIND ? this.#next() : undefined;
      if (guess) guesses.push(guess);
      else if (idle) yield WAITS;
    }
    for (const _ of this.tracker.finish(exchange.proof(tracked - 1).clock)) yield tracked;
  }

  /** Decodes the next window that nobody has claimed; undefined where that cannot be done by now. */
  #next(): Guess | undefined {
    const { exchange } = this.#setting;
    for (;;) {
      const number = exchange.claimed;
      if (!this.#isReady(number)) return undefined;
      const slot = this.#slots.free();
      if (slot < 0) return undefined;
      if (exchange.claim(number)) return this.#decode(number, slot);
    }
  }

  /** Whether a window can be decoded by now: it is there, and how it is written is known. */
  #isReady(number: number): boolean {
    const { windows, exchange } = this.#setting;
    if (number >= windows.announced) return false;
    const { opening } = windows.window(number);
    return number === opening || exchange.proved > opening;
  }

  /** Decodes a window from its boundary where that is proved already, else from a guess. */
  #decode(number: number, slot: number): Guess {
    const { exchange, windows, origin } = this.#setting;
    const window = windows.window(number);
    const before = exchange.proof(exchange.proved - 1);
    if (exchange.stopped || exchange.proved === number) return this.#decodeProved(number, slot);
    const { section, clock } = before;
    if (number === window.opening) return this.#decodeFrom(number, slot, { offset: 0, clock }, NO_SECTION);
    const framing = this.#setting.interfaces.framing(section);
    const near = clock === -Infinity ? Number.NaN : origin + Math.floor(clock / 1e9);
    return this.#decodeFrom(number, slot, { offset: this.#reader.guess(window, framing, near) ?? Infinity, clock }, section);
  }

  /** Decodes a window from where the one before ended, which is proved. */
  #decodeProved(number: number, slot: number): Guess {
    const { exchange, windows } = this.#setting;
    const { offset, lost, previous, clock, section } = exchange.proof(Math.min(exchange.proved, number) - 1);
    if (exchange.stopped) return this.#decodeFrom(number, slot, { offset: Infinity, clock }, section);
    if (number === windows.window(number).opening) return this.#decodeFrom(number, slot, { offset: 0, clock }, NO_SECTION);
    return this.#decodeFrom(number, slot, { offset, lost, previous, clock }, section);
  }

  #decodeFrom(number: number, slot: number, place: Partial<Place> & Pick<Place, 'offset' | 'clock'>, section: SectionRange): Guess {
    const { windows, interfaces } = this.#setting;
    const window = windows.window(number);
    const framing = number === window.opening && place.offset === 0 ? undefined : interfaces.framing(section);
    const { offset, lost = false, previous = Number.NaN, clock } = place;
    const decoded = this.#reader.decode(window, slot, { offset, lost, previous, clock, framing });
    this.#slots.fill(slot, number, decoded.records);
    return { number, decoded, section };
  }

  /** Makes a decoded window certain, decoding it again where its guess was wrong. */
  #prove(guess: Guess): void {
    const { index, exchange, interfaces, windows } = this.#setting;
    const { number } = guess;
    const before = exchange.proof(number - 1);
    const { decoded } = this.#holds(guess) ? guess : this.#decodeProved(number, guess.decoded.slot);
    const { packets, drops } = decoded;
    const { counts } = this;
    if (packets > 0 && counts.first.window === Infinity) counts.first = { window: number, time: decoded.firstTime };
    const { capture } = windows.window(number);
    counts.packets += packets;
    counts.packetsOf[capture] = (counts.packetsOf[capture] ?? 0) + packets;
    counts.timeRegressions += decoded.regressions;
    for (let reason = 0; reason < DROP_REASONS; reason++) counts.drops[reason]! += drops[reason]!;
    for (const trouble of decoded.troubles) {
      if ('rule' in trouble) counts.damages++;
      if (counts.troubles.length < TROUBLES) counts.troubles.push({ window: number, capture, trouble });
    }
    exchange.addPackets(packets);
    const { offset, lost, clock, framing } = decoded.end;
    // Where nothing was decoded, the record before is the one that it was.
    const previous = packets === 0 && decoded.troubles.length === 0 ? before.previous : decoded.end.previous;
    exchange.prove(number, {
      offset,
      lost,
      previous,
      clock: Math.max(before.clock, clock),
      packets: before.packets + packets,
      section: framing ? interfaces.range(before.section, framing) : before.section,
      owner: index,
      slot: decoded.slot,
    });
  }

  /** Whether what a window was decoded from has turned out to be right. */
  #holds({ number, decoded: { start, firstTime }, section }: Guess): boolean {
    const { exchange, windows } = this.#setting;
    const before = exchange.proof(number - 1);
    if (exchange.stopped) return start.offset === Infinity;
    const { form, from, to } = before.section;
    const doubted = ((form & TICKS) !== 0 ? DOUBTED_TICKS_S : DOUBTED_S) * 1e9;
    // From its first packet on the clock is the same; and that one was not doubted by the older clock, nor would be by the true one.
    const sound = firstTime >= before.clock && firstTime - start.clock <= doubted;
    if (!(start.clock === before.clock || sound)) return false;
    if (number === windows.window(number).opening) return true;
    return (
      start.offset === before.offset && start.lost === before.lost && section.form === form && section.from === from && section.to === to
    );
  }

  *#track(number: number): Generator<void, void, undefined> {
    const { index, shards, exchange, memories, tracked } = this.#setting;
    const { clock, owner, slot } = exchange.proof(number);
    const batch = this.#decoder.batch(memories[owner]!, slot, index, shards, owner);
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
