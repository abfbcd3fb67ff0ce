// Where records begin, found without walking there from the front.

import {
  BLOCKS,
  CUSTOM,
  CUSTOM_UNCOPIED,
  DOUBTED_S,
  ENHANCED_PACKET,
  LARGEST_BLOCK,
  LAST_ORDINARY_BLOCK,
  LENGTHS_SWAPPED,
  PACKET,
  PATCHED,
  PATCHED_HEADER_BYTES,
  PATIENCE_S,
  RECORD_HEADER_BYTES,
  SECTION_HEADER,
  SHORT_LENGTHS,
  SNOOP,
  SNOOP_HEADER_BYTES,
  SWAPPED,
  TICKS,
} from '../layout/framing.ts';
import { interfacesOf, padded, type Section, surplusOf } from './section.ts';
import { TickRecords } from './ticks.ts';

/** Records in a row that must look right, for a guess. Payloads that hold whole captures defeat any number; see shard/decoding.ts. */
export const GUESS = 4;
/**
 * And behind damage, where what is intact between two damaged records should not be lost: a time near the others, or two equal
 * lengths, are hardly found by chance.
 */
const RESUME = 1;
/**
 * But ticks since a start not long ago are mostly zeros, and read a few bytes too far on, or too early, still those of a time near the
 * others: a PAIR is needed then, or as many where nearly any two numbers are lengths, too.
 */
const RESUME_SHORT = 3;
/** All of them up to the capture's end: what tells damage from a cut. */
export const TO_THE_END = Infinity;
/**
 * Behind what is no record, those that the one before may have claimed are looked for from there on, if it is as near, bytes: a decoder's window has to hold
 * it, too. So what is found does not depend on where windows end.
 */
export const FARTHEST_PREVIOUS = 1 << 19;
/** Or as many bytes of them, but not of one. */
const CHAIN_BYTES = 1 << 20;
/** Places with the right half of a time that a guess looks at, before it looks at all: payloads may be full of it. */
const TRIES = 64;
/** How far a record's time may lie from the reference, s. */
const NEAR_S = 7 * 86_400;
/** The last second that a time of 64 bits may be in: others go no further. */
const LATEST_S = 0xffff_ffff;
/** Two records that lead to each other: what the first one of a capture is believed by. */
const PAIR = 2;
/** Records that have to agree on a time that contradicts that of the first one. */
const WITNESSES = 3;
/** Type and both lengths of a block. */
const SMALLEST_BLOCK = 12;
/** A packet block without its packet; and where in it is how much was captured. */
const PACKET_BLOCK = 32;
const CAPTURED_AT = 20;
const OTHER_BLOCKS: ReadonlySet<number> = new Set([SECTION_HEADER, CUSTOM, CUSTOM_UNCOPIED]);

/** Zeros that are passed over at once; and bytes that what tells a record from other bytes may lie in, of all formats. */
const ZEROS = Buffer.alloc(4096);
const LARGEST_HEADER = 64;

/** Instead of a record's length: it is not all there, so that it cannot be told; or it is no record. */
const BEYOND = -1;
export const IMPLAUSIBLE = 0;

/** A place that findBoundary() found. */
export interface Boundary {
  readonly offset: number;
  /** Whether a record begins there; else there were too few bytes to tell, and nothing before it is one. */
  readonly found: boolean;
}

/** How a capture begins. */
export interface Beginning {
  /** Of the first record. */
  readonly offset: number;
  /** Whole seconds since 1970 of one behind it, where its own time cannot be right; else not a number. */
  readonly seconds: number;
}

/** From where on records are looked for behind one that is none, at `at`; `previous`: where the one before begins, not a number where nobody knows. */
export const behindBroken = (at: number, previous: number): number => (at - previous <= FARTHEST_PREVIOUS ? previous : at) + 1;

/**
 * The first place at or after `from` from which several plausible records follow each other, or which the capture's end cuts
 * short. It depends on nothing but the capture's bytes, so it is the same however they come in windows.
 * @param atEnd whether the capture ends where `bytes` do
 * @param chain records in a row that must look right
 * @param near whole seconds since 1970 of some packet not far away; not a number: unknown, and the records have to be near each other
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
  return boundaryAmong(headersIn(bytes, section), bytes, from, to, atEnd, near, chain);
}

function boundaryAmong(
  { lengthAt, secondsAt }: Headers,
  bytes: Uint8Array,
  from: number,
  to: number,
  atEnd: boolean,
  near: number,
  chain: number,
): Boundary | undefined {
  // A chain that meets one which came to nothing comes to nothing, too: without that, each place's chain would be as long as a megabyte.
  const failed = chain === TO_THE_END && !Number.isNaN(near) ? new Uint8Array(bytes.length) : undefined;
  for (let start = from; start < to; start++) {
    let at = start;
    let links = 0;
    let length = 0;
    let reference = near;
    let enough = false;
    while (!enough && failed?.[at] !== 1 && (length = lengthAt(at, reference)) > 0) {
      if (failed) failed[at] = 1;
      if (Number.isNaN(reference)) reference = secondsAt(at);
      at += length;
      links++;
      enough = links === chain || (links >= PAIR && at - start >= CHAIN_BYTES);
    }
    if (enough) return { offset: start, found: true };
    if (length !== BEYOND) {
      if (links === 0 && bytes[start] === 0) start = lastOfZeros(bytes, start);
      continue;
    }
    if (!atEnd) return { offset: start, found: false };
    if (links > 0 && at === bytes.length) return { offset: start, found: true };
  }
  return undefined;
}

/**
 * The last place from which on all that a header can have is zeros, as it is from `from` on, where they are many: what is no record here
 * is none there. A file that was made large before it was written may have gigabytes of them.
 */
function lastOfZeros(bytes: Uint8Array, from: number): number {
  if (bytes[from + ZEROS.length / 2] !== 0 || bytes[from + ZEROS.length - 1] !== 0) return from;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at + ZEROS.length <= bytes.length && buffer.compare(ZEROS, 0, ZEROS.length, at, at + ZEROS.length) === 0) at += ZEROS.length;
  return at === from ? from : at - LARGEST_HEADER;
}

/**
 * A guess at the first place at or after `from` where a record begins, as findBoundary() does, but without looking at every byte where
 * the records' times start with whole seconds: their upper half is that of most records of a day. It may pass over a record of another day.
 * @param near as in findBoundary(), but known
 */
export function guessBoundary(
  bytes: Uint8Array,
  from: number,
  to: number,
  atEnd: boolean,
  section: Section,
  near: number,
): Boundary | undefined {
  const half = upperHalfIn(section);
  const headers = headersIn(bytes, section);
  if (half !== undefined) {
    const { buffer, byteOffset } = bytes;
    const where = Buffer.from(buffer, byteOffset + from + half, Math.min(to, bytes.length - half) - from);
    const shared = Buffer.alloc(2);
    if ((section.form & (SWAPPED | SNOOP)) === 0) shared.writeUInt16LE(near >>> 16);
    else shared.writeUInt16BE(near >>> 16);
    for (let tries = 0, at = 0; tries < TRIES && (at = where.indexOf(shared, at)) >= 0; tries++, at++) {
      const boundary = boundaryAmong(headers, bytes, from + at, from + at + 1, atEnd, near, GUESS);
      if (boundary?.found) return boundary;
    }
  }
  return boundaryAmong(headers, bytes, from, to, atEnd, near, GUESS);
}

/** Where in a record the upper half of its seconds is; undefined where its time is none of whole seconds. */
function upperHalfIn({ form }: Section): number | undefined {
  if ((form & (BLOCKS | TICKS)) !== 0) return undefined;
  if ((form & SNOOP) !== 0) return 16;
  return (form & SWAPPED) === 0 ? 2 : 0;
}

/** Finds the record that is the next one behind damage. `broken`: a place that may look like one, but has been found to be none. */
export function findNext(
  bytes: Uint8Array,
  from: number,
  to: number,
  atEnd: boolean,
  section: Section,
  near: number,
  broken = -1,
): Boundary | undefined {
  const told = (section.form & BLOCKS) !== 0 || !Number.isNaN(near);
  const chain = told ? resumeOf(section) : GUESS;
  const next = findBoundary(bytes, from, to, atEnd, section, near, chain);
  return next?.found && next.offset === broken ? findBoundary(bytes, broken + 1, to, atEnd, section, near, chain) : next;
}

function resumeOf({ form }: Section): number {
  if ((form & TICKS) === 0) return RESUME;
  return (form & SHORT_LENGTHS) === 0 ? PAIR : RESUME_SHORT;
}

/**
 * Finds the first record of a capture: no time is known that would tell it, so those behind it have to.
 *
 * Where the first ones that are beyond doubt are not those to which it leads, something is damaged: it, if its time is far from
 * theirs, and then all up to the first one that is near. Where it does lead to them, it is a record; but its time is wrong where
 * they are more than a day before it, or a year behind it.
 * @param from where it should be
 * @returns undefined where more bytes are needed
 */
export function findBeginning(bytes: Uint8Array, from: number, atEnd: boolean, section: Section): Beginning | undefined {
  const believed: Beginning = { offset: from, seconds: Number.NaN };
  if ((section.form & BLOCKS) !== 0) return believed; // a block has its length twice
  const pair = findBoundary(bytes, from, from + 1, atEnd, section, Number.NaN, PAIR);
  if (pair?.found === false) return undefined;
  const { claimAt, lengthAt, secondsAt } = headersIn(bytes, section);
  const second = from + lengthAt(from, Number.NaN);
  if (second > bytes.length) return believed; // cut by the end: what it holds tells nothing
  if (pair && !(lengthAt(second, Number.NaN) > 0 && secondsAt(second) - secondsAt(from) < -DOUBTED_S)) return believed;
  const isChain = (at: number, links: number): boolean =>
    findBoundary(bytes, at, at + 1, false, section, Number.NaN, links)?.found ?? false;
  const to = from + CHAIN_BYTES;
  /** The first one behind a place that is beyond doubt; BEYOND: more bytes are needed; IMPLAUSIBLE: there is none. */
  const sureBehind = (place: number): number => {
    let sure = place;
    do {
      const next = findBoundary(bytes, sure + 1, Math.min(to, bytes.length), atEnd, section, Number.NaN, GUESS);
      if (!next) return atEnd || bytes.length >= to ? IMPLAUSIBLE : BEYOND;
      if (!next.found) return BEYOND;
      sure = next.offset;
      // Read a few bytes too far on, fractions look like seconds, and lengths still are lengths. At the end, one is not enough.
    } while (secondsAt(sure) < unitsOf(section) || !isChain(sure, PAIR));
    return sure;
  };
  const leads = (at: number, there: number): boolean => {
    for (let claim = 1; at < there && claim > 0; at += claim) claim = claimAt(at);
    return at === there;
  };
  let sure = sureBehind(from);
  if (sure === BEYOND) return undefined;
  if (sure === IMPLAUSIBLE) return believed;
  let offset = from;
  if (!leads(from, sure) && !(lengthAt(from, secondsAt(sure)) > 0)) {
    offset = findNext(bytes, from, sure, atEnd, section, secondsAt(sure))?.offset ?? sure;
    if (offset === sure) sure = sureBehind(offset);
    if (sure === BEYOND) return undefined;
    if (sure === IMPLAUSIBLE || !leads(offset, sure)) return { offset, seconds: Number.NaN };
  }
  const seconds = secondsAt(sure);
  const before = seconds - secondsAt(offset);
  const doubtful = before > PATIENCE_S || before < -DOUBTED_S;
  return { offset, seconds: doubtful && isChain(sure, WITNESSES) ? seconds : Number.NaN };
}

function unitsOf(section: Section): number {
  return Math.max(...interfacesOf(section).map(({ units }) => units));
}

/** What would be records, by the offsets of their headers. */
export interface Headers {
  /** The length that a header claims, where a record may be that long. */
  readonly claimAt: (at: number) => number;
  /** The same where all else of it is plausible, too. */
  readonly lengthAt: (at: number, near: number) => number;
  /** Whole seconds since 1970; not a number: not told. */
  readonly secondsAt: (at: number) => number;
}

export function headersIn(bytes: Uint8Array, section: Section): Headers {
  if ((section.form & BLOCKS) !== 0) return blocksIn(bytes, section);
  if ((section.form & SNOOP) !== 0) return snoopIn(bytes, section);
  return (section.form & TICKS) !== 0 ? ticksIn(bytes, section) : recordsIn(bytes, section);
}

function recordsIn(bytes: Uint8Array, section: Section): Headers {
  const { form } = section;
  const [only] = interfacesOf(section);
  if (!only) throw new Error('a pcap section without its interface');
  const { limit, units, linkType } = only;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = (form & SWAPPED) === 0;
  const header = (form & PATCHED) === 0 ? RECORD_HEADER_BYTES : PATCHED_HEADER_BYTES;
  const secondsAt = (at: number): number => view.getUint32(at, little);
  const claimAt = (at: number): number => {
    if (at + header > bytes.length) return BEYOND;
    const captured = view.getUint32(at + 8, little);
    const shorter = (form & LENGTHS_SWAPPED) === 0 ? captured : Math.min(captured, view.getUint32(at + 12, little));
    return shorter > limit ? IMPLAUSIBLE : header + shorter;
  };
  const lengthAt = (at: number, near: number): number => {
    const length = claimAt(at);
    if (length <= 0) return length;
    if ((form & LENGTHS_SWAPPED) === 0 && length - header > view.getUint32(at + 12, little) + surplusOf(linkType)) return IMPLAUSIBLE;
    if (length === header && Number.isNaN(near)) return IMPLAUSIBLE; // zeros are no record that anything shows
    return view.getUint32(at + 4, little) >= units || Math.abs(secondsAt(at) - near) > NEAR_S ? IMPLAUSIBLE : length;
  };
  return { claimAt, lengthAt, secondsAt };
}

function snoopIn(bytes: Uint8Array, section: Section): Headers {
  const [only] = interfacesOf(section);
  if (!only) throw new Error('a snoop section without its interface');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secondsAt = (at: number): number => view.getUint32(at + 16);
  const claimAt = (at: number): number => {
    if (at + SNOOP_HEADER_BYTES > bytes.length) return BEYOND;
    const captured = view.getUint32(at + 4);
    const length = view.getUint32(at + 8);
    const filled = length - captured;
    return captured > only.limit || filled < SNOOP_HEADER_BYTES || filled > 2 * SNOOP_HEADER_BYTES ? IMPLAUSIBLE : length;
  };
  const lengthAt = (at: number, near: number): number => {
    const length = claimAt(at);
    if (length <= 0) return length;
    if (view.getUint32(at + 4) > view.getUint32(at)) return IMPLAUSIBLE;
    return view.getUint32(at + 20) >= only.units || Math.abs(secondsAt(at) - near) > NEAR_S ? IMPLAUSIBLE : length;
  };
  return { claimAt, lengthAt, secondsAt };
}

function ticksIn(bytes: Uint8Array, section: Section): Headers {
  const records = new TickRecords(section);
  const { header, trailer, only } = records;
  const units = BigInt(only.units);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secondsAt = (at: number): number => Number(records.stamp(view, at) / units);
  const claimAt = (at: number): number => {
    if (at + header > bytes.length) return BEYOND;
    const captured = records.captured(view, at);
    const zeros = captured === 0 && records.original(view, at) === 0;
    return zeros || captured > only.limit ? IMPLAUSIBLE : header + captured + trailer;
  };
  const lengthAt = (at: number, near: number): number => {
    const length = claimAt(at);
    if (length <= 0) return length;
    const captured = records.captured(view, at);
    const original = records.original(view, at);
    if (captured === 0 || captured > original || original > only.limit) return IMPLAUSIBLE;
    // Zeros are no time, although near that of all others: of what was captured first, they are, but that is where it should be.
    if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) return IMPLAUSIBLE;
    if (records.isUtc && at + length > bytes.length) return BEYOND;
    const seconds = secondsAt(at);
    // A local time and UTC: less than a day apart.
    if (records.isUtc && Math.abs(Number(records.ticked(view, at) / units) - seconds) > DOUBTED_S) return IMPLAUSIBLE;
    return seconds < 0 || seconds > LATEST_S || Math.abs(seconds - near) > NEAR_S ? IMPLAUSIBLE : length;
  };
  return { claimAt, lengthAt, secondsAt };
}

function blocksIn(bytes: Uint8Array, { form }: Section): Headers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = (form & SWAPPED) === 0;
  const lengthAt = (at: number): number => {
    if (at + SMALLEST_BLOCK > bytes.length) return BEYOND;
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if ((type === 0 || type > LAST_ORDINARY_BLOCK) && !OTHER_BLOCKS.has(type)) return IMPLAUSIBLE;
    if (length < SMALLEST_BLOCK || length > LARGEST_BLOCK) return IMPLAUSIBLE;
    const size = padded(length);
    if (at + size > bytes.length) return BEYOND;
    if (view.getUint32(at + size - 4, little) !== length) return IMPLAUSIBLE;
    return (type !== PACKET && type !== ENHANCED_PACKET) || holds(at, size) ? size : IMPLAUSIBLE;
  };
  /** Whether a packet block has room for what it captured, and captured something if it has room: zeros with equal lengths around them do not. */
  const holds = (at: number, size: number): boolean => {
    if (size < PACKET_BLOCK) return false;
    const captured = view.getUint32(at + CAPTURED_AT, little);
    return captured <= size - PACKET_BLOCK && (captured > 0 || size === PACKET_BLOCK);
  };
  return { claimAt: lengthAt, lengthAt, secondsAt: () => Number.NaN };
}
