import { INTERFACE_WORDS } from '../layout/framing.ts';

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

export interface Interface {
  readonly linkType: number;
  /** Largest captured length that a record may claim, bytes. */
  readonly limit: number;
  /** As the file states it, bytes. */
  readonly snaplen: number;
  /** Units of a timestamp in a second. */
  readonly units: number;
}

/** The entry of an interface whose timestamps are decimal and count from 1970. */
export function interfaceEntry({ linkType, limit, snaplen, units }: Interface): Float64Array {
  const entry = new Float64Array(INTERFACE_WORDS);
  const view = new DataView(entry.buffer);
  view.setInt32(0, linkType, true);
  view.setInt32(4, limit, true);
  view.setInt32(8, snaplen, true);
  view.setBigUint64(16, BigInt(units), true);
  view.setFloat64(32, 1e9 / units, true);
  view.setFloat64(40, 1, true);
  return entry;
}

/** The interfaces of a section, read back. */
export function interfacesOf({ interfaces }: Section): Interface[] {
  const view = new DataView(interfaces.buffer, interfaces.byteOffset, interfaces.byteLength);
  return Array.from({ length: interfaces.length / INTERFACE_WORDS }, (_, i) => {
    const at = i * INTERFACE_WORDS * Float64Array.BYTES_PER_ELEMENT;
    return {
      linkType: view.getInt32(at, true),
      limit: view.getUint32(at + 4, true),
      snaplen: view.getUint32(at + 8, true),
      units: Number(view.getBigUint64(at + 16, true)),
    };
  });
}
