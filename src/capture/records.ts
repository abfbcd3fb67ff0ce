// A capture's records one after the other, with their times: for what has to be brought into one order with other captures.
// (A capture that is read alone is decoded in windows, without this.)

import {
  BLOCKS,
  BYTE_ORDER,
  DOUBTED_S,
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  LARGEST_BLOCK,
  LENGTHS_SWAPPED,
  PACKET,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SECTION_HEADER,
  SIMPLE_PACKET,
  SNOOP,
  SNOOP_HEADER_BYTES,
  SWAPPED,
  TICKS,
} from '../layout/framing.ts';
import { behindBroken, type Beginning, findBeginning, findBoundary, findNext, GUESS, TO_THE_END } from './boundary.ts';
import { areRecords, isDoubtedRecord } from './doubt.ts';
import { type Fault, miscount } from './fault.ts';
import { OPENING_BYTES, openingOf, tellOpening } from './format.ts';
import { linkTypeOfMedium } from './netmon.ts';
import { interfacesOf, padded, type Section } from './section.ts';
import { TickRecords } from './ticks.ts';

/** What a record's timestamps and link header mean. */
export interface RecordInterface {
  readonly linkType: number;
  readonly snaplen: number;
  /** Units of a timestamp in a second, and seconds that are added. */
  readonly units: bigint;
  readonly offset: bigint;
}

const SMALLEST_BLOCK = 12;
const TIMESTAMP_RESOLUTION = 9;
const TIMESTAMP_OFFSET = 14;
const MICROSECONDS = 6;
const NANO = 1_000_000_000n;
const NO_RECORD = 'what should be a record is none';

/** What there is of a record. Times are whole seconds since 1970, and nanoseconds. */
type Fields = Pick<RecordReader, 'seconds' | 'nanoseconds' | 'original' | 'data' | 'interface'>;

/** Reads records. next() moves on; the fields are those of the record that it found. */
export class RecordReader {
  /** Its time: whole seconds since 1970, and nanoseconds. */
  seconds = 0;
  nanoseconds = 0;
  /** When its turn is: then, or at the time of the one before, where its own is so far from both its neighbours' that it cannot be right. */
  dueSeconds = Number.NaN;
  dueNanoseconds = 0;
  /** Bytes that the packet had. */
  original = 0;
  /** Bytes that were captured. */
  data: Uint8Array = new Uint8Array(0);
  interface: RecordInterface | undefined;

  readonly #path: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #fault: (fault: Fault) => void;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer as ArrayBuffer);
  /** Of the next record in `#bytes`, and of `#bytes` in the capture. */
  #at = 0;
  #base = 0;
  /** Of the record before in `#bytes`, whose length may be wrong; not a number: there is none. */
  #previous = Number.NaN;
  #ended = false;
  /** Offset of what is broken, while the next record is searched. */
  #lost: number | undefined;
  /** Whole seconds since 1970 that the next record has instead of its own time; not a number: none. */
  #agreed = Number.NaN;
  #section: Section | undefined;
  #interfaces: RecordInterface[] = [];
  /** The record behind one whose time was doubted. */
  #behind: Fields | undefined;
  /** Of a pcap file's only interface: the largest captured length, and the units of a fraction in a second. */
  #limit = 0;
  #units = 0;
  /** Where times count ticks. */
  #ticks: TickRecords | undefined;
  /** Records as the header counts them, if it does, and those that were found. */
  #counted: number | undefined;
  #found = 0;

  constructor(path: string, chunks: AsyncIterable<Uint8Array>, fault: (fault: Fault) => void) {
    this.#path = path;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#fault = fault;
  }

  /** Finds the next record; false: there is none. Waits for more bytes only where it has to. */
  next(): boolean | Promise<boolean> {
    const found = this.#behind ? this.#takeBehind() : this.#section !== undefined && this.#step() ? true : this.#search();
    return found === true && !this.#isDoubted(this) ? this.#comesDue() : this.#settled(found);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** As the decoder does (assembly/doubt.ts), asks the record behind one whose time is far from that of the one before. */
  async #settled(found: boolean | Promise<boolean>): Promise<boolean> {
    if (!(await found)) return false;
    if (!this.#isDoubted(this)) return this.#comesDue();
    const doubted = this.#fields;
    if (this.#step() || (await this.#search())) this.#behind = this.#fields;
    Object.assign(this, doubted);
    const isWrong = this.#behind && !this.#isDoubted(this.#behind) && Math.abs(this.#behind.seconds - doubted.seconds) > DOUBTED_S;
    return isWrong || this.#comesDue();
  }

  #isDoubted({ seconds }: Fields): boolean {
    return Math.abs(seconds - this.dueSeconds) > DOUBTED_S;
  }

  #comesDue(): true {
    this.dueSeconds = this.seconds;
    this.dueNanoseconds = this.nanoseconds;
    return true;
  }

  /** The record as it is, whatever comes of the bytes that it lies in. */
  get #fields(): Fields {
    const { seconds, nanoseconds, original, data, interface: own } = this;
    return { seconds, nanoseconds, original, data: Uint8Array.from(data), interface: own };
  }

  #takeBehind(): true {
    Object.assign(this, this.#behind);
    this.#behind = undefined;
    return true;
  }

  async #search(): Promise<boolean> {
    if (!this.#section && !(await this.#open())) return false;
    while (!this.#step()) {
      if (!this.#ended) await this.#more();
      else if (!this.#isOverlong()) return this.#tail();
    }
    return true;
  }

  /** Takes the capture's header; false: nothing has come, so that there is none. */
  async #open(): Promise<boolean> {
    while (!this.#ended && !tellOpening(this.#bytes)) await this.#more();
    if (this.#bytes.length === 0) return false;
    const { section, start, count } = openingOf(this.#path, this.#bytes.subarray(0, OPENING_BYTES));
    this.#section = section;
    this.#counted = count;
    if ((section.form & TICKS) !== 0) this.#ticks = new TickRecords(section);
    for (const { linkType, snaplen, units, limit } of interfacesOf(section)) {
      this.#interfaces.push({ linkType, snaplen, units: BigInt(units), offset: 0n });
      this.#limit = limit;
      this.#units = units;
    }
    let beginning: Beginning | undefined;
    while (!(beginning = findBeginning(this.#bytes, start, this.#ended, section))) await this.#more();
    const { offset, seconds } = beginning;
    this.#at = offset;
    this.#agreed = seconds;
    if (offset > start) this.#fault({ file: this.#path, offset: start, rule: NO_RECORD, truncated: false, resumed: offset });
    return true;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) {
      this.#ended = true;
      return;
    }
    const kept = Number.isNaN(this.#previous) ? this.#at : this.#previous;
    this.#base += kept;
    this.#bytes = kept === this.#bytes.length ? value : Buffer.concat([this.#bytes.subarray(kept), value]);
    this.#view = new DataView(this.#bytes.buffer as ArrayBuffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#at -= kept;
    if (this.#previous > 0) this.#previous = 0;
  }

  /** Nothing more comes: what is left cannot be a record. */
  #tail(): boolean {
    const left = this.#bytes.length - this.#at;
    if (this.#lost !== undefined) {
      this.#fault({ file: this.#path, offset: this.#lost, rule: NO_RECORD, truncated: false });
      this.#lost = undefined;
    } else if (left > 0) {
      const rule = `the file ends within its last record, ${left} bytes after where that begins`;
      this.#fault({ file: this.#path, offset: this.#base + this.#at, rule, truncated: true });
    }
    this.#at = this.#bytes.length;
    if (this.#counted !== undefined && this.#counted !== this.#found)
      this.#fault(miscount(this.#path, this.#base + this.#at, this.#counted, this.#found));
    this.#counted = undefined;
    return false;
  }

  /** Takes the next record that is whole; false: more bytes are needed. */
  #step(): boolean {
    const blocks = (this.#section!.form & BLOCKS) !== 0;
    for (;;) {
      if (this.#lost !== undefined && !this.#resume()) return false;
      const at = this.#at;
      const outcome = blocks ? this.#block() : this.#record();
      if (outcome === 'packet' || outcome === 'other') this.#previous = at;
      if (outcome === 'packet') {
        this.#found++;
        return true;
      }
      if (outcome === 'bytes') return false;
      if (outcome === 'broken') this.#lose();
    }
  }

  /** What stands here is no record: perhaps because the length of the record before is wrong, and then records were passed over. */
  #lose(): void {
    this.#lost = this.#base + this.#at;
    this.#at = behindBroken(this.#at, this.#previous);
    this.#previous = Number.NaN;
  }

  /** Whether what the capture's end cuts is no record, because others stand behind where it should begin, up to that end: then they come next. */
  #isOverlong(): boolean {
    if (this.#lost !== undefined || this.#at === this.#bytes.length) return false;
    const section = this.#section!;
    const find = (at: number, to: number, chain: number): number | undefined =>
      findBoundary(this.#bytes, at, to, true, section, this.dueSeconds, chain)?.offset;
    const next = find(behindBroken(this.#at, this.#previous), this.#bytes.length, TO_THE_END);
    // Where no time is known that tells records, there have to be some of them.
    if (next === undefined || (Number.isNaN(this.dueSeconds) && find(next, next + 1, GUESS) === undefined)) return false;
    this.#lose();
    return true;
  }

  /** Goes on where the next record is; false: it is not among the bytes that there are. */
  #resume(): boolean {
    const [bytes, broken] = [this.#bytes, this.#lost! - this.#base];
    const boundary = findNext(bytes, this.#at, bytes.length, this.#ended, this.#section!, this.dueSeconds, broken);
    this.#at = boundary?.offset ?? this.#bytes.length;
    if (!boundary?.found) return false;
    const resumed = this.#base + this.#at;
    this.#fault({ file: this.#path, offset: this.#lost!, rule: NO_RECORD, truncated: false, resumed });
    this.#lost = undefined;
    return true;
  }

  #record(): Outcome {
    const { form } = this.#section!;
    const view = this.#view;
    const at = this.#at;
    const header = (form & PATCHED) === 0 ? RECORD_HEADER_BYTES : PATCHED_HEADER_BYTES;
    if (at + header > this.#bytes.length) return 'bytes';
    if ((form & SNOOP) !== 0) return this.#snoop();
    if (this.#ticks) return this.#tick(this.#ticks);
    const little = (form & SWAPPED) === 0;
    let captured = view.getUint32(at + 8, little);
    let original = view.getUint32(at + 12, little);
    if ((form & LENGTHS_SWAPPED) !== 0 && captured > original) [captured, original] = [original, captured];
    if (captured > this.#limit) return 'broken';
    const end = at + header + captured;
    if (end > this.#bytes.length) return 'bytes';
    if (captured > original && areRecords(this.#bytes, at + header + original, end, this.#section!, this.dueSeconds)) return 'broken';
    const seconds = view.getUint32(at, little);
    if (Math.abs(seconds - this.dueSeconds) > DOUBTED_S) {
      const found = isDoubtedRecord(this.#bytes, at, this.#ended, this.#section!, this.dueSeconds);
      if (found !== true) return found === false ? 'broken' : 'bytes';
    }
    const nanoseconds = view.getUint32(at + 4, little) * (1e9 / this.#units);
    this.seconds = seconds + Math.floor(nanoseconds / 1e9);
    this.nanoseconds = nanoseconds % 1e9;
    this.#agree();
    this.original = original;
    this.interface = this.#interfaces[0];
    this.data = this.#bytes.subarray(at + header, end);
    this.#at = end;
    return 'packet';
  }

  #snoop(): Outcome {
    const view = this.#view;
    const at = this.#at;
    const left = this.#bytes.length - at;
    if (left < SNOOP_HEADER_BYTES) return 'bytes';
    const captured = view.getUint32(at + 4);
    const length = view.getUint32(at + 8);
    if (captured > this.#limit || length < captured + SNOOP_HEADER_BYTES || length > captured + 2 * SNOOP_HEADER_BYTES) return 'broken';
    if (left < length) return 'bytes';
    this.seconds = view.getUint32(at + 16);
    this.nanoseconds = view.getUint32(at + 20) * 1000;
    this.original = view.getUint32(at);
    this.interface = this.#interfaces[0];
    this.data = this.#bytes.subarray(at + SNOOP_HEADER_BYTES, at + SNOOP_HEADER_BYTES + captured);
    this.#at = at + length;
    return 'packet';
  }

  #tick(records: TickRecords): Outcome {
    const view = this.#view;
    const at = this.#at;
    const left = this.#bytes.length - at;
    const { header, trailer, only } = records;
    if (left < header) return 'bytes';
    const captured = records.captured(view, at);
    const length = header + captured + trailer;
    if (captured > only.limit) return 'broken';
    if (left < length) return 'bytes';
    const stamp = records.stamp(view, at);
    const units = BigInt(only.units);
    this.seconds = Number(stamp / units);
    this.nanoseconds = Number(((stamp % units) * NANO) / units);
    this.#agree();
    this.original = records.original(view, at);
    const [own] = this.#interfaces;
    this.interface = own && trailer > 0 ? { ...own, linkType: linkTypeOfMedium(records.medium(view, at)) } : own;
    this.data = this.#bytes.subarray(at + header, at + header + captured);
    this.#at = at + length;
    return 'packet';
  }

  /** Gives the first record the time that those behind it agree on, where its own cannot be right. */
  #agree(): void {
    if (Number.isNaN(this.#agreed)) return;
    this.seconds = this.#agreed;
    this.nanoseconds = 0;
    this.#agreed = Number.NaN;
  }

  #block(): Outcome {
    const view = this.#view;
    const at = this.#at;
    const left = this.#bytes.length - at;
    if (left < SMALLEST_BLOCK) return 'bytes';
    if (view.getUint32(at) === SECTION_HEADER) {
      if (left < 16) return 'bytes';
      const swapped = view.getUint32(at + 8, true) !== BYTE_ORDER;
      if (swapped && view.getUint32(at + 8) !== BYTE_ORDER) return 'broken';
      this.#section = { form: BLOCKS | (swapped ? SWAPPED : 0), interfaces: new Float64Array(0) };
    }
    const little = (this.#section!.form & SWAPPED) === 0;
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < SMALLEST_BLOCK || length > LARGEST_BLOCK) return 'broken';
    const size = padded(length);
    if (left < size) return 'bytes';
    if (view.getUint32(at + size - 4, little) !== length) return 'broken';
    if (type === SECTION_HEADER) this.#interfaces = [];
    if (type === INTERFACE_DESCRIPTION) this.#describe(at + 8, at + size - 4, little);
    const isPacket = type === ENHANCED_PACKET || type === PACKET || type === SIMPLE_PACKET;
    if (isPacket && !this.#packet(type, at, length, little)) return 'broken';
    this.#at = at + size;
    return isPacket ? 'packet' : 'other';
  }

  #packet(type: number, at: number, length: number, little: boolean): boolean {
    const view = this.#view;
    const simple = type === SIMPLE_PACKET;
    const [header, room] = simple ? [12, length - 16] : [28, length - 32];
    if (room < 0) return false;
    this.interface = this.#interfaces[simple ? 0 : type === PACKET ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little)];
    this.original = view.getUint32(at + (simple ? 8 : 24), little);
    const { units = 1_000_000n, offset = 0n, snaplen = 0 } = this.interface ?? {};
    const captured = simple ? Math.min(this.original, room, snaplen || room) : view.getUint32(at + 20, little);
    if (captured > room) return false;
    if (!simple) {
      const stamp = (BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little));
      this.seconds = Number(stamp / units + offset);
      this.nanoseconds = Number(((stamp % units) * NANO) / units);
    }
    this.data = this.#bytes.subarray(at + header, at + header + captured);
    return true;
  }

  /** An interface description's body. */
  #describe(body: number, end: number, little: boolean): void {
    const view = this.#view;
    let resolution = MICROSECONDS;
    let offset = 0n;
    for (let at = body + 8; at + 4 <= end; ) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === 0 || at + 4 + length > end) break;
      if (code === TIMESTAMP_RESOLUTION && length >= 1) resolution = view.getUint8(at + 4);
      if (code === TIMESTAMP_OFFSET && length >= 8) offset = view.getBigInt64(at + 4, little);
      at += 4 + padded(length);
    }
    const units = (resolution & 0x80) === 0 ? 10n ** BigInt(resolution) : 1n << BigInt(resolution & 0x7f);
    this.#interfaces.push({ linkType: view.getUint16(body, little), snaplen: view.getUint32(body + 4, little), units, offset });
  }
}

type Outcome = 'packet' | 'other' | 'bytes' | 'broken';
