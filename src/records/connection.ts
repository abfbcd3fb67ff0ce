import { type Basis, type CloseClass, type Confidence, CloseTimes, closeTimes } from '../tracker/close.ts';
import { type Modifier, MODIFIER_NAMES } from '../tracker/modifiers.ts';
import { sequenceText } from '../tracker/sequence.ts';
import { RST_AFTER_CLOSE } from '../layout/modifiers.ts';
import * as slots from '../layout/slot.ts';
import { type State, type Transition, transitions } from '../tracker/states.ts';
import type { ReuseVerdict } from '../tracker/rare.ts';
import { reuses } from '../tracker/reuse.ts';
import type { TimeWaitEnd } from '../tracker/time-wait.ts';
import type { Ended } from '../tracker/ended.ts';
import { type ConnState, connState, history } from '../tracker/zeek.ts';
import { ipv4Text, ipv6Text } from './address.ts';
import { COMMUNITY_VERSION, communityDigest } from './community-id.ts';

export type Role = 'client' | 'server';
export type Open =
  | 'three_way'
  | 'fast_open'
  | 'simultaneous_open'
  | 'split_handshake'
  | 'midstream'
  | 'refused'
  | 'syn_only'
  | 'synack_only';
export type EndReason = 'closed' | 'reset' | 'tuple_reused' | 'idle_timeout' | 'evicted' | 'capture_end';

/** How times and durations, ns on the capture clock, stand in a record. */
export interface Measure<T, D> {
  text(time: number): T;
  seconds(duration: number): D;
}

export interface EndpointRecord<D = number> {
  ip: string;
  port: number;
  /** Segments it sent, retransmissions included. */
  segments: number;
  /** Payload bytes it sent, each sequence number counted once. */
  bytes: number;
  syn: number;
  fin: number;
  fin_retransmits: number;
  rst: number;
  /** State at the end of the record; absent where no segment proves one. */
  state?: State;
  /** With --transitions: name, seconds since the connection's start. */
  states?: [State, D][];
}

export interface CloseRecord<T = string, D = number> {
  class: CloseClass;
  initiator?: Role | 'both';
  basis?: Basis;
  /** The waves: `F> A< F< A>`. */
  sequence: string;
  modifiers: Modifier[];
  /** First FIN, or the RST where no FIN came before it. */
  start?: T;
  /** From there to the last acknowledgement of a FIN, or to the RST. */
  duration_s?: D;
  /** First FIN to its acknowledgement. */
  fin_ack_s?: D;
  /** That acknowledgement to the second FIN. */
  half_closed_s?: D;
  /** Second FIN to its acknowledgement. */
  last_ack_s?: D;
  /** Payload sent by the passive closer in between. */
  half_closed_bytes?: number;
  /** Silence before the RST, where that was a second or more. */
  reset_idle_s?: D;
}

export interface TimeWaitRecord<T = string> {
  holder: Role;
  start: T;
  expiry: T;
  end: T;
  restarts: number;
  ended_by: TimeWaitEnd;
  basis: 'ack' | 'fin';
}

/**
 * A SYN of the 4-tuple while it was in TIME_WAIT (SPEC §4). It stands with the connection that it began; where it began none, because it
 * was challenged or another SYN took its place, with the one whose TIME_WAIT it met.
 */
export interface ConnectionReuse<D = number> {
  /** Whose TIME_WAIT it met. */
  holder: Role;
  /** `accepted`: answered by a SYN-ACK; `challenged`: by a plain ACK; `refused`: by an RST; `ignored`: not at all. */
  verdict: ReuseVerdict;
  /** Since that TIME_WAIT last started, and since the latest segment of the old connection. */
  age_s: D;
  gap_s: D;
  /** Its sequence number minus the highest of the same sender before, and its TSval minus the latest known; signed, modulo 2^32. */
  isn_delta?: number;
  tsval_delta?: number;
}

/** One incarnation of a 4-tuple, as `stream` prints it and analyze() yields it (SPEC §5). */
export interface ConnectionRecord<T = string, D = number> {
  type: 'connection';
  start: T;
  end: T;
  duration_s: D;
  client: EndpointRecord<D>;
  server: EndpointRecord<D>;
  open: Open;
  close: CloseRecord<T, D>;
  time_wait: TimeWaitRecord<T>[];
  /** Absent where there was none. */
  reuse?: ConnectionReuse<D>[];
  end_reason: EndReason;
  visibility: 'both' | 'client_only' | 'server_only';
  confidence: Confidence;
  community_id: string;
  zeek: { conn_state: ConnState; history: string };
  wireshark: { completeness: number };
  /** IPFIX flowEndReason (RFC 5102 §5.11.3). */
  flow_end_reason: 1 | 3 | 4 | 5;
  /** With --distinguish: the first two VLAN tags that name a VLAN, and the innermost virtual network, where there are any. */
  vlan?: number[];
  vni?: number;
}

const FINISHED: ReadonlySet<CloseClass> = new Set(['simultaneous', 'three_segment', 'four_wave', 'half_close', 'orderly']);
const FLOW_END_REASONS = { closed: 3, reset: 3, tuple_reused: 3, idle_timeout: 1, capture_end: 4, evicted: 5 } as const;

/** The endpoint (0 or 1) that is the client. */
export function clientOf({ table, slot }: Ended): 0 | 1 {
  return (table.words[slot + slots.FACTS]! & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
}

/** Text of an endpoint's address. */
export function addressOf({ table, slot }: Ended, endpoint: number): string {
  if ((table.words[slot + slots.FACTS]! & slots.IPV6) === 0) return ipv4Text(table.words[slot + slots.LOW + endpoint]!);
  return ipv6Text(table.pair(slot).subarray(endpoint * 16, endpoint * 16 + 16));
}

export function portOf({ table, slot }: Ended, endpoint: number): number {
  const ports = table.words[slot + slots.PORTS]!;
  return endpoint === 0 ? ports >>> 16 : ports & 0xffff;
}

export function endReasonOf(connection: Ended): EndReason {
  const { verdict, ending } = connection;
  if (FINISHED.has(verdict.class)) return 'closed';
  if (verdict.reset) return 'reset';
  return ending === 'expired' ? 'closed' : ending;
}

/** The record of a connection that ended. */
export function connectionRecord<T, D>(connection: Ended, clock: Measure<T, D>, withTransitions: boolean): ConnectionRecord<T, D> {
  const { table, slot, verdict } = connection;
  const { words, times } = table;
  const at = slot >> 1;
  const client = clientOf(connection);
  const role = (endpoint: number): Role => (endpoint === client ? 'client' : 'server');
  const start = times[at + slots.START]!;
  const last = times[at + slots.LAST]!;
  const endReason = endReasonOf(connection);
  return {
    type: 'connection',
    start: clock.text(start),
    end: clock.text(last),
    duration_s: clock.seconds(last - start),
    client: endpointRecord(connection, client, clock, withTransitions),
    server: endpointRecord(connection, client ^ 1, clock, withTransitions),
    open: openOf(connection, client),
    close: closeRecord(connection, clock, client),
    time_wait: (client === 0 ? connection.timeWaits : connection.timeWaits.toReversed()).map((wait) => ({
      holder: role(wait.holder),
      start: clock.text(wait.start),
      expiry: clock.text(wait.expiry),
      end: clock.text(wait.end),
      restarts: wait.restarts,
      ended_by: wait.endedBy,
      basis: wait.basis,
    })),
    ...reusesOf(connection, clock, role),
    end_reason: endReason,
    visibility:
      words[slot + slots.SEGMENTS + client] === 0
        ? 'server_only'
        : words[slot + slots.SEGMENTS + (client ^ 1)] === 0
          ? 'client_only'
          : 'both',
    confidence: verdict.confidence,
    community_id: COMMUNITY_VERSION + communityDigest(table, slot),
    zeek: { conn_state: connState(table, slot), history: history(table, slot) },
    wireshark: { completeness: words[slot + slots.COMPLETENESS]! },
    flow_end_reason: FLOW_END_REASONS[endReason],
    ...scopeOf(connection),
  };
}

function reusesOf<T, D>({ table, slot }: Ended, clock: Measure<T, D>, role: (endpoint: number) => Role): { reuse?: ConnectionReuse<D>[] } {
  const list = reuses(table, slot);
  if (list.length === 0) return {};
  const reuse = list.map(({ reuse: { holder, age, gap, isnDelta, tsvalDelta }, verdict }) => {
    const record: ConnectionReuse<D> = { holder: role(holder), verdict, age_s: clock.seconds(age), gap_s: clock.seconds(gap) };
    if (!Number.isNaN(isnDelta)) record.isn_delta = isnDelta;
    if (!Number.isNaN(tsvalDelta)) record.tsval_delta = tsvalDelta;
    return record;
  });
  return { reuse };
}

/** What tells the connection from others of its 4-tuple, where that was asked for: see ADDRESS_PAIR_BYTES. */
function scopeOf({ table, slot }: Ended): Pick<ConnectionRecord, 'vlan' | 'vni'> {
  const scope = table.scope(slot);
  if (scope === 0n) return {};
  const vlan = [scope & 0xffffn, (scope >> 16n) & 0xffffn].filter((id) => id > 0n).map(Number);
  const vni = Number(scope >> 32n) - 1;
  return { ...(vlan.length > 0 && { vlan }), ...(vni >= 0 && { vni }) };
}

function endpointRecord<T, D>(connection: Ended, endpoint: number, clock: Measure<T, D>, withTransitions: boolean): EndpointRecord<D> {
  const { table, slot, verdict } = connection;
  const { words, times } = table;
  const list: Transition[] = transitions(table, slot, endpoint, verdict, connection.timeWaits);
  const start = times[(slot >> 1) + slots.START]!;
  const record: EndpointRecord<D> = {
    ip: addressOf(connection, endpoint),
    port: portOf(connection, endpoint),
    segments: words[slot + slots.SEGMENTS + endpoint]!,
    bytes: times[(slot >> 1) + slots.BYTES + endpoint]!,
    syn: words[slot + slots.SYNS + endpoint]!,
    fin: words[slot + slots.FINS + endpoint]!,
    fin_retransmits: words[slot + slots.FIN_RETRANSMITS + endpoint]!,
    rst: words[slot + slots.RSTS + endpoint]!,
  };
  const state = list.at(-1)?.state;
  if (state !== undefined) record.state = state;
  if (withTransitions) record.states = list.map((entry) => [entry.state, clock.seconds(entry.time - start)]);
  return record;
}

function openOf({ table, slot }: Ended, client: number): Open {
  const { words } = table;
  const facts = words[slot + slots.FACTS]!;
  const own = words[slot + slots.SEEN + client]!;
  const peer = words[slot + slots.SEEN + (client ^ 1)]!;
  if ((facts & slots.MIDSTREAM) !== 0) return 'midstream';
  if ((facts & slots.REFUSED) !== 0) return 'refused';
  if ((own & peer & slots.SYN_SENT) !== 0)
    return (peer & slots.SYN_ACK_SENT) === 0 && (own & slots.SYN_ACK_SENT) !== 0 ? 'split_handshake' : 'simultaneous_open';
  if ((facts & slots.FAST_OPEN) !== 0) return 'fast_open';
  if ((facts & slots.ESTABLISHED) !== 0) return 'three_way';
  return (peer & slots.SYN_ACK_SENT) !== 0 ? 'synack_only' : 'syn_only';
}

function closeRecord<T, D>(connection: Ended, clock: Measure<T, D>, client: number): CloseRecord<T, D> {
  const { table, slot, verdict } = connection;
  const { initiator } = verdict;
  const record: CloseRecord<T, D> = {
    class: verdict.class,
    sequence: sequenceText(table, slot, client),
    modifiers: MODIFIER_NAMES.filter((_, i) => (verdict.modifiers & (1 << i)) !== 0),
  };
  if (initiator === undefined) return record;
  record.initiator = initiator === 'both' ? 'both' : initiator === client ? 'client' : 'server';
  if (verdict.basis) record.basis = verdict.basis;
  const times = closeTimes(table, slot, verdict, new CloseTimes());
  record.start = clock.text(times.start);
  record.duration_s = clock.seconds(times.duration);
  if (times.finAck >= 0) record.fin_ack_s = clock.seconds(times.finAck);
  if (times.halfClosed >= 0) record.half_closed_s = clock.seconds(times.halfClosed);
  if (times.lastAck >= 0) record.last_ack_s = clock.seconds(times.lastAck);
  if (initiator !== 'both' && verdict.acked[initiator])
    record.half_closed_bytes = table.peekRare(slot)?.halfClosedBytes[(initiator ^ 1) as 0] ?? 0;
  const idle = verdict.reset || (verdict.modifiers & RST_AFTER_CLOSE) !== 0 ? (table.peekRare(slot)?.resetIdle ?? 0) : 0;
  if (idle > 0) record.reset_idle_s = clock.seconds(idle);
  return record;
}
