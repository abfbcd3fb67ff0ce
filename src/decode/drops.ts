// The drop reasons of layout/drops.ts by name, as reports and streams write them.

import { DROP_REASONS } from '../layout/drops.ts';

/** In the order of their numbers. */
export const DROP_NAMES = [
  'link_type',
  'link_truncated',
  'not_ip',
  'ip_version',
  'ip_truncated',
  'ip_length',
  'not_tcp',
  'fragment',
  'tcp_truncated',
  'tcp_offset',
  'nested',
  'encrypted',
  'tunnel_payload',
  'aggregate',
  'filtered',
  'after_time_wait',
] as const;

export type DropName = (typeof DROP_NAMES)[number];

/** Packets that gave no segment, by reason, in the order of DROP_NAMES. */
export type Drops = Record<DropName, number>;

/** Names DROP_REASONS counters. */
export function namedDrops(counts: ArrayLike<number>): Drops {
  if (counts.length < DROP_REASONS) throw new RangeError(`${counts.length} counters for ${DROP_REASONS} drop reasons`);
  return Object.fromEntries(DROP_NAMES.map((name, reason) => [name, counts[reason] ?? 0])) as Drops;
}
