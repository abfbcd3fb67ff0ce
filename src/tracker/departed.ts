import { IPV6 } from '../layout/segment.ts';
import * as departure from '../layout/departure.ts';
import { BEFORE, DEPARTURE_WORDS as WORDS, FIN_SEQS, HASH as HASH_AT, HOLDERS } from '../layout/departure.ts';
import { FIN_SEQ, HASH, HIGH, LOW, PORTS } from '../layout/slot.ts';
import { ACK, FIN, SYN } from '../layout/tcp.ts';
import { addressBytes, type BoundTaker } from './measure.ts';
import type { Batch, Segment } from './segment.ts';
import { distance, plausible } from './serial.ts';
import { Stay } from './stay.ts';
import type { ConnectionTable } from './table.ts';
import { PROFILES } from './time-wait.ts';

/** The longest TIME_WAIT that anybody holds (RFC 9293: four minutes), ns. */
const LONGEST = PROFILES['rfc9293']!.twoMsl;
/** Entries of a chunk: a power of two. */
const CHUNK = 1 << 12;
const FIRST_BUCKETS = 1 << 12;

/** The two endpoints of a connection, as far as they hold TIME_WAIT. */
export type Stays = readonly [Stay | undefined, Stay | undefined];

/**
 * Connections whose record has ended because their TIME_WAIT was over by the profile. What they still send until the longest TIME_WAIT
 * would be over is theirs: it makes no new connection, and it tells how long their hosts' TIME_WAIT really lasts.
 *
 * Nearly all of them send nothing more, so that an entry, of 40 bytes, is only written down, one behind the other in chunks, and forgotten
 * by the chunk. They are not looked up before a segment comes that belongs to no connection; what is new then goes into buckets: a
 * bucket holds the number of its latest entry, and that the one of the entry before, until the numbers fall below the first kept.
 */
export class Departed {
  /** How long an entry is of use, ns: from the end of TIME_WAIT by the profile to that of the longest one. */
  readonly #kept: number;
  /** `full`: when the next chunk was begun. */
  readonly #chunks: { words: Int32Array; since: Float64Array; full: number }[] = [];
  /** Numbers of the first entry that is kept, of the first that is in no bucket, and of the next one. */
  #head = 0;
  #indexed = 0;
  #tail = 0;
  /** One more than the number of the latest entry. */
  #buckets = new Int32Array(FIRST_BUCKETS);
  /** Those that had sent something before they left, or have since, by number. */
  readonly #stays = new Map<number, Stays>();

  /** `twoMsl`: length of TIME_WAIT by the profile, ns. */
  constructor(twoMsl: number) {
    this.#kept = LONGEST - twoMsl;
  }

  /**
   * A connection leaves the table at `time`, because its TIME_WAIT ran out.
   * @param holders endpoints that held it, bits 1 and 2
   * @param start when it last started, ns
   */
  add(table: ConnectionTable, slot: number, holders: number, start: number, time: number): void {
    if (this.#kept <= 0) return;
    const entry = this.#tail++;
    if ((entry & (CHUNK - 1)) === 0) this.#nextChunk(time);
    const { words: into, since } = this.#chunks[this.#chunks.length - 1]!;
    const at = (entry & (CHUNK - 1)) * WORDS;
    const { words } = table;
    into[at + departure.LOW] = words[slot + LOW]!;
    into[at + departure.HIGH] = words[slot + HIGH]!;
    into[at + departure.PORTS] = words[slot + PORTS]!;
    into[at + HASH_AT] = words[slot + HASH]!;
    into[at + FIN_SEQS] = words[slot + FIN_SEQ]!;
    into[at + FIN_SEQS + 1] = words[slot + FIN_SEQ + 1]!;
    into[at + HOLDERS] = holders;
    since[entry & (CHUNK - 1)] = start;
    const stays = table.peekRare(slot)?.stays;
    if (stays?.[0] || stays?.[1]) this.#stays.set(entry, stays);
  }

  /** Connections that have left by `time`, `count` of them, and have sent nothing since their TIME_WAITs, which last started at `starts`. */
  addAll(entries: Int32Array, starts: Float64Array, count: number, time: number): void {
    if (this.#kept <= 0) return;
    for (let from = 0; from < count; ) {
      const place = this.#tail & (CHUNK - 1);
      if (place === 0) this.#nextChunk(time);
      const { words, since } = this.#chunks.at(-1)!;
      const to = Math.min(count, from + CHUNK - place);
      words.set(entries.subarray(from * WORDS, to * WORDS), place * WORDS);
      since.set(starts.subarray(from, to), place);
      this.#tail += to - from;
      from = to;
    }
  }

  /**
   * Whether a segment is of a connection that has left; what it proves is handed on.
   * @param asked when a SYN came that is not answered yet, ns; not a number: none has
   */
  takes({ pairs }: Batch, segment: Segment, asked: number, take: BoundTaker): boolean {
    const stays = this.#find(segment);
    if (!stays) return false;
    const { sender, flags, low, high, address } = segment;
    stays[sender ^ 1]?.hear(segment);
    const bound = Number.isNaN(asked) ? stays[sender]?.speak(segment) : stays[sender]?.challenge(segment, asked);
    if (bound) take(addressBytes(sender === 0 ? low : high, (flags & IPV6) === 0 ? undefined : pairs, address, sender), bound);
    return true;
  }

  /** What the endpoints of a segment's connection have shown, if it is one that has left and the segment is its. */
  #find(segment: Segment): Stays | undefined {
    if (this.#head === this.#tail || (segment.flags & SYN) !== 0) return undefined;
    this.#index();
    let entry = this.#buckets[segment.hash & (this.#buckets.length - 1)]! - 1;
    while (entry >= this.#head && !this.#isOf(entry, segment)) entry = this.#words(entry)[this.#at(entry) + BEFORE]! - 1;
    if (entry < this.#head) return undefined;
    const start = this.#chunks[(entry - this.#head) >>> 12]!.since[entry & (CHUNK - 1)]!;
    if (segment.time - start > LONGEST || !this.#endsThere(entry, segment)) return undefined;
    let stays = this.#stays.get(entry);
    if (!stays) {
      const holders = this.#words(entry)[this.#at(entry) + HOLDERS]!;
      const stay = (bit: number): Stay | undefined => ((holders & bit) === 0 ? undefined : new Stay(start, start));
      this.#stays.set(entry, (stays = [stay(1), stay(2)]));
    }
    return stays;
  }

  #words(entry: number): Int32Array {
    return this.#chunks[(entry - this.#head) >>> 12]!.words;
  }

  #at(entry: number): number {
    return (entry & (CHUNK - 1)) * WORDS;
  }

  #isOf(entry: number, { low, high, ports, hash }: Segment): boolean {
    const words = this.#words(entry);
    const at = this.#at(entry);
    return (
      words[at + HASH_AT] === hash &&
      words[at + departure.LOW] === low &&
      words[at + departure.HIGH] === high &&
      words[at + departure.PORTS] === ports
    );
  }

  /** Whether a segment ends where all that its sender sent had ended, and acknowledges nothing that its receiver had not sent. */
  #endsThere(entry: number, { sender, seq, ack, payload, flags }: Segment): boolean {
    const words = this.#words(entry);
    const at = this.#at(entry) + FIN_SEQS;
    if (distance(seq + payload + ((flags & FIN) === 0 ? 0 : 1), words[at + sender]!) !== 1) return false;
    const last = words[at + (sender ^ 1)]! + 1;
    return (flags & ACK) === 0 || (distance(ack, last) <= 0 && plausible(ack, last));
  }

  /** Makes room, and forgets the chunks of which even the latest entry is too old. */
  #nextChunk(time: number): void {
    const last = this.#chunks.at(-1);
    if (last) last.full = time;
    while (this.#chunks.length > 0 && time - this.#chunks[0]!.full > this.#kept) {
      this.#chunks.shift();
      for (const end = this.#head + CHUNK; this.#head < end; this.#head++) this.#stays.delete(this.#head);
    }
    this.#chunks.push({ words: new Int32Array(CHUNK * WORDS), since: new Float64Array(CHUNK), full: Infinity });
  }

  /** Puts those that have come since the last time into their buckets; into new ones where there are too few. */
  #index(): void {
    if (this.#tail - this.#head > this.#buckets.length) {
      this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2((this.#tail - this.#head) * 2)));
      this.#indexed = 0;
    }
    for (let entry = Math.max(this.#indexed, this.#head); entry < this.#tail; entry++) {
      const words = this.#words(entry);
      const bucket = words[this.#at(entry) + HASH_AT]! & (this.#buckets.length - 1);
      words[this.#at(entry) + BEFORE] = this.#buckets[bucket]!;
      this.#buckets[bucket] = entry + 1;
    }
    this.#indexed = this.#tail;
  }
}
