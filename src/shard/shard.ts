import { guessBoundary } from '../capture/boundary.ts';
import { CaptureFile } from '../capture/file.ts';
import type { Fault } from '../capture/fault.ts';
import { Decoder, type DecoderMemory, type DecoderModule } from '../decode/decoder.ts';
import { SLOTS } from '../layout/batch.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { BATCH_FULL, BROKEN_RECORD, PACKETS, RECORD_HEADER_BYTES, REGRESSIONS, STOPPED } from '../layout/framing.ts';
import { type Ended, Tracker, type TrackerOptions } from '../tracker/tracker.ts';
import type { Exchange, Proof } from './exchange.ts';
import type { Plan, PlannedCapture, PlannedWindow } from './plan.ts';

/** Bytes read beyond a window, for the record that crosses its end; more is read where that is not enough. */
const SLACK = 1 << 16;

/** What a shard counted of the windows that it decoded. */
export interface Counts {
  packets: number;
  timeRegressions: number;
  readonly drops: Float64Array;
  /** The first window that held packets, and the time of its first one. */
  first: { window: number; time: number };
  /** Faults, with the window where they were met. */
  readonly faults: { window: number; fault: Fault }[];
}

export interface ShardSetting {
  readonly index: number;
  readonly plan: Plan;
  readonly exchange: Exchange;
  readonly module: DecoderModule;
  /** The decoder memories of all shards, by index. */
  readonly memories: readonly DecoderMemory[];
  readonly origin: number;
  readonly seed: number;
}

interface Decoded {
  readonly window: PlannedWindow;
  readonly slot: number;
  /** Where it began, and the clock it began with: what has to be proved. */
  readonly start: number;
  readonly clock: number;
  readonly end: number;
  readonly fault: Fault | undefined;
}

/**
 * One of the workers of a run, owning one shard of the connections. It decodes every shards-th window, and tracks, in the
 * order of the windows, those segments of all of them that belong to its connections.
 *
 * A window in the middle of a capture is decoded from a guessed record boundary, because the true one is known only when
 * the window before is decoded. The guess counts only if that window ended exactly there; and its clock, which clamps times
 * that run backwards, only if it had been the same. Otherwise the window is decoded again. So the answer is always that of
 * one walk from the front.
 */
export class Shard {
  readonly tracker: Tracker;
  readonly counts: Counts = { packets: 0, timeRegressions: 0, drops: new Float64Array(DROP_REASONS), first: { window: Infinity, time: Number.NaN }, faults: [] };
  readonly #setting: ShardSetting;
  readonly #decoder: Decoder;
  #file: CaptureFile | undefined;

  constructor(setting: ShardSetting, options: Omit<TrackerOptions, 'ended'>, ended: (connection: Ended) => void) {
    this.#setting = setting;
    this.#decoder = new Decoder(setting.module, setting.memories[setting.index]!);
    this.tracker = new Tracker({ ...options, ended });
  }

  /** Runs to the end; yields the number of a window when this shard has tracked it, so that what it ended can be sent off. */
  *run(): Generator<number, void, undefined> {
    const { index, plan, exchange } = this.#setting;
    const { shards } = exchange;
    let next = index;
    let tracked = 0;
    let decoded: Decoded | undefined;
    while (tracked < plan.windows) {
      const news = exchange.news;
      if (decoded === undefined && next < plan.windows && exchange.isTracked(next - shards * SLOTS)) decoded = this.#decode(next);
      if (decoded !== undefined && exchange.proved === next) {
        this.#prove(next, decoded);
        decoded = undefined;
        next += shards;
      }
      if (tracked < exchange.proved && !exchange.isCongested(tracked)) {
        this.#track(tracked);
        exchange.setTracked(index, ++tracked);
        yield tracked - 1;
      } else if (decoded === undefined ? next >= plan.windows || !exchange.isTracked(next - shards * SLOTS) : exchange.proved !== next) {
        exchange.wait(news);
      }
    }
    this.tracker.finish(plan.windows > 0 ? exchange.proof(plan.windows - 1).clock : -Infinity);
    this.#file?.close();
  }

  /** Decodes a window from its boundary where that is proved already, else from a guess. */
  #decode(number: number): Decoded {
    const { exchange, plan, origin } = this.#setting;
    const window = plan.window(number);
    const proved = exchange.proved;
    const slot = Math.floor(number / exchange.shards) % SLOTS;
    const clock = proved > 0 ? exchange.proof(proved - 1).clock : -Infinity;
    if (exchange.stopped) return { window, slot, start: Number.NaN, clock, end: Number.NaN, fault: undefined };
    const bytes = this.#read(window);
    const near = origin + (clock === -Infinity ? 0 : Math.floor(clock / 1e9));
    let start = Number.NaN;
    if (window.first) start = window.base;
    else if (proved === number) start = exchange.proof(number - 1).end;
    else {
      const guess = guessBoundary(this.#decoder.window.subarray(0, bytes), 0, window.bytes, this.#capture(window).header, near);
      if (guess >= 0) start = window.base + guess;
    }
    return this.#decodeFrom(window, slot, start, clock, bytes);
  }

  /** Makes a decoded window certain, decoding it again where its guess was wrong. */
  #prove(number: number, guessed: Decoded): void {
    const { exchange } = this.#setting;
    const before: Proof = number > 0 ? exchange.proof(number - 1) : { end: 0, clock: -Infinity, packets: 0 };
    const { window, slot } = guessed;
    const start = exchange.stopped ? Infinity : window.first ? window.base : before.end;
    let decoded = guessed;
    const clockHolds = guessed.clock === before.clock || this.#decoder.firstTime >= before.clock;
    if (!(guessed.start === start && clockHolds)) {
      decoded = this.#decodeFrom(window, slot, start, before.clock, start < window.base + window.bytes ? this.#read(window) : 0);
    }
    const { state, drops } = this.#decoder;
    const packets = state[PACKETS]!;
    if (packets > 0 && this.counts.first.window === Infinity) this.counts.first = { window: number, time: this.#decoder.firstTime };
    this.counts.packets += packets;
    this.counts.timeRegressions += state[REGRESSIONS]!;
    for (let reason = 0; reason < DROP_REASONS; reason++) this.counts.drops[reason]! += drops[reason]!;
    if (decoded.fault) this.counts.faults.push({ window: number, fault: decoded.fault });
    exchange.addPackets(packets);
    exchange.prove(number, { end: decoded.end, clock: Math.max(before.clock, this.#decoder.clock), packets: before.packets + packets });
  }

  /** `start`: offset in the file; beyond the window, or not a number: nothing to decode. `bytes`: those in the decoder's window. */
  #decodeFrom(window: PlannedWindow, slot: number, start: number, clock: number, bytes: number): Decoded {
    const capture = this.#capture(window);
    const { header, size, path } = capture;
    const decoder = this.#decoder;
    decoder.begin({ ...header, origin: this.#setting.origin, seed: this.#setting.seed, shards: this.#setting.exchange.shards }, clock);
    if (!(start < window.base + window.bytes)) {
      decoder.decode(0, 0, 0, slot);
      return { window, slot, start, clock, end: start, fault: undefined };
    }
    let filled = bytes;
    let at = decoder.decode(start - window.base, filled, Math.min(window.bytes, filled), slot);
    while (at < window.bytes && decoder.state[STOPPED] !== BROKEN_RECORD && decoder.state[STOPPED] !== BATCH_FULL && window.base + filled < size) {
      // A record crosses the end of what was read.
      const view = new DataView(decoder.window.buffer, decoder.window.byteOffset);
      const need = filled - at < RECORD_HEADER_BYTES ? filled + SLACK : at + RECORD_HEADER_BYTES + view.getUint32(at + 8, !header.swapped);
      const more = this.#fill(capture, window.base + filled, filled, Math.min(need, size - window.base));
      if (more === filled) break;
      filled = more;
      at = decoder.decode(start - window.base, filled, Math.min(window.bytes, filled), slot);
    }
    const end = window.base + at;
    const rule = at < window.bytes ? this.#ruleBroken(capture, window, at, filled) : undefined;
    const fault: Fault | undefined = rule === undefined ? undefined : { file: path, offset: end, truncated: decoder.state[STOPPED] !== BROKEN_RECORD, rule, message: `${path}: offset ${end}: ${rule}` };
    return { window, slot, start, clock, end: fault ? Infinity : end, fault };
  }

  /** Why the records end before their window does. */
  #ruleBroken({ header, size }: PlannedCapture, window: PlannedWindow, at: number, filled: number): string | undefined {
    const decoder = this.#decoder;
    if (decoder.state[STOPPED] === BATCH_FULL) throw new Error(`a window of ${window.bytes} bytes has more segments than a batch holds`);
    const view = new DataView(decoder.window.buffer, decoder.window.byteOffset);
    if (decoder.state[STOPPED] === BROKEN_RECORD) {
      return `a record claims ${view.getUint32(at + 8, !header.swapped)} captured bytes, more than the ${header.limit} it may have`;
    }
    if (window.base + filled < size) return `the file ends here although it had ${size} bytes: it became shorter while it was read`;
    const left = filled - at;
    if (left < RECORD_HEADER_BYTES) return 'the file ends within a record header';
    const missing = RECORD_HEADER_BYTES + view.getUint32(at + 8, !header.swapped) - left;
    return `the file ends ${missing} bytes before its last record does`;
  }

  #capture(window: PlannedWindow): PlannedCapture {
    return this.#setting.plan.captures[window.capture]!;
  }

  /** Reads a window and its slack to the front of the decoder's; answers how many bytes there are. */
  #read(window: PlannedWindow): number {
    const capture = this.#capture(window);
    return this.#fill(capture, window.base, 0, Math.min(window.bytes + SLACK, capture.size - window.base));
  }

  #fill({ path }: PlannedCapture, position: number, from: number, to: number): number {
    if (this.#file?.path !== path) {
      this.#file?.close();
      this.#file = new CaptureFile(path);
    }
    return from + this.#file.read(this.#decoder.window.subarray(from, to), position);
  }

  #track(number: number): void {
    const { index, exchange, memories } = this.#setting;
    const owner = number % exchange.shards;
    const slot = Math.floor(number / exchange.shards) % SLOTS;
    const batch = this.#decoder.batch(memories[owner]!, slot, index, String(owner));
    this.tracker.track(batch, number > 0 ? exchange.proof(number - 1).packets : 0);
    this.tracker.advance(exchange.proof(number).clock);
  }
}
