import { NO_WINDOW_SCALE } from '../layout/segment.ts';
import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import { holdsTimeWait } from './close.ts';
import { finish } from './finish.ts';
import { addHole, fillHoles } from './holes.ts';
import * as modifiers from './modifiers.ts';
import type { Oddities } from './oddities.ts';
import type { Segment } from './segment.ts';
import { distance, plausible } from './serial.ts';
import {
  ACKED,
  ACKED_KNOWN,
  BYTES,
  CLIENT_IS_HIGH,
  CLOSED,
  COMPLETENESS,
  ESTABLISHED,
  ESTABLISHED_TIME,
  FACTS,
  FAST_OPEN,
  FIN_ACKED,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  FINS,
  HAS_RARE,
  ISS,
  ISS_KNOWN,
  KEEPALIVE,
  LAST,
  MIDSTREAM,
  MODIFIERS,
  NXT,
  NXT_KNOWN,
  PLAIN,
  RESET,
  RESET_AFTER_CLOSE,
  RSTS,
  SCALE_KNOWN,
  SCALE_SHIFT,
  SEEN,
  SEGMENTS,
  SIMULTANEOUS_OPEN,
  SYN_ACK_SENT,
  SYN_ACKED,
  SYN_SENT,
  SYN_TIME,
  SYNS,
  WINDOW,
} from '../layout/slot.ts';
import { IDLE } from './rare.ts';
import { reset } from './reset.ts';
import type { ConnectionTable } from './table.ts';
import { completeness } from './wireshark.ts';
import { contentGap, follow } from './zeek.ts';

// What one segment proves, as seen from outside: it proves what its sender has sent and has received, never what will
// become of it. `sender` and `receiver` are 0 or 1; nothing here knows who is the client.

/** Takes a segment into the facts of the connection that it belongs to. `endedByRst`: whether an RST ends TIME_WAIT (Profile). */
export function observe(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment, endedByRst: boolean): void {
  const { words, times } = table;
  const { sender, flags } = segment;
  const receiver = sender ^ 1;
  const first = (words[slot + SEGMENTS]! | words[slot + SEGMENTS + 1]!) === 0;

  follow(table, slot, segment);
  words[slot + COMPLETENESS]! |= completeness(flags, segment.payload, first);
  words[slot + SEGMENTS + sender]! += 1;
  const idle = segment.time - times[(slot >> 1) + LAST]!;
  times[(slot >> 1) + LAST] = Math.max(times[(slot >> 1) + LAST]!, segment.time);
  if ((flags & SYN) !== 0) words[slot + SYNS + sender]! += 1;
  if ((flags & FIN) !== 0) words[slot + FINS + sender]! += 1;

  if ((flags & RST) !== 0) {
    words[slot + RSTS + sender]! += 1;
    const before = words[slot + FACTS]! & RESET;
    reset(table, oddities, slot, segment, endedByRst);
    if (idle >= IDLE && !first && before === 0) noteIdle(table, slot, segment, idle);
  } else {
    if ((words[slot + FACTS]! & HAS_RARE) !== 0) stillAlive(table, oddities, slot, segment);
    if ((flags & SYN) !== 0) open(table, oddities, slot, segment);
    const start = (flags & SYN) !== 0 ? (segment.seq + 1) | 0 : segment.seq;
    const fresh = take(table, oddities, slot, segment, start);
    words[slot + WINDOW + sender] = segment.window;
    if ((words[slot + FACTS]! & (RESET | RESET_AFTER_CLOSE)) === (RESET | RESET_AFTER_CLOSE)) surviveReset(table, slot, segment);
    if ((words[slot + FACTS]! & RESET) !== 0) {
      if (segment.payload > 0) words[slot + MODIFIERS]! |= modifiers.DATA_AFTER_RST;
    } else if (fresh >= 0) {
      if ((flags & ACK) !== 0) acknowledge(table, oddities, slot, segment);
      finish(table, oddities, slot, segment, start, fresh);
    }
    if (fresh > 0) {
      words[slot + SEEN + sender]! &= ~KEEPALIVE;
      words[slot + SEEN + receiver]! &= ~KEEPALIVE;
    }
  }
  judgePlain(table, slot);
}

/** How long a connection was silent before the RST that ended it, or may have. */
function noteIdle(table: ConnectionTable, slot: number, { time }: Segment, idle: number): void {
  const believed = (table.words[slot + FACTS]! & RESET) !== 0;
  if (believed || table.peekRare(slot)?.doubtful?.time === time) table.rare(slot).resetIdle = idle;
}

/** A holder of TIME_WAIT that still acknowledges has not been ended by the RST: what the packets prove beats the profile. */
function surviveReset(table: ConnectionTable, slot: number, segment: Segment): void {
  if ((segment.flags & (SYN | ACK)) === ACK && holdsTimeWait(table, slot, segment.sender)) table.words[slot + FACTS]! &= ~RESET;
}

/** A sender of anything but SYN and RST lives: an inexact RST that it was sent was challenged or dropped (RFC 5961 §3). */
function stillAlive(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment): void {
  const rare = table.rare(slot);
  if (!rare.doubtful || rare.doubtful.sender === segment.sender || (segment.flags & SYN) !== 0) return;
  rare.doubtful = undefined;
  table.words[slot + MODIFIERS]! |= modifiers.RST_CHALLENGED;
  oddities.add('rst_challenged');
}

/** SYN and SYN-ACK. */
function open(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment): void {
  const { words, times } = table;
  const { sender, seq, ack, flags, time } = segment;
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const peer = words[slot + SEEN + receiver]!;

  if ((flags & ACK) === 0) {
    if ((seen & (SYN_SENT | SYN_ACK_SENT)) !== 0) {
      const served = (seen & SYN_SENT) === 0 && (peer & SYN_SENT) === 0; // its SYN-ACK came first in the file
      if (served) setClient(words, slot, sender);
      return;
    }
    if ((peer & SYN_SENT) !== 0 && (peer & SYN_ACK_SENT) === 0 && (words[slot + FACTS]! & ESTABLISHED) === 0)
      words[slot + FACTS]! |= SIMULTANEOUS_OPEN;
    if ((seen & NXT_KNOWN) === 0) begin(table, slot, sender, seq);
    times[(slot >> 1) + SYN_TIME + sender] = time;
    words[slot + SEEN + sender]! |= SYN_SENT | ISS_KNOWN;
    if ((words[slot + FACTS]! & MIDSTREAM) !== 0) lateHandshake(table, slot, sender, segment);
  } else {
    if ((seen & SYN_ACK_SENT) !== 0) {
      if (seq !== words[slot + ISS + sender]) {
        oddities.add('syn_ack_isn_changed');
        if ((words[slot + FACTS]! & ESTABLISHED) === 0) begin(table, slot, sender, seq);
      }
      return;
    }
    if ((peer & ISS_KNOWN) === 0) {
      if ((peer & NXT_KNOWN) === 0) begin(table, slot, receiver, (ack - 1) | 0);
      words[slot + ISS + receiver] = (ack - 1) | 0;
      words[slot + SEEN + receiver]! |= ISS_KNOWN;
    } else if (distance(ack, words[slot + ISS + receiver]!) <= 0) oddities.add('syn_ack_unexpected');
    else if (distance(ack, words[slot + ISS + receiver]!) > 1) words[slot + FACTS]! |= FAST_OPEN;
    if ((seen & NXT_KNOWN) === 0) begin(table, slot, sender, seq);
    if ((seen & SYN_SENT) !== 0) table.rare(slot).synAckTime[sender as 0] = time;
    else times[(slot >> 1) + SYN_TIME + sender] = time;
    words[slot + ISS + sender] = seq;
    words[slot + SEEN + sender]! |= SYN_ACK_SENT | ISS_KNOWN;
    if ((words[slot + FACTS]! & MIDSTREAM) !== 0) lateHandshake(table, slot, receiver, segment);
  }
  const scale = segment.tcp & 15;
  if (scale !== NO_WINDOW_SCALE) words[slot + SEEN + sender]! |= SCALE_KNOWN | (scale << SCALE_SHIFT);
}

/** A SYN or SYN-ACK captured behind the first data: the handshake is there after all, and tells who the client is. */
function lateHandshake(table: ConnectionTable, slot: number, client: number, segment: Segment): void {
  const { words, times } = table;
  words[slot + FACTS]! &= ~MIDSTREAM;
  setClient(words, slot, client);
  if ((words[slot + SEEN + client]! & ACKED_KNOWN) === 0) return;
  words[slot + FACTS]! |= ESTABLISHED; // what it acknowledged before can only have been the SYN-ACK
  times[(slot >> 1) + ESTABLISHED_TIME] = segment.time;
}

function setClient(words: Int32Array, slot: number, client: number): void {
  words[slot + FACTS] = (words[slot + FACTS]! & ~CLIENT_IS_HIGH) | (client === 1 ? CLIENT_IS_HIGH : 0);
}

/** Numbers an endpoint from its initial sequence number on. */
function begin(table: ConnectionTable, slot: number, endpoint: number, iss: number): void {
  const { words } = table;
  const holes = table.peekRare(slot)?.holes[endpoint as 0];
  if (holes) holes.length = 0;
  words[slot + ISS + endpoint] = iss;
  words[slot + NXT + endpoint] = (iss + 1) | 0;
  words[slot + SEEN + endpoint]! |= NXT_KNOWN;
}

/**
 * The segment's place among what its sender sent; answers how many of its payload bytes were never seen before, or -1 where it
 * lies so far away that it belongs to no live exchange.
 */
function take(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment, start: number): number {
  const { words, times } = table;
  const { sender, payload, flags } = segment;
  const peer = words[slot + SEEN + (sender ^ 1)]!;
  const end = (start + payload) | 0;
  let fresh = payload;
  if ((words[slot + SEEN + sender]! & NXT_KNOWN) === 0) {
    words[slot + ISS + sender] = (start - 1) | 0;
    words[slot + NXT + sender] = end;
    words[slot + SEEN + sender]! |= NXT_KNOWN;
  } else {
    if (!plausible(start, words[slot + NXT + sender]!)) {
      if ((peer & ACKED_KNOWN) === 0 || !plausible(start, words[slot + ACKED + (sender ^ 1)]!)) {
        oddities.add('seq_implausible');
        return -1;
      }
      begin(table, slot, sender, (start - 1) | 0); // gigabytes that the capture lacks: the peer's acknowledgement vouches for the number
    }
    const probe = payload <= 1 && start === ((words[slot + NXT + sender]! - 1) | 0) && (flags & (SYN | FIN | RST)) === 0;
    fresh = probe ? noteProbe(words, slot, sender, start) : extend(table, oddities, slot, sender, start, end);
  }
  times[(slot >> 1) + BYTES + sender]! += fresh;
  return fresh;
}

/** A probe repeats the byte below the next one, which is never payload. After a FIN that number is the FIN's own: an ACK from before it. */
function noteProbe(words: Int32Array, slot: number, sender: number, start: number): number {
  const beforeFin = (words[slot + SEEN + sender]! & FIN_SENT) !== 0 && start === words[slot + FIN_SEQ + sender];
  const persist = (words[slot + SEEN + (sender ^ 1)]! & ACKED_KNOWN) !== 0 && words[slot + WINDOW + (sender ^ 1)] === 0;
  if (!beforeFin && !persist) words[slot + SEEN + sender]! |= KEEPALIVE;
  return 0;
}

/** Takes [start, end) into what was seen of a sender; answers how much of it is new. */
function extend(table: ConnectionTable, oddities: Oddities, slot: number, sender: number, start: number, end: number): number {
  const { words } = table;
  const nxt = words[slot + NXT + sender]!;
  const ahead = distance(start, nxt);
  let fresh = 0;
  if (ahead > 0 && addHole(table.rare(slot).holes[sender as 0], nxt, start)) oddities.add('hole_forgotten');
  if (distance(end, nxt) > 0) {
    fresh = Math.min(distance(end, start), distance(end, nxt));
    words[slot + NXT + sender] = end;
  }
  if (ahead >= 0 || start === end) return fresh;
  let filled = 0;
  if ((words[slot + FACTS]! & HAS_RARE) !== 0) filled = fillHoles(table.rare(slot).holes[sender as 0], start, end);
  const lowest = (words[slot + ISS + sender]! + 1) | 0;
  if ((words[slot + SEEN + sender]! & ISS_KNOWN) === 0 && distance(lowest, start) > 0) {
    filled += Math.min(distance(end, start), distance(lowest, start)); // below all that the capture showed so far
    words[slot + ISS + sender] = (start - 1) | 0;
  }
  if (filled > 0) words[slot + MODIFIERS]! |= modifiers.OUT_OF_ORDER;
  return fresh + filled;
}

/** What the acknowledgement proves of its sender, and so of the handshake. */
function acknowledge(table: ConnectionTable, oddities: Oddities, slot: number, segment: Segment): void {
  const { words, times } = table;
  const { sender, ack } = segment;
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const peer = words[slot + SEEN + receiver]!;
  const advance = (seen & ACKED_KNOWN) === 0 ? 0 : distance(ack, words[slot + ACKED + sender]!);

  if ((peer & NXT_KNOWN) !== 0) {
    const beyond = distance(ack, words[slot + NXT + receiver]!);
    if (!plausible(ack, words[slot + NXT + receiver]!)) return oddities.add('ack_implausible');
    if (beyond > 0) {
      if ((peer & FIN_SENT) !== 0) return oddities.add('ack_beyond_fin');
      const news = advance > 0 || (seen & ACKED_KNOWN) === 0;
      if (news && beyond === 1) supposeFin(words, times, slot, receiver, segment);
      else if (news && (segment.flags & FIN) === 0) contentGap(table, slot, receiver, table.rare(slot));
    }
  } else if (advance === 1) supposeFin(words, times, slot, receiver, segment);
  if ((seen & ACKED_KNOWN) === 0 || advance > 0) {
    words[slot + ACKED + sender] = ack;
    words[slot + SEEN + sender]! |= ACKED_KNOWN;
  }
  if ((words[slot + FACTS]! & (ESTABLISHED | MIDSTREAM)) === 0) establish(table, slot, segment);
}

/** One number above all that the receiver is known to have sent may be its FIN; what comes later tells (close.ts, inferredFin). */
function supposeFin(words: Int32Array, times: Float64Array, slot: number, receiver: number, segment: Segment): void {
  words[slot + FIN_SEQ + receiver] = (segment.ack - 1) | 0;
  words[slot + SEEN + receiver]! |= FIN_SUPPOSED;
  times[(slot >> 1) + FIN_TIME + receiver] = segment.time;
}

/** Whether this acknowledgement completes the handshake. */
function establish(table: ConnectionTable, slot: number, segment: Segment): void {
  const { words, times } = table;
  const { sender, ack, flags, time } = segment;
  const receiver = sender ^ 1;
  const seen = words[slot + SEEN + sender]!;
  const peer = words[slot + SEEN + receiver]!;
  const ofSyn = (peer & ISS_KNOWN) !== 0 ? distance(ack, words[slot + ISS + receiver]!) : 0;

  let done = false;
  if ((words[slot + FACTS]! & SIMULTANEOUS_OPEN) !== 0) {
    // Each endpoint is established by the peer's acknowledgement of its own SYN (RFC 9293 §3.5, figure 7).
    const { establishedTime } = table.rare(slot);
    if (ofSyn > 0 && (peer & SYN_ACKED) === 0) {
      words[slot + SEEN + receiver]! |= SYN_ACKED;
      establishedTime[receiver as 0] = time;
    }
    done = (words[slot + SEEN]! & words[slot + SEEN + 1]! & SYN_ACKED) !== 0;
  } else if ((flags & SYN) !== 0) return;
  else if ((peer & SYN_ACK_SENT) !== 0) done = ofSyn > 0;
  else if ((seen & SYN_ACK_SENT) !== 0) {
    // The client's acknowledgement is not in the capture, but its data is acknowledged, or the server goes on as if it had come.
    const silent = words[slot + SEGMENTS + receiver] === 0 || words[slot + SEGMENTS + receiver] === words[slot + SYNS + receiver];
    done = (words[slot + FACTS]! & FAST_OPEN) === 0 && (ofSyn > 1 || (silent && (segment.payload > 0 || (flags & FIN) !== 0)));
  } else if ((seen & SYN_SENT) !== 0) {
    // The SYN-ACK is not in the capture (or comes later in it); this acknowledgement proves it.
    done = true;
    if ((peer & ISS_KNOWN) === 0) {
      words[slot + ISS + receiver] = (ack - 1) | 0;
      words[slot + SEEN + receiver]! |= ISS_KNOWN;
    }
  }
  if (!done) return;
  words[slot + FACTS]! |= ESTABLISHED;
  times[(slot >> 1) + ESTABLISHED_TIME] = time;
}

/** Opens the short path (tracker.ts) to this connection, or closes it. */
function judgePlain(table: ConnectionTable, slot: number): void {
  const { words } = table;
  const facts = words[slot + FACTS]!;
  const both = words[slot + SEEN]! & words[slot + SEEN + 1]!;
  const either = words[slot + SEEN]! | words[slot + SEEN + 1]!;
  let plain =
    (facts & (ESTABLISHED | MIDSTREAM)) !== 0 &&
    (facts & (RESET | CLOSED)) === 0 &&
    (both & (NXT_KNOWN | ACKED_KNOWN)) === (NXT_KNOWN | ACKED_KNOWN) &&
    (either & (FIN_SENT | FIN_ACKED | KEEPALIVE)) === 0;
  if (plain && (facts & HAS_RARE) !== 0) {
    const { held, doubtful, holes } = table.rare(slot);
    plain = !held && !doubtful && holes[0].length === 0 && holes[1].length === 0;
  }
  words[slot + FACTS] = plain ? facts | PLAIN : facts & ~PLAIN;
}
