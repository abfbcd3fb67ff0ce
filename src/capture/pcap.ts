// The file header of the classic pcap format (draft-ietf-opsawg-pcap-05 §4), and of what libpcap reads as such.
//
//   0 magic | 4 version major, minor | 8 reserved | 12 reserved | 16 snapshot length | 20 FCS, flags, link type

import { LENGTHS_SWAPPED, PATCHED, SWAPPED } from '../layout/framing.ts';
import * as links from '../layout/link.ts';
import { CaptureError } from './errors.ts';
import { interfaceEntry, type Section } from './section.ts';

export const PCAP_HEADER_BYTES = 24;

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
/** A. Kuznetzov's patches to libpcap: longer record headers. */
const KUZNETZOV = 0xa1b2cd34;
const MAGICS: ReadonlySet<number> = new Set([MICROSECONDS, NANOSECONDS, KUZNETZOV]);

const MAJOR = 2;
/** tcpdump of DG/UX. */
const MAJOR_DGUX = 543;
/** Up to here the two lengths of a record could stand in either order (libpcap, sf-pcap.c). */
const LAST_SWAPPED_MINOR = 3;

/** The FCS length and its flag stand above the link type. */
const LINK_TYPE_MASK = 0xffff;

/** libpcap's and Wireshark's own bound for all link types but those of USB and D-Bus, whatever the header states. */
const LARGEST_CAPTURED = 262_144;
/** The most that the decoder's window has room for. */
const LARGEST_WINDOWED = 32 << 20;

const OPENED: ReadonlySet<number> = new Set(Object.values(links));

/** Whether a file that begins with these bytes is a pcap file. */
export function isPcap(bytes: Uint8Array): boolean {
  return magicOf(bytes) !== undefined;
}

/**
 * Parses a pcap file's first bytes.
 * @param bytes at least the header, or all of a shorter file; isPcap() is true
 * @throws CaptureError
 */
export function parsePcapHeader(file: string, bytes: Uint8Array): Section {
  const { magic, little } = magicOf(bytes)!;
  if (bytes.length < PCAP_HEADER_BYTES) {
    throw new CaptureError(file, bytes.length, `the file ends within its header of ${PCAP_HEADER_BYTES} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint16(4, little);
  const minor = view.getUint16(6, little);
  if (major !== MAJOR && major !== MAJOR_DGUX)
    throw new CaptureError(file, 4, `pcap version ${major}.${minor} is not known, only ${MAJOR}.x`);
  const snaplen = view.getUint32(16, little);
  const linkType = view.getUint32(20, little) & LINK_TYPE_MASK;
  const lengths = major === MAJOR_DGUX || minor <= LAST_SWAPPED_MINOR ? LENGTHS_SWAPPED : 0;
  return {
    form: (little ? 0 : SWAPPED) | lengths | (magic === KUZNETZOV ? PATCHED : 0),
    interfaces: interfaceEntry({
      linkType,
      limit: recordLimit(linkType, snaplen),
      snaplen,
      units: magic === NANOSECONDS ? 1_000_000_000 : 1_000_000,
      start: 0,
    }),
  };
}

function magicOf(bytes: Uint8Array): { magic: number; little: boolean } | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = [true, false].find((order) => MAGICS.has(view.getUint32(0, order)));
  return little === undefined ? undefined : { magic: view.getUint32(0, little), little };
}

/**
 * The tighter the limit, the surer a broken record is told; but nothing may be rejected that libpcap accepts. That is 262,144
 * bytes for every link type that is opened here, whatever the header states (0 is common); a header that states more is
 * believed. Of the others nothing is read but the lengths, and some of them (USB, D-Bus) may be far longer.
 */
function recordLimit(linkType: number, snaplen: number): number {
  if (!OPENED.has(linkType)) return LARGEST_WINDOWED;
  return Math.min(Math.max(snaplen, LARGEST_CAPTURED), LARGEST_WINDOWED);
}
