import { RECORD_HEADER_BYTES } from '../layout/framing.ts';
import type { PcapHeader } from './pcap.ts';

/** Record headers in a row that must look right. Payloads that hold whole captures defeat any number; see shard/shard.ts. */
const CHAIN = 4;
/** How far a record's time may lie from the reference, s. */
const NEAR_S = 7 * 86_400;

/**
 * Guesses where a record begins at or after `from`: the first place from which several plausible record headers follow each
 * other. It is only a guess: whoever uses it must prove it, by the record before ending exactly there.
 * @param near whole seconds since 1970 of some packet not far away
 * @returns an offset in `bytes` below `to`, or -1
 */
export function guessBoundary(bytes: Uint8Array, from: number, to: number, header: PcapHeader, near: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !header.swapped;
  const perSecond = 1e9 / header.fractionNs;
  for (let start = from; start < to; start++) {
    let at = start;
    let links = 0;
    while (links < CHAIN && at + RECORD_HEADER_BYTES <= bytes.length) {
      const captured = view.getUint32(at + 8, little);
      if (captured > header.limit || captured > view.getUint32(at + 12, little)) break;
      if (view.getUint32(at + 4, little) >= perSecond || Math.abs(view.getUint32(at, little) - near) > NEAR_S) break;
      at += RECORD_HEADER_BYTES + captured;
      links++;
    }
    if (links === CHAIN || (links > 0 && at === bytes.length)) return start;
  }
  return -1;
}
