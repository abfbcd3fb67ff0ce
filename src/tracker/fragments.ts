import { ADDRESS_PAIR_BYTES, FOREIGN, FRAGMENT_HEAD, FRAGMENT_TAIL, PAIRED } from '../layout/segment.ts';
import { FRAGMENT_HEAD_FORGOTTEN, FRAGMENT_TAIL_FORGOTTEN, FRAGMENT_WITHOUT_TAIL } from '../layout/oddities.ts';
import type { Oddities } from './oddities.ts';
import type { Batch, Segment } from './segment.ts';

/** Datagrams waiting for their other end, at most; the oldest is given up beyond that. */
const LIMIT = 4096;
/** How long a datagram may wait for its other end (RFC 8200 §4.5: 60 s; Linux ipfrag_time: 30 s), ns. */
const PATIENCE = 30e9;
const NO_PAIR = new Uint8Array(0);
/** Copies of a fragment come within this time, ns. */
const COPIES = 1e6;

/** A segment that has its true length now, and the addresses that go with it. */
export interface Whole {
  readonly segment: Segment;
  readonly batch: Batch;
  readonly packet: number;
}

interface Head {
  readonly key: string;
  readonly time: number;
  /** The segment that it begins; undefined: it is another shard's. */
  readonly own: Whole | undefined;
  /** The rest of it may still come. */
  waits: boolean;
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
  /** The same in the order in which they came, and those, too, whose number another datagram has by now; some no longer wait. */
  #queue: Head[] = [];
  /** Where the first one is that may wait; and how many do. */
  #first = 0;
  #waiting = 0;
  readonly #tails = new Map<string, { length: number; time: number }>();
  /** Of those that are left, the ones that came first: it goes on where it was, because a new one would pass over all that were taken out. */
  readonly #oldest = this.#tails.keys();
  /** Datagrams that were made whole lately, and before: a copy of their last fragment is not that of another one. */
  #done = new Map<string, number>();
  #doneBefore = new Map<string, number>();
  #doneSince = -Infinity;

  /** Takes either end of a datagram; answers the segment once both are there, unless another shard does. */
  add(batch: Batch, segment: Segment, packet: number, oddities: Oddities): Whole | undefined {
    const pair = pairOf(batch, segment);
    const key = keyOf(segment, pair);
    if ((segment.flags & FRAGMENT_TAIL) !== 0) {
      const head = this.#heads.get(key);
      if (!head) {
        if (segment.time - (this.#done.get(key) ?? this.#doneBefore.get(key) ?? -Infinity) <= COPIES) return undefined;
        this.#tails.set(key, { length: segment.payload, time: segment.time });
        if (this.#tails.size > LIMIT) {
          this.#tails.delete(this.#oldest.next().value!);
          if (isOwn(segment)) oddities.add(FRAGMENT_TAIL_FORGOTTEN);
        }
        return undefined;
      }
      this.#heads.delete(key);
      this.#leave(head);
      this.#finish(key, segment.time);
      return head.own && whole(head.own, segment.payload, segment.time, packet);
    }
    const own = isOwn(segment) ? { segment: segment.clone(), batch: { ...batch, pairs: pair, count: 0 }, packet } : undefined;
    if (own && (segment.flags & PAIRED) !== 0) own.segment.address = 0;
    const kept: Head = { key, time: segment.time, own, waits: true };
    const tail = this.#tails.get(key);
    if (tail && segment.time - tail.time <= PATIENCE) {
      this.#tails.delete(key);
      return own && whole(own, tail.length, segment.time, packet);
    }
    this.#heads.set(key, kept);
    this.#queue.push(kept);
    this.#waiting++;
    return undefined;
  }

  #leave(head: Head): void {
    head.waits = false;
    this.#waiting--;
  }

  /** The first fragment that has waited longest. */
  #longest(): Head | undefined {
    while (this.#first < this.#queue.length && !this.#queue[this.#first]!.waits) this.#first++;
    if (this.#first > LIMIT) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return this.#queue[this.#first];
  }

  #finish(key: string, time: number): void {
    if (time - this.#doneSince > COPIES || this.#done.size === LIMIT) {
      this.#doneBefore = this.#done;
      this.#done = new Map();
      this.#doneSince = time;
    }
    this.#done.set(key, time);
  }

  /** When the next first fragment is given up, ns; Infinity where none waits. */
  get next(): number {
    return (this.#longest()?.time ?? Infinity) + PATIENCE;
  }

  /** Own first fragments whose datagram is not whole by `clock`, or that are too many: used with the length they have. */
  *givenUp(clock: number, oddities: Oddities): Generator<Whole> {
    for (let head = this.#longest(); head; head = this.#longest()) {
      const tooMany = this.#waiting > LIMIT;
      if (!tooMany && head.time + PATIENCE > clock) return;
      this.#leave(head);
      if (this.#heads.get(head.key) === head) this.#heads.delete(head.key);
      if (!head.own) continue;
      oddities.add(tooMany ? FRAGMENT_HEAD_FORGOTTEN : FRAGMENT_WITHOUT_TAIL);
      yield { ...head.own, segment: alone(head.own) };
    }
  }
}

const isOwn = ({ flags }: Segment): boolean => (flags & FOREIGN) === 0;

const alone = ({ segment }: Whole): Segment => {
  segment.flags &= ~FRAGMENT_HEAD;
  return segment;
};

/** The datagram's IP payload less the TCP header is the segment's payload; it came when its last piece came. */
function whole(head: Whole, length: number, time: number, packet: number): Whole {
  const segment = alone(head);
  const header = ((segment.tcp >>> 4) & 15) * 4;
  segment.payload = Math.max(segment.payload, length - header);
  segment.time = time;
  return { segment, batch: head.batch, packet };
}

function pairOf(batch: Batch, segment: Segment): Uint8Array {
  if ((segment.flags & PAIRED) === 0) return NO_PAIR;
  const at = segment.address * ADDRESS_PAIR_BYTES;
  return batch.pairs.slice(at, at + ADDRESS_PAIR_BYTES);
}

function keyOf(segment: Segment, pair: Uint8Array): string {
  // The last fragment has no ports, so between equal addresses its sender cannot be told.
  const sender = segment.low === segment.high ? '' : segment.sender;
  const tuple = `${sender}|${segment.link}|${segment.low}|${segment.high}`;
  return pair.length === 0 ? tuple : `${tuple}|${pair.join('.')}`;
}
