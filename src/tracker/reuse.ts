import { REUSE_FORGOTTEN } from '../layout/oddities.ts';
import { HAS_TIMESTAMP } from '../layout/segment.ts';
import {
  ACKED,
  ACKED_KNOWN,
  ESTABLISHED,
  FACTS,
  LAST,
  NO_TIMESTAMPS,
  NXT,
  NXT_KNOWN,
  RESET,
  RESET_BY_HIGH,
  RSTS,
  SEEN,
  SEGMENTS,
  SYN_ACK_SENT,
  SYNS,
  TSVAL,
  TSVAL_KNOWN,
} from '../layout/slot.ts';
import { ACK } from '../layout/tcp.ts';
import { judge, type Verdict } from './close.ts';
import type { Oddities } from './oddities.ts';
import { REJECTED, type Rejected, type Reuse, type ReuseVerdict } from './rare.ts';
import type { Segment } from './segment.ts';
import { distance } from './serial.ts';
import type { ConnectionTable } from './table.ts';
import { type Profile, timeWaits } from './time-wait.ts';

// New connections of a 4-tuple that is still in TIME_WAIT (SPEC §4). A reuse stands with the connection that the SYN belongs to: the
// one that it began, or, where it was challenged or another SYN took its place, the old one, in which it is counted.

const NONE: readonly Rejected[] = [];

/** What a SYN of another incarnation meets in the slot: a TIME_WAIT that is not over, or nothing worth a word. `verdict` is overwritten. */
export function meet(table: ConnectionTable, slot: number, segment: Segment, profile: Profile, verdict: Verdict): Reuse | undefined {
  const { words, times } = table;
  const { time } = segment;
  // Of a SYN that was not captured the SYN-ACK tells the number; its timestamp is the other endpoint's.
  const answers = (segment.flags & ACK) !== 0;
  const sender = answers ? segment.sender ^ 1 : segment.sender;
  const isn = answers ? (segment.ack - 1) | 0 : segment.seq;
  judge(table, slot, verdict);
  const waits = timeWaits(table, slot, verdict, profile, time, true).filter(({ endedBy }) => endedBy === 'reuse');
  const wait = waits.find(({ holder }) => holder !== sender) ?? waits[0];
  if (!wait) return undefined;
  const seen = words[slot + SEEN + sender]!;
  const stamped = !answers && (segment.flags & HAS_TIMESTAMP) !== 0 && (seen & TSVAL_KNOWN) !== 0;
  // Of who is in no capture, the peer's acknowledgement tells how far it went.
  const silent = words[slot + SEGMENTS + sender] === 0 && (words[slot + SEEN + (sender ^ 1)]! & ACKED_KNOWN) !== 0;
  const highest = silent ? words[slot + ACKED + (sender ^ 1)]! : words[slot + NXT + sender]!;
  const isnDelta = silent || (seen & NXT_KNOWN) !== 0 ? distance(isn, highest) : Number.NaN;
  const tsvalDelta = stamped ? distance(segment.tsval, words[slot + TSVAL + sender]!) : Number.NaN;
  return {
    sender,
    isn,
    holder: wait.holder,
    age: time - wait.since,
    gap: time - times[(slot >> 1) + LAST]!,
    isnDelta,
    tsvalDelta,
    // Neither the number nor the timestamp is newer: a timestamp that the capture lacks, because of a short snapshot, might have been.
    barred: isnDelta <= 0 && (tsvalDelta <= 0 || (seen & NO_TIMESTAMPS) !== 0),
  };
}

/** A SYN was not let in. The same one again is no other reuse. */
export function reject(table: ConnectionTable, oddities: Oddities, slot: number, reuse: Reuse, verdict: ReuseVerdict): void {
  const { rejected } = table.rare(slot);
  if (rejected.some((known) => known.reuse.isn === reuse.isn && known.reuse.sender === reuse.sender)) return;
  if (rejected.length < REJECTED) rejected.push({ reuse, verdict });
  else oddities.add(REUSE_FORGOTTEN);
}

/** The reuses that stand with a connection: that of its own first SYN, and those of SYNs that its TIME_WAIT did not let in. */
export function reuses(table: ConnectionTable, slot: number): readonly Rejected[] {
  const rare = table.peekRare(slot);
  if (!rare) return NONE;
  if (!rare.reuse) return rare.rejected;
  // Where the SYN had to come again when that TIME_WAIT was over, it was not let in by it.
  const { sender, outlived } = rare.reuse;
  const verdict = outlived && table.words[slot + SYNS + sender]! > 1 ? 'ignored' : answer(table, slot, sender);
  return [{ reuse: rare.reuse, verdict }, ...rare.rejected];
}

/** How the SYN that began a connection was answered. */
function answer({ words }: ConnectionTable, slot: number, sender: number): ReuseVerdict {
  const facts = words[slot + FACTS]!;
  const receiver = sender ^ 1;
  if ((facts & ESTABLISHED) !== 0 || (words[slot + SEEN + receiver]! & SYN_ACK_SENT) !== 0) return 'accepted';
  if ((facts & RESET) !== 0 && ((facts & RESET_BY_HIGH) !== 0 ? 1 : 0) === receiver) return 'refused';
  const plain = words[slot + SEGMENTS + receiver]! - words[slot + SYNS + receiver]! - words[slot + RSTS + receiver]!;
  return plain > 0 ? 'challenged' : 'ignored';
}
