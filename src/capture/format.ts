import { BLOCKS, BYTE_ORDER, SECTION_HEADER } from '../layout/framing.ts';
import { CaptureError } from './errors.ts';
import { looksLike } from './magic.ts';
import { isPcap, parsePcapHeader, PCAP_HEADER_BYTES } from './pcap.ts';
import type { Section } from './section.ts';
import { isSnoop, parseSnoopHeader, SNOOP_FILE_BYTES } from './snoop.ts';

/** Bytes of a capture that openingOf() looks at, at most. */
export const OPENING_BYTES = 64;

/** How a capture begins. */
export interface Opening {
  readonly section: Section;
  /** Offset of its first record, or of its first block. */
  readonly start: number;
}

/** Type, length, byte order, version: what tells a pcapng file. */
const SECTION_BYTES = 16;
const MAJOR = 1;

/**
 * Tells a capture's format by its first bytes.
 * @param bytes OPENING_BYTES, or all of a shorter capture
 * @throws CaptureError where it is none
 */
export function openingOf(file: string, bytes: Uint8Array): Opening {
  if (bytes.length === 0) throw new CaptureError(file, 0, 'an empty file is not a capture');
  if (isPcap(bytes)) return { section: parsePcapHeader(file, bytes), start: PCAP_HEADER_BYTES };
  if (isSnoop(bytes)) return { section: parseSnoopHeader(file, bytes), start: SNOOP_FILE_BYTES };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint32(0) !== SECTION_HEADER) throw new CaptureError(file, 0, `not a capture: ${looksLike(bytes)}`);
  if (bytes.length < SECTION_BYTES) throw new CaptureError(file, bytes.length, 'the file ends within its first section header');
  const little = [true, false].find((order) => view.getUint32(8, order) === BYTE_ORDER);
  if (little === undefined) throw new CaptureError(file, 8, 'a pcapng section of an unknown byte order');
  const major = view.getUint16(12, little);
  if (major !== MAJOR)
    throw new CaptureError(file, 12, `pcapng version ${major}.${view.getUint16(14, little)} is not known, only ${MAJOR}.x`);
  // The section header is itself a block, which the decoder reads.
  return { section: { form: BLOCKS, interfaces: new Float64Array(0) }, start: 0 };
}
