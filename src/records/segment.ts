import { ADDRESS_PAIR_BYTES, FRAGMENT_TAIL, IPV6 } from '../layout/segment.ts';
import type { Batch, Segment } from '../tracker/segment.ts';
import { ipv4Text, ipv6Text, socketText } from './address.ts';

/** One segment of a connection that is explained. Numbers are as on the wire. */
export interface SegmentRecord {
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
  /** The packet is a copy of an earlier one, and counts for nothing. */
  copy: boolean;
}

/** The record of a segment; undefined for a last fragment, which is none. */
export function segmentRecord(segment: Segment, { pairs }: Batch, copy: boolean): SegmentRecord | undefined {
  const { time, flags, seq, ack, payload, window, low, high, ports, sender, address } = segment;
  if ((flags & FRAGMENT_TAIL) !== 0) return undefined;
  const pair = pairs.slice(address * ADDRESS_PAIR_BYTES, (address + 1) * ADDRESS_PAIR_BYTES);
  const [lower, higher] =
    (flags & IPV6) === 0 ? [ipv4Text(low), ipv4Text(high)] : [ipv6Text(pair.subarray(0, 16)), ipv6Text(pair.subarray(16, 32))];
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
    copy,
  };
}
