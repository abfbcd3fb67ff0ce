// Writes the batch: one 64-byte record (src/layout/segment.ts) for each segment and each last fragment; of fragments all shards have one.
//
// A fragment's identification takes the place of its link digest: both families have room for it there, and whether two
// fragments are copies never depends on where they were captured.

import {
  ADDRESS_PAIR_BYTES,
  ADDRESS_WORD,
  DIGEST_WORD,
  FLAGS_WORD,
  FOREIGN,
  FROM_HIGH,
  HASH_WORD,
  HAS_TIMESTAMP,
  HIGH_WORD,
  IPV6,
  LINK_WORD,
  LOW_WORD,
  NO_IDENTIFICATION,
  PACKET_WORD,
  PAYLOAD_WORD,
  PORTS_WORD,
  SCOPED,
  SEGMENT_BYTES,
  SEQ_WORD,
  TCP_WORD,
  TIME_WORD,
  TSVAL_WORD,
} from '../src/layout/segment.ts';
import { PAIR_COUNT, SEGMENTS_CAPACITY } from '../src/layout/batch.ts';
import { digestChain, digestLink, digestPacket, hashAddress, hashTuple } from './hash.ts';
import { COUNTS, COUNTS_BYTES, PAIRS, PAIRS_BYTES, SEGMENTS, SEGMENTS_BYTES } from './memory.ts';
import { destination, identification, ipv4Destination, source, transportBytes } from './network.ts';
import { scope, scoping } from './tags.ts';
import { TIMESTAMPS_SEEN, tsval } from './tcp.ts';

/** Odd, so that all interfaces of a section differ. */
const INTERFACE_FACTOR: u32 = 0x9e3779b1;
/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;
/** Payload bytes that a digest covers. */
const DIGESTED_PAYLOAD = 32;
/** Bytes of a TCP header that must have been captured: up to its flags. */
const LEAST_HEADER = 14;
/** First byte of an IPv4 header without options. */
const PLAIN_HEADER = 0x45;

/** FROM_HIGH, IPV6, NO_IDENTIFICATION as they apply to what writeEndpoints() wrote last. */
export let endpointFlags: i32 = 0;

let bins: usize = SEGMENTS;
/** From one shard's bin to the next one's. */
let binBytes: usize = SEGMENTS_BYTES;
let capacity: i32 = SEGMENTS_CAPACITY;
let counts: usize = COUNTS;
/** Count of the bin that the record is written to. */
let counter: usize = COUNTS;
let written: i32 = 0;
let firstPair: usize = PAIRS;
let pair: usize = PAIRS;
let shards: u64 = 1;
/** Number of the interface that the packet was captured on, within its section. */
let captureInterface: u32 = 0;

/** `units`: of the largest window. */
export function startBatch(slot: i32, shardCount: i32, units: i32): void {
  binBytes = <usize>units * SEGMENTS_BYTES;
  capacity = units * SEGMENTS_CAPACITY;
  bins = SEGMENTS + <usize>slot * shardCount * binBytes;
  counts = COUNTS + <usize>slot * COUNTS_BYTES;
  written = 0;
  firstPair = PAIRS + <usize>(slot * units) * PAIRS_BYTES;
  pair = firstPair;
  shards = shardCount;
  captureInterface = 0;
  memory.fill(counts, 0, COUNTS_BYTES);
}

export function setInterface(index: u32): void {
  captureInterface = index;
}

export function batchFull(): bool {
  return written == capacity;
}

export function records(): i32 {
  return written;
}

export function pairs(): i32 {
  return <i32>(pair - firstPair) / ADDRESS_PAIR_BYTES;
}

/** Where the next record of a shard goes. */
function place(shard: usize): usize {
  counter = counts + (shard << 2);
  return bins + shard * binBytes + <usize>(load<u32>(counter) * SEGMENT_BYTES);
}

/**
 * Begins a record, in the bin of the shard that its hash belongs to: both endpoints in canonical order, and the hash of
 * their tuple. It counts once finishRecord() was called.
 * @param ports source << 16 | destination
 * @returns its address
 */
export function writeEndpoints(ip: usize, ipv6: bool, ports: u32): usize {
  // Source address | destination address << 32, as numbers.
  let addresses: u64;
  let fromHigh: i32;
  let number = 0;
  if (ipv6) {
    addresses = <u64>hashAddress(source) | ((<u64>hashAddress(destination)) << 32);
    fromHigh = sourceIsHigh(source, destination, ports);
    endpointFlags = IPV6 | NO_IDENTIFICATION;
    number = pairs();
    writePair(fromHigh);
  } else {
    addresses = i64x2.extract_lane(reversed(v128.load(ip, 4)), 1);
    if (load<u8>(ip) != PLAIN_HEADER) addresses = (addresses & 0xffffffff) | ((<u64>bswap<u32>(load<u32>(ipv4Destination(ip)))) << 32);
    fromHigh = i32((((addresses & 0xffffffff) << 16) | (ports >> 16)) > (((addresses >> 32) << 16) | (ports & 0xffff)));
    endpointFlags = i32(load<u16>(ip, 4) == 0) * NO_IDENTIFICATION;
  }
  endpointFlags |= fromHigh * FROM_HIGH;
  // Which direction comes next cannot be predicted, so both are exchanged without a branch.
  addresses = rotl(addresses, fromHigh << 5);
  ports = rotl(ports, fromHigh << 4);
  let hash = hashTuple(addresses, ports, ipv6);
  if (scoping()) {
    const within = scope();
    if (!ipv6) {
      number = pairs();
      memory.fill(pair, 0, ADDRESS_PAIR_BYTES);
      finishPair(within);
    } else store<u64>(pair - ADDRESS_PAIR_BYTES, within, SCOPE_AT);
    endpointFlags |= SCOPED;
    hash = hashTuple(within, hash, ipv6);
  }
  return beginRecord(addresses, ports, hash, number);
}

/** Begins the record of two endpoints in canonical order, in the bin of the shard that their hash belongs to; answers its address. */
export function beginRecord(addresses: u64, ports: u32, hash: u32, number: i32): usize {
  const record = place(<usize>((<u64>hash * shards) >> 32));
  store<i32>(record, number, ADDRESS_WORD << 2);
  store<u64>(record, addresses, LOW_WORD << 2);
  store<u32>(record, ports, PORTS_WORD << 2);
  store<u32>(record, hash, HASH_WORD << 2);
  return record;
}

/** Four big-endian words as numbers. */
export function reversed(words: v128): v128 {
  return i8x16.swizzle(words, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/** Whether an IPv6 packet's source endpoint is the larger one: 0 or 1. */
function sourceIsHigh(source: usize, destination: usize, ports: u32): i32 {
  for (let at: usize = 0; at < 16; at += 8) {
    const one = bswap<u64>(load<u64>(source + at));
    const other = bswap<u64>(load<u64>(destination + at));
    if (one != other) return i32(one > other);
  }
  return i32(ports >> 16 > (ports & 0xffff));
}

/** Of the source and the destination of the packet whose headers were read last. */
function writePair(fromHigh: i32): void {
  v128.store(pair + (fromHigh << 4), v128.load(source));
  v128.store(pair + ((1 - fromHigh) << 4), v128.load(destination));
  finishPair(0);
}

function finishPair(within: u64): void {
  store<u64>(pair, within, SCOPE_AT);
  pair += ADDRESS_PAIR_BYTES;
  store<i32>(counts, pairs(), PAIR_COUNT << 2);
}

/**
 * Writes what a TCP header says.
 * @param captured bytes of header and payload that were captured: at least 14
 * @param flags those that are not of the header
 * @param seen what options() answered
 */
export function writeTcp(record: usize, tcp: usize, captured: i32, payload: i32, flags: i32, seen: i32): void {
  // Ports, sequence and acknowledgement numbers, and a word of data offset, flags and window.
  const words = reversed(captured < 16 ? first14(tcp) : v128.load(tcp));
  const last = i32x4.extract_lane(words, 3);
  // All ones below, and above only where ACK is set.
  const acknowledges = <u64>((((<i64>last) << 43) >> 63) << 32) | 0xffffffff;
  const timestamps = (seen & TIMESTAMPS_SEEN) >> 11;
  store<u64>(record, i64x2.extract_lane(v128.shuffle<i32>(words, words, 1, 2, 1, 2), 0) & acknowledges, SEQ_WORD << 2);
  store<i32>(record, payload, PAYLOAD_WORD << 2);
  store<i32>(record, flags | ((last >> 16) & 0xff) | (timestamps * HAS_TIMESTAMP) | (last << 16), FLAGS_WORD << 2);
  store<u32>(record, tsval & -timestamps, TSVAL_WORD << 2);
}

/** 14 bytes, and the largest window: of one that was not captured nobody may say that it was closed. */
function first14(tcp: usize): v128 {
  const there = i8x16.swizzle(v128.load(tcp - 2), i8x16(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1));
  return v128.or(there, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1));
}

/** How many bytes of a packet from the TCP header on its digest covers. */
export function digestedBytes(header: i32, captured: i32, payload: i32): i32 {
  const wanted = header + min(payload, DIGESTED_PAYLOAD);
  // Where the snapshot length cuts these bytes, behind another link header it cuts them elsewhere: then only those count that all have.
  return captured >= wanted ? wanted : LEAST_HEADER;
}

/** Writes the digest of a packet, of `bytes` bytes from the TCP header on. */
export function writeDigest(record: usize, ip: usize, ipv6: bool, tcp: usize, bytes: i32): void {
  store<u32>(record, digestPacket(ip, tcp, bytes, ipv6), DIGEST_WORD << 2);
}

/**
 * Writes the digest of where a packet was captured: the interface, a link header's `bytes` bytes, and what was noted of other headers.
 * Two packets of the same bytes are surely copies where they were captured at different places, so nothing may count here that
 * differs between packets of one place. That is why outer IP headers are not digested with their identifications, nor GRE's
 * and 802.11's sequence numbers.
 */
export function writePlace(record: usize, frame: usize, bytes: i32, path: u64): void {
  store<u32>(record, atInterface(digestLink(frame, bytes) ^ digestChain(path)), LINK_WORD << 2);
}

/** A digest of headers, on the interface that packets are captured on. */
export function atInterface(digest: u32): u32 {
  return digest + captureInterface * INTERFACE_FACTOR;
}

/** What a fragment has in place of its link digest. */
export function writeIdentification(record: usize): void {
  store<u32>(record, identification, LINK_WORD << 2);
}

/**
 * Writes the rest of a last fragment's record: which datagram it is of, and how long that is.
 * @param flags FRAGMENT_TAIL and what writeEndpoints() answered
 */
export function writeTail(record: usize, flags: i32): void {
  store<u64>(record, 0, SEQ_WORD << 2);
  store<u32>(record, 0, HASH_WORD << 2);
  store<i32>(record, transportBytes, PAYLOAD_WORD << 2);
  store<i32>(record, flags, FLAGS_WORD << 2);
  store<u64>(record, 0, TSVAL_WORD << 2);
}

/** Completes any record. `lag` is in units of 16 µs, `packet` counts from 0 in the batch, `tcp` is the low half of TCP_WORD. */
export function finishRecord(record: usize, time: f64, lag: i32, packet: i32, tcp: i32): void {
  store<f64>(record, time, TIME_WORD << 2);
  store<i32>(record, packet, PACKET_WORD << 2);
  store<i32>(record, tcp | (lag << 16), TCP_WORD << 2);
  store<i32>(counter, load<i32>(counter) + 1);
  written++;
}

/** Puts a copy of the record just completed into all other bins, as a foreign one. */
export function distributeToAll(record: usize): void {
  const own = counter;
  for (let shard: usize = 0; shard < <usize>shards; shard++) {
    const copy = place(shard);
    if (counter == own) continue;
    memory.copy(copy, record, SEGMENT_BYTES);
    store<i32>(copy, load<i32>(copy, FLAGS_WORD << 2) | FOREIGN, FLAGS_WORD << 2);
    store<i32>(counter, load<i32>(counter) + 1);
  }
}
