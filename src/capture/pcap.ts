// The file header of the classic pcap format (draft-ietf-opsawg-pcap-05 §4).
//
//   0 magic | 4 version major, minor | 8 reserved | 12 reserved | 16 snapshot length | 20 FCS, flags, link type

import * as links from '../layout/link.ts';
import { CaptureError } from './errors.ts';
import type { Source } from './file.ts';
import { looksLike } from './magic.ts';

export const PCAP_HEADER_BYTES = 24;

export interface PcapHeader {
  readonly linkType: number;
  /** Whether the capture's headers are big-endian. */
  readonly swapped: boolean;
  /** Nanoseconds that one unit of a record's fraction is worth: 1000 or 1. */
  readonly fractionNs: number;
  /** Snapshot length as the file states it. */
  readonly snaplen: number;
  /** Largest captured length that a record may claim. */
  readonly limit: number;
  /** Where the records begin. */
  readonly headerBytes: number;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const MAJOR = 2;

/** The FCS length and its flag stand above the link type. */
const LINK_TYPE_MASK = 0xffff;

/** libpcap's and Wireshark's own bound for all link types but those of USB and D-Bus, whatever the header states. */
const LARGEST_CAPTURED = 262_144;
/** The most that the decoder's window has room for. */
const LARGEST_WINDOWED = 32 << 20;

const OPENED: ReadonlySet<number> = new Set(Object.values(links));

/**
 * Parses a file's first bytes.
 * @param bytes at least the header, or all of a shorter file
 */
export function parsePcapHeader(file: string, bytes: Uint8Array): PcapHeader {
  if (bytes.length === 0) throw new CaptureError(file, 0, 'an empty file is not a capture');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length < 4 ? undefined : [false, true].find((big) => isMagic(view.getUint32(0, !big)));
  if (magic === undefined) throw new CaptureError(file, 0, `not a pcap file: ${looksLike(bytes)}`);
  if (bytes.length < PCAP_HEADER_BYTES) {
    throw new CaptureError(file, bytes.length, `the file ends within its header of ${PCAP_HEADER_BYTES} bytes`);
  }
  const little = !magic;
  const major = view.getUint16(4, little);
  if (major !== MAJOR) throw new CaptureError(file, 4, `pcap version ${major}.${view.getUint16(6, little)} is not known, only ${MAJOR}.x`);
  const snaplen = view.getUint32(16, little);
  const linkType = view.getUint32(20, little) & LINK_TYPE_MASK;
  return {
    linkType,
    swapped: magic,
    fractionNs: view.getUint32(0, little) === NANOSECONDS ? 1 : 1000,
    snaplen,
    limit: recordLimit(linkType, snaplen),
    headerBytes: PCAP_HEADER_BYTES,
  };
}

/** Reads and parses a file's header. */
export function readPcapHeader(file: Source): PcapHeader {
  const bytes = new Uint8Array(64);
  return parsePcapHeader(file.path, bytes.subarray(0, file.read(bytes, 0)));
}

/** Whole seconds of the first record's timestamp, at which a run's clock reads 0; 0 where there is no record. */
export function firstSecond(file: Source, header: PcapHeader): number {
  const bytes = new Uint8Array(4);
  if (file.read(bytes, header.headerBytes) < bytes.length) return 0;
  return new DataView(bytes.buffer).getUint32(0, !header.swapped);
}

function isMagic(value: number): boolean {
  return value === MICROSECONDS || value === NANOSECONDS;
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
