// What one of those who decode does with the windows of a run: a worker, or the thread that decompresses while the workers have more to do.

import { CaptureFile } from '../capture/file.ts';
import { MappedFile } from '../capture/map.ts';
import type { Decoder, DecoderMemory, DecoderModule, DecoderSetting } from '../decode/decoder.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { DOUBTED_S, DOUBTED_TICKS_S, TICKS } from '../layout/framing.ts';
import { BatchSlots } from './batch-slots.ts';
import { Exchange } from './exchange.ts';
import { Feed } from './feed.ts';
import { InterfaceLog, NO_SECTION, type SectionRange } from './interfaces.ts';
import { Plan, type PlannedCapture, restsOf, unitsOf, type Windows } from './plan.ts';
import { type DecodedWindow, type Opener, type Place, regressionsOf, type Trouble, WindowReader } from './windows.ts';

/** Windows that may be decoded from guesses: while another proves what comes before, there is that much to do. */
const GUESSES = 4;
/** Who has decoded nothing for as long, ms, may decode nothing for much longer. */
export const REST = 100;
/** Troubles that are kept; of further ones it is known only how many. */
export const TROUBLES = 100;

/** All that one who decodes needs to know, as plain data: it may be sent to another thread. */
export interface DecodingTask {
  /** Its number among those who decode: the shards come first. */
  readonly index: number;
  readonly shards: number;
  readonly control: SharedArrayBuffer;
  readonly interfaces: SharedArrayBuffer;
  readonly module: DecoderModule;
  /** The memories of all who decode, by index. */
  readonly memories: readonly DecoderMemory[];
  readonly captures: readonly PlannedCapture[];
  /** Where the only capture is a stream. */
  readonly feed: SharedArrayBuffer | undefined;
  readonly windowBytes: number;
  /** Bytes of a file from which on it is mapped. */
  readonly mapFrom: number;
  readonly filter: Int32Array | undefined;
  readonly distinguished: number;
  readonly origin: number;
  readonly seed: number;
}

export interface DecodingSetting extends DecoderSetting {
  readonly index: number;
  readonly memories: readonly DecoderMemory[];
  readonly windows: Windows;
  readonly open: Opener;
  readonly exchange: Exchange;
  readonly interfaces: InterfaceLog;
}

/** What a task means in the thread that has it, and its decoder. */
export function settingOf(task: DecodingTask, decoder: Decoder): DecodingSetting {
  const { index, memories, captures } = task;
  const feed = task.feed && new Feed(decoder.stream(memories[0]!), task.feed);
  return {
    ...task,
    windows: feed ?? new Plan(captures, task.windowBytes, restsOf(task.windowBytes)),
    open: (capture) => {
      const { path, size } = captures[capture]!;
      if (feed) return index === 0 ? feed.ownSource(path) : feed.source(path);
      return size >= task.mapFrom ? new MappedFile(path) : new CaptureFile(path);
    },
    units: unitsOf(task.windowBytes),
    exchange: new Exchange(task.shards, memories.length, task.control),
    interfaces: new InterfaceLog(task.interfaces),
  };
}

/** What was counted of the windows that one decoder decoded. */
export interface Counts {
  packets: number;
  /** Of each capture, by its index. */
  readonly packetsOf: number[];
  timeRegressions: number;
  readonly drops: Float64Array;
  /** The first window that held packets, and the time of its first one. */
  first: { window: number; time: number };
  /** The first troubles (TROUBLES), with the window where they were met; and how many captures or places were in trouble. */
  readonly troubles: { window: number; capture: number; trouble: Trouble }[];
  damages: number;
}

export const nothingCounted = (): Counts => ({
  packets: 0,
  packetsOf: [],
  timeRegressions: 0,
  drops: new Float64Array(DROP_REASONS),
  first: { window: Infinity, time: Number.NaN },
  troubles: [],
  damages: 0,
});

/** A window that was decoded, and in which section it was begun. */
interface Guess {
  readonly number: number;
  readonly decoded: DecodedWindow;
  readonly section: SectionRange;
}

/**
 * Decodes windows that no other has claimed. A window in the middle of a capture is decoded from a guessed record boundary, because the
 * true one is known only when the window before is decoded. The guess counts only if that window ended exactly there, in the same section;
 * and its clock, which clamps times that run backwards, only if it had been the same. Otherwise the window is decoded again. So the answer
 * is always that of one walk from the front.
 */
export class Decoding {
  readonly counts = nothingCounted();
  readonly #setting: DecodingSetting;
  readonly #reader: WindowReader;
  readonly #slots: BatchSlots;
  /** Windows that were decoded, and are not certain yet. */
  readonly #guesses: Guess[] = [];
  /** When a window was decoded last. */
  #latest = 0;

  constructor(setting: DecodingSetting, decoder: Decoder) {
    this.#setting = setting;
    this.#reader = new WindowReader(setting, decoder, setting.open);
    this.#slots = new BatchSlots(setting.exchange, setting.units);
  }

  /** Makes certain what was decoded, as far as what comes before it is; whether there was anything. */
  prove(): boolean {
    const { exchange } = this.#setting;
    let any = false;
    for (; this.#guesses[0]?.number === exchange.proved; any = true) this.#prove(this.#guesses.shift()!);
    return any;
  }

  /** Decodes the next window that nobody has claimed; false: that cannot be done by now. */
  next(): boolean {
    const { exchange } = this.#setting;
    while (this.#guesses.length < GUESSES) {
      const number = exchange.claimed;
      const slot = this.#slotFor(number);
      if (slot < 0) return false;
      if (!exchange.claim(number)) continue;
      this.#guesses.push(this.#decode(number, slot));
      return true;
    }
    return false;
  }

  /** Decodes the next window, and makes it certain at once; false: that cannot be done by now, or somebody has claimed it. */
  nextCertain(): boolean {
    const { exchange } = this.#setting;
    const number = exchange.proved;
    const slot = this.#slotFor(number);
    if (slot < 0 || !exchange.claim(number)) return false;
    this.#guesses.push(this.#decode(number, slot));
    return this.prove();
  }

  /** Gives back what others may want of the captures, if nothing was decoded for REST: the output may be what somebody reads page by page. */
  restIfIdle(): void {
    if (performance.now() - this.#latest >= REST) this.#reader.rest();
  }

  close(): void {
    this.#reader.close();
  }

  /** The slot for a window's batch; -1: it cannot be decoded by now. */
  #slotFor(number: number): number {
    return this.#isReady(number) ? this.#slots.free() : -1;
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
    if (before.offset === Infinity) return this.#decodeFrom(number, slot, { offset: Infinity, clock }, section); // no more of it can be read
    if (window.bytes === 0) return this.#decodeFrom(number, slot, { offset: window.base, clock }, section);
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
    this.#latest = performance.now();
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
    counts.timeRegressions += regressionsOf(decoded, before.packets);
    for (let reason = 0; reason < DROP_REASONS; reason++) counts.drops[reason]! += drops[reason]!;
    for (const trouble of decoded.troubles) {
      if ('rule' in trouble) counts.damages++;
      if (counts.troubles.length < TROUBLES) counts.troubles.push({ window: number, capture, trouble });
    }
    exchange.addPackets(packets);
    const { offset, lost, clock, framing } = decoded.end;
    // Where nothing was decoded, the record before is the one that it was.
    const untouched = Number.isNaN(decoded.end.previous) && packets === 0 && decoded.troubles.length === 0;
    const previous = untouched ? before.previous : decoded.end.previous;
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
}
