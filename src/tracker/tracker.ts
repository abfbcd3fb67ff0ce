import { FRAGMENT_HEAD, FRAGMENT_TAIL, PACKET_WORD, SEGMENT_WORDS } from '../layout/segment.ts';
import * as modifiers from '../layout/modifiers.ts';
import { COPY_FORGOTTEN, SYN_UNANSWERED } from '../layout/oddities.ts';
import * as slots from '../layout/slot.ts';
import { FIN } from '../layout/tcp.ts';
import {
  COPIES,
  DECIDE,
  DUE,
  FORGOTTEN,
  FOUND,
  LATENESS,
  OPENED,
  OPENS,
  REASON,
  SEGMENTS,
  STRAYS,
  TAKEN,
  TELL_ENDED,
  TELL_OPENED,
  WAS,
} from '../layout/tracking.ts';
import { holdsTimeWait, isOver, judge, judgeAtEnd, Verdict } from './close.ts';
import { Departed } from './departed.ts';
import { Due } from './due.ts';
import { type Ending, isDeparture, RELEASED } from './ended.ts';
import { Fragments } from './fragments.ts';
import { hostCalls } from './host.ts';
import { beginsAnew, hasReset, isUnanswered, repliesToHeld } from './incarnation.ts';
import { measure, report, stayOf } from './measure.ts';
import type { TableMemory } from './memory.ts';
import { Oddities } from './oddities.ts';
import type { TrackerOptions } from './options.ts';
import { compareTuples } from './order.ts';
import type { HeldSyn, Reuse, ReuseVerdict } from './rare.ts';
import { settleDoubt } from './reset.ts';
import { restarts, survives } from './restart.ts';
import { meet, reject } from './reuse.ts';
import { type Batch, Segment } from './segment.ts';
import { ConnectionTable } from './table.ts';
import { timeWaits, waitsUntil } from './time-wait.ts';
import { SilenceHeap } from './timers.ts';
import { PassingWindows } from './watch.ts';

/** Connections that the capture's end, or an instant, ends at a stroke. */
const SHARE = 4096;

/**
 * Follows the connections of one shard. Pure: segments and capture time in, ended connections out.
 *
 * WebAssembly gathers the facts that segments show (assembly/walk.ts) and stops where something is to be decided or follows: which
 * incarnation a segment belongs to, that a connection is closed, that a timer has run out.
 */
export class Tracker {
  readonly table: ConnectionTable;
  readonly oddities = new Oddities();
  /** Packets that were copies of earlier ones. */
  duplicates = 0;
  /** Segments taken into connections. */
  segments = 0;
  /** First fragments that belong to no connection, because the rest of their datagram never came: no segments after all. */
  pieces = 0;
  /** Segments of connections whose record had ended, because their TIME_WAIT was over by the profile. */
  late = 0;

  readonly #options: TrackerOptions;
  readonly #memory: TableMemory;
  readonly #fragments = new Fragments();
  readonly #silences = new SilenceHeap();
  readonly #departed: Departed;
  readonly #windows: PassingWindows;
  readonly #segment = new Segment();
  readonly #verdict = new Verdict();
  readonly #due = new Due();
  /** So much has ended that it is to be sent off before more does. */
  #isFull = false;

  constructor(options: TrackerOptions, memory: TableMemory) {
    this.#options = options;
    this.#memory = memory;
    const calls = hostCalls(() => this.table, memory, this.oddities, options.profile.endedByRst);
    memory.attach(calls, options.profile.twoMsl);
    memory.answers[TELL_OPENED] = options.idleTimeout < Infinity || options.watch ? 1 : 0;
    memory.answers[TELL_ENDED] = options.watch ? 1 : 0;
    memory.answers[LATENESS] = options.lateness ?? 0;
    this.table = new ConnectionTable(memory, options.capacity);
    this.#departed = new Departed(options.profile.twoMsl);
    this.#windows = new PassingWindows(options.watch);
  }

  /**
   * Takes a batch of records in capture order; `firstPacket`: how many packets came before it in the run.
   * Stops where so much has ended that it is to be sent off: the loop over it must go on to its end.
   */
  *track(batch: Batch, firstPacket: number): Generator<void, void, undefined> {
    const memory = this.#memory;
    const { answers } = memory;
    const staged = memory.stage(batch);
    for (let place = 0; ; ) {
      const timers = Math.min(this.#silences.next, this.#fragments.next, this.#windows.next);
      place = memory.walk(place, Math.min(timers, this.#options.watch ? memory.nextExpiry : Infinity));
      if (answers[OPENED]! > 0) this.#opened(answers[FOUND]!);
      if (answers[REASON] === TAKEN) break;
      const found = answers[FOUND]!;
      const was = answers[WAS]!;
      const reason = answers[REASON]!;
      const segment = this.#segment.load(staged, place);
      const left = this.#pass(segment.time); // what ends by this segment comes after what was over before
      for (; this.#isFull; this.#pass(segment.time)) yield;
      if (reason === DUE) continue;
      const packet = firstPacket + staged.words[place++ * SEGMENT_WORDS + PACKET_WORD]!;
      if (reason === DECIDE) this.#decide(staged, segment, packet, left ? this.table.find(staged, segment) : found);
      else if (reason !== OPENS) this.#conclude(found, segment, was);
    }
    this.segments += answers[SEGMENTS]!;
    this.duplicates += answers[COPIES]!;
    this.oddities.add(COPY_FORGOTTEN, answers[FORGOTTEN]);
    for (const counter of [SEGMENTS, COPIES, FORGOTTEN]) answers[counter] = 0;
  }

  /** Connections were opened; where somebody wants to know of each, only the one in this slot. */
  #opened(slot: number): void {
    this.#memory.answers[OPENED] = 0;
    const { idleTimeout, watch } = this.#options;
    watch?.opened(this.table, slot);
    if (idleTimeout === Infinity) return;
    const { words, times } = this.table;
    this.#silences.push(slot, words[slot + slots.GENERATION]!, times[(slot >> 1) + slots.START]! + idleTimeout);
  }

  /** A segment that was not taken yet. `slot`: of its 4-tuple's connection, -1 where there is none; fragments are not looked up. */
  #decide(batch: Batch, segment: Segment, packet: number, slot: number): void {
    if ((segment.flags & (FRAGMENT_HEAD | FRAGMENT_TAIL)) === 0) return this.#place(batch, segment, packet, slot);
    const whole = this.#fragments.add(batch, segment, packet, this.oddities);
    if (whole) this.#place(whole.batch, whole.segment, whole.packet, this.table.find(whole.batch, whole.segment));
    this.#giveUp(segment.time, segment.time);
  }

  /** First fragments whose others did not come up to `until` belong to their connections as they are. Nothing but a SYN could make another. */
  #giveUp(until: number, clock: number): void {
    for (const { segment, batch } of this.#fragments.givenUp(until, this.oddities)) {
      const slot = this.table.find(batch, segment);
      if (slot < 0 || this.table.times[(slot >> 1) + slots.START]! > segment.time) {
        this.segments--;
        this.pieces++;
      } else this.#show(slot, segment, clock);
    }
  }

  /**
   * The capture ends at `clock`: every connection that is left is delivered, ordered by its 4-tuple.
   * Stops now and then, so that what was delivered can be sent off: the loop over it must go on to its end.
   */
  *finish(clock: number): Generator<void, void, undefined> {
    yield* this.advance(clock);
    this.#giveUp(Infinity, clock);
    const { table } = this;
    for (const slot of table.held().sort((a, b) => compareTuples(table, a, b))) this.#releaseHeld(slot, 'capture_end', clock, RELEASED);
    for (const slot of table.doubted()) settleDoubt(table, slot); // what is looked at last is what is delivered
    const left = this.#memory.order();
    this.#windows.end(table, clock);
    for (let from = 0; from < left.length; from += SHARE) {
      const to = Math.min(from + SHARE, left.length);
      for (let place = from; place < to; place++) {
        place = this.#options.shapes?.takesInOrder(place, to, clock) ?? place;
        if (place < to) this.#deliver(left[place]!, 'capture_end', clock, Infinity);
      }
      yield;
    }
    table.clear();
  }

  /** Lets a connection have a segment: the one in the slot, or its tuple's next one, or a new one where there is none (-1). */
  #place(batch: Batch, segment: Segment, packet: number, found: number): void {
    const { table } = this;
    let slot = found;
    const asked = slot < 0 ? Number.NaN : table.times[(slot >> 1) + slots.START]!;
    if ((slot < 0 || isUnanswered(table, slot)) && this.#departed.takes(batch, segment, asked, this.#options.bound)) {
      this.segments--;
      this.late++;
      return;
    }
    if (slot < 0) {
      slot = table.open(batch, segment);
      if (slot < 0) {
        this.#evict(segment.time, packet);
        slot = table.open(batch, segment);
      }
      this.#opened(slot);
    } else {
      const rare = table.peekRare(slot);
      if (rare?.held) {
        const reply = repliesToHeld(rare.held.segment, segment);
        if (reply === 'accepted') this.#acceptHeld(slot, 'tuple_reused', segment.time, packet);
        else if (reply === 'challenged' || (reply === 'again' && hasReset(table, slot, rare.held.segment))) this.#challenged(slot);
        else if (reply === 'again') {
          rare.held.count++;
          rare.held.last = segment.time;
          if ((segment.flags & FIN) !== 0) rare.held.fins++;
          return;
        }
      }
      const identity = beginsAnew(table, slot, segment);
      if (identity === 'held') {
        this.#dropHeld(slot);
        const reuse = meet(table, slot, segment, this.#options.profile, this.#verdict);
        const fins = (segment.flags & FIN) === 0 ? 0 : 1;
        table.rare(slot).held = { segment: segment.clone(), count: 1, last: segment.time, fins, reuse };
        table.words[slot + slots.FACTS] = (table.words[slot + slots.FACTS]! & ~slots.PLAIN) | slots.HELD;
        return;
      }
      if (identity === 'new') {
        this.#dropHeld(slot);
        const reuse = meet(table, slot, segment, this.#options.profile, this.#verdict);
        this.#renew(slot, segment, reuse, 'tuple_reused', segment.time, packet);
      }
    }
    this.#show(slot, segment);
  }

  /** Shows a segment to its connection, and concludes what follows from it at `clock`, which may be later. */
  #show(slot: number, segment: Segment, clock = segment.time): void {
    this.table.show(slot, segment);
    segment.time = clock;
    this.#conclude(slot, segment, this.#memory.answers[WAS]!);
  }

  /** What follows from a segment that was shown to its connection. `before`: whether that was closed, or reset, before it. */
  #conclude(slot: number, segment: Segment, before: number): void {
    const { table } = this;
    const { words } = table;
    if ((before & slots.CLOSED) !== 0) measure(table, slot, segment, before, this.#options.bound);
    const after = words[slot + slots.FACTS]! & (slots.CLOSED | slots.RESET);
    const ends = before === 0 && after !== 0;
    const waits = ends || this.#waitsAnew(slot, segment, before, after);
    if (waits) this.#memory.expireAfter(slot, segment.time);
    if (waits || before !== after) this.#options.watch?.closing(table, slot, segment.time);
  }

  /** Whether the holder of TIME_WAIT, or an endpoint that lives on after all, waits anew from a segment on. */
  #waitsAnew(slot: number, segment: Segment, before: number, after: number): boolean {
    const { table } = this;
    const { sender } = segment;
    if ((before & ~after & slots.RESET) !== 0) return survives(table, slot, sender);
    if ((table.words[slot + slots.SEEN + (sender ^ 1)]! & slots.FIN_ACKED) === 0) return false;
    return restarts(table, slot, segment, before, this.#options.profile);
  }

  /**
   * The capture clock of the whole run stands at `clock`: connections whose time is over by then go, in the order in which it was.
   * Stops as track() does.
   */
  *advance(clock: number): Generator<void, void, undefined> {
    for (this.#pass(clock); this.#isFull; this.#pass(clock)) yield;
  }

  /** As advance(), up to where it stops. Answers whether any connections went, or a window was over. */
  #pass(clock: number): boolean {
    this.#isFull = false;
    for (let was = false; ; was = true) {
      if (was) this.#isFull = this.#options.isFull?.() ?? false;
      const next = !this.#due.isEmpty ? this.#due.time : Math.min(this.#memory.nextExpiry, this.#silences.next);
      const other = Math.min(this.#fragments.next, this.#windows.next);
      if (this.#isFull || Math.min(next, other) > clock) return was;
      if (this.#fragments.next <= Math.min(next, this.#windows.next)) this.#giveUp(this.#fragments.next, this.#fragments.next);
      else if (this.#windows.next <= next) this.#windows.pass(this.table, Math.min(next, this.#fragments.next, clock));
      else if (this.#due.isEmpty && this.#options.shapes?.takesExpired(clock, Math.min(this.#silences.next, other), this.#departed))
        this.#memory.answers[STRAYS] = 1;
      else this.#runOut(next);
    }
  }

  /** Some of those that are over at `time`. */
  #runOut(time: number): void {
    if (this.#due.isEmpty) this.#due.collect(this.table, this.#memory, this.#silences, time);
    for (let share = SHARE; share > 0 && !this.#due.isEmpty; share--) {
      const { slot, generation, silence } = this.#due.next()!;
      if (this.table.words[slot + slots.GENERATION] !== generation) continue;
      if (silence) this.#silenceOne(slot, generation, time);
      else this.#expireOne(slot, time);
    }
  }

  #expireOne(slot: number, next: number): void {
    if (!this.table.peekRare(slot)?.held) return this.#remove(slot, 'expired', next, -1);
    this.#releaseHeld(slot, 'expired', next, -1);
    if (this.#silent(slot) <= next) this.#remove(slot, 'idle_timeout', next, -1); // now, and no earlier than what has ended
  }

  #silent = (slot: number): number => this.table.latest(slot) + this.#options.idleTimeout;

  #silenceOne(slot: number, generation: number, due: number): void {
    if ((this.table.words[slot + slots.FACTS]! & (slots.CLOSED | slots.RESET)) !== 0) return;
    const end = Math.max(this.#silent(slot), waitsUntil(this.table, slot, this.#options.profile, this.#verdict));
    if (end > due) return this.#silences.push(slot, generation, end);
    this.#releaseHeld(slot, 'idle_timeout', due, -1);
    const silent = this.#silent(slot); // with the SYN that was held, or of the connection that it has begun
    if (silent <= due) this.#remove(slot, 'idle_timeout', due, -1);
    else if (this.table.words[slot + slots.GENERATION] === generation) this.#silences.push(slot, generation, silent);
  }

  /** The held SYN was accepted: the new incarnation begins at it. */
  #acceptHeld(slot: number, ending: Ending, time: number, packet: number): void {
    const held = this.#takeHeld(slot)!;
    if (held.reuse?.barred && ending === 'tuple_reused' && (this.table.words[slot + slots.FACTS]! & slots.CLOSED) !== 0)
      report(this.table, slot, held.reuse.holder, stayOf(this.table, slot, held.reuse.holder).left(time), this.#options.bound);
    const reuse: Reuse | undefined =
      held.reuse && ending !== 'tuple_reused' && ending !== 'capture_end' ? { ...held.reuse, outlived: true } : held.reuse;
    this.#renew(slot, held.segment, reuse, ending, time, packet);
    this.#show(slot, held.segment);
    this.table.countHeld(slot, held, held.count - 1, held.fins - ((held.segment.flags & FIN) === 0 ? 0 : 1));
  }

  /** The old incarnation answered the held SYN: it lives on, and the SYN was one of its own troubles. */
  #challenged(slot: number): void {
    const { words } = this.table;
    const rare = this.table.rare(slot);
    const { segment, reuse } = rare.held!;
    const waiting = holdsTimeWait(this.table, slot, segment.sender ^ 1);
    if (reuse && (words[slot + slots.FACTS]! & slots.CLOSED) !== 0)
      report(this.table, slot, reuse.holder, stayOf(this.table, slot, reuse.holder).stays(segment.time), this.#options.bound);
    words[slot + slots.MODIFIERS]! |= waiting ? modifiers.SYN_IN_TIME_WAIT_CHALLENGED : modifiers.SYN_CHALLENGED;
    rare.challenged = segment.sender;
    this.#dropHeld(slot, 'challenged');
  }

  /** Counts a held SYN with the old incarnation. */
  #dropHeld(slot: number, verdict: ReuseVerdict = 'ignored'): void {
    const held = this.#takeHeld(slot);
    if (!held) return;
    if (held.reuse) reject(this.table, this.oddities, slot, held.reuse, verdict);
    this.table.countHeld(slot, held, held.count, held.fins);
  }

  #takeHeld(slot: number): HeldSyn | undefined {
    const rare = this.table.peekRare(slot);
    const held = rare?.held;
    if (!held) return undefined;
    rare.held = undefined;
    this.table.words[slot + slots.FACTS]! &= ~slots.HELD;
    return held;
  }

  /** The old incarnation is over and its held SYN was never answered: that SYN begins one of its own, if the old one had closed. */
  #releaseHeld(slot: number, ending: Ending, time: number, packet: number): void {
    if (!this.table.peekRare(slot)?.held) return;
    this.oddities.add(SYN_UNANSWERED);
    judge(this.table, slot, this.#verdict);
    if (isOver(this.#verdict)) this.#acceptHeld(slot, ending, time, packet);
    else this.#dropHeld(slot);
  }

  /** The 4-tuple's old incarnation ends, the next one begins with `segment`. */
  #renew(slot: number, segment: Segment, reuse: Reuse | undefined, ending: Ending, time: number, packet: number): void {
    if (reuse && ending === 'tuple_reused') this.table.words[slot + slots.MODIFIERS]! |= modifiers.REUSE_IN_TIME_WAIT;
    this.#deliver(slot, ending, time, packet, ending === 'tuple_reused' ? segment.time : time);
    this.table.renew(slot, segment);
    if (reuse) this.table.rare(slot).reuse = reuse;
    this.#memory.answers[OPENED]!++;
    this.#opened(slot);
  }

  /** There is no room for another connection: those that were silent longest go. What holds TIME_WAIT will do so to its end. */
  #evict(time: number, packet: number): void {
    for (const slot of this.table.silentLongest()) {
      this.#dropHeld(slot);
      this.#remove(slot, 'evicted', time, packet, Infinity);
    }
  }

  #remove(slot: number, ending: Ending, time: number, packet: number, over = time): void {
    this.#deliver(slot, ending, time, packet, over);
    this.table.remove(slot);
  }

  /** `over`: capture time up to which a TIME_WAIT of this incarnation can have lasted. */
  #deliver(slot: number, ending: Ending, time: number, packet: number, over = time): void {
    const { table } = this;
    const { shapes, profile, ended } = this.#options;
    if (shapes?.takes(table, slot, ending, time, packet, over)) {
      if (isDeparture(ending, shapes.holders)) this.#depart(slot, shapes.holders, shapes.since, time);
      return;
    }
    table.settle(slot);
    settleDoubt(table, slot);
    const verdict = this.#verdict;
    judgeAtEnd(table, slot, verdict, time);
    const waits = timeWaits(table, slot, verdict, profile, over, ending === 'tuple_reused');
    const [first] = waits;
    const holders = first?.endedBy === 'expiry' ? waits.reduce((bits, { holder }) => bits | (1 << holder), 0) : 0;
    if (isDeparture(ending, holders)) this.#depart(slot, holders, first?.since ?? 0, time);
    ended({ table, slot, verdict, timeWaits: waits, ending, time, packet });
  }

  /** A connection's time is over by the profile: what is still to come of it is told by those who hold TIME_WAIT. */
  #depart(slot: number, holders: number, since: number, time: number): void {
    if (holders !== 0) this.#departed.add(this.table, slot, holders, since, time);
    this.#memory.answers[STRAYS] = 1;
  }
}
