import {
  behindBroken,
  FARTHEST_PREVIOUS,
  findBeginning,
  findBoundary,
  findNext,
  GUESS,
  guessBoundary,
  TO_THE_END,
} from '../capture/boundary.ts';
import { CaptureError } from '../capture/errors.ts';
import type { Source } from '../capture/file.ts';
import { OPENING_BYTES, openingOf } from '../capture/format.ts';
import type { Decoder, DecoderSetting, Framing } from '../decode/decoder.ts';
import {
  BATCH_FULL,
  BLOCKS,
  BROKEN_CAPTURED,
  BROKEN_INTERFACES,
  BROKEN_LENGTH,
  BROKEN_SECTION,
  BROKEN_TIME,
  BROKEN_TRAILER,
  PACKETS,
  PREVIOUS,
  RECORDS,
  REGRESSIONS,
  STOPPED,
  SNOOP,
  SWAPPED,
  TICKS,
  WANTS_BYTES,
} from '../layout/framing.ts';
import { LARGEST_UNITS, WINDOW_BYTES, WINDOW_UNIT } from '../layout/batch.ts';
import type { Window } from './plan.ts';

/** Bytes from a record on that may have to be looked at to decide what it is: the same for windows of any size, whose ends are as far apart. */
const FARTHEST = WINDOW_BYTES - LARGEST_UNITS * WINDOW_UNIT;

/** Bytes behind a window that are read at once: few records that cross its end need more of those that may be. */
const NEAR = 1 << 12;

/** Where the walk through a capture stands: what a window has to know of all that came before it. */
export interface Place {
  /** Of the next record; Infinity: nothing more of the capture can be read. */
  readonly offset: number;
  /** What should be there is broken: the next record has to be searched from there on. */
  readonly lost: boolean;
  /** Of the record before, whose length may be wrong; not a number: there is none, or nobody knows. */
  readonly previous: number;
  /** The capture clock, ns since the origin. */
  readonly clock: number;
  /** How the next record is written; nothing yet where the capture begins. */
  readonly framing: Framing | undefined;
}

/** What is wrong at an offset of a capture, and where reading went on. */
export type Trouble = { readonly offset: number; readonly rule: string; readonly truncated: boolean } | { readonly resumed: number };

/** A window that was decoded: its batch is in the decoder's slot, and all else is here. */
export interface DecodedWindow {
  readonly window: Window;
  readonly slot: number;
  /** What it was decoded from: has to be proved. */
  readonly start: Place;
  /** What the next window is decoded from. */
  readonly end: Place;
  readonly troubles: readonly Trouble[];
  /** Packets, and records of the batch. */
  readonly packets: number;
  readonly records: number;
  /** Times that run back: see regressionsOf(). */
  readonly regressions: number;
  /** By DROP_REASONS. */
  readonly drops: Int32Array;
  /** The first packet's own timestamp, ns since the origin; Infinity where there was none. */
  readonly firstTime: number;
  /** What the clock showed before it, ns; -Infinity: nothing. */
  readonly clock: number;
}

/**
 * Times in a window that run back, of a capture that had so many packets before it. The very first one has nothing to run back from, although it
 * may have the clock's time instead of its own.
 */
export function regressionsOf({ regressions, firstTime, clock }: DecodedWindow, before: number): number {
  return regressions - (before === 0 && firstTime === clock ? 1 : 0);
}

/** Opens a capture by its index. */
export type Opener = (capture: number) => Source;

/** Reads windows of captures and decodes them. One capture is open at a time. */
export class WindowReader {
  readonly #setting: DecoderSetting;
  readonly #decoder: Decoder;
  readonly #open: Opener;
  /** Bytes from a record on to a window's end, at most. */
  readonly #most: number;
  #source: Source | undefined;
  #capture = -1;
  /** Which offset of the capture the decoder's window begins with, less than 0 where bytes lie far behind, and how far it is filled. */
  #base = 0;
  #filled = 0;
  /** What it holds was put there by others than this thread. */
  #far = false;

  constructor(setting: DecoderSetting, decoder: Decoder, open: Opener) {
    this.#setting = setting;
    this.#decoder = decoder;
    this.#open = open;
    this.#most = FARTHEST + (setting.units ?? 1) * WINDOW_UNIT;
  }

  /** Guesses the offset of the first record that begins in a window; undefined where nothing looks like one. */
  guess(window: Window, framing: Framing, near: number): number | undefined {
    if (this.#attempt(() => this.#read(window, window.base)) instanceof CaptureError) return undefined; // decode() tells of it
    const bytes = this.#decoder.window.subarray(0, this.#filled);
    const from = window.base - this.#base;
    const boundary = guessBoundary(bytes, from, from + window.bytes, window.last, framing, near);
    return boundary?.found ? this.#base + boundary.offset : undefined;
  }

  /** Decodes the records that begin before a window's end, from `start` on. */
  decode(window: Window, slot: number, start: Place): DecodedWindow {
    const troubles: Trouble[] = [];
    const decoder = this.#decoder;
    let { previous, clock: begun } = start;
    // Every place is written out: a spread that other properties follow makes V8 a new map at each call, 60 us a window.
    const answer = ({ offset, lost }: Pick<Place, 'offset' | 'lost'>): DecodedWindow => {
      const { clock, framing, state, drops, firstTime } = decoder;
      if (offset - previous > FARTHEST_PREVIOUS) previous = Number.NaN;
      return {
        window,
        slot,
        start,
        end: { offset, lost, previous, clock, framing: { form: framing.form, interfaces: framing.interfaces.slice() } },
        troubles,
        packets: state[PACKETS]!,
        records: state[RECORDS]!,
        regressions: state[REGRESSIONS]!,
        drops: drops.slice(),
        firstTime,
        clock: begun,
      };
    };
    const { opening, error } = start.framing === undefined ? this.#opening(window) : { opening: undefined, error: undefined };
    const framing = start.framing ?? opening?.section ?? NOTHING;
    decoder.begin(this.#setting, framing, slot, start.clock);
    const unreadable = ({ offset, rule }: CaptureError): DecodedWindow => {
      decoder.decode(0, 0);
      troubles.push({ offset, rule, truncated: false });
      return answer({ offset: Infinity, lost: false });
    };
    if (error) return unreadable(error);
    const from = opening?.start ?? start.offset;
    const stop = window.base + window.bytes;
    if (!(from < stop)) {
      decoder.decode(0, 0);
      return answer({ offset: from, lost: start.lost });
    }
    let wanted = this.#attempt(() => this.#read(window, Math.min(from, start.previous || from, window.base)));
    if (wanted instanceof CaptureError) return unreadable(wanted);
    const base = this.#base;
    let { lost } = start;
    if (lost || start.clock === -Infinity) {
      wanted = this.#attempt(() => this.#readOn(window));
      if (wanted instanceof CaptureError) return unreadable(wanted);
    }
    let filled = this.#filled;
    let end = Math.min(stop - base, filled);
    let atEnd = window.last || filled < wanted;
    const near = (): number => (decoder.clock === -Infinity ? Number.NaN : this.#setting.origin + Math.floor(decoder.clock / 1e9));
    let at = from - base;
    if (at > filled) {
      decoder.decode(0, 0);
      troubles.push({ offset: base + filled, rule: this.#cutRule(window, filled, true), truncated: true });
      return answer({ offset: Infinity, lost: false });
    }
    if (start.clock === -Infinity && !lost) {
      const beginning = findBeginning(decoder.window.subarray(0, filled), at, atEnd, framing);
      if (!beginning) {
        decoder.decode(0, 0);
        return answer({ offset: from, lost });
      }
      const { offset, seconds } = beginning;
      if (offset > at) {
        const rule = 'what should be the first record has nothing to do with those that follow';
        troubles.push({ offset: from, rule, truncated: false }, { resumed: base + offset });
        at = offset;
      }
      if (!Number.isNaN(seconds)) {
        begun = (seconds - this.#setting.origin) * 1e9; // instead of its own
        decoder.begin(this.#setting, framing, slot, begun);
      }
    }
    let far = this.#far;
    let broken = -1;
    for (;;) {
      if (lost) {
        const boundary = findNext(decoder.window.subarray(0, filled), at, end, atEnd, decoder.framing, near(), broken);
        if (!boundary?.found) {
          decoder.decode(0, 0);
          return answer(atEnd ? { offset: Infinity, lost: false } : { offset: base + (boundary?.offset ?? end), lost: true });
        }
        at = boundary.offset;
        troubles.push({ resumed: base + at });
        lost = false;
      }
      at = decoder.decode(at, filled, end, atEnd, far);
      far = false;
      if (decoder.state[PREVIOUS]! >= 0) previous = base + decoder.state[PREVIOUS]!;
      if (decoder.state[STOPPED] === BATCH_FULL) {
        if (!window.final) return answer({ offset: base + at, lost: false });
        const rule = 'lengths are wrong so often that there is no end of what stands in what they claim';
        troubles.push({ offset: base + at, rule, truncated: true });
        return answer({ offset: Infinity, lost: false });
      }
      // What crosses the window's end, or seems broken, is looked at with all that may be read behind it.
      if (at < end && base + filled < window.to && !atEnd) {
        wanted = this.#attempt(() => this.#readOn(window));
        if (wanted instanceof CaptureError) return unreadable(wanted);
        filled = this.#filled;
        end = Math.min(stop - base, filled);
        atEnd = filled < wanted;
        continue;
      }
      // It may be the length of the record before that is wrong, and then records were passed over.
      const behind = behindBroken(at, previous - base);
      let rule = this.#brokenRule(at);
      if (rule === undefined && atEnd && at < end) rule = this.#overlongRule(behind, near());
      if (rule === undefined) break;
      troubles.push({ offset: base + at, rule, truncated: false });
      lost = true;
      broken = at;
      at = behind;
      previous = Number.NaN;
    }
    if (atEnd && at < stop - base) {
      troubles.push({ offset: base + at, rule: this.#cutRule(window, at, filled < wanted), truncated: true });
      return answer({ offset: Infinity, lost: false });
    }
    return answer({ offset: base + at, lost: false });
  }

  /** Nothing is read for a while. */
  rest(): void {
    this.#source?.rest?.();
  }

  close(): void {
    this.#source?.close?.();
    this.#source = undefined;
    this.#capture = -1;
  }

  /** What the capture begins with. */
  #opening(window: Window): { opening?: { section: Framing; start: number }; error?: CaptureError } {
    try {
      this.#read(window, 0);
      const head = this.#decoder.window.slice(-this.#base, Math.min(OPENING_BYTES - this.#base, this.#filled));
      return { opening: openingOf(this.#source!.path, head) };
    } catch (error) {
      if (error instanceof CaptureError) return { error };
      throw error;
    }
  }

  /** Why what is at a place of the decoder's window cannot be a record. */
  #brokenRule(at: number): string | undefined {
    const { state, window, framing } = this.#decoder;
    const stopped = state[STOPPED]!;
    if (stopped === WANTS_BYTES) return undefined;
    const view = new DataView(window.buffer, window.byteOffset + at);
    const little = (framing.form & SWAPPED) === 0;
    const blocks = (framing.form & BLOCKS) !== 0;
    const snoop = (framing.form & SNOOP) !== 0;
    const ticks = (framing.form & TICKS) !== 0;
    switch (stopped) {
      case BROKEN_CAPTURED:
        return blocks
          ? `a packet block claims more captured bytes than it has room for, or than its interface may have`
          : `a record claims ${view.getUint32(snoop ? 4 : ticks ? 12 : 8, little)} captured bytes, more than it may have`;
      case BROKEN_LENGTH:
        if (ticks) return 'what should be a record claims to have captured nothing, or more than there was, and no record follows it';
        if (snoop)
          return `a record claims a length of ${view.getUint32(8)} bytes, which its ${view.getUint32(4)} captured ones cannot have`;
        return `a block of type 0x${view.getUint32(0, little).toString(16)} claims a length of ${view.getUint32(4, little)} bytes, which it cannot have`;
      case BROKEN_TRAILER:
        return `a block's length at its end is not the ${view.getUint32(4, little)} bytes of its beginning`;
      case BROKEN_TIME:
        return 'what should be a record has a time far from all others, and no record follows it';
      case BROKEN_SECTION:
        return 'a section header of an unknown byte order or version';
      case BROKEN_INTERFACES:
        return 'a section has too many interfaces';
      default:
        throw new Error(`decode() stopped for an unknown reason: ${stopped}`);
    }
  }

  /** Whether what the capture's end cuts is no record: others stand behind where it should begin, up to that end. */
  #overlongRule(from: number, near: number): string | undefined {
    const { window, framing } = this.#decoder;
    const bytes = window.subarray(0, this.#filled);
    const boundary = findBoundary(bytes, from, this.#filled, true, framing, near, TO_THE_END);
    // Where no time is known that tells records, there have to be some of them.
    const found =
      boundary?.found &&
      (!Number.isNaN(near) || findBoundary(bytes, boundary.offset, boundary.offset + 1, true, framing, near, GUESS)?.found);
    return found ? 'what should be a record claims more bytes than the capture has' : undefined;
  }

  /** How the capture's end cuts its last record. */
  #cutRule(window: Window, at: number, short: boolean): string {
    if (short) return `the file ends here although it had ${window.to} bytes and more: it became shorter while it was read`;
    return `the file ends within its last record, ${this.#filled - at} bytes after where that begins`;
  }

  /** What reading answers, or why it cannot be done: what came before has to be reported. */
  #attempt(read: () => number): number | CaptureError {
    try {
      return read();
    } catch (error) {
      if (error instanceof CaptureError) return error;
      throw error;
    }
  }

  /**
   * Has a stretch of the capture in the decoder's window, from an offset to a little behind the window; answers up to where that should be
   * filled.
   */
  #read(window: Window, offset: number): number {
    const { capture } = window;
    if (this.#capture !== capture) {
      this.close();
      this.#filled = -1;
      this.#source = this.#open(capture);
      this.#capture = capture;
    }
    // So much at most, that it is the same for all shards what is too large.
    const all = window.to - offset;
    const wasRead = !this.#far;
    const place = all <= this.#most ? this.#source!.placeOf?.(offset, all, this.#decoder.window) : undefined;
    this.#far = place !== undefined;
    if (place !== undefined) {
      this.#base = offset - place;
      return (this.#filled = window.to - this.#base);
    }
    const wanted = Math.min(window.to, window.base + window.bytes + NEAR) - offset;
    if (wasRead && this.#base === offset && this.#filled === wanted) return wanted;
    this.#base = offset;
    this.#filled = 0;
    return this.#fill(wanted, offset);
  }

  /** Has the rest, too, up to where the window may be read; answers how many bytes it should be, all together. */
  #readOn(window: Window): number {
    return this.#fill(window.to - this.#base, window.base);
  }

  /** Reads on until the decoder's window holds as many bytes, or there are no more. `offset`: what an error is about. */
  #fill(wanted: number, offset: number): number {
    const { path } = this.#source!;
    const target = this.#decoder.window;
    if (this.#filled < wanted && wanted > this.#most)
      throw new CaptureError(path, offset, `a record is larger than ${FARTHEST} bytes, or no end of a damaged stretch is found in as many`);
    const filled = this.#filled;
    if (filled >= wanted) return wanted;
    this.#filled = -1; // nothing, if it fails
    this.#filled = filled + this.#source!.read(target.subarray(filled, wanted), this.#base + filled);
    return wanted;
  }
}

const NOTHING: Framing = { form: 0, interfaces: new Float64Array(0) };
