// Keep-alive and window probes: they repeat the number below the next one, which is never new payload (RFC 9293 §3.8.4), and some stacks put a
// byte there. So they look like data, or like a FIN's number, to whoever did not see what was sent before.

import { KEEPALIVE_AFTER_FIN } from '../src/layout/modifiers.ts';
import {
  ACKED,
  ACKED_KNOWN,
  FACTS,
  FIN_ACKED,
  FIN_ACKED_TIME,
  FIN_SENT,
  FIN_SEQ,
  FIN_SUPPOSED,
  FIN_TIME,
  HAS_RARE,
  ISS,
  KEEPALIVE,
  NXT,
  NXT_DOUBTED,
  SEEN,
  UNCOVERED,
  WINDOWS,
} from '../src/layout/slot.ts';
import { clearSeen, modify, setSeen } from './facts.ts';
import { coveredHoles } from './host.ts';
import { slotAt } from './table.ts';

/** An ACK from before a FIN does not come so long after the FIN's acknowledgement, ns. */
const PROBE_AFTER: f64 = 1e9;

/** An endpoint goes on at `start`, or its peer says so: if that is one above what was seen of it, that was keep-alive probes. */
export function settleProbes(own: usize, start: i32): void {
  clearSeen(own, NXT_DOUBTED);
  if (start - load<i32>(own, NXT << 2) != 1) return;
  store<i32>(own, start - 1, ISS << 2);
  store<i32>(own, start, NXT << 2);
}

/**
 * Whether the highest byte that an endpoint sent is still to be acknowledged, and was seen, or alone was not: whoever sends that now does so
 * in earnest.
 */
export function isAwaited(slot: i32, sender: i32): bool {
  const words = slotAt(slot);
  const peer = words + ((<usize>(sender ^ 1)) << 2);
  const nxt = load<i32>(words + ((<usize>sender) << 2), NXT << 2);
  if ((load<i32>(peer, SEEN << 2) & ACKED_KNOWN) == 0 || load<i32>(peer, ACKED << 2) - nxt >= 0) return false;
  return (load<i32>(words, FACTS << 2) & HAS_RARE) == 0 || coveredHoles(slot, sender, nxt - 1, nxt - 1) == 0;
}

/**
 * A probe repeats the byte below the next one, which is never payload. After a FIN that number is the FIN's own: an ACK from before it,
 * or, long after the FIN was acknowledged, a probe of an endpoint whose peer does not close.
 */
export function noteProbe(slot: i32, sender: i32, start: i32, time: f64): i32 {
  const words = slotAt(slot);
  const receiver = sender ^ 1;
  const own = words + ((<usize>sender) << 2);
  const seen = load<i32>(own, SEEN << 2);
  const peer = load<i32>(words + ((<usize>receiver) << 2), SEEN << 2);
  if ((seen & FIN_SENT) != 0 && start == load<i32>(own, FIN_SEQ << 2)) {
    const waits = (seen & FIN_ACKED) != 0 && (peer & FIN_SENT) == 0;
    const since = load<f64>(words + ((<usize>sender) << 3), FIN_ACKED_TIME << 3);
    if (waits && time - since >= PROBE_AFTER) modify(words, KEEPALIVE_AFTER_FIN);
    return 0;
  }
  // An ACK from before that byte, which comes later, or which the capture lacks: whoever probes has nothing on its way.
  if ((seen & UNCOVERED) != 0 && coveredHoles(slot, sender, start, start + 1) != 0) return 0;
  const persist = (peer & ACKED_KNOWN) != 0 && load<u16>(words + ((<usize>receiver) << 1), WINDOWS << 2) == 0;
  if (!persist) setSeen(own, KEEPALIVE);
  return 0;
}

/**
 * Whether an endpoint probes, without payload, at the number that is supposed to be its FIN's, long after that was acknowledged, and what lies in
 * front of that number is missing: then that may be where its data ended, and the probe in front of the acknowledgement have been one, too;
 * whether its peer closes tells (src/tracker/close.ts, inferredFin). Of an endpoint whose data was all seen, it is one in FIN_WAIT2.
 */
export function isProbeBehindHole(slot: i32, sender: i32, start: i32, time: f64): bool {
  const words = slotAt(slot);
  const own = words + ((<usize>sender) << 2);
  if ((load<i32>(own, SEEN << 2) & (FIN_SENT | FIN_SUPPOSED)) != FIN_SUPPOSED || start != load<i32>(own, NXT << 2)) return false;
  if (start != load<i32>(own, FIN_SEQ << 2) || time - load<f64>(words + ((<usize>sender) << 3), FIN_TIME << 3) < PROBE_AFTER) return false;
  return (load<i32>(words, FACTS << 2) & HAS_RARE) != 0 && coveredHoles(slot, sender, start - 1, start) != 0;
}
