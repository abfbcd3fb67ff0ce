import type { Source } from '../capture/file.ts';
import { OPENING_BYTES, openingOf } from '../capture/format.ts';
import { type Interface, interfacesOf } from '../capture/section.ts';
import type { Decoder } from '../decode/decoder.ts';
import { PACKETS } from '../layout/framing.ts';
import { type PlannedCapture, Plan } from './plan.ts';
import { WindowReader } from './windows.ts';

/** Bytes that are looked at. */
const PROBED = 1 << 20;

/** What a capture's first bytes tell of it. */
export interface Probe {
  /** Capture time of the first packet, ns since 1970 in steps of at most 512 ns; undefined where there is none. */
  readonly firstTime: number | undefined;
  readonly interfaces: readonly Interface[];
}

/**
 * Looks at how a capture begins.
 * @throws CaptureError where it is none
 */
export function probe(source: Source, size: number, decoder: Decoder): Probe {
  const bytes = new Uint8Array(OPENING_BYTES);
  openingOf(source.path, bytes.subarray(0, source.read(bytes, 0)));
  const capture: PlannedCapture = { path: source.path, size };
  const reader = new WindowReader({ origin: 0, seed: 0, shards: 1 }, decoder, () => source);
  const decoded = reader.decode(new Plan([capture], PROBED).window(0), 0, { offset: 0, lost: false, clock: -Infinity, framing: undefined });
  const { framing } = decoded.end;
  return {
    firstTime: decoder.state[PACKETS]! > 0 ? decoder.firstTime : undefined,
    interfaces: framing ? interfacesOf(framing) : [],
  };
}
