import { ADDRESS_PAIR_BYTES, FOREIGN, FRAGMENT_TAIL, IPV6 } from '../layout/segment.ts';
import type { Batch, Segment } from '../tracker/segment.ts';
import { ipv4Text, ipv6Text, socketText } from './address.ts';
import type { ConnectionRecord } from './connection.ts';

/** A connection that has ended, where its segments came as items of their own, with its number among all of the run. */
export interface EndedRecord {
  type: 'ended';
  connection: number;
  record: ConnectionRecord;
}

/** What became of a segment: the number of the connection that it belongs to, -1 where it belongs to none. */
export interface Place {
  readonly connection: number;
  /** It is a SYN that may yet begin the next connection. */
  readonly held: boolean;
  /** The packet is a copy of an earlier one, and counts for nothing. */
  readonly copy: boolean;
}

/** One segment of a connection that is explained. Numbers are as on the wire. */
export interface SegmentRecord extends Place {
  type: 'segment';
  /** Capture clock, ns. */
  time: number;
  /** Address and port of its sender and of its receiver. */
  from: string;
  to: string;
  /** Header flags (layout/tcp.ts). */
  flags: number;
  seq: number;
  ack: number;
  /** Bytes. */
  payload: number;
  window: number;
}

/** The record of a segment; undefined for a last fragment, which is none, and for what another shard tells of. */
export function segmentRecord(segment: Segment, { pairs }: Batch, place: Place): SegmentRecord | undefined {
  const { time, flags, seq, ack, payload, window, low, high, ports, sender, address } = segment;
  if ((flags & (FRAGMENT_TAIL | FOREIGN)) !== 0) return undefined;
  const at = address * ADDRESS_PAIR_BYTES;
  const [lower, higher] =
    (flags & IPV6) === 0
      ? [ipv4Text(low), ipv4Text(high)]
      : [ipv6Text(pairs.subarray(at, at + 16)), ipv6Text(pairs.subarray(at + 16, at + 32))];
  const sockets = [socketText(lower, ports >>> 16), socketText(higher, ports & 0xffff)] as const;
  return {
    type: 'segment',
    time,
    from: sockets[sender as 0],
    to: sockets[(sender ^ 1) as 0],
    flags: flags & 0xff,
    seq: seq >>> 0,
    ack: ack >>> 0,
    payload,
    window,
    ...place,
  };
}
