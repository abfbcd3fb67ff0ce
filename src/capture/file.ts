// A regular file, read at positions straight into the bytes one gives, which may lie in WebAssembly's memory.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { CaptureError, NoCaptureError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'a directory is not a capture',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'symbolic links that lead in a circle',
  EMFILE: 'too many files are open',
  EIO: 'the device reports a read error',
};

/** Bytes at positions. */
export interface Source {
  /** As messages name it. */
  readonly path: string;
  /**
   * Where in a decoder's window as many bytes from a position on lie, so that they need not be read, be it that they have been mapped there for whoever
   * asks; undefined: they do not, or not one behind the other. Absent: they never do.
   */
  placeOf?(position: number, bytes: number, window: Uint8Array): number | undefined;
  /** Fills `bytes` from `position` on, as far as there are any; answers how many were read. */
  read(bytes: Uint8Array, position: number): number;
  /** Gives back what others may want of it: nothing is read for a while. */
  rest?(): void;
  close?(): void;
}

export class CaptureFile implements Source {
  readonly path: string;
  /** Bytes, as it was when the file was opened. */
  readonly size: number;
  protected readonly descriptor: number;
  #open = true;

  constructor(path: string) {
    this.path = path;
    // Asked before opening, because opening a pipe waits for its writer.
    const status = attempt(path, 0, () => statSync(path));
    if (status.isDirectory()) throw new NoCaptureError(path, 0, 'a directory is not a capture');
    if (!status.isFile()) throw new NoCaptureError(path, 0, 'not a regular file');
    this.size = status.size;
    this.descriptor = attempt(path, 0, () => openSync(path, 'r'));
  }

  read(bytes: Uint8Array, position: number): number {
    let filled = 0;
    while (filled < bytes.length) {
      const got = attempt(this.path, position + filled, () =>
        readSync(this.descriptor, bytes, filled, bytes.length - filled, position + filled),
      );
      if (got === 0) break;
      filled += got;
    }
    return filled;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.descriptor);
  }
}

/** What Node.js has in place of bytes that are not UTF-8, of the command line and of folders: the file is not found by it. */
const REPLACED = '\uFFFD';
const NOT_UTF8 = 'no such file, because its name is not UTF-8, it seems: rename it, or give it as standard input (- < FILE)';

/** Whether there is no file because its name has been lost, so that there will never be one. */
export function isNameLost(error: unknown): boolean {
  const { code, path } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' && path !== undefined && path.includes(REPLACED);
}

/** Why a system call failed, in the words of a capture's reader. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isNameLost(error)) return NOT_UTF8;
  return REASONS[code ?? ''] ?? message;
}

/** Runs a system call, and tells its failure in the words of a capture's reader. */
export function attempt<T>(path: string, offset: number, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new CaptureError(path, offset, reasonOf(error), { cause: error });
  }
}
