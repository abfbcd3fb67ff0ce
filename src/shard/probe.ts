import type { Source } from '../capture/file.ts';
import { OPENING_BYTES, openingOf } from '../capture/format.ts';
import { type Interface, interfacesOf } from '../capture/section.ts';
import type { Decoder, Framing } from '../decode/decoder.ts';
import { PACKETS } from '../layout/framing.ts';
import { Plan, type Window } from './plan.ts';
import { WindowReader } from './windows.ts';

/** Bytes that are looked at. */
const PROBED = 1 << 20;
const SETTING = { origin: 0, seed: 0, shards: 1 };
const BEGINNING = { offset: 0, lost: false, previous: Number.NaN, clock: -Infinity, framing: undefined };

/** What a capture's first bytes tell of it. */
export interface Probe {
  /** Capture time of the first packet, ns since 1970 in steps of at most 512 ns; undefined where there is none. */
  readonly firstTime: number | undefined;
  readonly framing: Framing;
  readonly interfaces: readonly Interface[];
}

/**
 * Looks at how a capture begins.
 * @throws CaptureError where it is none
 */
export function probe(source: Source, size: number, decoder: Decoder): Probe {
  return look(source, new Plan([{ path: source.path, size }], PROBED).window(0), decoder);
}

/**
 * The same of the first bytes of one of which there will be more.
 * @throws CaptureError where it is none
 */
export function probeHead(source: Source, bytes: number, decoder: Decoder): Probe {
  return look(source, { ...new Plan([{ path: source.path, size: bytes }], PROBED).window(0), last: false }, decoder);
}

function look(source: Source, window: Window, decoder: Decoder): Probe {
  const bytes = new Uint8Array(OPENING_BYTES);
  openingOf(source.path, bytes.subarray(0, source.read(bytes, 0)));
  const reader = new WindowReader(SETTING, decoder, () => source);
  reader.decode(window, 0, BEGINNING);
  const { form, interfaces } = decoder.framing;
  const framing = { form, interfaces: interfaces.slice() };
  return { firstTime: decoder.state[PACKETS]! > 0 ? decoder.firstTime : undefined, framing, interfaces: interfacesOf(framing) };
}

/** How many packets a capture holds, as its middle lets expect: the beginning of many is full of short ones. */
export function packetsIn(source: Source, size: number, decoder: Decoder, { framing }: Probe): number {
  const reader = new WindowReader(SETTING, decoder, () => source);
  const plan = new Plan([{ path: source.path, size }], PROBED);
  if (plan.announced < 2) return decoder.state[PACKETS]!;
  const window = plan.window(plan.announced >> 1);
  const offset = reader.guess(window, framing, Number.NaN);
  if (offset === undefined) return 0;
  reader.decode(window, 0, { ...BEGINNING, offset, framing });
  return (decoder.state[PACKETS]! * size) / window.bytes;
}

/** Capture time of a capture's last packets, in the same measure; undefined where its end does not tell. */
export function lastTimeOf(source: Source, size: number, decoder: Decoder, { framing }: Probe): number | undefined {
  const reader = new WindowReader(SETTING, decoder, () => source);
  const plan = new Plan([{ path: source.path, size }], PROBED);
  for (let number = plan.announced - 1; number > 0 && number >= plan.announced - 2; number--) {
    const window = plan.window(number);
    const offset = reader.guess(window, framing, Number.NaN);
    if (offset === undefined) continue;
    reader.decode(window, 0, { ...BEGINNING, offset, framing });
    if (decoder.state[PACKETS]! > 0) return decoder.clock;
  }
  if (plan.announced > 1) return undefined;
  reader.decode(plan.window(0), 0, BEGINNING);
  return decoder.state[PACKETS]! > 0 ? decoder.clock : undefined;
}
