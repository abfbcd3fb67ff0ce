// The file header of snoop captures (RFC 1761): 8 bytes of identification, version, link type.

import { SNOOP, SWAPPED } from '../layout/framing.ts';
import * as links from '../layout/link.ts';
import { CaptureError } from './errors.ts';
import { interfaceEntry, type Section } from './section.ts';

export const SNOOP_FILE_BYTES = 16;

const IDENTIFICATION = [0x73, 0x6e, 0x6f, 0x6f, 0x70, 0, 0, 0];
const VERSION = 2;
const LARGEST_CAPTURED = 262_144;
const MICROSECONDS = 1_000_000;

/** Its own numbers of link types: IEEE 802.3, Ethernet, FDDI. */
const LINK_TYPES: Readonly<Record<number, number>> = { 0: links.EN10MB, 4: links.EN10MB, 8: links.FDDI };
/** Stands for all others: a link type that nothing opens. */
const UNKNOWN = 0xffff;

export function isSnoop(bytes: Uint8Array): boolean {
  return IDENTIFICATION.every((byte, at) => bytes[at] === byte);
}

/**
 * Parses a snoop file's first bytes.
 * @param bytes at least the header, or all of a shorter file; isSnoop() is true
 * @throws CaptureError
 */
export function parseSnoopHeader(file: string, bytes: Uint8Array): Section {
  if (bytes.length < SNOOP_FILE_BYTES)
    throw new CaptureError(file, bytes.length, `the file ends within its header of ${SNOOP_FILE_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8);
  if (version !== VERSION) throw new CaptureError(file, 8, `snoop version ${version} is not known, only ${VERSION}`);
  const linkType = LINK_TYPES[view.getUint32(12)] ?? UNKNOWN;
  return {
    form: SNOOP | SWAPPED,
    interfaces: interfaceEntry({ linkType, limit: LARGEST_CAPTURED, snaplen: 0, units: MICROSECONDS, start: 0 }),
  };
}
