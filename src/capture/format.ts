import { BLOCKS, BYTE_ORDER, SECTION_HEADER } from '../layout/framing.ts';
import { CaptureError, NoCaptureError } from './errors.ts';
import { looksLike } from './magic.ts';
import { isNetmon, netmonEnd, parseNetmonHeader } from './netmon.ts';
import { isNetxray, netxrayEnd, parseNetxrayHeader } from './netxray.ts';
import { isPcap, parsePcapHeader, PCAP_HEADER_BYTES } from './pcap.ts';
import type { Opening } from './section.ts';
import { isSnoop, parseSnoopHeader, SNOOP_FILE_BYTES } from './snoop.ts';

/** Bytes of a capture that openingOf() looks at, at most. */
export const OPENING_BYTES = 128;

/** Bytes that tell the formats apart: snoop's are the most. */
const MAGIC_BYTES = 8;
/** Type, length, byte order, version: what tells a pcapng file. */
const SECTION_BYTES = 16;
const MAJOR = 1;

/** Whether the header of a capture that begins with these bytes tells where its records end. */
export function tellsEnd(bytes: Uint8Array): boolean {
  return isNetmon(bytes) || isNetxray(bytes);
}

/** Where the records of such a capture end; `bytes` as openingOf() takes them. Infinity where its header is cut. */
export function recordsEnd(bytes: Uint8Array): number {
  if (bytes.length < OPENING_BYTES) return Infinity;
  return isNetmon(bytes) ? netmonEnd(bytes) : netxrayEnd(bytes);
}

/** Whether these first bytes tell openingOf() all that it asks: OPENING_BYTES, or fewer where no capture begins so. */
export function tellOpening(bytes: Uint8Array): boolean {
  return bytes.length >= OPENING_BYTES || (bytes.length >= MAGIC_BYTES && !isCapture(bytes));
}

function isCapture(bytes: Uint8Array): boolean {
  return isPcap(bytes) || isSnoop(bytes) || isNetmon(bytes) || isNetxray(bytes) || isPcapng(bytes);
}

function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === SECTION_HEADER;
}

/**
 * Tells a capture's format by its first bytes.
 * @param bytes OPENING_BYTES, or all of a shorter capture
 * @throws CaptureError where it is none
 */
export function openingOf(file: string, bytes: Uint8Array): Opening {
  if (bytes.length === 0) throw new NoCaptureError(file, 0, 'an empty file is not a capture');
  const rest = { end: Infinity, count: undefined };
  if (isPcap(bytes)) return { section: parsePcapHeader(file, bytes), start: PCAP_HEADER_BYTES, ...rest };
  if (isSnoop(bytes)) return { section: parseSnoopHeader(file, bytes), start: SNOOP_FILE_BYTES, ...rest };
  if (isNetmon(bytes)) return parseNetmonHeader(file, bytes);
  if (isNetxray(bytes)) return parseNetxrayHeader(file, bytes);
  if (!isPcapng(bytes)) throw new NoCaptureError(file, 0, `not a capture: ${looksLike(bytes)}`);
  if (bytes.length < SECTION_BYTES) throw new CaptureError(file, bytes.length, 'the file ends within its first section header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = [true, false].find((order) => view.getUint32(8, order) === BYTE_ORDER);
  if (little === undefined) throw new CaptureError(file, 8, 'a pcapng section of an unknown byte order');
  const major = view.getUint16(12, little);
  if (major !== MAJOR)
    throw new CaptureError(file, 12, `pcapng version ${major}.${view.getUint16(14, little)} is not known, only ${MAJOR}.x`);
  // The section header is itself a block, which the decoder reads.
  return { section: { form: BLOCKS, interfaces: new Float64Array(0) }, start: 0, ...rest };
}
