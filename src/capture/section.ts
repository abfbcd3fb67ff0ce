import { INTERFACE_BYTES, INTERFACE_WORDS } from '../layout/framing.ts';
import { LINUX_SLL } from '../layout/link.ts';

/**
 * What has to be known to read the records of a stretch of a capture: how their headers are written, and on which interfaces
 * they were captured. A pcap file is one section with one interface; a pcapng file may have any number of both, and a
 * section's interfaces become more while it is read.
 */
export interface Section {
  /** Bits of layout/framing.ts. */
  readonly form: number;
  /** INTERFACE_WORDS numbers for each, as layout/framing.ts draws them. */
  readonly interfaces: Float64Array;
}

/** How a capture begins. */
export interface Opening {
  readonly section: Section;
  /** Offset of its first record, or of its first block. */
  readonly start: number;
  /** Offset of what stands behind its last record; Infinity: nothing does. */
  readonly end: number;
  /** How many records there are; undefined: it does not say. */
  readonly count: number | undefined;
}

export interface Interface {
  readonly linkType: number;
  /** Largest captured length that a record may claim, bytes. */
  readonly limit: number;
  /** As the file states it, bytes. */
  readonly snaplen: number;
  /** Units of a timestamp in a second. */
  readonly units: number;
  /** Where timestamps count from, in their units since 1970: a safe integer, or an exact one. */
  readonly start: number;
}

/** Bytes up to the end of the last word, which pcapng fills: there are writers of blocks who do not count those that do. */
export const padded = (length: number): number => (length + 3) & ~3;

/** Bytes that may have been captured behind a packet: some writers of cooked captures add as many zeros as the cooked header is long. */
export const surplusOf = (linkType: number): number => (linkType === LINUX_SLL ? 16 : 0);

/** The entry of an interface. */
export function interfaceEntry({ linkType, limit, snaplen, units, start }: Interface): Float64Array {
  const entry = new Float64Array(INTERFACE_WORDS);
  const view = new DataView(entry.buffer);
  view.setInt32(0, linkType, true);
  view.setInt32(4, limit, true);
  view.setInt32(8, snaplen, true);
  view.setInt32(12, surplusOf(linkType), true);
  view.setBigUint64(16, BigInt(units), true);
  const coarse = 1e9 % units === 0;
  view.setFloat64(32, coarse ? 1e9 / units : 1e9, true);
  view.setFloat64(40, coarse ? 1 : units, true);
  view.setFloat64(48, start, true);
  return entry;
}

/** The interfaces of a section, read back. */
export function interfacesOf({ interfaces }: Section): Interface[] {
  const view = new DataView(interfaces.buffer, interfaces.byteOffset, interfaces.byteLength);
  const all: Interface[] = [];
  for (let at = 0; at < interfaces.byteLength; at += INTERFACE_BYTES) {
    all.push({
      linkType: view.getInt32(at, true),
      limit: view.getUint32(at + 4, true),
      snaplen: view.getUint32(at + 8, true),
      units: Number(view.getBigUint64(at + 16, true)),
      start: view.getFloat64(at + 48, true),
    });
  }
  return all;
}
