import { FLAGS_WORD, FRAGMENT_HEAD, FRAGMENT_TAIL, FROM_HIGH, IPV6, PACKET_WORD, PAYLOAD_WORD, SEGMENT_WORDS } from '../layout/segment.ts';
import * as slots from '../layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import { COPIES, DONE, DUE, FORGOTTEN, FOUND, LETTER, REASON, SEGMENTS } from '../layout/tracking.ts';
import { holdsTimeWait, judge, Verdict } from './close.ts';
import { Departed } from './departed.ts';
import type { Ended, Ending } from './ended.ts';
import { observe } from './evidence.ts';
import { settleDoubt } from './reset.ts';
import { Fragments } from './fragments.ts';
import { beginsAnew, repliesToHeld } from './incarnation.ts';
import { addressBytes, type BoundTaker, measure, report, stayOf } from './measure.ts';
import type { TableMemory } from './memory.ts';
import * as modifiers from './modifiers.ts';
import { Oddities } from './oddities.ts';
import { type Batch, Segment } from './segment.ts';
import { compareTuples, slotsByTuple } from './order.ts';
import type { Reuse, ReuseVerdict } from './rare.ts';
import { meet, reject } from './reuse.ts';
import { ConnectionTable } from './table.ts';
import { type Profile, timeWaits } from './time-wait.ts';
import { ExpiryQueue, SilenceHeap } from './timers.ts';
import { crossed, type Watch } from './watch.ts';
import { completeness } from './wireshark.ts';
import { beginHistory, plainLetter } from './zeek.ts';

export type { Ended, Ending } from './ended.ts';

export interface TrackerOptions {
  readonly profile: Profile;
  /** Silence after which a connection that has not closed ends, ns; Infinity: never. */
  readonly idleTimeout: number;
  readonly ended: (connection: Ended) => void;
  readonly watch?: Watch | undefined;
  /** Takes what packets prove of the length of TIME_WAIT. */
  readonly bound: BoundTaker;
}

/** Connections that the capture's end ends at a stroke. */
const SHARE = 1024;

/**
 * Follows the connections of one shard. Pure: segments and capture time in, ended connections out.
 *
 * Most segments are ordinary: an acknowledgement or the next payload of a connection that is not about to close. Those
 * take the short path (assembly/walk.ts), which only counts; all others go through place() and observe().
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
  readonly #expiries = new ExpiryQueue();
  readonly #silences = new SilenceHeap();
  readonly #departed: Departed;
  /** When the watch is due. */
  #boundary: number;
  readonly #segment = new Segment();
  readonly #verdict = new Verdict();

  constructor(options: TrackerOptions, memory: TableMemory) {
    this.#options = options;
    this.#memory = memory;
    this.table = new ConnectionTable(memory);
    this.#departed = new Departed(options.profile.twoMsl);
    this.#boundary = options.watch?.first ?? Infinity;
  }

  /** Takes a batch of records in capture order; `firstPacket`: how many packets came before it in the run. */
  track(batch: Batch, firstPacket: number): void {
    const memory = this.#memory;
    const { answers } = memory;
    const staged = memory.stage(batch);
    const { words } = staged;
    let place = 0;
    for (;;) {
      place = memory.walk(place, Math.min(this.#expiries.next, this.#silences.next, this.#boundary));
      const reason = answers[REASON];
      if (reason === DONE) break;
      if (reason === DUE) this.#expire(staged.times[(place * SEGMENT_WORDS) >> 1]!);
      else {
        const at = place * SEGMENT_WORDS;
        if (reason === LETTER) this.#addLetter(answers[FOUND]!, words[at + FLAGS_WORD]!, words[at + PAYLOAD_WORD]!);
        else this.#decide(staged, this.#segment.load(staged, place), firstPacket + words[at + PACKET_WORD]!, answers[FOUND]!);
        place++;
      }
    }
    this.segments += answers[SEGMENTS]!;
    this.duplicates += answers[COPIES]!;
    this.oddities.add('copy_forgotten', answers[FORGOTTEN]);
    answers.fill(0);
  }

  /** An ordinary segment was taken, the first of its kind from its sender. */
  #addLetter(slot: number, flags: number, payload: number): void {
    plainLetter(this.table, slot, (flags & FROM_HIGH) === 0 ? 0 : 1, payload);
    this.table.words[slot + slots.COMPLETENESS]! |= completeness(flags, payload, false);
  }

  /** A segment that may change a state. `slot`: of its connection, -1 where there is none; fragments are not looked up. */
  #decide(batch: Batch, segment: Segment, packet: number, slot: number): void {
    if ((segment.flags & (FRAGMENT_HEAD | FRAGMENT_TAIL)) === 0) return this.#place(batch, segment, packet, slot);
    const whole = this.#fragments.add(batch, segment, packet, this.oddities);
    if (whole) this.#place(whole.batch, whole.segment, whole.packet, this.table.find(whole.batch, whole.segment));
  }

  /** The capture clock of the whole run stands at `clock`: timers of this shard that are due run out. */
  advance(clock: number): void {
    this.#expire(clock);
  }

  /**
   * The capture ends at `clock`: every connection that is left is delivered, ordered by its 4-tuple.
   * Stops now and then, so that what was delivered can be sent off: the loop over it must go on to its end.
   */
  *finish(clock: number): Generator<void, void, undefined> {
    this.advance(clock);
    for (const { segment, batch } of this.#fragments.rest(this.oddities)) {
      // Its connection may be over by now, and nothing but a SYN could make another.
      const slot = this.table.find(batch, segment);
      if (slot >= 0) this.#observe(slot, segment);
      else {
        this.segments--;
        this.pieces++;
      }
    }
    const { table } = this;
    const left = slotsByTuple(table);
    for (const slot of left) this.#releaseHeld(slot, 'capture_end', clock);
    const { watch } = this.#options;
    watch?.last(table, this.#boundary - watch.interval, clock);
    for (let from = 0; from < left.length; from += SHARE) {
      for (const slot of left.subarray(from, from + SHARE)) this.#deliver(slot, 'capture_end', clock, Infinity);
      yield;
    }
    table.clear();
  }

  /** Lets a connection have a segment: the one in the slot, or its tuple's next one, or a new one where there is none (-1). */
  #place(batch: Batch, segment: Segment, packet: number, found: number): void {
    const { table } = this;
    let slot = found;
    if (slot < 0) {
      if ((segment.flags & SYN) === 0 && this.#isLate(batch, segment)) return;
      slot = table.add(batch, segment);
      this.#begin(slot, segment);
    } else {
      const rare = table.peekRare(slot);
      if (rare?.held) {
        const reply = repliesToHeld(rare.held.segment, segment);
        if (reply === 'accepted') this.#acceptHeld(slot, 'tuple_reused', segment.time, packet);
        else if (reply === 'challenged') this.#challenged(slot);
        else if (reply === 'again') {
          rare.held.count++;
          if ((segment.flags & FIN) !== 0) rare.held.fins++;
          return;
        }
      }
      const identity = beginsAnew(table, slot, segment);
      if (identity === 'held') {
        this.#dropHeld(slot);
        const reuse = meet(table, slot, segment, this.#options.profile, this.#verdict);
        table.rare(slot).held = { segment: segment.clone(), count: 1, fins: (segment.flags & FIN) === 0 ? 0 : 1, reuse };
        table.words[slot + slots.FACTS]! &= ~slots.PLAIN;
        return;
      }
      if (identity === 'new') {
        this.#dropHeld(slot);
        const reuse = meet(table, slot, segment, this.#options.profile, this.#verdict);
        this.#renew(slot, segment, reuse, 'tuple_reused', segment.time, packet);
      }
    }
    this.#observe(slot, segment);
  }

  /** Whether a segment is of a connection whose record has ended; what it proves is handed on. */
  #isLate({ pairs }: Batch, segment: Segment): boolean {
    const stays = this.#departed.find(segment);
    if (!stays) return false;
    this.segments--;
    this.late++;
    const { sender, flags, low, high, address } = segment;
    stays[sender ^ 1]?.hear(segment);
    const bound = stays[sender]?.speak(segment);
    if (bound)
      this.#options.bound(addressBytes(sender === 0 ? low : high, (flags & IPV6) === 0 ? undefined : pairs, address, sender), bound);
    return true;
  }

  /** A fresh slot's first facts: who is the client, and whether the capture missed the beginning. */
  #begin(slot: number, segment: Segment): void {
    const { words, times } = this.table;
    const { sender, flags } = segment;
    times[(slot >> 1) + slots.START] = segment.time;
    let client = sender;
    if ((flags & (SYN | ACK)) === (SYN | ACK)) {
      client = sender ^ 1;
      words[slot + slots.FACTS]! |= slots.SYN_ACK_FIRST;
    } else if ((flags & SYN) === 0) {
      words[slot + slots.FACTS]! |= slots.MIDSTREAM;
      const low = words[slot + slots.PORTS]! >>> 16;
      const high = words[slot + slots.PORTS]! & 0xffff;
      if (low !== high) client = low < high ? 1 : 0; // the lower port serves, and a well-known port is always the lower one
    }
    if (client === 1) words[slot + slots.FACTS]! |= slots.CLIENT_IS_HIGH;
    beginHistory(this.table, slot, segment);
    const { idleTimeout, watch } = this.#options;
    watch?.opened(this.table, slot);
    if (idleTimeout < Infinity) this.#silences.push(slot, words[slot + slots.GENERATION]!, segment.time + idleTimeout);
  }

  #observe(slot: number, segment: Segment): void {
    const { table } = this;
    const ending = slots.CLOSED | slots.RESET;
    const facts = table.words[slot + slots.FACTS]!;
    const before = facts & ending;
    observe(table, this.oddities, slot, segment, this.#options.profile.endedByRst);
    const { words } = table;
    if ((facts & slots.CLOSED) !== 0) measure(table, slot, segment, facts, this.#options.bound);
    const after = words[slot + slots.FACTS]! & ending;
    if (before === 0 && after !== 0) this.#due(slot, segment.time + this.#options.profile.twoMsl);
    else if ((before & ~after & slots.RESET) !== 0) this.#survive(slot, segment.sender);
    else if ((words[slot + slots.SEEN + (segment.sender ^ 1)]! & slots.FIN_ACKED) !== 0) this.#restart(slot, segment, before);
    if (before !== after) this.#options.watch?.closing(table, slot, segment.time);
  }

  /** A segment of the peer that makes the holder of TIME_WAIT count from the beginning. `before`: whether it was closed, or reset, before it. */
  #restart(slot: number, segment: Segment, before: number): void {
    const { table } = this;
    const { words } = table;
    const { sender, flags, time } = segment;
    const holder = sender ^ 1;
    const { profile } = this.#options;
    if ((flags & (ACK | SYN | RST)) !== ACK || !holdsTimeWait(table, slot, holder)) return;
    const repeatedFin = (flags & FIN) !== 0 && words[slot + slots.FINS + sender]! > 1;
    if (!repeatedFin && !(before !== 0 && profile.restartedByAnyAck)) return;
    const rare = table.rare(slot);
    if ((words[slot + slots.FACTS]! & slots.RESET) !== 0) rare.knocked[holder as 0] = time;
    else if ((words[slot + slots.SEEN + sender]! & slots.FIN_ACKED) === 0) {
      rare.earlyRestarts[holder as 0]++; // it counts only if the holder's ACK is missing to the end
      rare.earlyRestarted[holder as 0] = time;
    } else if (before !== 0) {
      rare.restarts[holder as 0]++;
      rare.restarted[holder as 0] = time;
      this.#due(slot, time + profile.twoMsl);
    }
  }

  /** The holder of TIME_WAIT acknowledges after an RST: whatever its profile says, it has not left. What it answers started its time again. */
  #survive(slot: number, holder: number): void {
    const rare = this.table.peekRare(slot);
    const knocked = rare?.knocked[holder as 0] ?? 0;
    if (!rare || knocked === 0) return;
    rare.restarts[holder as 0]++;
    rare.restarted[holder as 0] = knocked;
    this.#due(slot, knocked + this.#options.profile.twoMsl);
  }

  #due(slot: number, time: number): void {
    const { words, times } = this.table;
    times[(slot >> 1) + slots.EXPIRY] = time;
    this.#expiries.push(slot, words[slot + slots.GENERATION]!, time);
  }

  /** Lets go of the connections whose time is over at `clock`, in the order in which it was. */
  #expire(clock: number): void {
    while (Math.min(this.#expiries.next, this.#silences.next, this.#boundary) <= clock) {
      if (this.#boundary <= Math.min(this.#expiries.next, this.#silences.next))
        this.#boundary = crossed(this.#options.watch!, this.table, this.#boundary, clock);
      else if (this.#expiries.next <= this.#silences.next) this.#expireFirst();
      else this.#silenceFirst();
    }
  }

  /** Times that are over at the same instant go by 4-tuple: the merger brings those of several shards into that order. */
  #expireFirst(): void {
    const { next } = this.#expiries;
    const due: [slot: number, generation: number][] = [];
    for (; this.#expiries.next === next; this.#expiries.shift()) due.push([this.#expiries.slot, this.#expiries.generation]);
    if (due.length > 1) due.sort(([a], [b]) => compareTuples(this.table, a, b));
    for (const [slot, generation] of due) this.#expireOne(slot, generation, next);
  }

  #expireOne(slot: number, generation: number, next: number): void {
    const { table } = this;
    if (table.words[slot + slots.GENERATION] !== generation || table.times[(slot >> 1) + slots.EXPIRY] !== next) return;
    if (table.peekRare(slot)?.held) this.#releaseHeld(slot, 'expired', next);
    else this.#remove(slot, 'expired', next, -1);
  }

  #silenceFirst(): void {
    const { words, times } = this.table;
    const { slot, generation, due } = this.#silences.shift();
    if (words[slot + slots.GENERATION] !== generation || (words[slot + slots.FACTS]! & (slots.CLOSED | slots.RESET)) !== 0) return;
    const silent = times[(slot >> 1) + slots.LAST]! + this.#options.idleTimeout;
    if (silent > due) return this.#silences.push(slot, generation, silent);
    this.#dropHeld(slot);
    this.#remove(slot, 'idle_timeout', due, -1);
  }

  /** The held SYN was accepted: the new incarnation begins at it. */
  #acceptHeld(slot: number, ending: Ending, time: number, packet: number): void {
    const held = this.table.rare(slot).held!;
    this.table.rare(slot).held = undefined;
    if (held.reuse?.barred && ending === 'tuple_reused' && (this.table.words[slot + slots.FACTS]! & slots.CLOSED) !== 0)
      report(this.table, slot, held.reuse.holder, stayOf(this.table, slot, held.reuse.holder).left(time), this.#options.bound);
    this.#renew(slot, held.segment, held.reuse, ending, time, packet);
    this.#observe(slot, held.segment);
    this.#countAgain(slot, held.segment, held.count - 1, held.fins - ((held.segment.flags & FIN) === 0 ? 0 : 1));
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
    const rare = this.table.peekRare(slot);
    if (!rare?.held) return;
    const { segment, count, fins, reuse } = rare.held;
    rare.held = undefined;
    if (reuse) reject(this.table, this.oddities, slot, reuse, verdict);
    this.#countAgain(slot, segment, count, fins);
  }

  #countAgain(slot: number, segment: Segment, count: number, fins: number): void {
    this.table.words[slot + slots.SEGMENTS + segment.sender]! += count;
    this.table.words[slot + slots.SYNS + segment.sender]! += count;
    this.table.words[slot + slots.FINS + segment.sender]! += fins;
  }

  /** The old incarnation is over and its held SYN was never answered: that SYN begins one of its own, if the old one had closed. */
  #releaseHeld(slot: number, ending: Ending, time: number): void {
    const rare = this.table.peekRare(slot);
    if (!rare?.held) return;
    this.oddities.add('syn_unanswered');
    if ((this.table.words[slot + slots.FACTS]! & (slots.CLOSED | slots.RESET)) === 0) this.#dropHeld(slot);
    else this.#acceptHeld(slot, ending, time, -1);
  }

  /** The 4-tuple's old incarnation ends, the next one begins with `segment`. */
  #renew(slot: number, segment: Segment, reuse: Reuse | undefined, ending: Ending, time: number, packet: number): void {
    const { words } = this.table;
    const waiting =
      (words[slot + slots.FACTS]! & slots.RESET) === 0 && (holdsTimeWait(this.table, slot, 0) || holdsTimeWait(this.table, slot, 1));
    if (waiting && ending === 'tuple_reused') words[slot + slots.MODIFIERS]! |= modifiers.REUSE_IN_TIME_WAIT;
    this.#deliver(slot, ending, time, packet, ending === 'tuple_reused' ? segment.time : time);
    this.table.renew(slot);
    if (reuse) this.table.rare(slot).reuse = reuse;
    this.#begin(slot, segment);
  }

  #remove(slot: number, ending: Ending, time: number, packet: number): void {
    this.#deliver(slot, ending, time, packet);
    this.table.remove(slot);
  }

  /** `over`: capture time up to which a TIME_WAIT of this incarnation can have lasted. */
  #deliver(slot: number, ending: Ending, time: number, packet: number, over = time): void {
    const { table } = this;
    settleDoubt(table, slot);
    const verdict = this.#verdict;
    judge(table, slot, verdict);
    const waits = timeWaits(table, slot, verdict, this.#options.profile, over, ending === 'tuple_reused');
    if (ending === 'expired') this.#departed.add(table, slot, waits, time);
    this.#options.ended({ table, slot, verdict, timeWaits: waits, ending, time, packet });
  }
}
