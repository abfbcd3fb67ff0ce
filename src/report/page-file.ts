import { closeSync, existsSync, fstatSync, openSync, promises, readSync, statSync, unlinkSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

const STANDARD_INPUT = 0;

/** What a page begins with. */
export const PAGE_BEGINNING = '<!doctype html>\n';

/** A page that cannot be written. */
export class PageError extends Error {}

/** The file that a page is written to. It is opened before anything is read, so that nobody waits in vain; what it holds stays until there is a page. */
export class PageFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Nothing was there before, and nothing is there now. */
  #isNew: boolean;

  private constructor(path: string, handle: FileHandle, isNew: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#isNew = isNew;
  }

  /**
   * `captures`: files that it must not be, unless one is a page, which in a folder is no capture; `-` standard input.
   * @throws Error where it is one of them, or cannot be written
   */
  static async open(path: string, captures: readonly string[]): Promise<PageFile> {
    if (existsSync(path)) {
      const { dev, ino } = statSync(path);
      for (const capture of captures) {
        if (capture !== '-' && !existsSync(capture)) continue; // whoever reads the captures will say so
        const found = capture === '-' ? fstatSync(STANDARD_INPUT) : statSync(capture);
        if (found.dev === dev && found.ino === ino && !isPage(path)) throw new Error('that is what is to be read');
      }
    }
    const isNew = !existsSync(path);
    return new PageFile(path, await promises.open(path, 'a'), isNew);
  }

  /** @throws PageError where it cannot be written any more */
  async write(text: string): Promise<void> {
    try {
      if ((await this.#handle.stat()).isFile()) await this.#handle.truncate(); // a pipe cannot be cut
      await this.#handle.writeFile(text);
      this.#isNew = false;
    } catch (error) {
      throw new PageError(`${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** A file that would be empty is taken away. */
  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#isNew) unlinkSync(this.#path);
  }
}

function isPage(path: string): boolean {
  if (!statSync(path).isFile()) return false; // a pipe waits for its writer
  const descriptor = openSync(path, 'r');
  try {
    const beginning = Buffer.alloc(PAGE_BEGINNING.length);
    return readSync(descriptor, beginning) === beginning.length && beginning.toString() === PAGE_BEGINNING;
  } finally {
    closeSync(descriptor);
  }
}
