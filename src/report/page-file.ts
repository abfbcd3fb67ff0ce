import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A page that cannot be written. */
export class PageError extends Error {}

/** The file that a page is written to. It is opened before anything is read, so that nobody waits in vain; what it holds stays until there is a page. */
export class PageFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /**
   * `captures`: files that it must not be.
   * @throws Error where it is one of them, or cannot be written
   */
  static async open(path: string, captures: readonly string[]): Promise<PageFile> {
    const handle = await open(path, 'a');
    const { dev, ino } = await handle.stat();
    for (const capture of captures) {
      const found = statSync(capture, { throwIfNoEntry: false });
      if (found?.dev === dev && found.ino === ino) throw new Error('that is a capture');
    }
    return new PageFile(path, handle);
  }

  /** @throws PageError where it cannot be written any more */
  async write(text: string): Promise<void> {
    try {
      if ((await this.#handle.stat()).isFile()) await this.#handle.truncate(); // a pipe cannot be cut
      await this.#handle.writeFile(text);
    } catch (error) {
      throw new PageError(`${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
