// Bytes in the order in which they come: from standard input, a pipe, or a compressed file.

import { close, fstatSync, open, promises, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { formatOf, MAGIC_BYTES } from '../compression/decompress.ts';
import { CompressionError } from '../compression/errors.ts';
import type { Room } from '../compression/room.ts';
import { memoryToRead } from '../platform/copy.ts';
import { CaptureError } from './errors.ts';
import { attempt, CaptureFile, reasonOf } from './file.ts';
import { OPENING_BYTES, recordsEnd, tellsEnd } from './format.ts';
import { pipeChunks, STANDARD_INPUT, STDIN } from './pipe.ts';

const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);

/** What messages call a capture. */
export function nameOf(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

/** Bytes that are read from a file at once, at first, and, unless somebody asks for more, later; and how many chunks of them there may be at a time. */
const CHUNK = 1 << 18;
const CHUNKS = 3;

/** Decompresses a stream, of whatever format; answers in the end what was wrong with it. */
export type Decompression = (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array, string | undefined, undefined>;

/**
 * Decompression in the thread that asks. What it gives may be written over as soon as more is asked for.
 * @param room where formats that can write anywhere are to put what they give
 */
export async function* decompressHere(
  chunks: AsyncIterable<Uint8Array>,
  room?: Room,
): AsyncGenerator<Uint8Array, string | undefined, undefined> {
  const { head, all } = await peek(chunks);
  try {
    yield* formatOf(head)?.decompress(all, room) ?? all;
  } catch (error) {
    if (error instanceof CompressionError) return error.message;
    throw error;
  }
  return undefined;
}

/**
 * A capture's bytes, decompressed where they are compressed, up to where its records end. They end early, without an error, when
 * `signal` is aborted. A chunk may be written over when the chunk after the next one is asked for.
 * @param decompression for formats that would keep this thread from all else
 * @param most bytes that are read from a file at once: each time takes a while, but so many are kept of each file that is open
 * @throws CaptureError where they cannot be read, or not to the end
 */
export async function* byteStream(
  path: string,
  decompression: Decompression,
  signal?: AbortSignal,
  most = CHUNK,
): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  try {
    const status = path === STANDARD_INPUT ? fstatSync(STDIN) : await promises.stat(path);
    // A folder says by being read that it cannot be; a stream of it would only be empty.
    const isFile = status.isFile() || status.isDirectory();
    const input = isFile ? fileChunks(path, most, signal) : pipeChunks(path, signal);
    for await (const chunk of untilRecordsEnd(decoded(input, decompression), !isFile)) {
      given += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof CompressionError) throw new CaptureError(nameOf(path), given, error.message, { cause: error });
    throw new CaptureError(nameOf(path), given, reasonOf(error), { cause: error });
  }
}

/** How a capture can be read: at any place; as a stream, again if need be; or as a stream, once. */
export type Kind = 'file' | 'again' | 'once';

export function kindOf(path: string): Kind {
  if (path === STANDARD_INPUT) return 'once';
  try {
    const status = attempt(path, 0, () => statSync(path));
    if (status.isFIFO() || status.isSocket()) return 'once';
    return formatOf(headOf(path)) === undefined ? 'file' : 'again';
  } catch (error) {
    if (error instanceof CaptureError) return 'file'; // whoever opens it says what is wrong
    throw error;
  }
}

function headOf(path: string): Uint8Array {
  const file = new CaptureFile(path);
  try {
    const head = new Uint8Array(MAGIC_BYTES);
    return head.subarray(0, file.read(head, 0));
  } finally {
    file.close();
  }
}

/** A file's bytes. They are read into the same memory again and again: new memory costs more than what is done with it. */
async function* fileChunks(path: string, most: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = path === STANDARD_INPUT ? STDIN : await openFile(path, 'r');
  const chunks = Array.from({ length: CHUNKS }, () => memoryToRead(most));
  // It may fail before anybody asks for it.
  const fill = (number: number) =>
    Promise.allSettled([readFile(descriptor, chunks[number % CHUNKS]!, 0, Math.min(CHUNK * 2 ** number, most), null)]);
  let coming = fill(0);
  try {
    for (let number = 1; ; number++) {
      const [come] = await coming;
      if (come.status === 'rejected') throw come.reason;
      const { buffer, bytesRead } = come.value;
      if (bytesRead === 0 || signal?.aborted) return;
      coming = fill(number); // while this one is looked at
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await coming;
    if (path !== STANDARD_INPUT) await closeFile(descriptor);
  }
}

async function* decoded(input: AsyncIterable<Uint8Array>, decompression: Decompression): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, all } = await peek(input);
  const format = formatOf(head);
  if (!format) yield* all;
  else if (!format.blocks) yield* format.decompress(all);
  else {
    const rule = yield* decompression(all);
    if (rule !== undefined) throw new CompressionError(rule);
  }
}

/**
 * A capture's bytes without those that stand behind its records, by what its header says.
 * @param whole those are taken, too, and let go: who writes a pipe would be told that nobody reads it
 */
export async function* untilRecordsEnd(input: AsyncIterable<Uint8Array>, whole = true): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, all } = await peek(input);
  if (!tellsEnd(head)) {
    yield* all;
    return;
  }
  const opening = await peek(all, OPENING_BYTES);
  let left = recordsEnd(opening.head);
  for await (const chunk of opening.all) {
    const part = chunk.subarray(0, left);
    if (part.length > 0) yield part;
    left -= part.length;
    if (left === 0 && !whole) return;
  }
}

/** A stream's first bytes, as many as are asked for or all that there are, and all of it. */
export async function peek(
  input: AsyncIterable<Uint8Array>,
  bytes = MAGIC_BYTES,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const chunks = input[Symbol.asyncIterator]();
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < bytes) {
    const { value, done } = await chunks.next();
    if (done) break;
    // What is too short is kept beside more of it, so it is copied: its memory may be written over.
    first = first.length === 0 && value.length >= bytes ? value : Buffer.concat([first, value]);
  }
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (first.length > 0) yield first;
      for (;;) {
        const { value, done } = await chunks.next();
        if (done) return;
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
  }
  return { head: first.subarray(0, bytes), all: all() };
}
