// Writes the batch: one 64-byte record (src/layout/segment.ts) for each segment and each last fragment.
//
// A fragment's identification takes the place of its link digest: both families have room for it there, and whether two
// fragments are copies never depends on where they were captured.

import {
  ADDRESS_PAIR_BYTES,
  ADDRESS_WORD,
  DIGEST_WORD,
  FLAGS_WORD,
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
  SEGMENT_BYTES,
  SEQ_WORD,
  TCP_WORD,
  TIME_WORD,
  TSVAL_WORD,
} from '../src/layout/segment.ts';
import { SEGMENTS_CAPACITY, SHARDS_CAPACITY } from '../src/layout/batch.ts';
import { digestChain, digestLink, digestPacket, hashAddress, hashTuple } from './hash.ts';
import { LISTS, LISTS_BYTES, PAIRS, PAIRS_BYTES, SEGMENTS, SEGMENTS_BYTES } from './memory.ts';
import { destination, identification, transportBytes } from './network.ts';
import { TIMESTAMPS_SEEN, tsval } from './tcp.ts';

/** Odd, so that all interfaces of a section differ. */
const INTERFACE_FACTOR: u32 = 0x9e3779b1;
/** Payload bytes that a digest covers. */
const DIGESTED_PAYLOAD = 32;

let batch: usize = SEGMENTS;
let next: usize = SEGMENTS;
let firstPair: usize = PAIRS;
let pair: usize = PAIRS;
let lists: usize = LISTS;
let shards: u64 = 1;
/** Number of the interface that the packet was captured on, within its section. */
let captureInterface: u32 = 0;

export function startBatch(slot: i32, shardCount: i32): void {
  batch = SEGMENTS + <usize>slot * SEGMENTS_BYTES;
  next = batch;
  firstPair = PAIRS + <usize>slot * PAIRS_BYTES;
  pair = firstPair;
  lists = LISTS + <usize>slot * LISTS_BYTES;
  shards = shardCount;
  captureInterface = 0;
  memory.fill(lists, 0, (<usize>shardCount) << 2);
}

export function setInterface(index: u32): void {
  captureInterface = index;
}

export function batchFull(): bool {
  return next == batch + SEGMENTS_BYTES;
}

export function records(): i32 {
  return <i32>(next - batch) / SEGMENT_BYTES;
}

export function pairs(): i32 {
  return <i32>(pair - firstPair) / ADDRESS_PAIR_BYTES;
}

/** Address of the record to write; it counts once finishRecord() was called. */
export function nextRecord(): usize {
  return next;
}

/**
 * Writes both endpoints in canonical order, and the hash of their tuple.
 * @param ports source << 16 | destination
 * @returns FROM_HIGH, IPV6, NO_IDENTIFICATION as they apply
 */
export function writeEndpoints(record: usize, ip: usize, ipv6: bool, ports: u32): i32 {
  // Source address | destination address << 32, as numbers.
  let addresses: u64;
  let fromHigh: i32;
  let flags: i32;
  if (ipv6) {
    addresses = <u64>hashAddress(ip + 8) | ((<u64>hashAddress(destination)) << 32);
    fromHigh = sourceIsHigh(ip + 8, destination, ports);
    flags = IPV6 | NO_IDENTIFICATION;
    store<i32>(record, pairs(), ADDRESS_WORD << 2);
    writePair(ip + 8, destination, fromHigh);
  } else {
    addresses = i64x2.extract_lane(reversed(v128.load(ip, 4)), 1);
    fromHigh = i32((((addresses & 0xffffffff) << 16) | (ports >> 16)) > (((addresses >> 32) << 16) | (ports & 0xffff)));
    flags = i32(load<u16>(ip, 4) == 0) * NO_IDENTIFICATION;
    store<i32>(record, 0, ADDRESS_WORD << 2);
  }
  // Which direction comes next cannot be predicted, so both are exchanged without a branch.
  addresses = rotl(addresses, fromHigh << 5);
  ports = rotl(ports, fromHigh << 4);
  store<u64>(record, addresses, LOW_WORD << 2);
  store<u32>(record, ports, PORTS_WORD << 2);
  store<u32>(record, hashTuple(addresses, ports, ipv6), HASH_WORD << 2);
  return flags | (fromHigh * FROM_HIGH);
}

/** Four big-endian words as numbers. */
function reversed(words: v128): v128 {
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

function writePair(source: usize, destination: usize, fromHigh: i32): void {
  const place = pair + (fromHigh << 4);
  v128.store(place, v128.load(source));
  v128.store(place ^ 16, v128.load(destination));
  pair += ADDRESS_PAIR_BYTES;
}

/**
 * Writes what a TCP header says.
 * @param captured bytes of header and payload that were captured: at least 14
 * @param flags those that are not of the header
 * @param seen what options() answered
 */
export function writeTcp(record: usize, tcp: usize, captured: i32, payload: i32, flags: i32, seen: i32): void {
  // Ports, sequence and acknowledgement numbers, and a word of data offset, flags and window: 0 where the cut is before it.
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

/** 14 bytes and two zeros. */
function first14(tcp: usize): v128 {
  return i8x16.swizzle(v128.load(tcp - 2), i8x16(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1));
}

/** Writes the digest of a packet. */
export function writeDigest(record: usize, ip: usize, ipv6: bool, tcp: usize, header: i32, captured: i32, payload: i32): void {
  const fields: u32 = captured < 16 ? load<u16>(tcp, 12) : load<u32>(tcp, 12);
  const wanted = min(payload, DIGESTED_PAYLOAD);
  const there = captured - header;
  // Where the snapshot length cuts a payload within these bytes, another link header would have it cut elsewhere: only a half
  // of them counts then, or nothing.
  const digested = select(wanted, select(there, there & 16, there < 0), there >= wanted);
  store<u32>(record, digestPacket(ip, tcp, tcp + header + digested, ipv6, fields), DIGEST_WORD << 2);
}

/**
 * Writes the digest of where a packet was captured: the interface, a link header's `bytes` bytes, and what was noted of other headers.
 * Two packets of the same bytes are surely copies where they were captured at different places, so nothing may count here that
 * differs between packets of one place. That is why outer IP headers are not digested with their identifications, nor GRE's
 * and 802.11's sequence numbers.
 */
export function writePlace(record: usize, frame: usize, bytes: i32, path: u64): void {
  store<u32>(record, (digestLink(frame, bytes) ^ digestChain(path)) + captureInterface * INTERFACE_FACTOR, LINK_WORD << 2);
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
  next = record + SEGMENT_BYTES;
}

/** Puts the record just completed on the list of the shard that its hash belongs to. */
export function distribute(record: usize): void {
  list(<usize>((<u64>load<u32>(record, HASH_WORD << 2) * shards) >> 32), record);
}

/** Puts it on all lists. */
export function distributeToAll(record: usize): void {
  for (let shard: usize = 0; shard < <usize>shards; shard++) list(shard, record);
}

function list(shard: usize, record: usize): void {
  const counter = lists + (shard << 2);
  const count = load<i32>(counter);
  store<i32>(counter, count + 1);
  store<i32>(lists + SHARDS_CAPACITY * 4 + ((shard * SEGMENTS_CAPACITY + <usize>count) << 2), <i32>(record - batch) / SEGMENT_BYTES);
}
