const TCP = 6;
const bytes = Buffer.alloc(40);
/** Not imported: that is a third of what a worker loads when it starts, and only those who write records need it. */
let hash: typeof import('node:crypto').hash | undefined;

/**
 * Community ID v1 with seed 0 (github.com/corelight/community-id-spec): SHA-1 over seed, addresses, protocol, padding and ports
 * in network order, the smaller endpoint first.
 * @param low @param high addresses in network order, 4 or 16 bytes, already ordered with their ports
 */
export function communityId(low: Uint8Array, high: Uint8Array, lowPort: number, highPort: number): string {
  let at = bytes.writeUInt16BE(0, 0);
  bytes.set(low, at);
  at += low.length;
  bytes.set(high, at);
  at += high.length;
  at = bytes.writeUInt8(TCP, at);
  at = bytes.writeUInt8(0, at);
  at = bytes.writeUInt16BE(lowPort, at);
  at = bytes.writeUInt16BE(highPort, at);
  hash ??= process.getBuiltinModule('node:crypto').hash;
  return `1:${hash('sha1', bytes.subarray(0, at), 'base64')}`;
}
