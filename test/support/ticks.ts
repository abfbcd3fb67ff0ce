// Captures whose times count ticks from a start: those of Network Monitor and of NetXRay.

import { bytes, type CapturedPacket } from './packets.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** When the captures begin, ms since 1970: before the packets of other formats do. */
const BEGIN_MS = 1_599_999_990_125n;
/** Units of 100 ns from 1601 to 1970. */
const FILETIME_1970 = 116_444_736_000_000_000n;
const LATER_SECONDS = 1_600_000_000;

/** A packet, and what its frame says of its medium. */
export interface FramedPacket extends CapturedPacket {
  medium?: number;
}

const micros = ({ seconds = LATER_SECONDS, fraction = 0 }: CapturedPacket): bigint => BigInt(seconds) * 1_000_000n + BigInt(fraction);

/** A Network Monitor frame of version 2.`minor`: 16 bytes, the packet, and its trailer. */
export function netmonRecord(packet: FramedPacket, minor = 0, begin = BEGIN_MS): Bytes {
  const { captured, original = captured.length, medium = 1 } = packet;
  const header = new DataView(new ArrayBuffer(16));
  header.setBigInt64(0, micros(packet) - begin * 1000n, true);
  header.setUint32(8, original, true);
  header.setUint32(12, captured.length, true);
  const trailer = new DataView(new ArrayBuffer(15));
  trailer.setUint16(0, medium, true);
  trailer.setBigUint64(6, micros(packet) * 10n + FILETIME_1970, true);
  return bytes(new Uint8Array(header.buffer), captured, new Uint8Array(trailer.buffer, 0, [0, 2, 6, 15][minor]));
}

export interface NetmonFields {
  minor?: number;
  medium?: number;
  /** ms since 1970. */
  begin?: bigint;
  /** What the header says of the frame table. */
  table?: number;
  count?: number;
}

/** A Network Monitor file's header of 128 bytes. */
export function netmonHeader({ minor = 0, medium = 1, begin = BEGIN_MS, table = 128, count = 0 }: NetmonFields = {}): Bytes {
  const header = new DataView(new ArrayBuffer(128));
  new Uint8Array(header.buffer).set(new TextEncoder().encode('GMBU'));
  header.setUint8(4, minor);
  header.setUint8(5, 2);
  header.setUint16(6, medium, true);
  const date = new Date(Number(begin));
  const time = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDay(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  ];
  for (const [i, value] of time.entries()) header.setUint16(8 + 2 * i, value, true);
  header.setUint32(24, table, true);
  header.setUint32(28, 4 * count, true);
  return new Uint8Array(header.buffer);
}

/** A Network Monitor file, its frame table last. */
export function netmon(packets: readonly FramedPacket[], fields: NetmonFields = {}): Bytes {
  const records = packets.map((packet) => netmonRecord(packet, fields.minor, fields.begin));
  let table = 128;
  const offsets = records.map((record) => (table += record.length) - record.length);
  return bytes(netmonHeader({ table, count: packets.length, ...fields }), ...records, new Uint8Array(Uint32Array.from(offsets).buffer));
}

export interface NetxrayFields {
  version?: string;
  unit?: number;
  /** Ticks in a second, as the unit has them. */
  ticks?: bigint;
  count?: number;
  end?: number;
}

/** What NetXRay's clock reads when the capture begins. */
const BEGIN_TICKS = 5_000_000_000n;
const BEGIN_S = 1_599_999_990n;

/** A NetXRay record: 40 bytes, and the packet. A time between two ticks is that of the former. */
export function netxrayRecord(packet: CapturedPacket, ticks = 1_000_000n): Bytes {
  const { captured, original = captured.length } = packet;
  const header = new DataView(new ArrayBuffer(40));
  header.setBigUint64(0, BEGIN_TICKS + ((micros(packet) - BEGIN_S * 1_000_000n) * ticks) / 1_000_000n, true);
  header.setUint16(8, original, true);
  header.setUint16(10, captured.length, true);
  header.setUint16(14, 0xffff, true);
  return bytes(new Uint8Array(header.buffer), captured);
}

/** A NetXRay file's header of 128 bytes. */
export function netxrayHeader({ version = '002.001', unit = 0, ticks = 1_000_000n, count = 0, end = 128 }: NetxrayFields = {}): Bytes {
  const header = new DataView(new ArrayBuffer(128));
  new Uint8Array(header.buffer).set(new TextEncoder().encode(`XCP\0${version}`));
  header.setUint32(12, Number(BEGIN_S), true);
  header.setUint32(16, count, true);
  header.setUint32(24, 128, true);
  header.setUint32(28, end, true);
  header.setUint8(48, unit);
  header.setBigUint64(52, BEGIN_TICKS, true);
  header.setUint32(76, Number(ticks), true);
  return new Uint8Array(header.buffer);
}

/** A NetXRay file, with something behind its records. */
export function netxray(packets: readonly CapturedPacket[], fields: NetxrayFields = {}): Bytes {
  const records = packets.map((packet) => netxrayRecord(packet, fields.ticks));
  const end = records.reduce((sum, { length }) => sum + length, 128);
  return bytes(netxrayHeader({ count: packets.length, end, ...fields }), ...records, new Uint8Array(100).fill(0xee));
}
