import { HAS_TIMESTAMP } from '../layout/segment.ts';
import { NO_TIMESTAMPS, SEEN, TSVAL, TSVAL_KNOWN } from '../layout/slot.ts';
import { RST, SYN } from '../layout/tcp.ts';
import type { Segment } from './segment.ts';
import { distance } from './serial.ts';

/** Words of a TCP header with a timestamp: twenty bytes, and ten of option. */
const WITH_TIMESTAMP = 8;

/** Remembers a sender's latest TSval. From the first FIN on only: all other segments would pay for what few connections need. */
export function noteTimestamp(words: Int32Array, slot: number, { sender, flags, tsval, tcp }: Segment): void {
  const seen = words[slot + SEEN + sender]!;
  if ((flags & HAS_TIMESTAMP) !== 0) {
    if ((seen & TSVAL_KNOWN) !== 0 && distance(tsval, words[slot + TSVAL + sender]!) <= 0) return;
    words[slot + TSVAL + sender] = tsval;
    words[slot + SEEN + sender] = seen | TSVAL_KNOWN;
  } else if ((flags & (SYN | RST)) === 0 && ((tcp >> 4) & 15) < WITH_TIMESTAMP) words[slot + SEEN + sender] = seen | NO_TIMESTAMPS;
}
