import { FACTS, HIGH, IPV6, LOW, PORTS } from '../layout/slot.ts';
import type { ConnectionTable } from '../tracker/table.ts';

const TCP = 6;
/** What is hashed: seed, addresses, protocol, padding, ports. */
const ofIpv4 = messageOf(4);
const ofIpv6 = messageOf(16);
/** Not imported: that is a third of what a worker loads when it starts, and only those who write records need it. */
let hash: typeof import('node:crypto').hash | undefined;

/** What stands before the digest: the version. */
export const COMMUNITY_VERSION = '1:';

/**
 * The digest of a connection's Community ID v1 with seed 0 (github.com/corelight/community-id-spec): SHA-1 over seed, addresses,
 * protocol, padding and ports in network order, the smaller endpoint first; in base64.
 */
export function communityDigest(table: ConnectionTable, slot: number): string {
  const { words } = table;
  const isIpv6 = (words[slot + FACTS]! & IPV6) !== 0;
  const message = isIpv6 ? ofIpv6 : ofIpv4;
  if (isIpv6) message.set(table.pair(slot).subarray(0, 32), 2);
  else {
    write32(message, 2, words[slot + LOW]!);
    write32(message, 6, words[slot + HIGH]!);
  }
  write32(message, message.length - 4, words[slot + PORTS]!);
  hash ??= process.getBuiltinModule('node:crypto').hash;
  return hash('sha1', message, 'base64');
}

function messageOf(addressBytes: number): Uint8Array {
  const message = new Uint8Array(2 + 2 * addressBytes + 2 + 4);
  message[2 + 2 * addressBytes] = TCP;
  return message;
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
