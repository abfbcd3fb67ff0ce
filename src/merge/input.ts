// What a run reads: files that are read at any place, or one stream of bytes, whatever the captures are.

import { CaptureError, NoCaptureError } from '../capture/errors.ts';
import type { Fault } from '../capture/fault.ts';
import { CaptureFile, type Source } from '../capture/file.ts';
import { folderAt } from '../capture/folder.ts';
import { followCapture } from '../capture/follow.ts';
import { mergeCaptures } from '../capture/merge.ts';
import type { Interface } from '../capture/section.ts';
import { byteStream, decompressHere, kindOf, nameOf } from '../capture/stream.ts';
import type { Decoder } from '../decode/decoder.ts';
import { decompressBeside } from '../shard/decompression.ts';
import type { PlannedCapture } from '../shard/plan.ts';
import { lastTimeOf, packetsIn, type Probe, probe, probeHead } from '../shard/probe.ts';

/** Bytes of a stream in which a packet is looked for, at most, before it is taken as it is: fewer where something is damaged. */
const HEAD_BYTES = 1 << 26;
const DAMAGED_HEAD_BYTES = 1 << 20;
/** From so many bytes on they are looked at again only when there are more by this share: each time it is at all of them. */
const SMALL_HEAD_BYTES = 1 << 20;
const SHARE = 1 / 8;

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

export interface Input {
  /** As they are read: several captures that overlap are one. */
  readonly captures: readonly PlannedCapture[];
  /** What they are called, in the order in which they are read. */
  readonly names: readonly string[];
  /** How many there were, those that could not be read among them. */
  readonly files: number;
  /** The bytes of the only capture, where it is no file that can be read at any place. */
  readonly stream: Bytes | undefined;
  /** The only capture, where it is a compressed file: it is decompressed right to where it is decoded. */
  readonly compressed: string | undefined;
  /** Bytes that have come of captures which are merged: their stream has other headers, and is longer. Undefined where none are. */
  readonly read: { bytes: number } | undefined;
  /** Whole seconds since 1970 of the first packet. */
  readonly origin: number;
  /** Digits that the seconds of a timestamp have behind the point. */
  readonly digits: 6 | 9;
  /** How far a packet may come behind others that were captured later, ms. */
  readonly lateness: number;
  /** What could not be read. More may come while a stream is read. */
  readonly faults: Fault[];
  /** Files of folders that are no captures. */
  readonly passedOver: readonly string[];
}

/** Is told what is met, before its first bytes are looked at or waited for. */
export interface Meeting {
  /** A file that is read at any place. Answers whether it matters how many packets it holds. */
  readonly file: (bytes: number) => boolean;
  /** A file that is compressed. */
  readonly compressed: () => void;
  readonly stream: () => void;
  /** What is wrong with a capture that is followed: its run may end days later. */
  readonly fault: (fault: Fault) => void;
}

/** Where several interfaces captured into one file, their packets may be written in turns, as long as that, ms (dumpcap: some 150). */
const TURN = 250;

interface Opened extends PlannedCapture, Probe {
  /** Estimated; 0 of a stream, and where it does not matter. */
  readonly packets: number;
  /** The only way to read it. */
  readonly stream?: () => Bytes;
  /** It is a file that is compressed, so that it can be read from its beginning again. */
  readonly compressed?: boolean;
}

interface Found {
  readonly opened: Opened[];
  readonly errors: CaptureError[];
  readonly passedOver: string[];
}

/**
 * Looks at how captures begin, and orders them by that. Those of a folder are all its files that are captures.
 * @param follow the only capture is still being written
 * @throws CaptureError where none can be read
 */
export async function openInput(
  paths: readonly string[],
  follow: boolean,
  decoder: Decoder,
  signal: AbortSignal,
  met: Meeting,
): Promise<Input> {
  const faults: Fault[] = [];
  const found = await find(paths, follow, decoder, signal, faults, met);
  const { errors, passedOver } = found;
  if (found.opened.length === 0 && errors[0]) throw errors[0];
  const opened = found.opened.toSorted((a, b) => (a.firstTime ?? Infinity) - (b.firstTime ?? Infinity));
  faults.push(...errors.map(({ file, offset, rule }) => ({ file, offset, rule, truncated: false })));
  const merged = opened.length > 1 && (opened.some(({ stream }) => stream) || overlap(opened, decoder));
  const read = merged ? { bytes: 0 } : undefined;
  const compressed = !read && opened[0]?.compressed ? opened[0].path : undefined;
  const stream = read ? merge(opened, signal, faults, read) : compressed === undefined ? opened[0]?.stream?.() : undefined;
  return {
    captures: merged
      ? [{ path: `the ${opened.length} captures, merged,`, size: 0 }]
      : opened.map(({ path, size, count, packets }) => ({ path, size, count, packets })),
    names: opened.map(({ path }) => path),
    files: opened.length + errors.length,
    stream,
    compressed,
    read,
    origin: Math.floor((opened[0]?.firstTime ?? 0) / 1e9),
    digits: opened.some(({ interfaces }) => interfaces.some(isFine)) ? 9 : 6,
    lateness: opened.some(({ together }) => together > 1) ? TURN : 0,
    faults,
    passedOver,
  };
}

async function find(
  paths: readonly string[],
  follow: boolean,
  decoder: Decoder,
  signal: AbortSignal,
  faults: Fault[],
  met: Meeting,
): Promise<Found> {
  const found: Found = { opened: [], errors: [], passedOver: [] };
  const fault = (one: Fault): void => {
    faults.push(one);
    met.fault(one);
  };
  for (const path of paths) {
    const folder = follow ? undefined : folderOf(path, found);
    for (const file of folder ?? [path]) {
      try {
        const kind = kindOf(file);
        const grows = follow && kind !== 'once';
        const bytes = (): Bytes => (grows ? followCapture(file, fault, signal) : byteStream(file, decompressBeside, signal));
        if (kind === 'file' && !follow) found.opened.push(openFile(file, decoder, met));
        else if (kind === 'again' && !follow) found.opened.push(await openCompressed(file, bytes, decoder, signal, met));
        else found.opened.push(await openStream(file, bytes, decoder, met));
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error;
        if (folder && error instanceof NoCaptureError) found.passedOver.push(error.message);
        else found.errors.push(error);
      }
    }
  }
  const [first] = found.passedOver;
  if (found.opened.length === 0 && found.errors.length === 0 && first !== undefined)
    found.errors.push(new CaptureError(paths.join(', '), 0, `no file is a capture (${first})`));
  return found;
}

/** A folder's files; undefined: it is none. What else it holds is passed over. */
function folderOf(path: string, found: Found): readonly string[] | undefined {
  try {
    const folder = folderAt(path);
    if (folder?.files.length === 0) throw new CaptureError(path, 0, 'the folder holds no files');
    found.passedOver.push(...(folder?.others ?? []).map(({ message }) => message));
    return folder?.files;
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    found.errors.push(error);
    return [];
  }
}

/** Whether a capture begins before the one before it has ended, or nobody can tell. */
function overlap(captures: readonly Opened[], decoder: Decoder): boolean {
  return captures.some((capture, i) => {
    const { path, firstTime } = capture;
    const next = captures[i + 1]?.firstTime;
    if (next === undefined || firstTime === undefined) return false;
    const file = new CaptureFile(path);
    try {
      const last = lastTimeOf(file, decoder, capture);
      return last === undefined || next < last;
    } finally {
      file.close();
    }
  });
}

/** Where one breaks off, the others go on. What has come of all of them is counted in `read`. */
function merge(captures: readonly Opened[], signal: AbortSignal, faults: Fault[], read: { bytes: number }): Bytes {
  async function* toItsEnd(chunks: Bytes): Bytes {
    try {
      for await (const chunk of chunks) {
        read.bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      faults.push({ file: error.file, offset: error.offset, rule: error.rule, truncated: true });
    }
  }
  return mergeCaptures(
    captures.map(({ path, firstTime, stream }) => ({
      path,
      begins: (firstTime ?? 0) / 1e9,
      open: () => toItsEnd(stream?.() ?? byteStream(path, decompressBeside, signal)),
    })),
    (fault) => void faults.push(fault),
  );
}

/** Whether an interface tells time finer than in microseconds. */
function isFine({ units }: Interface): boolean {
  return units > 1e6;
}

function openFile(path: string, decoder: Decoder, met: Meeting): Opened {
  const file = new CaptureFile(path);
  try {
    const matters = met.file(file.size);
    const found = probe(file, file.size, decoder);
    return { path, packets: matters ? packetsIn(file, decoder, found) : 0, ...found };
  } finally {
    file.close();
  }
}

/** Takes as much of a stream as tells what it is, and puts it back. */
async function openStream(path: string, open: () => Bytes, decoder: Decoder, met: Meeting): Promise<Opened> {
  const chunks = open();
  const { found, head, failure } = await beginning(nameOf(path), chunks, decoder, met.stream);
  async function* rest(): Bytes {
    yield head;
    if (failure !== undefined) throw failure;
    yield* chunks;
  }
  return { ...found, path: nameOf(path), size: 0, packets: 0, stream: rest };
}

/** Looks at how a compressed file begins: whoever decompresses it begins again. */
async function openCompressed(path: string, open: () => Bytes, decoder: Decoder, signal: AbortSignal, met: Meeting): Promise<Opened> {
  const chunks = byteStream(path, decompressHere, signal);
  const { found } = await beginning(path, chunks, decoder, met.compressed);
  await chunks.return();
  return { ...found, path, size: 0, packets: 0, stream: open, compressed: true };
}

interface Beginning {
  readonly found: Probe;
  readonly head: Uint8Array;
  /** What was wrong with the stream behind it. */
  readonly failure: unknown;
}

/** `waited`: is told that the first bytes are waited for. */
async function beginning(name: string, chunks: Bytes, decoder: Decoder, waited: () => void): Promise<Beginning> {
  try {
    return await look(name, chunks, decoder, waited);
  } catch (error) {
    await chunks.return(); // whoever writes or decompresses it would wait for somebody to take it, and the program's end for them
    throw error;
  }
}

async function look(name: string, chunks: Bytes, decoder: Decoder, waited: () => void): Promise<Beginning> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let head: Uint8Array = new Uint8Array(0);
  let found: Probe | undefined;
  let failure: unknown;
  try {
    while (found?.firstTime === undefined && length < (found?.damaged ? DAMAGED_HEAD_BYTES : HEAD_BYTES)) {
      const coming = chunks.next();
      waited();
      const { value, done } = await coming;
      if (done) break;
      parts.push(new Uint8Array(value)); // a copy: its memory may be written over
      length += value.length;
      if (length > SMALL_HEAD_BYTES && length < head.length * (1 + SHARE)) continue;
      head = Buffer.concat(parts);
      found = probeSome(name, head, decoder);
    }
  } catch (error) {
    failure = error;
    if (length === 0) throw error;
  }
  if (head.length < length) head = Buffer.concat(parts);
  if (found?.firstTime === undefined) found = probe(inMemory(name, head), head.length, decoder);
  return { found, head, failure };
}

/** What the beginning of a stream tells; nothing while its header is not all there. */
function probeSome(path: string, head: Uint8Array, decoder: Decoder): Probe | undefined {
  try {
    return probeHead(inMemory(path, head), head.length, decoder);
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
