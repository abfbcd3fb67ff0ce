import { FRAGMENT_HEAD, FRAGMENT_TAIL, FROM_HIGH, HAS_TIMESTAMP, SEGMENT_WORDS } from '../layout/segment.ts';
import * as layout from '../layout/segment.ts';
import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import { holdsTimeWait, judge } from './close.ts';
import { Duplicates } from './duplicates.ts';
import type { Ended, Ending } from './ended.ts';
import { observe } from './evidence.ts';
import { settleDoubt } from './reset.ts';
import { Fragments } from './fragments.ts';
import { beginsAnew, repliesToHeld } from './incarnation.ts';
import * as modifiers from './modifiers.ts';
import { Oddities } from './oddities.ts';
import { type Batch, Segment } from './segment.ts';
import { slotsByTuple } from './order.ts';
import * as slots from './slot.ts';
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
}

/** Segments whose table entries are touched ahead of them. */
const BLOCK = 64;
const ORDINARY = FIN | SYN | RST | ACK | FRAGMENT_HEAD | FRAGMENT_TAIL;

/**
 * Follows the connections of one shard. Pure: segments and capture time in, ended connections out.
 *
 * Most segments are ordinary: an acknowledgement or the next payload of a connection that is not about to close. Those
 * take the short path in track(), which writes two cache lines; all others go through place() and observe().
 */
export class Tracker {
  readonly table = new ConnectionTable();
  readonly oddities = new Oddities();
  /** Packets that were copies of earlier ones. */
  duplicates = 0;
  /** Segments taken into connections. */
  segments = 0;
  /** First fragments that belong to no connection, because the rest of their datagram never came: no segments after all. */
  pieces = 0;

  readonly #options: TrackerOptions;
  readonly #copies = new Duplicates();
  readonly #fragments = new Fragments();
  readonly #expiries = new ExpiryQueue();
  readonly #silences = new SilenceHeap();
  /** When the watch is due. */
  #boundary: number;
  readonly #segment = new Segment();
  readonly #entries = new Int32Array(BLOCK);
  /** Sum of the words touched ahead: means nothing. */
  touched = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#boundary = options.watch?.first ?? Infinity;
  }

  /** Takes a batch of records in capture order; `firstPacket`: how many packets came before it in the run. */
  track(batch: Batch, firstPacket: number): void {
    const { words: records, times: recordTimes, list, count } = batch;
    const { table } = this;
    let { words, times, index, mask } = table;
    for (let place = 0; place < count; place++) {
      if (place % BLOCK === 0) this.#touch(records, list, place, Math.min(BLOCK, count - place));
      const record = list[place]!;
      const at = record * SEGMENT_WORDS;
      const time = recordTimes[at >> 1]!;
      const flags = records[at + layout.FLAGS_WORD]!;
      const hash = records[at + layout.HASH_WORD]!;
      const payload = records[at + layout.PAYLOAD_WORD]!;
      if ((flags & FRAGMENT_TAIL) === 0) {
        const digest = records[at + layout.DIGEST_WORD]!;
        if (this.#copies.isCopy(digest, hash, records[at + layout.LINK_WORD]!, flags, payload, records[at + layout.TCP_WORD]!, time)) {
          this.duplicates++;
          continue;
        }
        this.segments++;
      }
      if (this.#expiries.next <= time || this.#silences.next <= time || this.#boundary <= time) this.#expire(time);

      if ((flags & ORDINARY) === ACK) {
        const slot = find(index, mask, words, records, at, hash);
        if (slot >= 0 && (words[slot + slots.FACTS]! & slots.PLAIN) !== 0) {
          const sender = (flags & FROM_HIGH) === 0 ? 0 : 1;
          const own = slot + sender;
          const peer = slot + 1 - sender;
          const ack = records[at + layout.ACK_WORD]!;
          const advance = (ack - words[own + slots.ACKED]!) | 0;
          if (
            records[at + layout.SEQ_WORD] === words[own + slots.NXT] &&
            advance >= 0 &&
            ((words[peer + slots.NXT]! - ack) | 0) >= 0 &&
            flags >>> 16 !== 0 &&
            (words[slot + slots.PAIR]! < 0 || table.samePair(words[slot + slots.PAIR]!, batch, records[at + layout.ADDRESS_WORD]!))
          ) {
            if ((words[own + slots.SEEN]! & (payload > 0 ? slots.HISTORY_DATA : slots.HISTORY_ACK)) === 0) {
              plainLetter(table, slot, sender, payload);
              words[slot + slots.COMPLETENESS]! |= completeness(flags, payload, false);
            }
            words[own + slots.SEGMENTS]! += 1;
            words[own + slots.ACKED] = ack;
            words[own + slots.NXT] = (words[own + slots.NXT]! + payload) | 0;
            words[own + slots.WINDOW] = flags >>> 16;
            if ((flags & HAS_TIMESTAMP) !== 0) words[own + slots.TSVAL] = records[at + layout.TSVAL_WORD]!;
            times[(slot >> 1) + slots.BYTES + sender]! += payload;
            times[(slot >> 1) + slots.LAST] = time;
            continue;
          }
        }
      }
      const segment = this.#segment.load(batch, record);
      const packet = firstPacket + records[at + layout.PACKET_WORD]!;
      if ((flags & (FRAGMENT_HEAD | FRAGMENT_TAIL)) !== 0) {
        const whole = this.#fragments.add(batch, segment, packet, this.oddities);
        if (whole) this.#place(whole.batch, whole.segment, whole.packet);
      } else this.#place(batch, segment, packet);
      ({ words, times, index, mask } = table);
    }
  }

  /** The capture clock of the whole run stands at `clock`: timers of this shard that are due run out. */
  advance(clock: number): void {
    this.#expire(clock);
  }

  /** The capture ends at `clock`: every connection that is left is delivered, ordered by its 4-tuple. */
  finish(clock: number): void {
    this.advance(clock);
    this.oddities.add('copy_forgotten', this.#copies.forgotten);
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
    for (const slot of table.slots()) this.#releaseHeld(slot, 'capture_end', clock);
    const { watch } = this.#options;
    watch?.last(table, this.#boundary - watch.interval, clock);
    for (const slot of slotsByTuple(table)) this.#deliver(slot, 'capture_end', clock, Infinity);
    table.clear();
  }

  /**
   * Reads what the next segments will need: with many connections each is a cache miss or two, and misses that do not
   * wait for each other overlap.
   */
  #touch(records: Int32Array, list: Int32Array, from: number, count: number): void {
    const { index, mask, words } = this.table;
    const entries = this.#entries;
    for (let i = 0; i < count; i++) entries[i] = index[(records[list[from + i]! * SEGMENT_WORDS + layout.HASH_WORD]! & mask) * 2 + 1]!;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = Math.max(entries[i]! - 1, 0);
      sum += words[slot]! + words[slot + slots.NXT]!;
    }
    this.touched = sum | 0; // kept, so that no compiler can leave the reads out
  }

  /** Finds or begins the connection that a segment belongs to, and lets it have it. */
  #place(batch: Batch, segment: Segment, packet: number): void {
    const { table } = this;
    let slot = table.find(batch, segment);
    if (slot < 0) {
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
        table.rare(slot).held = { segment: segment.clone(), count: 1, fins: (segment.flags & FIN) === 0 ? 0 : 1 };
        table.words[slot + slots.FACTS]! &= ~slots.PLAIN;
        return;
      }
      if (identity === 'new') {
        this.#dropHeld(slot);
        this.#renew(slot, segment, 'tuple_reused', segment.time, packet);
      }
    }
    this.#observe(slot, segment);
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
    watch?.opened();
    if (idleTimeout < Infinity) this.#silences.push(slot, words[slot + slots.GENERATION]!, segment.time + idleTimeout);
  }

  #observe(slot: number, segment: Segment): void {
    const { table } = this;
    const ending = slots.CLOSED | slots.RESET;
    const before = table.words[slot + slots.FACTS]! & ending;
    observe(table, this.oddities, slot, segment, this.#options.profile.endedByRst);
    const { words } = table;
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

  #expireFirst(): void {
    const { table } = this;
    const { slot, generation, next } = this.#expiries;
    this.#expiries.shift();
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
    this.#renew(slot, held.segment, ending, time, packet);
    this.#observe(slot, held.segment);
    this.#countAgain(slot, held.segment, held.count - 1, held.fins - ((held.segment.flags & FIN) === 0 ? 0 : 1));
  }

  /** The old incarnation answered the held SYN: it lives on, and the SYN was one of its own troubles. */
  #challenged(slot: number): void {
    const { words } = this.table;
    const rare = this.table.rare(slot);
    const { segment } = rare.held!;
    const waiting = holdsTimeWait(this.table, slot, segment.sender ^ 1);
    words[slot + slots.MODIFIERS]! |= waiting ? modifiers.SYN_IN_TIME_WAIT_CHALLENGED : modifiers.SYN_CHALLENGED;
    rare.challenged = segment.sender;
    this.#dropHeld(slot);
  }

  /** Counts a held SYN with the old incarnation. */
  #dropHeld(slot: number): void {
    const rare = this.table.peekRare(slot);
    if (!rare?.held) return;
    const { segment, count, fins } = rare.held;
    rare.held = undefined;
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
  #renew(slot: number, segment: Segment, ending: Ending, time: number, packet: number): void {
    const { words } = this.table;
    const waiting =
      (words[slot + slots.FACTS]! & slots.RESET) === 0 && (holdsTimeWait(this.table, slot, 0) || holdsTimeWait(this.table, slot, 1));
    if (waiting && ending === 'tuple_reused') words[slot + slots.MODIFIERS]! |= modifiers.REUSE_IN_TIME_WAIT;
    this.#deliver(slot, ending, time, packet, ending === 'tuple_reused' ? segment.time : time);
    this.table.renew(slot);
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
    const verdict = judge(table, slot);
    const waits = timeWaits(table, slot, verdict, this.#options.profile, over, ending === 'tuple_reused');
    this.#options.ended({ table, slot, verdict, timeWaits: waits, ending, time, packet });
  }
}

/** The slot whose key equals a record's, addresses of IPv6 left to the caller; -1 where there is none. */
function find(index: Int32Array, mask: number, words: Int32Array, records: Int32Array, at: number, hash: number): number {
  for (let i = hash & mask; ; i = (i + 1) & mask) {
    const entry = index[i * 2 + 1]!;
    if (entry === 0) return -1;
    if (index[i * 2] !== hash) continue;
    const slot = entry - 1;
    if (
      words[slot + slots.LOW] === records[at + layout.LOW_WORD] &&
      words[slot + slots.HIGH] === records[at + layout.HIGH_WORD] &&
      words[slot + slots.PORTS] === records[at + layout.PORTS_WORD]
    )
      return slot;
  }
}
