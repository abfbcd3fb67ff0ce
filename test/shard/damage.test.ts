// Damaged captures: whatever is written over, what was not touched is read as if nothing had happened.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordReader } from '../../src/capture/records.ts';
import { LINUX_SLL } from '../../src/layout/link.ts';
import { type DecodedSegment, decodeSource, inMemory, ORIGIN } from '../decode/decoding.ts';
import { bytes, type CapturedPacket, ethernet, ipv4, pcap, pcapRecord, sll, snoop, tcp } from '../support/packets.ts';
import { enhancedPacket, interfaceDescription, pcapng, sectionHeader } from '../support/pcapng.ts';
import { netmon, netmonHeader, netmonRecord, netxray, netxrayHeader, netxrayRecord } from '../support/ticks.ts';

/** Packets behind those that are damaged: more than any record may claim. */
const BEHIND = 250;

/** Every packet has a port of its own, by which it is known again. */
const packets: CapturedPacket[] = Array.from({ length: 60 + BEHIND }, (_, i) => ({
  seconds: ORIGIN + i,
  fraction: (i * 123_457) % 1_000_000,
  captured: ethernet(
    ipv4(
      tcp({
        source: 1000 + i,
        destination: 80,
        payload: Uint8Array.from({ length: i < 60 ? (i * 37) % 200 : 1300 }, (_byte, at) => (i % 3 === 0 ? 0 : at * i)),
      }),
    ),
  ),
}));

interface Format {
  /** The file's header, where its records end elsewhere. */
  readonly header: (end: number) => Uint8Array;
  readonly capture: Uint8Array;
  /** Where each packet's record begins, and the last one ends. */
  readonly bounds: readonly number[];
  /** What alone tells a record's length; nothing where that is there twice. */
  readonly length?: (view: DataView, at: number) => number;
  /** What of a packet is captured, where that is something else. */
  readonly frame?: (captured: Uint8Array) => Uint8Array;
  /** Where in the first record a word of its time is that makes it an impossible one. */
  readonly time: number;
}

/** `header`: of where the records end, and how many they are. */
function format(
  header: (end: number, count: number) => Uint8Array,
  records: readonly Uint8Array[],
  time: number,
  length?: Format['length'],
): Format {
  const bounds = [header(0, 0).length];
  for (const record of records) bounds.push(bounds.at(-1)! + record.length);
  const capture = bytes(header(bounds.at(-1)!, records.length), ...records);
  return { header: (end) => header(end, records.length), capture, bounds, time, ...(length && { length }) };
}

function cookedWithZeros(captured: Uint8Array): Uint8Array {
  return bytes(sll(captured.subarray(14)), new Uint8Array(16));
}

const FORMATS: Record<string, Format> = {
  pcap: format(
    () => pcap([]),
    packets.map((packet) => pcapRecord(packet)),
    0,
    (view, at) => 16 + view.getUint32(at + 8, true),
  ),
  'big-endian pcap': format(
    () => pcap([], { bigEndian: true }),
    packets.map((packet) => pcapRecord(packet, true)),
    0,
    (view, at) => 16 + view.getUint32(at + 8),
  ),
  // Some writers have as many zeros behind each packet as the cooked header is long.
  'cooked pcap with zeros': {
    ...format(
      () => pcap([], { linkType: LINUX_SLL }),
      packets.map((packet) => pcapRecord({ ...packet, captured: cookedWithZeros(packet.captured), original: packet.captured.length + 2 })),
      0,
      (view, at) => 16 + view.getUint32(at + 8, true),
    ),
    frame: cookedWithZeros,
  },
  pcapng: format(
    () => bytes(sectionHeader(), interfaceDescription()),
    packets.map((packet) => enhancedPacket(packet)),
    12,
  ),
  'Network Monitor 2.0': format(
    (table, count) => netmonHeader({ table, count }),
    packets.map((packet) => netmonRecord(packet)),
    4,
    (view, at) => 16 + view.getUint32(at + 12, true),
  ),
  'Network Monitor 2.3': format(
    (table, count) => netmonHeader({ minor: 3, table, count }),
    packets.map((packet) => netmonRecord(packet, 3)),
    16 + packets[0]!.captured.length + 10,
    (view, at) => 31 + view.getUint32(at + 12, true),
  ),
  NetXRay: format(
    (end, count) => netxrayHeader({ end, count }),
    packets.map((packet) => netxrayRecord(packet)),
    4,
    (view, at) => 40 + view.getUint16(at + 10, true),
  ),
};

const known = ({ lowPort, highPort }: DecodedSegment): number => Math.max(lowPort, highPort);
/** All of a record but its place; a time that was written over may lie up to a day ahead, and then the clock waits for the others. */
const told = ({ packet: _packet, time: _time, lag: _lag, ...record }: DecodedSegment): string => JSON.stringify(record);

/**
 * Whether a length leads from one of the places where a record may be looked for to where a later record begins: then nothing shows that
 * those between are missing. (A block has its length twice.)
 */
function leadsOn(length: Format['length'], damaged: Uint8Array, starts: readonly number[], later: readonly number[]): boolean {
  if (!length) return false;
  const view = new DataView(damaged.buffer, damaged.byteOffset);
  return starts.some((start) => start + 16 <= damaged.length && later.includes(start + length(view, start)));
}

/** Records in a row that are believed behind damage: more where times, being mostly zeros, are hardly told from other bytes. */
const resumeOf = (name: string): number => (name === 'NetXRay' ? 3 : name.startsWith('Network Monitor') ? 2 : 1);

/** Where something may be found in the place of a broken record: there; or, by a search, anywhere behind where the one before begins. */
function startsOf(name: string, bounds: readonly number[], broken: number): number[] {
  const [from, to] = resumeOf(name) > 1 ? [bounds[Math.max(broken - 1, 0)]!, bounds[broken + 1]!] : [bounds[broken]!, bounds[broken]! + 1];
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe.each(Object.entries(FORMATS))('%s', (name, { header, capture, bounds, length }) => {
  const whole = decodeSource(inMemory(capture));
  it('is whole to begin with', () => {
    expect([whole.records.length, whole.faults]).toEqual([packets.length, []]);
  });

  const damage = fc.array(fc.tuple(fc.integer({ min: bounds[0]!, max: bounds[60]! - 1 }), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
    minLength: 1,
    maxLength: 3,
  });

  it('with bytes written over loses no packet that was not touched, in windows of any size', () => {
    fc.assert(
      fc.property(damage, fc.integer({ min: 2000, max: 100_000 }), (writes, windowBytes) => {
        const damaged = capture.slice();
        const touched = new Set<number>();
        for (const [at, content] of writes) {
          const part = content.subarray(0, damaged.length - at);
          damaged.set(part, at);
          packets.forEach((_, i) => {
            if (at < bounds[i + 1]! && at + part.length > bounds[i]!) touched.add(i);
          });
        }
        for (const i of touched) fc.pre(!leadsOn(length, damaged, startsOf(name, bounds, i), bounds.slice(i + 2)));
        const decoded = decodeSource(inMemory(damaged));
        expect(decodeSource(inMemory(damaged), windowBytes)).toEqual(decoded);
        const found = new Set(decoded.records.map(told));
        // Of fewer records than are believed, between two damaged ones, none need be found.
        const between = (i: number): boolean => {
          let [first, last] = [i, i];
          while (first > 0 && !touched.has(first - 1)) first--;
          while (last < packets.length - 1 && !touched.has(last + 1)) last++;
          return first > 0 && last - first + 1 < resumeOf(name);
        };
        for (const [i, record] of whole.records.entries()) {
          if (!touched.has(i) && !between(i))
            expect(found.has(told(record)), `packet ${i}, damage in ${[...touched].join(' ')}`).toBe(true);
        }
      }),
      // The example, in Network Monitor 2.0: lengths that could be some lead to zeros, which could be a record.
      { numRuns: 200, examples: [[[[8838, Uint8Array.from([0, 0, 0, 1, 200, 107])]], 2000]] },
    );
  });

  it('with bytes put in, or taken out, loses no packet but the one they are in and its neighbour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 59 }),
        fc.nat(1 << 16),
        fc.integer({ min: 1, max: 300 }),
        fc.boolean(),
        (index, place, size, put) => {
          const at = bounds[index]! + (place % (bounds[index + 1]! - bounds[index]!));
          const end = Math.min(at + size, bounds[index + 1]!);
          const damaged = put
            ? bytes(capture.subarray(0, at), new Uint8Array(size).fill(0xa5), capture.subarray(at))
            : bytes(capture.subarray(0, at), capture.subarray(end));
          damaged.set(header(damaged.length));
          const moved = bounds.slice(index + 2).map((bound) => bound + damaged.length - capture.length);
          for (const i of [index - 1, index]) fc.pre(!leadsOn(length, damaged, [...startsOf(name, bounds, i), bounds[index + 1]!], moved));
          const found = new Set(decodeSource(inMemory(damaged)).records.map(known));
          packets.forEach((_, i) => {
            if (i !== index && i !== index - 1) expect(found.has(1000 + i), `packet ${i}, damage in ${index}`).toBe(true);
          });
        },
      ),
      // In pcapng, an obsolete packet block of zeros between two equal lengths; and a block of no known type that leads past packets.
      {
        numRuns: 200,
        examples: [
          [9, 65_160, 57, false],
          [21, 0, 22, false],
          [1, 0, 119, false],
        ],
      },
    );
  });
});

/** What a capture holds, read record by record, in chunks of such a size: as it is where it is merged with others, or followed. */
async function recordByRecord(content: Uint8Array, size: number): Promise<Set<string>> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
  }
  const reader = new RecordReader('a capture', chunks(), () => undefined);
  const found = new Set<string>();
  while (await reader.next()) found.add(Buffer.from(reader.data).toString('latin1'));
  return found;
}

describe.each(Object.entries(FORMATS).filter(([name]) => name.includes('pcap')))(
  '%s, record by record,',
  (name, { capture, bounds, length, frame = (captured) => captured }) => {
    it('with a few bytes changed, put in or taken out loses no packet but those', async () => {
      const damage = fc.tuple(
        fc.integer({ min: bounds[1]!, max: bounds[60]! - 1 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 0, max: 40 }),
      );
      await fc.assert(
        fc.asyncProperty(damage, fc.integer({ min: 100, max: 100_000 }), async ([at, content, out], size) => {
          const damaged = bytes(capture.subarray(0, at), content, capture.subarray(at + out));
          const moved = bounds.map((bound) => (bound < at + out ? bound : bound + content.length - out));
          const touched = packets.flatMap((_, i) => (at < bounds[i + 1]! && at + out >= bounds[i]! ? [i] : []));
          const [first = 0] = touched;
          const last = touched.at(-1) ?? first;
          for (const i of touched) fc.pre(!leadsOn(length, damaged, startsOf(name, bounds, i), moved.slice(last + 1)));
          fc.pre(!leadsOn(length, damaged, startsOf(name, bounds, first - 1), moved.slice(last + 1)));
          const found = await recordByRecord(damaged, size);
          packets.forEach(({ captured }, i) => {
            if (i < first - 1 || i > last)
              expect(found.has(Buffer.from(frame(captured)).toString('latin1')), `packet ${i}, damage in ${first} to ${last}`).toBe(true);
          });
        }),
        // The example: a length that leads into the next packet, where what looks like a header of another day leads past fourteen.
        { numRuns: 200, examples: [[[2368, Uint8Array.from([0, 0, 0]), 40], 100]] },
      );
    });
  },
);

describe.each(Object.entries(FORMATS))('the first records of %s', (_name, { capture, bounds, time: place }) => {
  const whole = decodeSource(inMemory(capture));
  const beginning = bounds[0]!;

  it('that are written over take none with them that was not touched, in windows of any size', () => {
    const zeros = fc.integer({ min: 1, max: 8192 }).map((length) => new Uint8Array(length));
    const content = fc.oneof(zeros, fc.uint8Array({ minLength: 1, maxLength: 6000, size: 'max' }));
    fc.assert(
      fc.property(content, fc.integer({ min: 2000, max: 100_000 }), (written, windowBytes) => {
        const damaged = capture.slice();
        damaged.set(written, beginning);
        const decoded = decodeSource(inMemory(damaged));
        expect(decodeSource(inMemory(damaged), windowBytes)).toEqual(decoded);
        const found = new Set(decoded.records.map(told));
        const lost = whole.records.findIndex((record, i) => bounds[i]! >= beginning + written.length && !found.has(told(record)));
        expect(lost).toBe(-1);
        if (written.length >= 16) expect(decoded.faults[0]?.offset).toBe(beginning); // else it may be nothing but a time
      }),
      { numRuns: 100 },
    );
  });

  it('have no time that all others contradict', () => {
    const at = beginning + place;
    for (const word of [0, 0x7fff_ffff, 0xffff_ffff]) {
      const damaged = capture.slice();
      new DataView(damaged.buffer).setUint32(at, word);
      const decoded = decodeSource(inMemory(damaged));
      expect([decoded.records.map(told), decoded.faults]).toEqual([whole.records.map(told), []]);
      expect(decoded.records.slice(1).map(({ time }) => time)).toEqual(whole.records.slice(1).map(({ time }) => time));
      expect(decoded.regressions).toBe(0);
      expect(decodeSource(inMemory(damaged), 700)).toEqual(decoded);
    }
  });
});

describe.each(['pcap', 'big-endian pcap'])('a length of %s that leads past records to a later one', (name) => {
  const { capture, bounds } = FORMATS[name]!;

  it('takes none with it, because more was captured than there was', async () => {
    for (const [index, passed] of [
      [0, 1],
      [1, 1],
      [7, 1],
      [7, 12],
      [30, 29],
    ] as const) {
      const damaged = capture.slice();
      const claimed = bounds[index + 1 + passed]! - bounds[index]! - 16;
      new DataView(damaged.buffer).setUint32(bounds[index]! + 8, claimed, name === 'pcap');
      const others = packets.filter((_, i) => i !== index);
      const decoded = decodeSource(inMemory(damaged));
      expect(decoded.records.map(known)).toEqual(others.map((packet) => 1000 + packets.indexOf(packet)));
      expect(decoded.faults.map(({ offset, resumed }) => [offset, resumed])).toEqual([[bounds[index], bounds[index + 1]]]);
      expect(decodeSource(inMemory(damaged), 2000)).toEqual(decoded);
      const found = await recordByRecord(damaged, 1000);
      for (const { captured } of others) expect(found.has(Buffer.from(captured).toString('latin1'))).toBe(true);
    }
  });
});

it('a record of another day that is full of what looks like records of this one is soon told', async () => {
  const empty = pcapRecord({ seconds: ORIGIN, captured: bytes(), original: 60 });
  const full = bytes(...Array.from({ length: 16_000 }, () => empty), 1, 2, 3);
  const content = pcap([packets[0]!, ...Array.from({ length: 40 }, () => [{ seconds: 1000, captured: full }, packets[1]!]).flat()]);
  const decoded = decodeSource(inMemory(content));
  expect([decoded.packets, decoded.faults]).toEqual([81, []]);
  expect((await recordByRecord(content, 1 << 20)).size).toBe(3);
});

describe('the very first record', () => {
  const { capture, bounds } = FORMATS['pcap']!;
  const others = packets.map((_, i) => 1000 + i).slice(1);

  it.each([
    ['NetXRay', 752, 5924],
    ['NetXRay', 929, 4473],
    ['Network Monitor 2.0', 755, 6035],
  ])('has no time that it could run back from, where windows of damage are in front of it: %s', (name, seed, length) => {
    const { capture: intact, bounds: places } = FORMATS[name]!;
    const damaged = intact.slice();
    let random = seed;
    for (let at = 0; at < length; at++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      damaged[places[0]! + at] = random >>> 24;
    }
    const decoded = decodeSource(inMemory(damaged));
    expect(decoded.regressions).toBe(0);
    expect(decodeSource(inMemory(damaged), 2000)).toEqual(decoded);
  });

  it.each<[string, (damaged: Uint8Array<ArrayBuffer>, view: DataView) => void]>([
    ['claims more than any may', (_damaged, view) => view.setUint32(32, 0x7fff_ffff, true)],
    ['claims more than the capture has', (_damaged, view) => view.setUint32(32, 262_000, true)],
    ['claims a part of others', (_damaged, view) => view.setUint32(32, 5_000, true)],
    ['claims a little more', (_damaged, view) => view.setUint32(32, view.getUint32(32, true) + 7, true)],
    ['claims a little less', (_damaged, view) => view.setUint32(32, view.getUint32(32, true) - 7, true)],
    ['has a header of ones', (damaged) => damaged.fill(0xff, 24, 40)],
    ['is all ones', (damaged) => damaged.fill(0xff, 24, bounds[1])],
  ])('that %s takes no other with it', (_name, damage) => {
    // Cut short, so that a length may lead beyond the end.
    const damaged = capture.slice(0, bounds[100]);
    damage(damaged, new DataView(damaged.buffer));
    const decoded = decodeSource(inMemory(damaged));
    expect(decoded.records.map(known)).toEqual(expect.arrayContaining(others.slice(0, 99)));
    expect(decodeSource(inMemory(damaged), 3000)).toEqual(decoded);
    expect(decoded.faults.length).toBeGreaterThan(0);
  });

  it('whose lengths are odd is one where it leads to others', () => {
    for (const odd of [
      { captured: bytes(), original: 60 },
      { ...packets[0]!, original: 0 },
      { ...packets[0]!, original: 7 },
      { ...packets[0]!, fraction: 1_500_000 },
    ]) {
      const decoded = decodeSource(inMemory(pcap([odd, ...packets.slice(1, 20)])));
      expect([decoded.packets, decoded.faults]).toEqual([20, []]);
    }
  });

  it('that the end of the capture cuts is no damage, whatever it holds', () => {
    const inner = pcap(packets.slice(0, 3)); // fewer than could show anything
    for (const content of [new Uint8Array(9000), inner, new Uint8Array(9000).fill(0xff)]) {
      const { faults, packets: count } = decodeSource(inMemory(pcap([{ captured: content }]).subarray(0, -10)));
      expect([count, faults.map(({ truncated, offset }) => [truncated, offset])]).toEqual([0, [[true, 24]]]);
    }
  });
});

const timed = (seconds: number): CapturedPacket => ({ ...packets[0]!, seconds });
const times = (capture: Uint8Array): number[] => decodeSource(inMemory(capture)).records.map(({ time }) => time / 1e9);
const YEAR = 31_536_000;

describe('anything', () => {
  const some = packets.slice(0, 12);
  const captures = [pcap(some), pcapng(some), snoop(some), netmon(some), netmon(some, { minor: 3 }), netxray(some)];

  it('that is written over anything, headers of files too, ends in an answer that does not depend on the windows', () => {
    const write = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 12 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...captures),
        fc.array(write, { maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        (capture, writes, cut, size) => {
          const damaged = capture.slice(0, capture.length - (cut % 3 === 0 ? cut % capture.length : 0));
          for (const [at, content] of writes) {
            const place = at % damaged.length;
            damaged.set(content.subarray(0, damaged.length - place), place);
          }
          const decoded = decodeSource(inMemory(damaged));
          expect(decodeSource(inMemory(damaged), size)).toEqual(decoded);
          for (const { offset, resumed = 0 } of decoded.faults) expect(Math.max(offset, resumed)).toBeLessThanOrEqual(damaged.length);
          expect(decoded.packets + decoded.aggregated).toBe(
            decoded.segments + Object.values(decoded.drops).reduce((sum, count) => sum + count, 0),
          );
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('times', () => {
  it.each([
    ['pcap', pcap],
    ['pcapng', pcapng],
    ['Network Monitor', netmon],
    ['NetXRay', netxray],
  ])('that leap are believed where the next packet agrees (%s)', (_name, make) => {
    expect(times(make([timed(ORIGIN), timed(ORIGIN + YEAR), timed(ORIGIN + YEAR + 1)]))).toEqual([0, YEAR, YEAR + 1]);
    expect(times(make([timed(ORIGIN), timed(ORIGIN + 1), timed(ORIGIN + YEAR)]))).toEqual([0, 1, YEAR]);
    expect(times(make([timed(ORIGIN), timed(ORIGIN - YEAR), timed(ORIGIN - YEAR + 1)]))).toEqual([0, 0, 0]);
  });

  it.each([
    ['pcap', pcap],
    ['pcapng', pcapng],
    ['Network Monitor', netmon],
    ['NetXRay', netxray],
  ])('of a single packet that contradict all others do not move the clock (%s)', (_name, make) => {
    const capture = make([timed(ORIGIN), timed(ORIGIN + 1), timed(ORIGIN + 20 * YEAR), timed(ORIGIN + 2), timed(0), timed(ORIGIN + 3)]);
    expect(times(capture)).toEqual([0, 1, 1, 2, 2, 3]);
    expect(decodeSource(inMemory(capture), 20).records.map(({ time }) => time / 1e9)).toEqual([0, 1, 1, 2, 2, 3]);
    expect(decodeSource(inMemory(capture)).faults).toEqual([]);
  });

  it.each([
    ['pcap', pcap],
    ['Network Monitor', netmon],
    ['NetXRay', netxray],
  ])('of the first packet that lie more than a day ahead of all others are none (%s)', (_name, make) => {
    const others = [1, 2, 3, 4, 5];
    for (const days of [2, 6, 400]) {
      const capture = make([timed(ORIGIN + days * 86_400), ...others.map((second) => timed(ORIGIN + second))]);
      expect(times(capture)).toEqual([1, ...others]);
      expect(decodeSource(inMemory(capture), 20).records.map(({ time }) => time / 1e9)).toEqual([1, ...others]);
      expect(decodeSource(inMemory(capture)).faults).toEqual([]);
    }
  });

  it.each([
    ['pcap', pcap, 24],
    ['Network Monitor', netmon, 128],
    ['NetXRay', netxray, 128],
  ])('of the first packet behind damage are none where they lie more than a day ahead of all others (%s)', (_name, make, header) => {
    const others = [1, 2, 3, 4, 5];
    for (const days of [2, 6]) {
      const capture = make([timed(ORIGIN), timed(ORIGIN + days * 86_400), ...others.map((second) => timed(ORIGIN + second))]);
      const damaged = bytes(capture).fill(0, header, header + 30);
      expect(times(damaged)).toEqual([1, ...others]);
      expect(decodeSource(inMemory(damaged), 20).records.map(({ time }) => time / 1e9)).toEqual([1, ...others]);
    }
  });

  it.each([
    ['NetXRay', [[137, [143, 90]]], [0, 1]],
    [
      'Network Monitor 2.0',
      [
        [7480, [255, 3, 199, 220, 12, 146]],
        [6685, [250, 9, 246]],
      ],
      [39, 43],
    ],
  ] as const)(
    'a little later than all others, to which a wrong length leads, take no packet with them (%s)',
    (name, writes, [from, to]) => {
      const damaged = FORMATS[name]!.capture.slice();
      for (const [at, content] of writes) damaged.set(content, at);
      const { records } = decodeSource(inMemory(damaged));
      const whole = decodeSource(inMemory(FORMATS[name]!.capture)).records;
      expect(records.map(known)).toEqual(expect.arrayContaining(whole.map(known).filter((port) => port < 1000 + from || port > 1000 + to)));
      expect(records.map(known)).toEqual(expect.arrayContaining(whole.slice(from + 1, to).map(known)));
      expect(records.at(-1)!.time).toBe(whole.at(-1)!.time);
    },
  );

  it.each([false, true])(
    'of a clock that nobody has set, which counts from 1970 on, are believed also days apart (nanoseconds: %s)',
    (nanoseconds) => {
      const seconds = [0, 24, 98, 101, 209, 264, 266].map((hours) => hours * 3600);
      const capture = pcap(seconds.map(timed), { nanoseconds });
      expect(times(capture)).toEqual(seconds.map((second) => second - ORIGIN));
      expect(decodeSource(inMemory(capture), 20)).toEqual(decodeSource(inMemory(capture)));
      expect(decodeSource(inMemory(capture)).faults).toEqual([]);
    },
  );

  it('that are none, in records that lead to others or to the end, do not cost these records', () => {
    const none = { ...timed(ORIGIN + 20 * YEAR), fraction: 1_000_001 };
    const capture = pcap([timed(ORIGIN), timed(ORIGIN + 1), none, timed(ORIGIN + 2), none]);
    expect(times(capture)).toEqual([0, 1, 1, 2, 2]);
    expect(decodeSource(inMemory(capture), 20).records.map(({ time }) => time / 1e9)).toEqual([0, 1, 1, 2, 2]);
    expect(decodeSource(inMemory(capture)).faults).toEqual([]);
  });
});
