// The file header of Microsoft Network Monitor's captures, version 2 (CAPTUREFILE_HEADER_VALUES in its Netmon.h), little-endian.
//
//   0 "GMBU" | 4 version minor, major | 6 medium | 8 begin (SYSTEMTIME) | 24 frame table: offset, bytes | more tables | 72, up to 128: zeros
//
// The frames stand one behind the other from there on (Network Monitor 3 writes no such zeros), up to the frame table, which has the
// offset of each. It is not read: the header tells where it begins, and how many frames there are.

import { NETMON_HEADER_BYTES, TICKS, TRAILER_SHIFT, UTC_TRAILER_BYTES } from '../layout/framing.ts';
import * as links from '../layout/link.ts';
import * as media from '../layout/medium.ts';
import { CaptureError } from './errors.ts';
import { interfaceEntry, type Opening } from './section.ts';

export const NETMON_FILE_BYTES = 128;

/** Where Network Monitor 3 has its first frame. */
const TABLES_END = 72;

const MAGIC = [0x47, 0x4d, 0x42, 0x55];
const MAJOR = 2;
/** Bytes behind each frame, by minor version. */
const TRAILERS: readonly number[] = [0, 2, 6, UTC_TRAILER_BYTES];
const TABLE_OFFSET = 24;
const TABLE_BYTES = 28;
const TABLE_ENTRY_BYTES = 4;

const LARGEST_CAPTURED = 262_144;
const MICROSECONDS = 1_000_000;
/** 100 ns are the unit of times in UTC. */
const FILETIME_UNITS = 10_000_000;
/** What a 32-bit time ends in. */
const LAST_YEAR = 2105;

/** Stands for all that nothing opens: a link type that there is not. */
const UNKNOWN = 0x10000;

export function isNetmon(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** Offset of what follows the last frame; `bytes` hold the header. */
export function netmonEnd(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(TABLE_OFFSET, true);
}

/** The link type of a frame's medium. */
export function linkTypeOfMedium(medium: number): number {
  if (medium === media.UNSPECIFIED || medium === media.ETHERNET) return links.EN10MB;
  if (medium === media.FDDI) return links.FDDI;
  if (medium >= media.FIRST_IP && medium <= media.LAST_IP) return links.RAW;
  if (medium >= media.FIRST_ANALYZED && medium <= media.LAST_ANALYZED) return UNKNOWN;
  return (medium & media.CONVERTED_MASK) === media.CONVERTED ? medium & ~media.CONVERTED_MASK : UNKNOWN;
}

/**
 * Parses a Network Monitor file's first bytes.
 * @param bytes at least the header, or all of a shorter file; isNetmon() is true
 * @throws CaptureError
 */
export function parseNetmonHeader(file: string, bytes: Uint8Array): Opening {
  if (bytes.length < NETMON_FILE_BYTES)
    throw new CaptureError(file, bytes.length, `the file ends within its header of ${NETMON_FILE_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [minor, major] = [view.getUint8(4), view.getUint8(5)];
  const trailer = TRAILERS[minor];
  if (major !== MAJOR || trailer === undefined)
    throw new CaptureError(file, 4, `Network Monitor version ${major}.${minor} is not known, only 2.0 to 2.${TRAILERS.length - 1}`);
  const end = netmonEnd(bytes);
  if (end < NETMON_FILE_BYTES)
    throw new CaptureError(file, TABLE_OFFSET, `no frame table follows the frames: the header says that it is at offset ${end}`);
  const count = view.getUint32(TABLE_BYTES, true) / TABLE_ENTRY_BYTES;
  if (!Number.isInteger(count) || count > (end - NETMON_FILE_BYTES) / NETMON_HEADER_BYTES)
    throw new CaptureError(file, TABLE_BYTES, `a frame table of ${count * TABLE_ENTRY_BYTES} bytes, which it cannot have`);
  const units = trailer === UTC_TRAILER_BYTES ? FILETIME_UNITS : MICROSECONDS;
  const start = beginning(file, view) * (units / 1000);
  const linkType = linkTypeOfMedium(view.getUint16(6, true));
  return {
    section: {
      form: TICKS | (trailer << TRAILER_SHIFT),
      interfaces: interfaceEntry({ linkType, limit: LARGEST_CAPTURED, snaplen: 0, units, start }),
    },
    start: bytes.subarray(TABLES_END, NETMON_FILE_BYTES).some((byte) => byte !== 0) ? TABLES_END : NETMON_FILE_BYTES,
    end,
    count,
  };
}

/** When the capture began, ms since 1970: a local time, of a zone that the file does not tell, is taken as if it were UTC. */
function beginning(file: string, view: DataView): number {
  const field = (place: number): number => view.getUint16(8 + 2 * place, true);
  const [year, month, day] = [field(0), field(1), field(3)];
  const time = new Date(Date.UTC(year, month - 1, day, field(4), field(5), field(6), field(7)));
  const isDate = time.getUTCFullYear() === year && time.getUTCMonth() === month - 1 && time.getUTCDate() === day;
  if (!isDate || year < 1970 || year > LAST_YEAR) throw new CaptureError(file, 8, 'no date at which a capture could have begun');
  return time.getTime();
}
