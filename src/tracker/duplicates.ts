import { NO_IDENTIFICATION } from '../layout/segment.ts';
import { FIN, SYN } from '../layout/tcp.ts';

/** Copies of one packet come within this time of the first (SPEC §1), ns. */
const SPAN = 1e6;
const WAYS = 4;
/** Bound on the memory of a capture whose clock stands still: beyond it, the oldest packet of a set is forgotten. */
const MOST_SETS = 1 << 17;
/** Words of an entry's key: digest, hash, link, lag. */
const KEY_WORDS = 4;
/** SPAN in units of a record's lag (16 µs), and the lag that means "this or more". */
const LAG_SPAN = 63;
const LAG_MOST = 0xffff;

/**
 * Tells copies of a packet (`-i any`, SPAN) from retransmissions: the same bytes from IP on within a millisecond of the
 * first copy. It remembers every packet of the last millisecond, exactly, so its answers do not depend on what else passes
 * by: sets of four entries, in which those older than a millisecond make room; a set full of young ones doubles the table.
 */
export class Duplicates {
  #mask = 255;
  #keys = new Int32Array(256 * WAYS * KEY_WORDS);
  #clocks = new Float64Array(256 * WAYS).fill(-Infinity);

  /** Whether this segment is a copy of an earlier one; if not, it is remembered. `clock`: the segment's capture clock, ns. */
  isCopy(digest: number, hash: number, link: number, flags: number, payload: number, tcp: number, clock: number): boolean {
    const lag = tcp >>> 16;
    // Bursts of pure ACKs and RSTs may be equal to the byte where nothing numbers the packets; and so may retransmissions
    // whose own time is unknown because the capture's clock stands still.
    const needsOtherLink = ((flags & NO_IDENTIFICATION) !== 0 && payload === 0 && (flags & (SYN | FIN)) === 0) || lag === LAG_MOST;
    for (;;) {
      const base = ((digest ^ (digest >>> 15)) & this.#mask) * WAYS;
      let free = -1;
      let oldest = base;
      for (let at = base; at < base + WAYS; at++) {
        if (clock - this.#clocks[at]! > SPAN) {
          if (free < 0) free = at;
          continue;
        }
        if (this.#clocks[at]! < this.#clocks[oldest]!) oldest = at;
        const key = at * KEY_WORDS;
        if (this.#keys[key] !== digest || this.#keys[key + 1] !== hash) continue;
        const other = (needsOtherLink && this.#keys[key + 2] === link) || Math.abs(this.#keys[key + 3]! - lag) > LAG_SPAN;
        if (!other) return true;
        free = at; // another packet of the same bytes: the next copies are its own
        break;
      }
      if (free < 0 && this.#mask >= MOST_SETS - 1) free = oldest;
      if (free >= 0) {
        const key = free * KEY_WORDS;
        this.#keys[key] = digest;
        this.#keys[key + 1] = hash;
        this.#keys[key + 2] = link;
        this.#keys[key + 3] = lag;
        this.#clocks[free] = clock;
        return false;
      }
      this.#grow();
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const clocks = this.#clocks;
    this.#mask = this.#mask * 2 + 1;
    this.#keys = new Int32Array(keys.length * 2);
    this.#clocks = new Float64Array(clocks.length * 2).fill(-Infinity);
    for (let old = 0; old < clocks.length; old++) {
      const digest = keys[old * KEY_WORDS]!;
      let at = ((digest ^ (digest >>> 15)) & this.#mask) * WAYS;
      while (this.#clocks[at] !== -Infinity) at++; // a set of half as many digests has room for all of its four
      this.#keys.set(keys.subarray(old * KEY_WORDS, old * KEY_WORDS + KEY_WORDS), at * KEY_WORDS);
      this.#clocks[at] = clocks[old]!;
    }
  }
}
