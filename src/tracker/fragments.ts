import { ADDRESS_PAIR_BYTES, FOREIGN, FRAGMENT_HEAD, FRAGMENT_TAIL, PAIRED } from '../layout/segment.ts';
import { FRAGMENT_HEAD_FORGOTTEN, FRAGMENT_TAIL_FORGOTTEN, FRAGMENT_WITHOUT_TAIL } from '../layout/oddities.ts';
import type { Oddities } from './oddities.ts';
import type { Batch, Segment } from './segment.ts';

/** Datagrams waiting for their other end, at most; the oldest is given up beyond that. */
const LIMIT = 4096;
/** How long a datagram may wait for its other end (RFC 8200 §4.5: 60 s; Linux ipfrag_time: 30 s), ns. */
const PATIENCE = 30e9;
/** Copies of a fragment come within this time, ns. */
const COPIES = 1e6;

interface Head {
  readonly key: string;
  readonly segment: Segment;
  readonly batch: Batch;
  readonly packet: number;
  readonly time: number;
}

/** A segment that has its true length now, and the addresses that go with it. */
export interface Whole {
  readonly segment: Segment;
  readonly batch: Batch;
  readonly packet: number;
}

/**
 * A fragmented datagram's first fragment carries the TCP header, its last one tells the length. The segment counts when
 * both were seen, in either order, because only then its receiver had it.
 *
 * A last fragment has no ports, and its number may come again with others: so each shard is shown the fragments of all, and they all find the same
 * datagrams, of which each answers its own.
 */
export class Fragments {
  readonly #heads = new Map<string, Head>();
  /** The same in the order in which they came, and those, too, whose number another datagram has by now. */
  readonly #waiting = new Set<Head>();
  readonly #tails = new Map<string, { length: number; time: number }>();
  /** Datagrams that were made whole lately: a copy of their last fragment is not that of another one. */
  readonly #done = new Map<string, number>();

  /** Takes either end of a datagram; answers the segment once both are there, unless another shard does. */
  add(batch: Batch, segment: Segment, packet: number, oddities: Oddities): Whole | undefined {
    const pair = pairOf(batch, segment);
    const key = keyOf(segment, pair);
    if ((segment.flags & FRAGMENT_TAIL) !== 0) {
      const head = this.#heads.get(key);
      if (!head) {
        if (segment.time - (this.#done.get(key) ?? -Infinity) <= COPIES) return undefined;
        this.#tails.set(key, { length: segment.payload, time: segment.time });
        if (this.#tails.size > LIMIT) {
          this.#tails.delete(this.#tails.keys().next().value!);
          if (isOwn(segment)) oddities.add(FRAGMENT_TAIL_FORGOTTEN);
        }
        return undefined;
      }
      this.#heads.delete(key);
      this.#waiting.delete(head);
      this.#finish(key, segment.time);
      return isOwn(head.segment) ? whole(head, segment.payload, segment.time, packet) : undefined;
    }
    const kept: Head = { key, segment: segment.clone(), batch: { ...batch, pairs: pair, count: 0 }, packet, time: segment.time };
    if ((segment.flags & PAIRED) !== 0) kept.segment.address = 0;
    const tail = this.#tails.get(key);
    if (tail && segment.time - tail.time <= PATIENCE) {
      this.#tails.delete(key);
      return isOwn(segment) ? whole(kept, tail.length, segment.time, packet) : undefined;
    }
    this.#heads.set(key, kept);
    this.#waiting.add(kept);
    return undefined;
  }

  #finish(key: string, time: number): void {
    this.#done.delete(key);
    this.#done.set(key, time);
    if (this.#done.size > LIMIT) this.#done.delete(this.#done.keys().next().value!);
  }

  /** When the next first fragment is given up, ns; Infinity where none waits. */
  get next(): number {
    for (const { time } of this.#waiting) return time + PATIENCE;
    return Infinity;
  }

  /** Own first fragments whose datagram is not whole by `clock`, or that are too many: used with the length they have. */
  *givenUp(clock: number, oddities: Oddities): Generator<Whole> {
    for (const head of this.#waiting) {
      const tooMany = this.#waiting.size > LIMIT;
      if (!tooMany && head.time + PATIENCE > clock) return;
      this.#waiting.delete(head);
      if (this.#heads.get(head.key) === head) this.#heads.delete(head.key);
      if (!isOwn(head.segment)) continue;
      oddities.add(tooMany ? FRAGMENT_HEAD_FORGOTTEN : FRAGMENT_WITHOUT_TAIL);
      yield { segment: alone(head), batch: head.batch, packet: head.packet };
    }
  }
}

const isOwn = ({ flags }: Segment): boolean => (flags & FOREIGN) === 0;

const alone = ({ segment }: Head): Segment => {
  segment.flags &= ~FRAGMENT_HEAD;
  return segment;
};

/** The datagram's IP payload less the TCP header is the segment's payload; it came when its last piece came. */
function whole(head: Head, length: number, time: number, packet: number): Whole {
  const segment = alone(head);
  const header = ((segment.tcp >>> 4) & 15) * 4;
  segment.payload = Math.max(segment.payload, length - header);
  segment.time = time;
  return { segment, batch: head.batch, packet };
}

function pairOf(batch: Batch, segment: Segment): Uint8Array {
  if ((segment.flags & PAIRED) === 0) return batch.pairs.slice(0, 0);
  const at = segment.address * ADDRESS_PAIR_BYTES;
  return batch.pairs.slice(at, at + ADDRESS_PAIR_BYTES);
}

function keyOf(segment: Segment, pair: Uint8Array): string {
  // The last fragment has no ports, so between equal addresses its sender cannot be told.
  const sender = segment.low === segment.high ? '' : segment.sender;
  return `${sender}|${segment.link}|${pair.join('.')}|${segment.low}|${segment.high}`;
}
