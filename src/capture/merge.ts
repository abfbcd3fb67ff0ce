// Several captures as one: their packets in the order of their times, as a pcapng section.

import { BYTE_ORDER, ENHANCED_PACKET, INTERFACE_DESCRIPTION, SECTION_HEADER } from '../layout/framing.ts';
import type { Fault } from './fault.ts';
import { type RecordInterface, RecordReader } from './records.ts';
import { padded } from './section.ts';

/** A capture that is to be merged with others. */
export interface MergedCapture {
  readonly path: string;
  /** Its first packet's time, seconds since 1970; it need not be opened earlier. */
  readonly begins: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Bytes that are handed on at once. */
const CHUNK = 1 << 20;
/** A capture is opened that much before its first packet is due, s: times are not known better. */
const EARLY = 1e-6;
/** Timestamps are in these units of 10^-n s: what is no finer than microseconds stays so. */
const MICROSECONDS = 6;
const NANOSECONDS = 9;
const MICRO = 1_000_000n;
/** Interfaces that cannot be known: a packet's link type then is one that there is not. */
const UNKNOWN: RecordInterface = { linkType: 0xffff, snaplen: 0, units: MICRO, offset: 0n };

interface Active {
  readonly reader: RecordReader;
  /** Which of the captures that are open at the same time it is. */
  readonly place: number;
}

/**
 * Merges captures by time. Packets of equal times stand in the order of the captures; a capture whose own times run backwards keeps
 * its order. Of captures that follow each other one is open at a time.
 * @param captures in the order of their beginnings
 */
export async function* mergeCaptures(
  captures: readonly MergedCapture[],
  fault: (fault: Fault) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new SectionWriter();
  const active: Active[] = [];
  let opened = 0;
  try {
    for (;;) {
      const first = earliest(active);
      const next = captures[opened];
      if (next && (!first || timeOf(first.reader) + EARLY >= next.begins)) {
        opened++;
        const reader = new RecordReader(next.path, next.open(), fault);
        if (await reader.next()) active.push({ reader, place: freePlace(active) });
        else await reader.close();
        continue;
      }
      if (!first) break;
      writer.add(first.reader, first.place);
      if (writer.length >= CHUNK) yield writer.take();
      let more = first.reader.next();
      if (typeof more !== 'boolean') {
        // Nobody knows how long it takes to come.
        if (writer.length > 0) yield writer.take();
        more = await more;
      }
      if (!more) {
        active.splice(active.indexOf(first), 1);
        await first.reader.close();
      }
    }
    if (writer.length > 0) yield writer.take();
  } finally {
    for (const { reader } of active) await reader.close();
  }
}

const timeOf = ({ dueSeconds, dueNanoseconds }: RecordReader): number => dueSeconds + dueNanoseconds / 1e9;

function earliest(active: readonly Active[]): Active | undefined {
  let [first] = active;
  for (const candidate of active) {
    const a = candidate.reader;
    const b = first!.reader;
    if (a.dueSeconds < b.dueSeconds || (a.dueSeconds === b.dueSeconds && a.dueNanoseconds < b.dueNanoseconds)) first = candidate;
  }
  return first;
}

function freePlace(active: readonly Active[]): number {
  let place = 0;
  while (active.some((other) => other.place === place)) place++;
  return place;
}

/** Writes packets as blocks. Interfaces that differ, or whose captures were open at the same time, are different ones. */
class SectionWriter {
  readonly #interfaces = new Map<string, number>();
  #bytes = new Uint8Array(2 * CHUNK);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  constructor() {
    const body = this.#begin(SECTION_HEADER, 16);
    this.#view.setUint32(body, BYTE_ORDER, true);
    this.#view.setUint16(body + 4, 1, true);
    this.#view.setBigInt64(body + 8, -1n, true);
  }

  add({ data, seconds, nanoseconds, original, interface: own = UNKNOWN }: RecordReader, place: number): void {
    const digits = own.units > MICRO ? NANOSECONDS : MICROSECONDS;
    const id = this.#interface(own, place, digits);
    const body = this.#begin(ENHANCED_PACKET, 20 + data.length);
    const [high, low] = stampWords(seconds, Math.floor(nanoseconds / 10 ** (NANOSECONDS - digits)), 10 ** digits);
    this.#view.setUint32(body, id, true);
    this.#view.setUint32(body + 4, high, true);
    this.#view.setUint32(body + 8, low, true);
    this.#view.setUint32(body + 12, data.length, true);
    this.#view.setUint32(body + 16, original, true);
    this.#bytes.set(data, body + 20);
  }

  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  #interface({ linkType, snaplen }: RecordInterface, place: number, digits: number): number {
    const key = `${place} ${linkType} ${snaplen} ${digits}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const id = this.#interfaces.size;
    this.#interfaces.set(key, id);
    const body = this.#begin(INTERFACE_DESCRIPTION, 20);
    this.#view.setUint16(body, linkType, true);
    this.#view.setUint32(body + 4, snaplen, true);
    this.#view.setUint16(body + 8, 9, true);
    this.#view.setUint16(body + 10, 1, true);
    this.#view.setUint8(body + 12, digits);
    return id;
  }

  /** Begins a block of which `bytes` will be written, all others being 0; answers where its body is. */
  #begin(type: number, bytes: number): number {
    const length = 12 + padded(bytes);
    const at = this.length;
    if (at + length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (at + length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes.fill(0, at, at + length);
    this.#view.setUint32(at, type, true);
    this.#view.setUint32(at + 4, length, true);
    this.#view.setUint32(at + length - 4, length, true);
    this.length = at + length;
    return at + 8;
  }
}

/** Units since 1970 as two words of 32 bits, computed without losing any. */
function stampWords(seconds: number, part: number, units: number): [high: number, low: number] {
  const upper = Math.floor(seconds / 65536) * units;
  const lower = (seconds % 65536) * units + part;
  const middle = upper + Math.floor(lower / 65536);
  return [Math.floor(middle / 65536), (middle % 65536) * 65536 + (lower % 65536)];
}
