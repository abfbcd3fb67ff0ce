// Framing of the pcapng format (draft-ietf-opsawg-pcapng): blocks, of which a few hold packets and some describe interfaces.
//
//   type | length | body, padded to 4 bytes | length again
//
// All other blocks are passed by.

import {
  AT_END,
  BATCH_FULL,
  BROKEN_CAPTURED,
  BROKEN_INTERFACES,
  BROKEN_LENGTH,
  BROKEN_SECTION,
  BROKEN_TRAILER,
  BYTE_ORDER,
  CUSTOM,
  CUSTOM_UNCOPIED,
  ENHANCED_PACKET,
  FORM,
  INTERFACE_DESCRIPTION,
  LARGEST_BLOCK,
  LAST_ORDINARY_BLOCK,
  PACKET,
  PATIENCE_S,
  SECTION_HEADER,
  SIMPLE_PACKET,
  SWAPPED,
  WANTS_BYTES,
} from '../src/layout/framing.ts';
import { DOUBTED } from './doubt.ts';
import { addInterface, forgetInterfaces, interfaceAt, limitOf, linkTypeOf, nanoseconds, read16, read32, snaplenOf } from './interfaces.ts';
import { clockInstead, countSection, latest, take } from './packets.ts';
import { batchFull, setInterface } from './segment.ts';
import { answer, clockOrigin, word } from './state.ts';

/** Type and the two lengths. */
const SMALLEST_BLOCK = 12;
/** Up to the major version of a section header. */
const SECTION_BYTES = 16;
const SECTION_BLOCK: u32 = 28;
const INTERFACE_BLOCK: u32 = 20;
/** Block header, interface, timestamp, both lengths, trailing length. */
const PACKET_BLOCK: u32 = 32;
const SIMPLE_BLOCK: u32 = 16;
const PACKET_DATA = 28;
const SIMPLE_DATA = 12;
const MAJOR = 1;
/** Link type of a packet whose interface nothing describes: one that there is not. */
const UNDESCRIBED = 0x10000;

const PATIENCE: f64 = <f64>PATIENCE_S * 1e9;
/** Blocks that have to agree on a time that contradicts that of the first packet. */
const WITNESSES = 3;

/** Why decodeBlocks() stopped. */
export let stopped: i32 = WANTS_BYTES;
/** Where the last block that was decoded ends; but where it begins, if nobody knows its type: it may be none, and lead past some. 0: none. */
export let previous: usize = 0;

/** Decodes the blocks that begin in at..last and end before `end`; answers where the first one is that it did not decode. */
export function decodeBlocks(at: usize, last: usize, end: usize): usize {
  let swapped = (word(FORM) & SWAPPED) != 0;
  const origin = clockOrigin();
  stopped = WANTS_BYTES;
  previous = 0;
  while (at < last && <i32>(end - at) >= SMALLEST_BLOCK) {
    const type = read32(at, swapped);
    if (type == SECTION_HEADER) {
      if (<i32>(end - at) < SECTION_BYTES) break;
      const magic = load<u32>(at, 8);
      const other = magic == bswap<u32>(BYTE_ORDER);
      if ((magic != BYTE_ORDER && !other) || read16(at + 12, other) != MAJOR) return broken(at, BROKEN_SECTION);
      swapped = other;
      answer(FORM, (word(FORM) & ~SWAPPED) | i32(swapped));
    }
    const length = read32(at + 4, swapped);
    if (length < smallest(type) || length > <u32>LARGEST_BLOCK) return broken(at, BROKEN_LENGTH);
    const next = at + padded(length);
    if (next > end) break;
    if (read32(next - 4, swapped) != length) return broken(at, BROKEN_TRAILER);
    if (type == SECTION_HEADER) {
      forgetInterfaces();
      countSection();
    } else if (type == INTERFACE_DESCRIPTION) {
      if (!addInterface(at + 8, next - 4, swapped)) return broken(at, BROKEN_INTERFACES);
    } else if (type == ENHANCED_PACKET || type == PACKET || type == SIMPLE_PACKET) {
      const simple = type == SIMPLE_PACKET;
      const index = simple ? 0 : type == PACKET ? <u32>read16(at + 8, swapped) : read32(at + 8, swapped);
      const entry = interfaceAt(index);
      const original = read32(at + (simple ? 8 : 24), swapped);
      const room = length - (simple ? SIMPLE_BLOCK : PACKET_BLOCK);
      const snaplen = entry == 0 ? 0 : snaplenOf(entry);
      const captured = simple ? min(min(original, room), snaplen == 0 ? room : snaplen) : read32(at + 20, swapped);
      if (captured > room || captured > (entry == 0 ? room : limitOf(entry))) return broken(at, BROKEN_CAPTURED);
      if (batchFull()) return broken(at, BATCH_FULL);
      let stamp = latest > -Infinity ? latest : 0;
      if (!simple && entry != 0) {
        stamp = nanoseconds(entry, ((<u64>read32(at + 12, swapped)) << 32) | read32(at + 16, swapped), origin);
        if (Math.abs(stamp - latest) > DOUBTED) {
          if (<i32>(end - next) < PACKET_DATA && word(AT_END) == 0) break;
          stamp = latest > -Infinity ? doubted(stamp, next, end, swapped, origin) : first(stamp, next, end, swapped, origin);
          if (isNaN(stamp)) break;
        }
      }
      setInterface(index);
      take(entry == 0 ? UNDESCRIBED : linkTypeOf(entry), at + (simple ? SIMPLE_DATA : PACKET_DATA), captured, original, stamp);
    }
    previous = isKnown(type) ? next : at;
    at = next;
  }
  return at;
}

function isKnown(type: u32): bool {
  return (type > 0 && type <= <u32>LAST_ORDINARY_BLOCK) || type == SECTION_HEADER || type == CUSTOM || type == CUSTOM_UNCOPIED;
}

/** Bytes of a block: there are writers who do not count those that fill its last word. */
function padded(length: u32): usize {
  return <usize>((length + 3) & ~3);
}

/** A time far from the capture clock, or the clock where the block that follows is near it: it is the time that is wrong then. */
function doubted(stamp: f64, next: usize, end: usize, swapped: bool, origin: f64): f64 {
  const time = timeOf(next, end, swapped, origin);
  return Math.abs(time - stamp) > DOUBTED && Math.abs(time - latest) <= DOUBTED ? clockInstead() : stamp;
}

/**
 * The first packet's time, or that of the blocks that follow, where they agree and it cannot be right; not a number: more bytes are
 * needed.
 */
function first(stamp: f64, next: usize, end: usize, swapped: bool, origin: f64): f64 {
  let agreed: f64 = NaN;
  for (let witness = 0; witness < WITNESSES; witness++) {
    if (<i32>(end - next) < PACKET_DATA) return word(AT_END) == 0 ? NaN : stamp;
    const time = timeOf(next, end, swapped, origin);
    if (witness == 0) agreed = time;
    if (!(agreed - stamp > PATIENCE || agreed - stamp < -DOUBTED) || !(Math.abs(time - agreed) <= DOUBTED)) return stamp;
    const length = read32(next + 4, swapped);
    if (length > <u32>LARGEST_BLOCK) return stamp;
    next += padded(length);
  }
  return agreed;
}

/** The time of an enhanced packet block of a known interface; not a number where there is none, or not all of its header. */
function timeOf(at: usize, end: usize, swapped: bool, origin: f64): f64 {
  if (<i32>(end - at) < PACKET_DATA || read32(at, swapped) != ENHANCED_PACKET) return NaN;
  const entry = interfaceAt(read32(at + 8, swapped));
  if (entry == 0) return NaN;
  return nanoseconds(entry, ((<u64>read32(at + 12, swapped)) << 32) | read32(at + 16, swapped), origin);
}

function broken(at: usize, why: i32): usize {
  stopped = why;
  return at;
}

function smallest(type: u32): u32 {
  if (type == ENHANCED_PACKET || type == PACKET) return PACKET_BLOCK;
  if (type == SIMPLE_PACKET) return SIMPLE_BLOCK;
  if (type == SECTION_HEADER) return SECTION_BLOCK;
  return type == INTERFACE_DESCRIPTION ? INTERFACE_BLOCK : SMALLEST_BLOCK;
}
