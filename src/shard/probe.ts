import type { Source } from '../capture/file.ts';
import { OPENING_BYTES, openingOf } from '../capture/format.ts';
import { type Interface, interfacesOf, padded, type Section } from '../capture/section.ts';
import type { Decoder, Framing } from '../decode/decoder.ts';
import {
  BLOCKS,
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  PACKET,
  PACKETS,
  SECTION_HEADER,
  SIMPLE_PACKET,
  SWAPPED,
} from '../layout/framing.ts';
import { Plan } from './plan.ts';
import { type Place, WindowReader } from './windows.ts';

/** Bytes that are looked at, at once: more only where there is no packet among them, although nothing is damaged. */
const PROBED = 1 << 20;
/** The same in its middle, where only packets are counted. */
const COUNTED = 1 << 18;
/** Blocks that are looked at in search of interfaces: of those that hold no packet there may be gigabytes. */
const MOST_BLOCKS = 4096;
const PACKET_BLOCKS: ReadonlySet<number> = new Set([PACKET, SIMPLE_PACKET, ENHANCED_PACKET]);
const SETTING = { origin: 0, seed: 0, shards: 1 };
const BEGINNING: Place = { offset: 0, lost: false, previous: Number.NaN, clock: -Infinity, framing: undefined };

/** What a capture's first bytes tell of it. */
export interface Probe {
  /** Capture time of the first packet, ns since 1970 in steps of at most 512 ns; undefined where there is none. */
  readonly firstTime: number | undefined;
  /** Something was damaged in front of it. */
  readonly damaged: boolean;
  readonly framing: Framing;
  readonly interfaces: readonly Interface[];
  /** Interfaces that are described in front of the first packet. */
  readonly together: number;
  /** Bytes up to where its records end. */
  readonly size: number;
  /** Records as its header counts them, if it does. */
  readonly count?: number | undefined;
}

/**
 * Looks at how a capture begins.
 * @throws CaptureError where it is none
 */
export function probe(source: Source, size: number, decoder: Decoder): Probe {
  return look(source, size, true, decoder);
}

/**
 * The same of the first bytes of one of which there will be more.
 * @throws CaptureError where it is none
 */
export function probeHead(source: Source, bytes: number, decoder: Decoder): Probe {
  return look(source, bytes, false, decoder);
}

/** `all`: no more bytes will come. */
function look(source: Source, bytes: number, all: boolean, decoder: Decoder): Probe {
  const head = new Uint8Array(OPENING_BYTES);
  const { section, end, count } = openingOf(source.path, head.subarray(0, source.read(head, 0)));
  const size = Math.min(bytes, end);
  const plan = planOf(source, size);
  const reader = new WindowReader(SETTING, decoder, () => source);
  let place: Place = BEGINNING;
  let [packets, damaged] = [0, false];
  let firstTime: number | undefined;
  // Names, or the secrets of encrypted connections, may be many in front of the first packet.
  for (let number = 0; number < plan.announced && packets === 0 && !damaged; number++) {
    const window = plan.window(number);
    const decoded = reader.decode({ ...window, last: window.last && all }, 0, place);
    packets = decoded.packets;
    damaged = decoded.troubles.length > 0;
    if (packets > 0) firstTime = decoded.firstTime;
    place = decoded.end;
  }
  const framing = place.framing!;
  return { firstTime, damaged, framing, interfaces: interfacesOf(framing), together: describedFirst(source, section), size, count };
}

/**
 * Interfaces of a first section in front of its first packet, as far as so many blocks tell: the same number however much of a capture has
 * come.
 */
function describedFirst(source: Source, { form }: Section): number {
  if ((form & BLOCKS) === 0) return 1;
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  let count = 0;
  for (let at = 0, blocks = 0; blocks < MOST_BLOCKS && source.read(header, at) === header.length; blocks++) {
    const type = view.getUint32(0, (form & SWAPPED) === 0);
    const length = view.getUint32(4, (form & SWAPPED) === 0);
    if (PACKET_BLOCKS.has(type) || (at > 0 && type === SECTION_HEADER) || length < header.length) break;
    if (type === INTERFACE_DESCRIPTION) count++;
    at += padded(length);
  }
  return count;
}

function planOf({ path }: Source, size: number, bytes = PROBED): Plan {
  return new Plan([{ path, size }], bytes);
}

/** How many packets a capture holds, as its middle lets expect: the beginning of many is full of short ones. */
export function packetsIn(source: Source, decoder: Decoder, { framing, size }: Probe): number {
  const reader = new WindowReader(SETTING, decoder, () => source);
  if (size <= PROBED) return decoder.state[PACKETS]!;
  const plan = planOf(source, size, COUNTED);
  const window = plan.window(plan.announced >> 1);
  const offset = reader.guess(window, framing, Number.NaN);
  if (offset === undefined) return 0;
  const { packets } = reader.decode(window, 0, { ...BEGINNING, offset, framing });
  return (packets * size) / window.bytes;
}

/** Capture time of a capture's last packets, in the same measure; undefined where its end does not tell. */
export function lastTimeOf(source: Source, decoder: Decoder, { framing, size }: Probe): number | undefined {
  const reader = new WindowReader(SETTING, decoder, () => source);
  const plan = planOf(source, size);
  for (let number = plan.announced - 1; number > 0 && number >= plan.announced - 2; number--) {
    const window = plan.window(number);
    const offset = reader.guess(window, framing, Number.NaN);
    if (offset === undefined) continue;
    const { packets, end } = reader.decode(window, 0, { ...BEGINNING, offset, framing });
    if (packets > 0) return end.clock;
  }
  if (plan.announced > 1) return undefined;
  const { packets, end } = reader.decode(plan.window(0), 0, BEGINNING);
  return packets > 0 ? end.clock : undefined;
}
