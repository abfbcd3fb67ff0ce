/** Texts of addresses met lately: few hosts make most connections. */
const texts = new Map<number, string>();
const TEXTS = 1 << 14;

/** An IPv4 address as text; `address` is its big-endian number, signed or not. */
export function ipv4Text(address: number): string {
  let text = texts.get(address);
  if (text === undefined) {
    if (texts.size === TEXTS) texts.clear();
    texts.set(address, (text = dotted(address)));
  }
  return text;
}

function dotted(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** An IPv6 address as text (RFC 5952): lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text((groups[6]! << 16) | groups[7]!)}`; // §5: an IPv4-mapped address
  }
  // And an IPv4-compatible one, as inet_ntop() has it.
  if (groups.slice(0, 6).every((group) => group === 0) && groups[6] !== 0) return `::${ipv4Text((groups[6]! << 16) | groups[7]!)}`;
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [from, length] = [i, end - i];
  }
  return from < 0 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

const hex = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':');

/** The same of an address in words of 32 bits: four of them, of which IPv4 uses the last. */
export function wordsText(words: ArrayLike<number>, at: number, ipv6: boolean): string {
  if (!ipv6) return ipv4Text(words[at + 3]! | 0);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) view.setUint32(word * 4, words[at + word]!);
  return ipv6Text(bytes);
}

/** An address and a port, as people write them: IPv6 in brackets. */
export const socketText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
