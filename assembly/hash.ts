// Hashes and digests. Everything is keyed by the host's seed, so that nobody who writes a capture can choose collisions.
//
// Tuples use multilinear hashing (a 64-bit key for each 32-bit word), byte ranges NH: the words of 16 bytes, a key added to
// each, multiplied in pairs and summed. Both need one multiplication for 4 to 8 bytes and none waits for another.

import { KEYS, KEY_BYTES } from './memory.ts';

/** The odd multiplier of splitmix64, here as a finalizer too. */
const MULTIPLIER: u64 = 0xbf58476d1ce4e5b9;

// Keys by byte offset. Tuple and address keys are 8 bytes for each word, digest keys 16 bytes for each block.
const TUPLE_KEYS = 0;
const ADDRESS_KEYS = 32;
const LINK_KEYS = 64;
const FLAGS_KEY = 80;
const FIRST_BLOCKS = 96;
const LAST_BLOCKS = 128;
const BETWEEN_BLOCKS = 176;
const CHAIN_KEY = 192;

/** Bytes from the TCP header on that lie in the last blocks, or before them where nothing is digested or fields() covers it. */
export const FEW_BYTES = 18 + 48;

/**
 * 64 zeros, then 96 ones. A load at SELECT + 48 + n, where n may be negative or exceed 16, selects the last n of 16 bytes.
 */
const SELECT: usize = memory.data(64 + 96, 16);
const SELECT_NONE = 48;
let seed: i32 = 0;
let seeded: bool = false;

memory.fill(SELECT + 64, 0xff, 96);

/** Derives all keys from the seed (splitmix64), where it has changed. */
export function useSeed(value: i32): void {
  if (seeded && value == seed) return;
  seed = value;
  seeded = true;
  let state = <u64>(<u32>value);
  for (let at = 0; at < KEY_BYTES; at += 8) {
    state += 0x9e3779b97f4a7c15;
    let z = state;
    z = (z ^ (z >> 30)) * MULTIPLIER;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    store<u64>(KEYS + <usize>at, z ^ (z >> 31));
  }
}

/** Spreads a sum over all of 32 bits. */
function finish(sum: u64): u32 {
  const folded = (sum ^ (sum >> 32)) * MULTIPLIER;
  return <u32>((folded ^ (folded >> 29)) >> 16);
}

/**
 * Hash of a 4-tuple in canonical order: symmetric, because both directions are written the same way.
 * @param addresses low address | high address << 32
 */
export function hashTuple(addresses: u64, ports: u32, ipv6: bool): u32 {
  return finish(
    (addresses & 0xffffffff) * load<u64>(KEYS, TUPLE_KEYS) +
      (addresses >> 32) * load<u64>(KEYS, TUPLE_KEYS + 8) +
      <u64>ports * load<u64>(KEYS, TUPLE_KEYS + 16) +
      (ipv6 ? load<u64>(KEYS, TUPLE_KEYS + 24) : 0),
  );
}

/** 32 bits for the 16 bytes of an IPv6 address. */
export function hashAddress(address: usize): u32 {
  return finish(
    <u64>load<u32>(address) * load<u64>(KEYS, ADDRESS_KEYS) +
      <u64>load<u32>(address, 4) * load<u64>(KEYS, ADDRESS_KEYS + 8) +
      <u64>load<u32>(address, 8) * load<u64>(KEYS, ADDRESS_KEYS + 16) +
      <u64>load<u32>(address, 12) * load<u64>(KEYS, ADDRESS_KEYS + 24),
  );
}

/** Digest of a link header (4 bytes or at least 8); 0 where there is none. */
export function digestLink(from: usize, bytes: i32): u32 {
  if (bytes < 8) return bytes == 0 ? 0 : finish((load<u64>(KEYS, LINK_KEYS) + load<u32>(from)) * MULTIPLIER);
  if (bytes <= 24) return digestShortLink(from, bytes);
  const to = from + bytes;
  let sum = firstOfLink(from, bytes);
  for (from += 8; from + 8 < to; from += 8) sum = spread(sum) ^ load<u64>(from);
  return lastOfLink(sum, to);
}

/** digestLink() of 8 to 24 bytes. */
export function digestShortLink(from: usize, bytes: i32): u32 {
  const sum = firstOfLink(from, bytes);
  return lastOfLink(bytes > 16 ? spread(sum) ^ load<u64>(from, 8) : sum, from + bytes);
}

function firstOfLink(from: usize, bytes: i32): u64 {
  return (load<u64>(KEYS, LINK_KEYS) + bytes) ^ load<u64>(from);
}

function lastOfLink(sum: u64, to: usize): u32 {
  return finish(spread(sum) + load<u64>(to - 8) * (load<u64>(KEYS, LINK_KEYS + 8) | 1));
}

/** Adds a word to those before it; their order counts. */
export function chain(sum: u64, word: u64): u64 {
  return spread(sum + load<u64>(KEYS, CHAIN_KEY)) ^ word;
}

/** 32 bits of a chain; 0 where there is none. */
export function digestChain(sum: u64): u32 {
  return sum == 0 ? 0 : finish(spread(sum + load<u64>(KEYS, CHAIN_KEY)));
}

function spread(sum: u64): u64 {
  const product = sum * MULTIPLIER;
  return product ^ (product >> 32);
}

/** Two products of one block of 16 bytes with its key. */
function products(block: v128, key: usize): v128 {
  const keyed = i32x4.add(block, v128.load(key));
  return i64x2.extmul_low_i32x4_u(keyed, v128.shuffle<i32>(keyed, keyed, 2, 3, 0, 1));
}

/** One number of both sums. */
function joined(sum: v128): u64 {
  return i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1) * MULTIPLIER;
}

/** Bytes that lie between the blocks which digestPacket() reads itself: long options, extension headers. */
function digestBetween(from: usize, to: usize): u64 {
  let sum: u64 = 0;
  while (from < to) {
    const end = min(from + 16, to);
    const selected = v128.load(SELECT + SELECT_NONE + (end - from));
    // One key serves for blocks without number, because each sum is spread before the next one comes to it.
    sum = spread(sum + joined(products(v128.and(v128.load(end - 16), selected), KEYS + BETWEEN_BLOCKS)));
    from = end;
  }
  return sum;
}

/**
 * Digest of a packet from its IP header up to `bytes` bytes from its TCP header on, all of which are captured, but for hop limit and
 * checksums: two copies of one packet agree in it, wherever they were captured.
 *
 * Nothing here branches on what varies from packet to packet: the end is read backwards in blocks of 16 bytes, of which what
 * lies before the digested bytes is masked out. (It may lie before the frame, in its record header.)
 */
export function digestPacket(ip: usize, tcp: usize, bytes: i32, ipv6: bool): u32 {
  let sum = joined(i64x2.add(firstBlocks(ip, ipv6), lastBlocks(tcp, bytes))) + fields(tcp, bytes);
  if (tcp != ip + 20) sum += digestBetween(ip + 32, tcp + 12);
  if (bytes > FEW_BYTES) sum += spread(digestBetween(tcp + 18, tcp + bytes - 48));
  return finish(sum);
}

/** digestPacket() of IPv4 without options, and at most FEW_BYTES bytes. */
export function digestPlain(ip: usize, bytes: i32): u32 {
  return finish(joined(i64x2.add(firstBlocks(ip, false), lastBlocks(ip + 20, bytes))) + fields(ip + 20, bytes));
}

/** 32 bytes from the IP header on. */
function firstBlocks(ip: usize, ipv6: bool): v128 {
  // All of the first 16 bytes but the hop limit and, in IPv4, the checksum.
  const kept = ipv6
    ? i8x16(-1, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1)
    : i8x16(-1, -1, -1, -1, -1, -1, -1, -1, 0, -1, 0, 0, -1, -1, -1, -1);
  return i64x2.add(products(v128.and(v128.load(ip), kept), KEYS + FIRST_BLOCKS), products(v128.load(ip, 16), KEYS + FIRST_BLOCKS + 16));
}

/** The last 48 of `bytes` bytes, without those up to the checksum. */
function lastBlocks(tcp: usize, bytes: i32): v128 {
  const select = SELECT + (bytes - 18);
  const last = tcp + bytes - 48;
  const one = products(v128.and(v128.load(last), v128.load(select, SELECT_NONE - 32)), KEYS + LAST_BLOCKS);
  const two = products(v128.and(v128.load(last, 16), v128.load(select, SELECT_NONE - 16)), KEYS + LAST_BLOCKS + 16);
  const three = products(v128.and(v128.load(last, 32), v128.load(select, SELECT_NONE)), KEYS + LAST_BLOCKS + 32);
  return i64x2.add(i64x2.add(one, two), three);
}

/** Data offset, flags, and the window, where it is digested. */
function fields(tcp: usize, bytes: i32): u64 {
  return <u64>(load<u32>(tcp, 12) & (bytes < 16 ? 0xffff : 0xffffffff)) * load<u64>(KEYS, FLAGS_KEY);
}
