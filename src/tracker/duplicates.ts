import { NO_IDENTIFICATION } from '../layout/segment.ts';
import { FIN, SYN } from '../layout/tcp.ts';

/** Copies of one packet come within this time of the first (SPEC §1), ns. */
const SPAN = 1e6;
const WAYS = 4;
/** Bound on the memory of a capture whose clock stands still: beyond it, the oldest packet of a set is forgotten. */
const MOST_SETS = 1 << 17;
/** Words of an entry's key: hash, link, lag. */
const KEY_WORDS = 3;
/** SPAN in units of a record's lag (16 µs), and the lag that means "this or more". */
const LAG_SPAN = 63;
const LAG_MOST = 0xffff;

/**
 * Tells copies of a packet (`-i any`, SPAN) from retransmissions: the same bytes from IP on within a millisecond of the
 * first copy. It remembers every packet of the last millisecond, exactly, so its answers do not depend on what else passes
 * by: sets of four entries, filled in turn, so that the next to be filled is the oldest; where that one is younger than a
 * millisecond, the table doubles.
 */
export class Duplicates {
  /** Packets younger than a millisecond that had to make room at MOST_SETS. */
  forgotten = 0;
  #mask = 255;
  #digests = new Int32Array(256 * WAYS);
  /** hash, link, lag of each entry. */
  #keys = new Int32Array(256 * WAYS * KEY_WORDS);
  #clocks = new Float64Array(256 * WAYS).fill(-Infinity);
  /** The way of each set that is filled next. */
  #turns = new Uint8Array(256);

  /** Whether this segment is a copy of an earlier one; if not, it is remembered. `clock`: the segment's capture clock, ns. */
  isCopy(digest: number, hash: number, link: number, flags: number, payload: number, tcp: number, clock: number): boolean {
    const set = (digest ^ (digest >>> 15)) & this.#mask;
    const base = set * WAYS;
    const digests = this.#digests;
    for (let at = base; at < base + WAYS; at++) {
      if (digests[at] !== digest || this.#keys[at * KEY_WORDS] !== hash || clock - this.#clocks[at]! > SPAN) continue;
      if (this.#isCopyOf(at, link, flags, payload, tcp)) return true;
      this.#fill(at, digest, hash, link, tcp, clock); // another packet of the same bytes: the next copies are its own
      return false;
    }
    const turn = this.#turns[set]!;
    const young = clock - this.#clocks[base + turn]! <= SPAN;
    if (young && this.#mask < MOST_SETS - 1) {
      this.#grow();
      return this.isCopy(digest, hash, link, flags, payload, tcp, clock);
    }
    if (young) this.forgotten++;
    this.#turns[set] = (turn + 1) & (WAYS - 1);
    this.#fill(base + turn, digest, hash, link, tcp, clock);
    return false;
  }

  #isCopyOf(at: number, link: number, flags: number, payload: number, tcp: number): boolean {
    const lag = tcp >>> 16;
    // Bursts of pure ACKs and RSTs may be equal to the byte where nothing numbers the packets; and so may retransmissions
    // whose own time is unknown because the capture's clock stands still.
    const needsOtherLink = ((flags & NO_IDENTIFICATION) !== 0 && payload === 0 && (flags & (SYN | FIN)) === 0) || lag === LAG_MOST;
    if (needsOtherLink && this.#keys[at * KEY_WORDS + 1] === link) return false;
    return Math.abs(this.#keys[at * KEY_WORDS + 2]! - lag) <= LAG_SPAN;
  }

  #fill(at: number, digest: number, hash: number, link: number, tcp: number, clock: number): void {
    const key = at * KEY_WORDS;
    this.#digests[at] = digest;
    this.#keys[key] = hash;
    this.#keys[key + 1] = link;
    this.#keys[key + 2] = tcp >>> 16;
    this.#clocks[at] = clock;
  }

  #grow(): void {
    const [digests, keys, clocks] = [this.#digests, this.#keys, this.#clocks];
    this.#mask = this.#mask * 2 + 1;
    this.#digests = new Int32Array(digests.length * 2);
    this.#keys = new Int32Array(keys.length * 2);
    this.#clocks = new Float64Array(clocks.length * 2).fill(-Infinity);
    this.#turns = new Uint8Array(this.#mask + 1);
    const order = Array.from(clocks.keys()).sort((a, b) => clocks[a]! - clocks[b]!);
    for (const old of order) {
      if (clocks[old] === -Infinity) continue;
      const digest = digests[old]!;
      const set = (digest ^ (digest >>> 15)) & this.#mask;
      const turn = this.#turns[set]!; // a set of half as many digests has room for all of its four
      this.#turns[set] = (turn + 1) & (WAYS - 1);
      const [hash, link, lag] = keys.subarray(old * KEY_WORDS, old * KEY_WORDS + KEY_WORDS);
      this.#fill(set * WAYS + turn, digest, hash!, link!, lag! << 16, clocks[old]!);
    }
  }
}
