import type { Fault } from '../capture/fault.ts';
import { Decoder, type DecoderMemory, type DecoderModule } from '../decode/decoder.ts';
import { SLOTS } from '../layout/batch.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { PACKETS, REGRESSIONS } from '../layout/framing.ts';
import { type Ended, Tracker, type TrackerOptions } from '../tracker/tracker.ts';
import type { Exchange, Proof } from './exchange.ts';
import type { Plan } from './plan.ts';
import { type DecodedWindow, WindowReader } from './windows.ts';

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
  readonly counts: Counts = {
    packets: 0,
    timeRegressions: 0,
    drops: new Float64Array(DROP_REASONS),
    first: { window: Infinity, time: Number.NaN },
    faults: [],
  };
  readonly #setting: ShardSetting;
  readonly #decoder: Decoder;
  readonly #windows: WindowReader;

  constructor(setting: ShardSetting, options: Omit<TrackerOptions, 'ended'>, ended: (connection: Ended) => void) {
    this.#setting = setting;
    this.#decoder = new Decoder(setting.module, setting.memories[setting.index]!);
    this.#windows = new WindowReader({ ...setting, shards: setting.exchange.shards }, this.#decoder);
    this.tracker = new Tracker({ ...options, ended }, this.#decoder.table);
  }

  /**
   * Runs to the end; yields the number of a window when this shard has tracked it, so that what it ended can be sent off. What the
   * end of the capture ended comes in parts, under the number of the last window plus one.
   */
  *run(): Generator<number, void, undefined> {
    const { index, plan, exchange } = this.#setting;
    const { shards } = exchange;
    let next = index;
    let tracked = 0;
    let decoded: DecodedWindow | undefined;
    while (tracked < plan.windows) {
      const news = exchange.news;
      if (decoded === undefined && next < plan.windows && exchange.isTracked(next - shards * slotsOf(shards))) decoded = this.#decode(next);
      if (decoded !== undefined && exchange.proved === next) {
        this.#prove(next, decoded);
        decoded = undefined;
        next += shards;
      }
      if (tracked < exchange.proved && !exchange.isCongested(tracked)) {
        this.#track(tracked);
        exchange.setTracked(index, ++tracked);
        yield tracked - 1;
      } else if (
        decoded === undefined ? next >= plan.windows || !exchange.isTracked(next - shards * slotsOf(shards)) : exchange.proved !== next
      ) {
        exchange.wait(news);
      }
    }
    for (const _ of this.tracker.finish(plan.windows > 0 ? exchange.proof(plan.windows - 1).clock : -Infinity)) yield plan.windows;
    this.#windows.close();
  }

  /** Decodes a window from its boundary where that is proved already, else from a guess. */
  #decode(number: number): DecodedWindow {
    const { exchange, plan, origin } = this.#setting;
    const window = plan.window(number);
    const proved = exchange.proved;
    const slot = slotOf(number, exchange.shards);
    const clock = proved > 0 ? exchange.proof(proved - 1).clock : -Infinity;
    if (exchange.stopped) return { window, slot, start: Number.NaN, clock, end: Number.NaN, fault: undefined };
    const bytes = this.#windows.read(window);
    const near = origin + (clock === -Infinity ? 0 : Math.floor(clock / 1e9));
    let start = Number.NaN;
    if (window.first) start = window.base;
    else if (proved === number) start = exchange.proof(number - 1).end;
    else start = this.#windows.guess(window, bytes, near);
    return this.#windows.decode(window, slot, start, clock, bytes);
  }

  /** Makes a decoded window certain, decoding it again where its guess was wrong. */
  #prove(number: number, guessed: DecodedWindow): void {
    const { exchange } = this.#setting;
    const before: Proof = number > 0 ? exchange.proof(number - 1) : { end: 0, clock: -Infinity, packets: 0 };
    const { window, slot } = guessed;
    const start = exchange.stopped ? Infinity : window.first ? window.base : before.end;
    let decoded = guessed;
    const clockHolds = guessed.clock === before.clock || this.#decoder.firstTime >= before.clock;
    if (!(guessed.start === start && clockHolds)) {
      decoded = this.#windows.decode(
        window,
        slot,
        start,
        before.clock,
        start < window.base + window.bytes ? this.#windows.read(window) : 0,
      );
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

  #track(number: number): void {
    const { index, exchange, memories } = this.#setting;
    const owner = number % exchange.shards;
    const slot = slotOf(number, exchange.shards);
    const batch = this.#decoder.batch(memories[owner]!, slot, index, String(owner));
    this.tracker.track(batch, number > 0 ? exchange.proof(number - 1).packets : 0);
    this.tracker.advance(exchange.proof(number).clock);
  }
}

/** Batches that a shard has in flight. One alone tracks each at once, and keeps to a slot that stays in the cache. */
const slotsOf = (shards: number): number => (shards === 1 ? 1 : SLOTS);

/** The slot of its decoder that a window's batch is in. */
const slotOf = (window: number, shards: number): number => Math.floor(window / shards) % slotsOf(shards);
