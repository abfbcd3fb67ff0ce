// Which connection a segment belongs to, as far as nothing has to be decided: its 4-tuple's one, or a new one where there is none.
// A SYN that may begin the next incarnation of a known 4-tuple is for the host (src/tracker/incarnation.ts).

import { ACK_WORD, FLAGS_WORD, FROM_HIGH, SEQ_WORD, TIME_WORD } from '../src/layout/segment.ts';
import {
  CLIENT_IS_HIGH,
  CLOSED,
  ESTABLISHED,
  FACTS,
  FIN_ACKED,
  FIN_SUPPOSED,
  FINS,
  HELD,
  ISS,
  ISS_KNOWN,
  MIDSTREAM,
  NXT_KNOWN,
  PORTS,
  RESET,
  SEEN,
  SEGMENTS,
  START,
} from '../src/layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../src/layout/tcp.ts';
import { DECIDE, ENDS, FOLLOWS, FOUND, OPENED, STRAYS, TAKEN, WAS } from '../src/layout/tracking.ts';
import { isOverdue } from './expiry.ts';
import { setSeen } from './facts.ts';
import { observe } from './observe.ts';
import { enter, slotAt } from './table.ts';
import { count, tell, told } from './tracking.ts';
import { beginHistory } from './zeek.ts';

/**
 * Lets a connection have a segment.
 * @param found slot of its 4-tuple's connection, or -1
 * @returns what the host has to do: TAKEN nothing, DECIDE all, ENDS and FOLLOWS what follows from it. FOUND tells the slot.
 */
export function place(found: i32, record: usize, pairs: usize): i32 {
  tell(FOUND, found);
  let slot = found;
  if (slot < 0) {
    if (told(STRAYS) != 0 && (load<i32>(record, FLAGS_WORD << 2) & SYN) == 0) return DECIDE;
    slot = open(record, pairs);
  } else if (isDoubtful(slot, record)) return DECIDE;
  return slot < 0 ? DECIDE : show(slot, record);
}

/** Opens a connection, of which the record is the first segment; it is not shown to it yet. Answers its slot, or -1 where there is no room. */
export function open(record: usize, pairs: usize): i32 {
  const slot = enter(record, pairs);
  if (slot < 0) return slot;
  begin(slot, record);
  count(OPENED);
  return slot;
}

/** Shows a segment to its connection; answers what follows. */
export function show(slot: i32, record: usize): i32 {
  const words = slotAt(slot);
  const before = load<i32>(words, FACTS << 2) & (CLOSED | RESET);
  observe(slot, record);
  tell(FOUND, slot);
  tell(WAS, before);
  if (before != (load<i32>(words, FACTS << 2) & (CLOSED | RESET))) return ENDS;
  return matters(words, record, before) ? FOLLOWS : TAKEN;
}

/** Whether something may follow for TIME_WAIT from a segment that closed nothing: it came after the close, or repeats the FIN before it. */
function matters(words: usize, record: usize, before: i32): bool {
  if ((before & CLOSED) != 0) return true;
  const flags = load<i32>(record, FLAGS_WORD << 2);
  if ((flags & (ACK | SYN | RST)) != ACK) return false;
  const sender: usize = (flags & FROM_HIGH) != 0 ? 1 : 0;
  if ((load<i32>(words + ((sender ^ 1) << 2), SEEN << 2) & FIN_ACKED) == 0) return false;
  return before != 0 || ((flags & FIN) != 0 && load<i32>(words + (sender << 2), FINS << 2) > 1);
}

/** A connection's first facts: who is the client, and whether the capture missed the beginning. */
export function begin(slot: i32, record: usize): void {
  const words = slotAt(slot);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  const sender: i32 = (flags & FROM_HIGH) != 0 ? 1 : 0;
  store<f64>(words, load<f64>(record, TIME_WORD << 2), START << 3);
  let facts = load<i32>(words, FACTS << 2);
  let client = sender;
  if ((flags & (SYN | ACK)) == (SYN | ACK)) client = sender ^ 1;
  else if (refuses(record, flags)) {
    client = sender ^ 1;
    // That SYN may be captured behind its refusal.
    const own = words + ((<usize>client) << 2);
    store<i32>(own, load<i32>(record, ACK_WORD << 2) - 1, ISS << 2);
    setSeen(own, ISS_KNOWN);
  } else if ((flags & SYN) == 0) {
    facts |= MIDSTREAM;
    const low = <i32>load<u16>(words, (PORTS << 2) + 2);
    const high = <i32>load<u16>(words, PORTS << 2);
    if (low != high) client = low < high ? 1 : 0; // the lower port serves, and a well-known port is always the lower one
  }
  if (client == 1) facts |= CLIENT_IS_HIGH;
  store<i32>(words, facts, FACTS << 2);
  beginHistory(slot, sender, flags);
}

/** Whether a segment is the answer to a segment without acknowledgement, and so to a SYN, where nobody listens (RFC 9293 §3.10.7.1). */
function refuses(record: usize, flags: i32): bool {
  return (flags & (SYN | RST | ACK)) == (RST | ACK) && load<i32>(record, SEQ_WORD << 2) == 0;
}

/** Whether a segment may be of a connection that has left, to which the SYN came that the capture has no answer to: an ACK in the place of one, or an RST. */
function isStrange(words: usize, flags: i32, facts: i32): bool {
  if ((facts & (ESTABLISHED | MIDSTREAM | CLOSED | RESET)) != 0) return false;
  const receiver: usize = (facts & CLIENT_IS_HIGH) != 0 ? 0 : 1;
  const answers = receiver == <usize>((flags & FROM_HIGH) != 0 ? 1 : 0);
  return (answers || (flags & RST) != 0) && load<i32>(words + (receiver << 2), SEGMENTS << 2) == 0;
}

/** Whether it is to be decided if a segment belongs to its 4-tuple's connection, which may be one that should have left by now. */
function isDoubtful(slot: i32, record: usize): bool {
  const words = slotAt(slot);
  const flags = load<i32>(record, FLAGS_WORD << 2);
  const facts = load<i32>(words, FACTS << 2);
  if ((facts & HELD) != 0) return true;
  if ((facts & (CLOSED | RESET)) != 0 && isOverdue(words, load<f64>(record, TIME_WORD << 2))) return true;
  if ((flags & SYN) == 0 || (flags & RST) != 0) return told(STRAYS) != 0 && (flags & SYN) == 0 && isStrange(words, flags, facts);
  const sender: usize = (flags & FROM_HIGH) != 0 ? 1 : 0;
  const own = words + (sender << 2);
  const seen = load<i32>(own, SEEN << 2);
  if ((seen & ISS_KNOWN) != 0 && load<i32>(record, SEQ_WORD << 2) == load<i32>(own, ISS << 2)) return false;
  if ((flags & ACK) == 0) return true;
  // A SYN-ACK. That of most connections is the first segment of its sender.
  const supposed = ((seen | load<i32>(words + ((sender ^ 1) << 2), SEEN << 2)) & FIN_SUPPOSED) != 0;
  return (facts & (CLOSED | RESET)) != 0 || (seen & NXT_KNOWN) != 0 || supposed;
}
