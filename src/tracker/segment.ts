import {
  ACK_WORD,
  ADDRESS_WORD,
  DIGEST_WORD,
  FLAGS_WORD,
  FROM_HIGH,
  HASH_WORD,
  HIGH_WORD,
  LINK_WORD,
  LOW_WORD,
  PAYLOAD_WORD,
  PORTS_WORD,
  SEGMENT_WORDS,
  SEQ_WORD,
  TCP_WORD,
  TSVAL_WORD,
} from '../layout/segment.ts';

/** Segment records as the decoder wrote them, SEGMENT_WORDS words each in `words` and, over the same bytes, `times`. */
export interface Batch {
  readonly words: Int32Array;
  readonly times: Float64Array;
  /** IPv6 addresses, ADDRESS_PAIR_BYTES an entry. */
  readonly pairs: Uint8Array;
  /** Records to take, in capture order. */
  readonly count: number;
}

/**
 * One segment, taken out of its record: what the code that decides reads. WebAssembly reads the record itself.
 * Kept as a value so that a segment can outlive its batch (a held SYN, the head of a fragmented datagram).
 */
export class Segment {
  /** Capture clock, ns. */
  time = 0;
  seq = 0;
  ack = 0;
  payload = 0;
  /** Header flags and the decoder's own, layout/segment.ts. */
  flags = 0;
  /** As on the wire. */
  window = 0;
  tsval = 0;
  /** The TCP_WORD: window scale, data offset, options, lag. */
  tcp = 0;
  /** Endpoint that sent it: 0 the low one, 1 the high one. */
  sender = 0;
  low = 0;
  high = 0;
  ports = 0;
  hash = 0;
  digest = 0;
  link = 0;
  address = 0;

  /** Takes record number `index` of a batch. */
  load({ words, times }: Batch, index: number): this {
    return this.read(words, times, index * SEGMENT_WORDS);
  }

  /** Takes the record that begins at words[at]; `times` are the same bytes. */
  read(words: Int32Array, times: Float64Array, at: number): this {
    this.time = times[at >> 1]!;
    this.seq = words[at + SEQ_WORD]!;
    this.ack = words[at + ACK_WORD]!;
    this.low = words[at + LOW_WORD]!;
    this.high = words[at + HIGH_WORD]!;
    this.ports = words[at + PORTS_WORD]!;
    this.hash = words[at + HASH_WORD]!;
    this.payload = words[at + PAYLOAD_WORD]!;
    const flags = words[at + FLAGS_WORD]!;
    this.flags = flags & 0xffff;
    this.window = flags >>> 16;
    this.sender = (flags & FROM_HIGH) === 0 ? 0 : 1;
    this.tsval = words[at + TSVAL_WORD]!;
    this.digest = words[at + DIGEST_WORD]!;
    this.link = words[at + LINK_WORD]!;
    this.address = words[at + ADDRESS_WORD]!;
    this.tcp = words[at + TCP_WORD]!;
    return this;
  }

  /** A copy that keeps its values. */
  clone(): Segment {
    return Object.assign(new Segment(), this);
  }
}
