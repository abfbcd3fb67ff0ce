import { ackedTime, isBehindHole, judge, type Verdict } from './close.ts';
import { CLOSED, FACTS, FIN_TIME, RESET, RESET_AFTER_CLOSE, RESET_BY_HIGH } from '../layout/slot.ts';
import type { ConnectionTable } from './table.ts';

const SECOND = 1e9;

/** What a TCP stack does in TIME_WAIT (SPEC §4). */
export interface Profile {
  readonly name: string;
  /** Length of TIME_WAIT, ns. */
  readonly twoMsl: number;
  /** Whether any segment with ACK starts it again, or a retransmitted FIN alone. */
  readonly restartedByAnyAck: boolean;
  /** Whether an RST ends it (RFC 1337 tells why it should not). */
  readonly endedByRst: boolean;
}

export const PROFILES: Readonly<Record<string, Profile>> = {
  // net/ipv4/tcp_minisocks.c: TCP_TIMEWAIT_LEN; tcp_rfc1337 = 0 lets an RST through.
  linux: { name: 'linux', twoMsl: 60 * SECOND, restartedByAnyAck: true, endedByRst: true },
  // RFC 9293 §3.4.2: MSL is two minutes; §3.10.7.4: only a retransmitted FIN restarts the timer, an RST closes.
  rfc9293: { name: 'rfc9293', twoMsl: 240 * SECOND, restartedByAnyAck: false, endedByRst: true },
  // FreeBSD's tcp_timewait.c: net.inet.tcp.msl is 30 s; an RST is ignored.
  bsd: { name: 'bsd', twoMsl: 60 * SECOND, restartedByAnyAck: false, endedByRst: false },
  // net.inet.tcp.msl is 15 s.
  macos: { name: 'macos', twoMsl: 30 * SECOND, restartedByAnyAck: false, endedByRst: false },
  // TcpTimedWaitDelay of the server editions.
  windows: { name: 'windows', twoMsl: 120 * SECOND, restartedByAnyAck: false, endedByRst: true },
};

export type TimeWaitEnd = 'expiry' | 'reuse' | 'rst' | 'capture_end';

/** One endpoint's stay in TIME_WAIT. Times are ns on the capture clock. */
export interface TimeWait {
  holder: number;
  start: number;
  /** `ack`: the holder's own acknowledgement of the peer's FIN; `fin`: that is missing, and the peer's FIN stands for it. */
  basis: 'ack' | 'fin';
  restarts: number;
  /** The start, or the latest restart. */
  since: number;
  expiry: number;
  end: number;
  endedBy: TimeWaitEnd;
}

/** Who is left holding TIME_WAIT, given the verdict on the close. `end`: when the record ended; `reused`: a new incarnation ended it. */
export function timeWaits(
  table: ConnectionTable,
  slot: number,
  verdict: Verdict,
  profile: Profile,
  end: number,
  reused: boolean,
): TimeWait[] {
  const { initiator, fin } = verdict;
  if (initiator === undefined || !fin[0] || !fin[1]) return [];
  const found: TimeWait[] = [];
  for (const holder of [0, 1]) {
    if (initiator !== 'both' && initiator !== holder) continue;
    const wait = timeWait(table, slot, verdict, profile, holder, end, reused);
    if (wait) found.push(wait);
  }
  return found;
}

/** When the TIME_WAITs of a connection are over, as far as its segments tell by now; -Infinity where there are none. `verdict` is overwritten. */
export function waitsUntil(table: ConnectionTable, slot: number, profile: Profile, verdict: Verdict): number {
  judge(table, slot, verdict);
  return timeWaits(table, slot, verdict, profile, Infinity, false).reduce((latest, { end }) => Math.max(latest, end), -Infinity);
}

function timeWait(
  table: ConnectionTable,
  slot: number,
  verdict: Verdict,
  profile: Profile,
  holder: number,
  end: number,
  reused: boolean,
): TimeWait | undefined {
  const { words, times } = table;
  const at = slot >> 1;
  const peer = holder ^ 1;
  const facts = words[slot + FACTS]!;
  const crossed = verdict.initiator === 'both';
  if (crossed && !verdict.acked[holder]) return undefined;
  if (isBehindHole(table, slot, verdict, peer)) return undefined;
  const aborted = verdict.reset && (facts & CLOSED) === 0;
  if (aborted && verdict.resetBy === holder) return undefined;

  const acked = verdict.acked[peer]!;
  const proof = acked ? ackedTime(table, slot, verdict, peer) : times[at + FIN_TIME + peer]!;
  const start = crossed ? Math.max(proof, ackedTime(table, slot, verdict, holder)) : proof;
  const rare = table.peekRare(slot);
  const late = rare?.restarts[holder as 0] ?? 0;
  const early = acked ? 0 : (rare?.earlyRestarts[holder as 0] ?? 0);
  const restarts = late + early;
  const latest = Math.max(start, late > 0 ? rare!.restarted[holder as 0] : 0, early > 0 ? rare!.earlyRestarted[holder as 0] : 0);
  const expiry = latest + profile.twoMsl;

  const wait: TimeWait = {
    holder,
    start,
    basis: acked ? 'ack' : 'fin',
    restarts,
    since: latest,
    expiry,
    end: Math.max(start, end),
    endedBy: 'capture_end',
  };
  // Of two holders a profile may let the RST of one end its own alone.
  const spared = crossed && !profile.endedByRst && ((facts & RESET_BY_HIGH) !== 0 ? 1 : 0) !== holder;
  const killed = aborted || ((facts & (RESET | RESET_AFTER_CLOSE)) === (RESET | RESET_AFTER_CLOSE) && !spared);
  if (killed && verdict.resetTime < expiry) {
    wait.end = Math.max(start, verdict.resetTime);
    wait.endedBy = 'rst';
  } else if (expiry <= end) {
    wait.end = expiry;
    wait.endedBy = 'expiry';
  } else if (reused) wait.endedBy = 'reuse';
  return wait;
}
