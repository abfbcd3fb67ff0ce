// Where records begin, found without walking there from the front.

import {
  BLOCKS,
  LARGEST_BLOCK,
  LENGTHS_SWAPPED,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SECTION_HEADER,
  SNOOP,
  SNOOP_HEADER_BYTES,
  SWAPPED,
} from '../layout/framing.ts';
import { interfacesOf, type Section } from './section.ts';

/** Records in a row that must look right, for a guess. Payloads that hold whole captures defeat any number; see shard/shard.ts. */
export const GUESS = 4;
/**
 * And behind damage, where what is intact between two damaged records should not be lost: a time near the others, or two equal
 * lengths, are hardly found by chance.
 */
export const RESUME = 1;
/** All of them up to the capture's end: what tells damage from a cut. */
export const TO_THE_END = Infinity;
/** Or as many bytes of them. */
const CHAIN_BYTES = 1 << 20;
/** How far a record's time may lie from the reference, s. */
const NEAR_S = 7 * 86_400;
/** Type and both lengths of a block. */
const SMALLEST_BLOCK = 12;
/** Block types up to this one are given out in order; the others that occur are below. */
const LAST_ORDINARY_BLOCK = 0x0b;
const OTHER_BLOCKS: ReadonlySet<number> = new Set([SECTION_HEADER, 0x0bad, 0x4000_0bad]);

/** Instead of a record's length: it is not all there, so that it cannot be told; or it is no record. */
const BEYOND = -1;
const IMPLAUSIBLE = 0;

/** A place that findBoundary() found. */
export interface Boundary {
  readonly offset: number;
  /** Whether a record begins there; else there were too few bytes to tell, and nothing before it is one. */
  readonly found: boolean;
}

/**
 * The first place at or after `from` from which several plausible records follow each other, or which the capture's end cuts
 * short. It depends on nothing but the capture's bytes, so it is the same however they come in windows.
 * @param atEnd whether the capture ends where `bytes` do
 * @param chain records in a row that must look right
 * @param near whole seconds since 1970 of some packet not far away; not a number: unknown
 * @returns undefined where there is none, and no more bytes could change that
 */
export function findBoundary(
  bytes: Uint8Array,
  from: number,
  to: number,
  atEnd: boolean,
  section: Section,
  near: number,
  chain: number,
): Boundary | undefined {
  const { form } = section;
  const lengthAt =
    (form & BLOCKS) !== 0
      ? blockLength(bytes, section)
      : (form & SNOOP) !== 0
        ? snoopLength(bytes, section, near)
        : recordLength(bytes, section, near);
  for (let start = from; start < to; start++) {
    let at = start;
    let links = 0;
    let length = 0;
    while (links < chain && at - start < CHAIN_BYTES && (length = lengthAt(at)) > 0) {
      at += length;
      links++;
    }
    if (links === chain || at - start >= CHAIN_BYTES) return { offset: start, found: true };
    if (length !== BEYOND) continue;
    if (!atEnd) return { offset: start, found: false };
    if (links > 0 && at === bytes.length) return { offset: start, found: true };
  }
  return undefined;
}

/** The length of what would be a pcap record at an offset. */
function recordLength(bytes: Uint8Array, section: Section, near: number): (at: number) => number {
  const { form } = section;
  const [only] = interfacesOf(section);
  if (!only) throw new Error('a pcap section without its interface');
  const { limit, units } = only;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = (form & SWAPPED) === 0;
  const header = (form & PATCHED) === 0 ? RECORD_HEADER_BYTES : PATCHED_HEADER_BYTES;
  return (at) => {
    if (at + header > bytes.length) return BEYOND;
    let captured = view.getUint32(at + 8, little);
    let original = view.getUint32(at + 12, little);
    if ((form & LENGTHS_SWAPPED) !== 0 && captured > original) [captured, original] = [original, captured];
    if (captured > limit || captured > original) return IMPLAUSIBLE;
    if (captured === 0 && Number.isNaN(near)) return IMPLAUSIBLE; // zeros are no record that anything shows
    if (view.getUint32(at + 4, little) >= units || Math.abs(view.getUint32(at, little) - near) > NEAR_S) return IMPLAUSIBLE;
    return header + captured;
  };
}

/** The length of what would be a snoop record at an offset. */
function snoopLength(bytes: Uint8Array, section: Section, near: number): (at: number) => number {
  const [only] = interfacesOf(section);
  if (!only) throw new Error('a snoop section without its interface');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => {
    if (at + SNOOP_HEADER_BYTES > bytes.length) return BEYOND;
    const captured = view.getUint32(at + 4);
    const length = view.getUint32(at + 8);
    if (captured > only.limit || captured > view.getUint32(at)) return IMPLAUSIBLE;
    if (length < captured + SNOOP_HEADER_BYTES || length > captured + 2 * SNOOP_HEADER_BYTES) return IMPLAUSIBLE;
    if (view.getUint32(at + 20) >= only.units || Math.abs(view.getUint32(at + 16) - near) > NEAR_S) return IMPLAUSIBLE;
    return length;
  };
}

/** The length of what would be a pcapng block at an offset. */
function blockLength(bytes: Uint8Array, { form }: Section): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = (form & SWAPPED) === 0;
  return (at) => {
    if (at + SMALLEST_BLOCK > bytes.length) return BEYOND;
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if ((type === 0 || type > LAST_ORDINARY_BLOCK) && !OTHER_BLOCKS.has(type)) return IMPLAUSIBLE;
    if (length < SMALLEST_BLOCK || length % 4 !== 0 || length > LARGEST_BLOCK) return IMPLAUSIBLE;
    if (at + length > bytes.length) return BEYOND;
    return view.getUint32(at + length - 4, little) === length ? length : IMPLAUSIBLE;
  };
}
