import { CaptureError } from '../capture/errors.ts';
import type { Fault } from '../capture/fault.ts';
import { CaptureFile, type Source } from '../capture/file.ts';
import type { Interface } from '../capture/section.ts';
import { byteStream, isStream, nameOf } from '../capture/stream.ts';
import type { Decoder } from '../decode/decoder.ts';
import type { PlannedCapture } from '../shard/plan.ts';
import { type Probe, probe } from '../shard/probe.ts';

/** Bytes of a stream in which a packet is looked for, at most, before it is taken as it is. */
const HEAD_BYTES = 1 << 20;

/** What a run reads. */
export interface Input {
  readonly captures: readonly PlannedCapture[];
  /** The bytes of the only capture, where it is no file that can be read at any place. */
  readonly stream: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  /** Whole seconds since 1970 of the first packet. */
  readonly origin: number;
  /** Digits that the seconds of a timestamp have behind the point. */
  readonly digits: 6 | 9;
  /** What could not be read at all. */
  readonly faults: readonly Fault[];
}

interface Opened extends PlannedCapture, Probe {
  readonly stream?: AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Looks at how captures begin. One that cannot be read is a fault.
 * @throws CaptureError where none can
 */
export async function openInput(paths: readonly string[], decoder: Decoder, signal?: AbortSignal): Promise<Input> {
  const opened: Opened[] = [];
  const errors: CaptureError[] = [];
  for (const path of paths) {
    try {
      opened.push((await isStream(path)) ? await openStream(path, decoder, signal) : openFile(path, decoder));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      errors.push(error);
    }
  }
  if (opened.length === 0 && errors[0]) throw errors[0];
  const times = opened.flatMap(({ firstTime }) => (firstTime === undefined ? [] : [firstTime]));
  return {
    captures: opened.map(({ path, size }) => ({ path, size })),
    stream: opened[0]?.stream,
    origin: Math.floor((times[0] ?? 0) / 1e9),
    digits: opened.some(({ interfaces }) => interfaces.some(isFine)) ? 9 : 6,
    faults: errors.map(({ file, offset, rule }) => ({ file, offset, rule, truncated: false })),
  };
}

/** Whether an interface tells time finer than in microseconds. */
function isFine({ units }: Interface): boolean {
  return units > 1e6;
}

function openFile(path: string, decoder: Decoder): Opened {
  const file = new CaptureFile(path);
  try {
    return { path, size: file.size, ...probe(file, file.size, decoder) };
  } finally {
    file.close();
  }
}

/** Takes as much of a stream as tells what it is, and puts it back. */
async function openStream(path: string, decoder: Decoder, signal?: AbortSignal): Promise<Opened> {
  const name = nameOf(path);
  const chunks = byteStream(path, signal);
  let head: Uint8Array = new Uint8Array(0);
  let found: Probe | undefined;
  let failure: unknown;
  try {
    while (found?.firstTime === undefined && head.length < HEAD_BYTES) {
      const { value, done } = await chunks.next();
      if (done) break;
      head = head.length === 0 ? value : Buffer.concat([head, value]);
      found = probeHead(name, head, decoder);
    }
  } catch (error) {
    failure = error;
    if (head.length === 0) throw error;
  }
  found ??= probe(inMemory(name, head), head.length, decoder);
  async function* stream(): AsyncGenerator<Uint8Array, void, undefined> {
    yield head;
    if (failure !== undefined) throw failure;
    yield* chunks;
  }
  return { path: name, size: 0, ...found, stream: stream() };
}

/** What the beginning of a stream tells; nothing while its header is not all there. */
function probeHead(path: string, head: Uint8Array, decoder: Decoder): Probe | undefined {
  try {
    return probe(inMemory(path, head), head.length, decoder);
  } catch (error) {
    if (error instanceof CaptureError && head.length < 24) return undefined;
    throw error;
  }
}

function inMemory(path: string, bytes: Uint8Array): Source {
  return {
    path,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}
