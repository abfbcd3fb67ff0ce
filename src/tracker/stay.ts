import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import type { Segment } from './segment.ts';

/** What packets prove of a TIME_WAIT's length: it lasted at least so long, or was over by then. `age` in ns. */
export interface Bound {
  readonly kind: 'lower' | 'upper';
  readonly age: number;
}

/**
 * What one endpoint's stay in TIME_WAIT shows of its length, whatever the profile. Both bounds are on the safe side:
 *
 *   at least   from the peer's latest segment, which may have started it again, to a repeated FIN, or payload, that the holder then
 *              acknowledges: it was there when that came
 *   at most    from the latest start that is certain in every stack (its own ACK, a repeated FIN that it acknowledged) to an RST of its own;
 *              none after an RST of the peer, which may have ended it
 */
export class Stay {
  /** The peer's latest segment, or the start, or an acknowledgement of what was not captured, ns. */
  stirred: number;
  /** The latest certain start, ns; not a number: it may be over for another reason. */
  sure: number;
  /** When the peer first sent what has to be answered and is not yet, what `stirred` was before, and whether it is a FIN. */
  #asked = Number.NaN;
  #since = 0;
  #byFin = false;
  /** The peer has sent something since the start. */
  #heard = false;

  constructor(stirred: number, sure: number) {
    this.stirred = stirred;
    this.sure = sure;
  }

  /** The peer sends. */
  hear({ flags, payload, time }: Segment): void {
    this.#heard = true;
    if ((flags & RST) !== 0) this.sure = Number.NaN;
    if ((flags & (ACK | RST)) !== ACK) return;
    if (((flags & FIN) !== 0 || payload > 0) && Number.isNaN(this.#asked)) {
      this.#asked = time;
      this.#since = this.stirred;
      this.#byFin = (flags & FIN) !== 0;
    }
    this.stirred = time;
  }

  /**
   * The holder sends; answers what that proves. An RST that answers nothing later than the very ACK with which TIME_WAIT would begin tells that it
   * never did: Linux has sockets that go from CLOSING to CLOSED at once.
   */
  speak({ flags, time }: Segment): Bound | undefined {
    if ((flags & RST) !== 0) {
      const bound = this.left(time);
      return this.#heard ? bound : undefined;
    }
    if ((flags & (SYN | ACK)) !== ACK) return undefined;
    if (Number.isNaN(this.#asked)) {
      this.stirred = time; // by what the capture lacks
      return undefined;
    }
    const bound: Bound = { kind: 'lower', age: this.#asked - this.#since };
    if (this.#byFin) this.sure = this.#asked;
    this.#asked = Number.NaN;
    return bound;
  }

  /** The holder answers a SYN of another incarnation, which came at `asked`, with what belongs to its own. */
  challenge(segment: Segment, asked: number): Bound | undefined {
    this.#heard = true;
    return (segment.flags & (SYN | ACK | RST)) === ACK ? this.stays(asked) : this.speak(segment);
  }

  /** The holder is there at `time`, when it gets something that it then answers. */
  stays(time: number): Bound {
    return { kind: 'lower', age: Math.max(0, time - this.stirred) };
  }

  /** The holder has left by `time`. */
  left(time: number): Bound | undefined {
    const age = time - this.sure;
    this.sure = Number.NaN;
    return Number.isNaN(age) ? undefined : { kind: 'upper', age };
  }
}
