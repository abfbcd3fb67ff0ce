// Decodes captures that lie in memory, and copies what came out: plain objects that tests can compare.

import type { Source } from '../../src/capture/file.ts';
import type { Fault } from '../../src/capture/fault.ts';
import { recordsEnd, tellsEnd } from '../../src/capture/format.ts';
import { Decoder, type DecoderSetting } from '../../src/decode/decoder.ts';
import { DROP_NAMES } from '../../src/decode/drops.ts';
import { AGGREGATED, PACKETS, PAIRS, RECORDS, SEGMENTS } from '../../src/layout/framing.ts';
import { Plan, restsOf, unitsOf } from '../../src/shard/plan.ts';
import { type Place, regressionsOf, WindowReader } from '../../src/shard/windows.ts';
import * as S from '../../src/layout/segment.ts';
import { type CapturedPacket, type CaptureFields, pcap } from '../support/packets.ts';

/** Both builds: the debug build asserts, the release build is the one that ships. */
export const BUILDS = ['decoder.wasm', 'decoder.debug.wasm'].map((build) => ({
  build,
  decoder: new Decoder(Decoder.compile(build), Decoder.memory()),
}));
export const decoder: Decoder = BUILDS[0]?.decoder ?? new Decoder(Decoder.compile(), Decoder.memory());

export const ORIGIN = 1_600_000_000;
export const SEED = 0x5eed;

export interface DecodedSegment {
  time: number;
  seq: number;
  ack: number;
  low: number;
  high: number;
  lowPort: number;
  highPort: number;
  hash: number;
  payload: number;
  flags: number;
  window: number;
  tsval: number;
  digest: number;
  link: number;
  /** Index among all packets of the capture. */
  packet: number;
  /** The pair's addresses, 32 bytes, where the segment is IPv6. */
  pair: number[] | undefined;
  windowScale: number;
  headerWords: number;
  /** Bits 8 to 10 of TCP_WORD. */
  options: number;
  lag: number;
}

export interface Decoded {
  packets: number;
  segments: number;
  regressions: number;
  /** Packets that A-MSDUs held beyond one each. */
  aggregated: number;
  /** Reasons that occurred. */
  drops: Record<string, number>;
  records: DecodedSegment[];
  faults: Fault[];
}

/** A capture in memory, in the place of a file. */
export interface MemorySource extends Source {
  /** Bytes, up to where its records end. */
  readonly size: number;
}

export function inMemory(bytes: Uint8Array): MemorySource {
  return {
    path: 'memory.pcap',
    size: tellsEnd(bytes) ? Math.min(bytes.length, recordsEnd(bytes)) : bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}

/** Decodes a capture window by window, each from where the one before ended. */
export function decodeSource(
  source: MemorySource,
  windowBytes = 1 << 20,
  by: Decoder = decoder,
  seed = SEED,
  filter?: Int32Array,
): Decoded {
  const plan = new Plan([{ path: source.path, size: source.size }], windowBytes, restsOf(windowBytes));
  const setting = { origin: ORIGIN, seed, shards: 1, units: unitsOf(windowBytes), filter };
  const reader = new WindowReader(setting, by, () => source);
  const decoded: Decoded = { packets: 0, segments: 0, regressions: 0, aggregated: 0, drops: {}, records: [], faults: [] };
  let place: Place = { offset: 0, lost: false, previous: Number.NaN, clock: -Infinity, framing: undefined };
  for (let number = 0; number < plan.announced; number++) {
    const window = reader.decode(plan.window(number), 0, place);
    const { end, troubles } = window;
    place = end;
    for (const trouble of troubles) {
      if ('rule' in trouble) decoded.faults.push({ file: source.path, ...trouble });
      else decoded.faults.push({ ...decoded.faults.pop()!, ...trouble });
    }
    const { state } = by;
    const count = state[RECORDS] ?? 0;
    for (let index = 0; index < count; index++) decoded.records.push(record(by, setting, index, decoded.packets));
    decoded.regressions += regressionsOf(window, decoded.packets);
    decoded.packets += state[PACKETS] ?? 0;
    decoded.segments += state[SEGMENTS] ?? 0;
    decoded.aggregated += state[AGGREGATED] ?? 0;
    by.drops.forEach((drops, reason) => {
      const name = DROP_NAMES[reason] ?? '?';
      if (drops) decoded.drops[name] = (decoded.drops[name] ?? 0) + drops;
    });
  }
  return decoded;
}

/** Decodes packets under one link type. */
export function decodePackets(
  packets: readonly CapturedPacket[],
  fields: CaptureFields = {},
  by = decoder,
  seed = SEED,
  filter?: Int32Array,
): Decoded {
  return decodeSource(inMemory(pcap(packets, fields)), undefined, by, seed, filter);
}

/** Decodes one packet, which gives one record. */
export function decodeOne(captured: Uint8Array, linkType?: number, original = captured.length, by = decoder): DecodedSegment {
  const { records, drops } = decodePackets([{ captured, original }], linkType === undefined ? {} : { linkType }, by);
  const [first] = records;
  if (!first || records.length !== 1) throw new Error(`${records.length} records, drops ${JSON.stringify(drops)}`);
  return first;
}

/** Decodes one packet, which gives no record. */
export function dropOf(captured: Uint8Array, linkType?: number, original = captured.length, by = decoder): string {
  const { records, drops } = decodePackets([{ captured, original }], linkType === undefined ? {} : { linkType }, by);
  const [name] = Object.keys(drops);
  if (!name || records.length > 0) throw new Error(`${records.length} records, drops ${JSON.stringify(drops)}`);
  return name;
}

function record(by: Decoder, setting: DecoderSetting, index: number, packetsBefore: number): DecodedSegment {
  const { words, times, pairs } = by.batch(by.memory, 0, setting);
  const at = index * S.SEGMENT_WORDS;
  const word = (offset: number): number => (words[at + offset] ?? 0) >>> 0;
  const flags = word(S.FLAGS_WORD);
  const tcp = word(S.TCP_WORD);
  const pair = word(S.ADDRESS_WORD) * S.ADDRESS_PAIR_BYTES;
  if (flags & S.IPV6 && word(S.ADDRESS_WORD) >= (by.state[PAIRS] ?? 0)) throw new Error('no such address pair');
  return {
    time: times[at / 2 + S.TIME_WORD / 2] ?? Number.NaN,
    seq: word(S.SEQ_WORD),
    ack: word(S.ACK_WORD),
    low: word(S.LOW_WORD),
    high: word(S.HIGH_WORD),
    lowPort: word(S.PORTS_WORD) >>> 16,
    highPort: word(S.PORTS_WORD) & 0xffff,
    hash: word(S.HASH_WORD),
    payload: word(S.PAYLOAD_WORD),
    flags: flags & 0xffff,
    window: flags >>> 16,
    tsval: word(S.TSVAL_WORD),
    digest: word(S.DIGEST_WORD),
    link: word(S.LINK_WORD),
    packet: packetsBefore + word(S.PACKET_WORD),
    pair: flags & S.IPV6 ? [...pairs.subarray(pair, pair + 32)] : undefined,
    windowScale: tcp & 15,
    headerWords: (tcp >>> 4) & 15,
    options: tcp & 0x700,
    lag: tcp >>> 16,
  };
}
