// The file header of NetXRay's captures, and of the Sniffer for Windows, version 2, little-endian. Network General never published it:
// this is what is known of it from captures.
//
//   0 "XCP" | 4 version, text | 12 begin, s | 16 packets | 24 first record | 28 behind the last one | 44 medium, 1 where 45 is 2, else 0
//   48 time unit | 52 ticks at the begin (u64) | 76 ticks in a second, where the time unit is 2 | 84 what captured | up to 128: more
//
// Records stand one behind the other, unless the buffer has wrapped.

import { NETXRAY_HEADER_BYTES, SHORT_LENGTHS, TICKS } from '../layout/framing.ts';
import * as links from '../layout/link.ts';
import { CaptureError } from './errors.ts';
import { interfaceEntry, type Opening } from './section.ts';

export const NETXRAY_FILE_BYTES = 128;

const MAGIC = [0x58, 0x43, 0x50, 0];
const VERSIONS: ReadonlySet<string> = new Set(['002.000', '002.001', '002.002', '002.003']);
const START_OFFSET = 24;
const END_OFFSET = 28;
const MEDIUM = 44;
const TIME_UNIT = 48;
const SECOND = 76;
const CAPTURED_BY = 84;

const LARGEST_CAPTURED = 0xffff;
/** Ticks in a second, by time unit. */
const SECONDS: readonly number[] = [1_000_000, 1_193_000];
/** The time unit for which the header itself tells them. */
const TOLD = 2;

export function isNetxray(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** Offset of what follows the last record; `bytes` hold the header. */
export function netxrayEnd(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(END_OFFSET, true);
}

/**
 * Parses a NetXRay file's first bytes.
 * @param bytes at least the header, or all of a shorter file; isNetxray() is true
 * @throws CaptureError
 */
export function parseNetxrayHeader(file: string, bytes: Uint8Array): Opening {
  if (bytes.length < NETXRAY_FILE_BYTES)
    throw new CaptureError(file, bytes.length, `the file ends within its header of ${NETXRAY_FILE_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = String.fromCharCode(...bytes.subarray(4, 11));
  if (!VERSIONS.has(version))
    throw new CaptureError(file, 4, `NetXRay version ${JSON.stringify(version)} is not read, only 002.000 to 002.003`);
  // The medium is NDIS's number less 1, or, by the byte behind it, that number itself.
  const medium = bytes[MEDIUM]! + (bytes[MEDIUM + 1] === 0 ? 1 : 0);
  if (medium !== 1 || (bytes[MEDIUM + 1] !== 0 && bytes[MEDIUM + 1] !== 2))
    throw new CaptureError(file, MEDIUM, `NetXRay medium ${bytes[MEDIUM]}, ${bytes[MEDIUM + 1]} is not read, only Ethernet`);
  if (bytes[CAPTURED_BY] !== 0)
    throw new CaptureError(
      file,
      CAPTURED_BY,
      `what a pod has captured (type ${bytes[CAPTURED_BY]}) is not read: its time units are not known`,
    );
  const unit = bytes[TIME_UNIT]!;
  const units = unit === TOLD ? view.getUint32(SECOND, true) : SECONDS[unit];
  if (!units) throw new CaptureError(file, TIME_UNIT, `NetXRay time unit ${unit} is not known`);
  const begun = BigInt(view.getUint32(12, true)) * BigInt(units) - view.getBigUint64(52, true);
  const start = Number(begun);
  if (!Number.isSafeInteger(start)) throw new CaptureError(file, TIME_UNIT, `${units} ticks in a second are no time unit`);
  const [first, end] = [view.getUint32(START_OFFSET, true), view.getUint32(END_OFFSET, true)];
  const count = view.getUint32(16, true);
  if (first < NETXRAY_FILE_BYTES || count > (end - first) / NETXRAY_HEADER_BYTES)
    throw new CaptureError(file, START_OFFSET, `${count} records from offset ${first} to ${end}: a buffer that has wrapped is not read`);
  return {
    section: {
      form: TICKS | SHORT_LENGTHS,
      interfaces: interfaceEntry({ linkType: links.EN10MB, limit: LARGEST_CAPTURED, snaplen: 0, units, start }),
    },
    start: first,
    end,
    count,
  };
}
