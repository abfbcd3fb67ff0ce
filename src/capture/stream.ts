// Bytes in the order in which they come: from standard input, a pipe, or a compressed file.

import { createReadStream, open as openDescriptor } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { decompressorFor, MAGIC_BYTES } from '../compression/decompress.ts';
import { CompressionError } from '../compression/errors.ts';
import { CaptureError } from './errors.ts';
import { reasonOf } from './file.ts';

/** What stands for standard input on the command line. */
export const STANDARD_INPUT = '-';

/** What messages call a capture. */
export function nameOf(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

/** Bytes that are read from a file at once. */
const CHUNK = 1 << 20;

/**
 * A capture's bytes, decompressed where they are compressed. They end early, without an error, when `signal` is aborted.
 * @throws CaptureError where they cannot be read, or not to the end
 */
export async function* byteStream(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  try {
    const input = await readable(path);
    const stop = (): void => void input.destroy();
    signal?.addEventListener('abort', stop);
    try {
      if (signal?.aborted) return;
      for await (const chunk of decompressed(input)) {
        given += chunk.length;
        yield chunk;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      input.destroy();
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof CompressionError) throw new CaptureError(nameOf(path), given, error.message, { cause: error });
    throw new CaptureError(nameOf(path), given, reasonOf(error), { cause: error });
  }
}

/** How a capture can be read: at any place; as a stream, again if need be; or as a stream, once. */
export type Kind = 'file' | 'again' | 'once';

export async function kindOf(path: string): Promise<Kind> {
  if (path === STANDARD_INPUT) return 'once';
  const status = await stat(path).catch(() => undefined);
  if (!status || status.isDirectory()) return 'file'; // whoever opens it says what is wrong
  if (!status.isFile()) return status.isFIFO() || status.isSocket() ? 'once' : 'file';
  const file = await open(path).catch(() => undefined);
  if (!file) return 'file';
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    return decompressorFor(buffer.subarray(0, bytesRead)) === undefined ? 'file' : 'again';
  } finally {
    await file.close();
  }
}

async function readable(path: string): Promise<Readable> {
  if (path === STANDARD_INPUT) return process.stdin;
  if ((await stat(path)).isFile()) return createReadStream(path, { highWaterMark: CHUNK });
  // A read of a pipe may wait for ever, which must not be in a thread that the program's end has to wait for.
  return new Socket({ fd: await promisify(openDescriptor)(path, 'r'), readable: true, writable: false });
}

async function* decompressed(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < MAGIC_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  const rest = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
      if (head.length > 0) yield head;
      for (;;) {
        const { value, done } = await chunks.next();
        if (done) return;
        yield value;
      }
    },
  };
  yield* decompressorFor(head.subarray(0, MAGIC_BYTES))?.(rest) ?? rest;
}
