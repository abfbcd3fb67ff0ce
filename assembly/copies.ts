// Copies of packets (`-i any`, SPAN), told from retransmissions: the same bytes from IP on within a millisecond of the first
// copy (SPEC §1). Every packet of the last millisecond is remembered, exactly, so the answers do not depend on what else
// passes by: a ring of packets, chained by their digest, newest first. Where the next one would take the place of a packet
// younger than a millisecond, the ring doubles. Ring and chains grow downwards from where they end (memory.ts).
//
// What several interfaces captured may be written in turns (dumpcap -i A -i B), so that copies of a thousand packets come behind all of
// them: then packets are remembered as much longer as the host says, and a packet that comes late is looked for among those of its time.
//
//   packet   clock (f64) | digest | hash | link digest | lag, flags (16 bits each) | number of the one before it in its chain |
//            sequence and acknowledgement number, mixed
//   chains   number of the newest packet of each; packets are numbered from 1 on, modulo 2^32

import { FOREIGN, FRAGMENT_HEAD, FROM_HIGH, LAG_UNIT, NO_IDENTIFICATION } from '../src/layout/segment.ts';
import { FIN, SYN } from '../src/layout/tcp.ts';
import { FORGOTTEN, LATENESS, RECENT_BYTES, RECENT_CAPACITY } from '../src/layout/tracking.ts';
import { CHAINS_END, RECENT_END } from './memory.ts';
import { count, told } from './tracking.ts';

/** Copies of one packet come within this time of the first, ns. */
const SPAN: f64 = 1e6;
const FIRST_PACKETS = 512;
/** So many that most are empty: whether there is something in one cannot be foreseen, and waiting for a wrong guess costs more than a line. */
const FEWEST_CHAINS: u32 = 8192;
/** Packets of the same bytes but another time that are passed over in search of a copy: of a flood of them there is no end. */
const MOST_OTHERS = 256;
/** The lag that means "this or more". */
const LAG_MOST = 0xffff;

// A packet, offsets in bytes.
const CLOCK = 0;
const DIGEST = 8;
const HASH = 12;
const LINK = 16;
const LAG = 20;
const FLAGS = 22;
const BEFORE = 24;
const NUMBERS = 28;

/** Of a segment's flags: those of the header, who sent it, and whether it is a part of a datagram. */
const KIND = FROM_HIGH | FRAGMENT_HEAD | 0xff;

/** An odd number near 2^32 / phi. */
const MULTIPLIER: u32 = 0x9e3779b1;

/** Packets that the ring has room for, less one; and chains, less one: at least twice as many. */
let mask: u32 = FIRST_PACKETS - 1;
let chainMask: u32 = FEWEST_CHAINS - 1;
/** Numbers of the newest packet, and of how many are in the ring. */
let newest: u32 = 0;
let held: u32 = 0;

export function forgetCopies(): void {
  mask = FIRST_PACKETS - 1;
  newest = 0;
  held = 0;
  chainMask = FEWEST_CHAINS - 1;
  emptyChains();
}

function emptyChains(): void {
  const bytes = (<usize>chainMask + 1) << 2;
  memory.fill(CHAINS_END - bytes, 0, bytes);
}

function chainOf(digest: u32): usize {
  return CHAINS_END - 4 - ((<usize>((digest ^ (digest >>> 15)) & chainMask)) << 2);
}

/** The newest packet of a digest's chain: means nothing but that it was read. */
export function chainHead(digest: u32): u32 {
  return load<u32>(chainOf(digest));
}

function packetAt(number: u32): usize {
  return RECENT_END - RECENT_BYTES - <usize>(number & mask) * RECENT_BYTES;
}

/**
 * Whether this packet is a copy of an earlier one; if not, it is remembered.
 * @param link digest of its link header
 * @param flags of the segment record
 * @param lag of its own timestamp behind `clock`, in LAG_UNITs
 * @param seq its numbers: of a million packets a second, a digest of 32 bits alone would take one in millions for a copy of another
 * @param clock the capture clock, ns
 */
export function isCopy(digest: u32, hash: u32, link: u32, flags: i32, payload: i32, lag: i32, seq: u32, ack: u32, clock: f64): bool {
  const numbers: u32 = seq + ack * MULTIPLIER;
  const reach = SPAN + min(timeOf(lag), lateness());
  const own = clock - timeOf(lag);
  let others = 0;
  // `age` grows along a chain: the numbers of packets long gone may come again, but never lead back.
  let number = load<u32>(chainOf(digest));
  for (let age: u32 = 0; newest - number >= age && newest - number < held; number = load<u32>(packetAt(number), BEFORE)) {
    const packet = packetAt(number);
    if (clock - load<f64>(packet, CLOCK) > reach) break;
    age = newest - number + 1;
    if (load<u32>(packet, DIGEST) != digest || load<u32>(packet, HASH) != hash) continue;
    if (load<u32>(packet, NUMBERS) != numbers || <i32>load<u16>(packet, FLAGS) != (flags & KIND)) continue;
    if (abs(load<f64>(packet, CLOCK) - timeOf(<i32>load<u16>(packet, LAG)) - own) > SPAN) {
      if (++others <= MOST_OTHERS) continue; // captured at another time
      countForgotten(flags);
      break;
    }
    if (isCopyOf(packet, link, flags, payload, lag)) return true;
    break; // another packet of the same bytes: the next copies are its own
  }
  if (held <= mask) held++;
  else if (clock - load<f64>(packetAt(newest + 1), CLOCK) <= SPAN + lateness()) makeRoom(flags);
  const packet = packetAt(newest + 1);
  store<f64>(packet, clock, CLOCK);
  store<u32>(packet, digest, DIGEST);
  store<u32>(packet, hash, HASH);
  store<u32>(packet, link, LINK);
  store<u16>(packet, <u16>lag, LAG);
  store<u16>(packet, <u16>(flags & KIND), FLAGS);
  store<u32>(packet, numbers, NUMBERS);
  chain(packet, digest);
  return false;
}

function lateness(): f64 {
  return <f64>told(LATENESS) * 1e6;
}

function timeOf(lag: i32): f64 {
  return <f64>lag * <f64>LAG_UNIT;
}

function isCopyOf(packet: usize, link: u32, flags: i32, payload: i32, lag: i32): bool {
  // Bursts of pure ACKs and RSTs may be equal to the byte where nothing numbers the packets; and so may retransmissions
  // whose own time is unknown because the capture's clock stands still.
  const needsOtherLink = ((flags & NO_IDENTIFICATION) != 0 && payload == 0 && (flags & (SYN | FIN)) == 0) || lag == LAG_MOST;
  return !needsOtherLink || load<u32>(packet, LINK) != link;
}

/** Makes a packet the newest of all, and of its chain. */
function chain(packet: usize, digest: u32): void {
  const first = chainOf(digest);
  store<u32>(packet, load<u32>(first), BEFORE);
  store<u32>(first, ++newest);
}

/** The ring is full, and its oldest packet young. */
function makeRoom(flags: i32): void {
  if (mask < <u32>RECENT_CAPACITY - 1) {
    double();
    held++;
  } else countForgotten(flags); // the bound on the memory of a capture whose clock stands still
}

/** What a fragment brings about that all shards have, one of them counts. */
function countForgotten(flags: i32): void {
  if ((flags & FOREIGN) == 0) count(FORGOTTEN);
}

/** Twice the room: each packet keeps its number, and the chains are made anew, oldest packet first. */
function double(): void {
  const packets = mask + 1;
  const bytes = <usize>packets * RECENT_BYTES;
  memory.copy(RECENT_END - bytes * 2, RECENT_END - bytes, bytes);
  mask = mask * 2 + 1;
  chainMask = max(mask * 2 + 1, FEWEST_CHAINS - 1);
  emptyChains();
  newest -= packets;
  for (let i: u32 = 0; i < packets; i++) {
    const packet = packetAt(newest + 1);
    chain(packet, load<u32>(packet, DIGEST));
  }
}
