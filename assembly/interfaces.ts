// The interfaces of the present section (src/layout/framing.ts has a drawing): the host writes those that are known when a
// window begins, and the section's own blocks add to them. A classic pcap has one.

import { INTERFACE_BYTES, INTERFACE_COUNT, INTERFACES_CAPACITY } from '../src/layout/framing.ts';
import { INTERFACES } from './memory.ts';
import { answer, word } from './state.ts';

/** Option codes of an interface description (draft-ietf-opsawg-pcapng §4.2). */
const END_OF_OPTIONS = 0;
const TIMESTAMP_RESOLUTION = 9;
const TIMESTAMP_OFFSET = 14;

/** What one unit of most captures is: 10^-6 s. */
const MICROSECONDS = 6;
/** libpcap's and Wireshark's own bound for what a record may have captured, whatever its interface states. */
const LARGEST_CAPTURED: u32 = 262144;
/** More than that does not fit into the window. */
const LARGEST_WINDOWED: u32 = 32 << 20;

/** Address of an interface's entry; 0 where the section has none of that number. */
export function interfaceAt(index: u32): usize {
  return index < <u32>word(INTERFACE_COUNT) ? INTERFACES + <usize>index * INTERFACE_BYTES : 0;
}

export function linkTypeOf(entry: usize): i32 {
  return load<i32>(entry);
}

export function limitOf(entry: usize): u32 {
  return load<u32>(entry, 4);
}

/** How much longer than the packet what was captured of it may be. */
export function surplusOf(entry: usize): u32 {
  return load<u32>(entry, 12);
}

export function snaplenOf(entry: usize): u32 {
  return load<u32>(entry, 8);
}

/** Where ticks count from, in units since 1970. */
export function startOf(entry: usize): i64 {
  return <i64>load<f64>(entry, 48);
}

/** The same of units since 1970 that may be negative. */
export function signedNanoseconds(entry: usize, stamp: i64, origin: f64): f64 {
  const units = load<i64>(entry, 16);
  const seconds = stamp / units;
  const rest = stamp - seconds * units;
  return (<f64>seconds - origin) * 1e9 + Math.floor((<f64>rest * load<f64>(entry, 32)) / load<f64>(entry, 40));
}

export function forgetInterfaces(): void {
  answer(INTERFACE_COUNT, 0);
}

/**
 * A timestamp in ns since the origin. What is finer than a nanosecond is cut off.
 * @param origin seconds since 1970
 */
export function nanoseconds(entry: usize, stamp: u64, origin: f64): f64 {
  const units = load<u64>(entry, 16);
  const seconds = stamp / units;
  const rest = stamp - seconds * units;
  return (<f64>seconds + load<f64>(entry, 24) - origin) * 1e9 + Math.floor((<f64>rest * load<f64>(entry, 32)) / load<f64>(entry, 40));
}

/**
 * Adds what an interface description block says, from its link type to its trailing length.
 * @returns whether there was room
 */
export function addInterface(body: usize, end: usize, swapped: bool): bool {
  const index = word(INTERFACE_COUNT);
  if (index == INTERFACES_CAPACITY) return false;
  const entry = INTERFACES + <usize>index * INTERFACE_BYTES;
  const linkType = read16(body, swapped);
  const snaplen = read32(body + 4, swapped);
  store<i32>(entry, linkType);
  store<u32>(entry, min(max(snaplen, LARGEST_CAPTURED), LARGEST_WINDOWED), 4);
  store<u64>(entry, snaplen, 8);
  resolve(entry, MICROSECONDS);
  store<f64>(entry, 0, 24);
  store<f64>(entry, 0, 48);
  for (let at = body + 8; at + 4 <= end; ) {
    const code = read16(at, swapped);
    const length = <usize>read16(at + 2, swapped);
    const value = at + 4;
    if (code == END_OF_OPTIONS || value + length > end) break;
    if (code == TIMESTAMP_RESOLUTION && length >= 1) resolve(entry, load<u8>(value));
    if (code == TIMESTAMP_OFFSET && length >= 8) {
      const offset = load<u64>(value);
      store<f64>(entry, <f64>(<i64>(swapped ? bswap<u64>(offset) : offset)), 24);
    }
    at = value + ((length + 3) & ~3);
  }
  answer(INTERFACE_COUNT, index + 1);
  return true;
}

/** The units of an interface: a power of 10, or, with the highest bit set, of 2. What u64 cannot hold is taken as the largest power. */
function resolve(entry: usize, resolution: i32): void {
  let units: u64 = 1;
  if (resolution & 0x80) {
    units = (<u64>1) << min(resolution & 0x7f, 63);
  } else {
    for (let i = min(resolution, 19); i > 0; i--) units *= 10;
  }
  const coarse = (resolution & 0x80) == 0 && units <= 1000000000;
  const fine = (resolution & 0x80) == 0 && !coarse;
  store<u64>(entry, units, 16);
  store<f64>(entry, coarse ? <f64>(<u64>1000000000 / units) : fine ? 1 : 1e9, 32);
  store<f64>(entry, coarse ? 1 : fine ? <f64>(units / <u64>1000000000) : <f64>units, 40);
}

export function read16(at: usize, swapped: bool): i32 {
  const value = load<u16>(at);
  return swapped ? bswap<u16>(value) : value;
}

export function read32(at: usize, swapped: bool): u32 {
  const value = load<u32>(at);
  return swapped ? bswap<u32>(value) : value;
}
