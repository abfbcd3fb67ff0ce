// A capture that is still being written, read as it grows, through rotation: `tail -F`.

import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatOf } from '../compression/decompress.ts';
import { CaptureError, NoCaptureError } from './errors.ts';
import type { Fault } from './fault.ts';
import { isNameLost, reasonOf } from './file.ts';
import { OPENING_BYTES } from './format.ts';
import { mergeCaptures } from './merge.ts';
import { peek, untilRecordsEnd } from './stream.ts';

/** How often a file that has not grown is looked at again, ms. */
const INTERVAL = 200;
const CHUNK = 1 << 20;
const COMPRESSED = 'a compressed file is not followed; tail -c +1 -f FILE | fourwaves stream - reads one as it grows';

/**
 * Follows a capture until `signal` is aborted. When another file takes its name, or it is written anew, the rest of the old one
 * is read, and then the new one. One that is no capture, or cannot be read, is a fault, and the next one is waited for.
 * @throws CaptureError where it is the first file
 */
export async function* followCapture(
  path: string,
  fault: (fault: Fault) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let begun = false;
  const refuse = ({ offset, rule }: CaptureError): void => fault({ file: path, offset, rule, truncated: false, awaited: !signal.aborted });
  while (!signal.aborted) {
    const file = await present(path, signal, begun ? refuse : undefined);
    if (!file) return;
    try {
      const open = () => untilRecordsEnd(uncompressed(path, tail(path, file, signal)));
      for await (const chunk of mergeCaptures([{ path, begins: 0, open }], fault)) {
        begun = true;
        yield chunk;
      }
    } catch (error) {
      if (!begun || !(error instanceof CaptureError)) throw error;
      refuse(error);
      await replacement(path, file, signal);
    } finally {
      await file.close();
    }
  }
}

/**
 * The bytes as they are. Of a compressed file those that were written last may be no whole piece yet.
 * @throws NoCaptureError where it is one
 */
async function* uncompressed(path: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, all } = await peek(chunks);
  if (formatOf(head)) throw new NoCaptureError(path, 0, COMPRESSED);
  yield* all;
}

/** A file's bytes until another one has its name and no more come. */
async function* tail(path: string, file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    let position = 0;
    for (;;) {
      const replaced = await isReplaced(path, file, position);
      const { buffer, bytesRead } = await file.read(new Uint8Array(CHUNK), 0, CHUNK, position);
      position += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (replaced || signal.aborted) return;
      else await pause(signal);
    }
  } catch (error) {
    throw new CaptureError(path, 0, reasonOf(error), { cause: error });
  }
}

/** Waits until another file has its name, or it is written anew: it becomes shorter, or begins with other bytes. */
async function replacement(path: string, file: FileHandle, signal: AbortSignal): Promise<void> {
  const refused = await beginning(file);
  let size = 0;
  while (!signal.aborted && !(await isReplaced(path, file, size))) {
    if (!(await beginning(file)).subarray(0, refused.length).equals(refused)) return;
    ({ size } = await file.stat());
    await pause(signal);
  }
}

/** The first bytes of a file, as many as tell what it is; none of a folder. */
async function beginning(file: FileHandle): Promise<Buffer> {
  if (!(await file.stat()).isFile()) return Buffer.alloc(0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(OPENING_BYTES), 0, OPENING_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

/** A pipe that has taken the name would not open before somebody writes to it, and nobody could interrupt that. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file, which during a rotation may not be there for a moment; undefined: aborted before it was. `refuse` is told, once, why it cannot be
 * opened, which may change.
 * @throws CaptureError where there is nobody to be told
 */
async function present(path: string, signal: AbortSignal, refuse?: (error: CaptureError) => void): Promise<FileHandle | undefined> {
  for (let told = false; !signal.aborted; ) {
    try {
      const file = await promises.open(path, AT_ONCE);
      if ((await file.stat()).size > 0) return file;
      await file.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isNameLost(error)) {
        const failure = new CaptureError(path, 0, reasonOf(error), { cause: error });
        if (!refuse) throw failure;
        if (!told) refuse(failure);
        told = true;
      }
    }
    await pause(signal);
  }
  return undefined;
}

/** Whether another file has its name, or it has become shorter than what was read of it. While none has its name, it may still be written. */
async function isReplaced(path: string, file: FileHandle, position: number): Promise<boolean> {
  const own = await file.stat();
  if (own.size < position) return true;
  const named = await promises.stat(path).catch(() => undefined);
  return named !== undefined && (named.ino !== own.ino || named.dev !== own.dev);
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(INTERVAL, undefined, { signal }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error; // the loop sees that it was aborted
  });
}
