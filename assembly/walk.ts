// Takes segments into the facts of their connections, one batch after the other, and stops where the host has to decide or to
// conclude something (src/tracker/tracker.ts). Most segments are ordinary: an acknowledgement or the next payload of a connection
// that is not about to close. They change counters and numbers and take the short path here, which touches one cache line of a slot.

import {
  ACK_WORD,
  ADDRESS_PAIR_BYTES,
  DIGEST_WORD,
  FLAGS_WORD,
  FOREIGN,
  FRAGMENT_HEAD,
  FRAGMENT_TAIL,
  FROM_HIGH,
  HASH_WORD,
  LINK_WORD,
  PAIRED,
  PAYLOAD_WORD,
  SEGMENT_BYTES,
  SEQ_WORD,
  TCP_WORD,
  TIME_WORD,
} from '../src/layout/segment.ts';
import {
  ACKED,
  ESTABLISHED,
  FACTS,
  HISTORY_ACK,
  HISTORY_DATA,
  LAST,
  LETTER,
  LETTERS,
  MIDSTREAM,
  NXT,
  PLAIN,
  SEEN,
  SEGMENTS as SEGMENTS_SENT,
  WINDOWS,
} from '../src/layout/slot.ts';
import { ACK, FIN, RST, SYN } from '../src/layout/tcp.ts';
import {
  COPIES,
  DECIDE,
  DUE,
  ENDS,
  FOUND,
  OPENED,
  OPENS,
  REASON,
  SEGMENTS,
  TAKEN,
  TELL_ENDED,
  TELL_OPENED,
  WAS,
} from '../src/layout/tracking.ts';
import { chainHead, forgetCopies, isCopy } from './copies.ts';
import { expireAfter, forgetExpiries } from './expiry.ts';
import { setSeen } from './facts.ts';
import { place } from './place.ts';
import { entryOf, find, forgetConnections, hint, hintOf, hintedSlot, isOf, likelySlot, LINE_BYTES, pairOf, slotAt } from './table.ts';
import { count, told, tell } from './tracking.ts';

/** Segments whose table entries are touched ahead of them. */
const BLOCK = 128;
const ORDINARY = FIN | SYN | RST | ACK | FRAGMENT_HEAD | FRAGMENT_TAIL;

/** Slots that the segments of a block are likely of. */
const ENTRIES: usize = memory.data(BLOCK * 4, 16);
/** Which segments of a block something is to be read for. */
const SOME: usize = memory.data((BLOCK + 1) * 4, 16);
/** Sum of the words touched ahead: means nothing. The reads stay, because each may trap. */
let touched: i32 = 0;

/** Prepares for another capture. */
export function forget(): void {
  forgetConnections();
  forgetCopies();
  forgetExpiries();
}

/**
 * Takes segments `from` to `to` of the records, as far as the host has nothing to do.
 * @param pairs address pairs that the records refer to
 * @param due when the first timer runs out, ns; but for those of ended connections, which may leave later, as long as nobody asks for them
 * @returns the segment at which it stopped; REASON says why, FOUND which connection it is of
 */
export function walk(records: usize, pairs: usize, from: i32, to: i32, due: f64): i32 {
  for (let at = from; at < to; at++) {
    const record = records + <usize>(at * SEGMENT_BYTES);
    if (at % BLOCK == 0) touch(record, min(BLOCK, to - at));
    const time = load<f64>(record, TIME_WORD << 2);
    if (due <= time) {
      tell(REASON, DUE);
      return at;
    }
    const flags = load<i32>(record, FLAGS_WORD << 2);
    const payload = load<i32>(record, PAYLOAD_WORD << 2);
    if ((flags & FRAGMENT_TAIL) == 0) {
      const copy = isCopy(
        load<u32>(record, DIGEST_WORD << 2),
        load<u32>(record, HASH_WORD << 2),
        load<u32>(record, LINK_WORD << 2),
        flags,
        payload,
        <i32>load<u16>(record, (TCP_WORD << 2) + 2),
        load<u32>(record, SEQ_WORD << 2),
        load<u32>(record, ACK_WORD << 2),
        time,
      );
      if ((flags & FOREIGN) == 0) count(copy ? COPIES : SEGMENTS);
      if (copy) continue;
    }
    const likely = entryAt(at % BLOCK);
    const slot = isOf(likely, record, pairs) ? likely : look(record, pairs);
    if (slot >= 0 && (flags & ORDINARY) == ACK) {
      const sender: usize = (flags & FROM_HIGH) == 0 ? 0 : 1;
      const words = slotAt(slot);
      const own = words + (sender << 2);
      if (isPlain(words, own, words + ((1 - sender) << 2), record, flags, payload)) {
        take(words, own, sender, record, flags, payload, time);
        const letter = payload > 0 ? HISTORY_DATA : HISTORY_ACK;
        if ((load<i32>(own, SEEN << 2) & letter) == 0) {
          setSeen(own, letter);
          addLetter(words, <u32>sender, payload > 0);
        }
        continue;
      }
    }
    let reason = (flags & (FRAGMENT_HEAD | FRAGMENT_TAIL)) == 0 ? place(slot, record, pairs) : DECIDE;
    if (reason == ENDS && told(WAS) == 0 && told(TELL_ENDED) == 0) {
      expireAfter(told(FOUND), time);
      reason = TAKEN;
    }
    if (reason == TAKEN && told(TELL_OPENED) != 0 && told(OPENED) != 0) reason = OPENS;
    if (reason == TAKEN) continue;
    tell(REASON, reason);
    return at;
  }
  tell(REASON, TAKEN);
  return to;
}

/** The slot of a segment that is not where it was likely to be, or -1. */
function look(record: usize, pairs: usize): i32 {
  const slot = find(record, pairs);
  if (slot >= 0) hint(load<u32>(record, HASH_WORD << 2), slot);
  return slot;
}

/** Whether the segment goes on where its sender was, and acknowledges what its receiver has sent. */
function isPlain(words: usize, own: usize, peer: usize, record: usize, flags: i32, payload: i32): bool {
  const ack = load<i32>(record, ACK_WORD << 2);
  const nxt = load<i32>(own, NXT << 2);
  return (
    (load<i32>(words, FACTS << 2) & PLAIN) != 0 &&
    load<i32>(record, SEQ_WORD << 2) == nxt &&
    ack - load<i32>(own, ACKED << 2) >= 0 &&
    load<i32>(peer, NXT << 2) - ack >= 0 &&
    flags >>> 16 != 0 &&
    ((nxt + payload) ^ nxt) >= 0 // twice in 4 GB the slow path counts the bytes
  );
}

/** Takes an ordinary segment into its connection. `own`: the slot, moved to the sender's words. */
function take(words: usize, own: usize, sender: usize, record: usize, flags: i32, payload: i32, time: f64): void {
  store<i32>(own, load<i32>(own, SEGMENTS_SENT << 2) + 1, SEGMENTS_SENT << 2);
  store<i32>(own, load<i32>(record, ACK_WORD << 2), ACKED << 2);
  store<i32>(own, load<i32>(own, NXT << 2) + payload, NXT << 2);
  store<u16>(words + (sender << 1), <u16>(flags >>> 16), WINDOWS << 2);
  store<f64>(words, time, LAST << 3);
}

/** An ordinary segment was the first of its kind from its sender: that waits for the next segment that is not ordinary. */
function addLetter(words: usize, sender: u32, data: bool): void {
  const waiting = load<u32>(words, LETTERS << 2);
  const place = (35 - clz(waiting)) & ~3;
  store<u32>(words, waiting | ((LETTER | (sender << 1) | (data ? 1 : 0)) << place), LETTERS << 2);
}

/**
 * Reads what the next segments will need: with many connections each is a cache miss or two, and misses that do not
 * wait for each other overlap. As many do as loads fit into what the processor looks ahead, up to the first branch that it guesses wrong: so those
 * that need a thing are listed first, without a branch, and then it is read for all of them in a loop that does nothing else.
 */
function touch(records: usize, ahead: i32): void {
  let sum = 0;
  let some = 0;
  let paired = 0;
  // The hints are too many for the nearest cache, too: more of their reads overlap where a loop does nothing but read them.
  for (let i = 0; i < ahead; i++) sum += hintOf(load<u32>(recordAt(records, i), HASH_WORD << 2));
  for (let i = 0; i < ahead; i++) {
    const record = recordAt(records, i);
    paired |= load<i32>(record, FLAGS_WORD << 2);
    const slot = hintedSlot(load<u32>(record, HASH_WORD << 2));
    setEntry(i, slot);
    store<i32>(SOME + ((<usize>some) << 2), i);
    some += slot >>> 31;
    sum += chainHead(load<u32>(record, DIGEST_WORD << 2));
  }
  for (let i = 0; i < some; i++) sum += entryOf(load<u32>(recordAt(records, someAt(i)), HASH_WORD << 2));
  for (let i = 0; i < some; i++) {
    const hash = load<u32>(recordAt(records, someAt(i)), HASH_WORD << 2);
    const slot = likelySlot(hash);
    setEntry(someAt(i), slot);
    hint(hash, slot);
  }
  for (let i = 0; i < ahead; i++) sum += load<i32>(slotAt(entryAt(i)));
  if ((paired & PAIRED) != 0) sum += touchPairs(records, ahead);
  some = 0;
  for (let i = 0; i < ahead; i++) {
    const facts = load<i32>(slotAt(entryAt(i)), FACTS << 2);
    const ordinary = (load<i32>(recordAt(records, i), FLAGS_WORD << 2) & ORDINARY) == ACK;
    store<i32>(SOME + ((<usize>some) << 2), i);
    some += <i32>!ordinary | <i32>((facts & PLAIN) == 0);
  }
  for (let i = 0; i < some; i++) {
    const words = slotAt(entryAt(someAt(i)));
    const begun = (load<i32>(words, FACTS << 2) & (ESTABLISHED | MIDSTREAM)) != 0; // then it is mostly a FIN, or comes after one; else of the handshake
    sum +=
      load<i32>(words + LINE_BYTES) + load<i32>(words + LINE_BYTES * (begun ? 3 : 2)) + load<i32>(words + LINE_BYTES * (begun ? 4 : 2));
  }
  touched = sum;
}

/** The same of the addresses that lie beside the slots. */
function touchPairs(records: usize, ahead: i32): i32 {
  let sum = 0;
  let some = 0;
  for (let i = 0; i < ahead; i++) {
    store<i32>(SOME + ((<usize>some) << 2), i);
    some += <i32>((load<i32>(recordAt(records, i), FLAGS_WORD << 2) & PAIRED) != 0);
  }
  for (let i = 0; i < some; i++) {
    const pair = pairOf(slotAt(entryAt(someAt(i))));
    sum += load<i32>(pair) + load<i32>(pair, ADDRESS_PAIR_BYTES - 4);
  }
  return sum;
}

function recordAt(records: usize, i: i32): usize {
  return records + <usize>(i * SEGMENT_BYTES);
}

function entryAt(i: i32): i32 {
  return load<i32>(ENTRIES + ((<usize>i) << 2));
}

function setEntry(i: i32, slot: i32): void {
  store<i32>(ENTRIES + ((<usize>i) << 2), slot);
}

function someAt(i: i32): i32 {
  return load<i32>(SOME + ((<usize>i) << 2));
}
