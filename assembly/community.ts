// The digest of a connection's Community ID v1 with seed 0 (github.com/corelight/community-id-spec): SHA-1 (FIPS 180-4 §6.1.2) over
// seed, addresses, protocol, padding and ports in network order, the smaller endpoint first; in base64. With any addresses that is one
// block. records/community-id.ts computes the same of connections that are looked at one by one.

import { FACTS, IPV6, LOW, PORTS } from '../src/layout/slot.ts';
import { COMMUNITY_BYTES } from '../src/layout/line.ts';
import { pairOf } from './table.ts';

const TCP_AND_PADDING: u32 = 6 << 8;
/** The bit behind the message. */
const END: u32 = 0x80000000;
const ROUNDS: usize = 80;

/** The block, and what its words spread to. */
const SCHEDULE: usize = memory.data(80 * 4, 16);
/** The digest's bytes, and zeros for the base64 of its end. */
const DIGEST: usize = memory.data(24, 16);
const DIGITS: usize = memory.data<u8>([
  0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,
  0x58, 0x59, 0x5a, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74,
  0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x2b, 0x2f,
]);
const PADDING: u32 = 0x3d;

/** Writes the digest for a connection's addresses and ports: COMMUNITY_BYTES characters. */
export function writeCommunityDigest(words: usize, to: usize): void {
  const ipv6 = (load<i32>(words, FACTS << 2) & IPV6) != 0;
  const addresses = ipv6 ? pairOf(words) : words + (LOW << 2);
  const count: usize = ipv6 ? 8 : 2;
  let before: u32 = 0; // two bytes of seed
  for (let i: usize = 0; i < count; i++) {
    const word = load<u32>(addresses + (i << 2));
    const address = ipv6 ? bswap<u32>(word) : word; // IPv4 addresses are kept as numbers
    store<u32>(SCHEDULE + (i << 2), (before << 16) | (address >>> 16));
    before = address;
  }
  const rest = SCHEDULE + (count << 2);
  store<u32>(rest, (before << 16) | TCP_AND_PADDING);
  store<u32>(rest, load<u32>(words, PORTS << 2), 4);
  store<u32>(rest, END, 8);
  for (let i = count + 3; i < 15; i++) store<u32>(SCHEDULE + (i << 2), 0);
  store<u32>(SCHEDULE, <u32>((count + 2) * 32), 15 << 2); // bits of the message
  sha1();
  base64(to);
}

/** The digest of the block in SCHEDULE. */
function sha1(): void {
  for (let i: usize = 16; i < ROUNDS; i++) {
    const at = SCHEDULE + (i << 2);
    const word = load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64);
    store<u32>(at, rotl<u32>(word, 1));
  }
  let a: u32 = 0x67452301;
  let b: u32 = 0xefcdab89;
  let c: u32 = 0x98badcfe;
  let d: u32 = 0x10325476;
  let e: u32 = 0xc3d2e1f0;
  for (let i: usize = 0; i < ROUNDS; i++) {
    let mixed: u32;
    if (i < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = rotl<u32>(a, 5) + mixed + e + load<u32>(SCHEDULE + (i << 2));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(DIGEST, bswap<u32>(a + 0x67452301));
  store<u32>(DIGEST, bswap<u32>(b + 0xefcdab89), 4);
  store<u32>(DIGEST, bswap<u32>(c + 0x98badcfe), 8);
  store<u32>(DIGEST, bswap<u32>(d + 0x10325476), 12);
  store<u32>(DIGEST, bswap<u32>(e + 0xc3d2e1f0), 16);
}

/** Three bytes become four characters. */
function base64(to: usize): void {
  for (let group: usize = 0; group < <usize>COMMUNITY_BYTES / 4; group++) {
    const bits = bswap<u32>(load<u32>(DIGEST + group * 3));
    const at = to + (group << 2);
    store<u8>(at, load<u8>(DIGITS + <usize>(bits >>> 26)));
    store<u8>(at, load<u8>(DIGITS + <usize>((bits >>> 20) & 63)), 1);
    store<u8>(at, load<u8>(DIGITS + <usize>((bits >>> 14) & 63)), 2);
    store<u8>(at, load<u8>(DIGITS + <usize>((bits >>> 8) & 63)), 3);
  }
  store<u8>(to, PADDING, COMMUNITY_BYTES - 1);
}
