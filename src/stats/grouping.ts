import * as slots from '../layout/slot.ts';
import { ipv4Text, ipv6Text, socketText } from '../records/address.ts';
import type { ConnectionTable } from '../tracker/table.ts';

/** What connections are put together by: an endpoint's address, the server's address and port, both addresses, or the network of an endpoint. */
export type GroupBy = { readonly kind: 'host' | 'service' | 'pair' } | { readonly kind: 'subnet'; readonly bits: number };

/** Bits of the longest address. */
export const ADDRESS_BITS = 128;

/** The groups of a connection's endpoints, low and high. They are the same where the connection is what counts, not its endpoints. */
export type GroupNames = readonly [low: string, high: string];

/** Names the groups that the connection in a slot belongs to, if that endpoint is its client. */
export function groupNames(table: ConnectionTable, slot: number, by: GroupBy, client: 0 | 1): GroupNames {
  const { words } = table;
  const facts = words[slot + slots.FACTS]!;
  const bits = by.kind === 'subnet' ? by.bits : undefined;
  const [low, high] = (facts & slots.IPV6) === 0 ? ipv4Pair(words, slot, bits) : ipv6Pair(table.pair(slot), bits);
  if (by.kind === 'host' || by.kind === 'subnet') return [low, high];
  const [own, peer] = client === 0 ? [low, high] : [high, low];
  const ports = words[slot + slots.PORTS]!;
  const port = client === 0 ? ports & 0xffff : ports >>> 16;
  const name = by.kind === 'pair' ? `${own}-${peer}` : socketText(peer, port);
  return [name, name];
}

/** `bits`: of the networks that are wanted, undefined: the addresses are. So below. */
function ipv4Pair(words: Int32Array, slot: number, bits: number | undefined): GroupNames {
  const mask = bits === 0 ? 0 : -1 << Math.max(0, 32 - (bits ?? ADDRESS_BITS));
  const suffix = bits === undefined ? '' : `/${Math.min(bits, 32)}`;
  return [ipv4Text(words[slot + slots.LOW]! & mask) + suffix, ipv4Text(words[slot + slots.HIGH]! & mask) + suffix];
}

function ipv6Pair(pair: Uint8Array, bits: number | undefined): GroupNames {
  const suffix = bits === undefined ? '' : `/${bits}`;
  const text = (from: number): string => {
    const address = pair.slice(from, from + 16);
    for (let byte = 0; byte < 16; byte++) address[byte]! &= 0xff << Math.min(8, Math.max(0, (byte + 1) * 8 - (bits ?? ADDRESS_BITS)));
    return ipv6Text(address) + suffix;
  };
  return [text(0), text(16)];
}
