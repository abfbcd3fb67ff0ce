// Bytes that come through standard input, or another pipe.

import { constants, fstatSync, open as openDescriptor } from 'node:fs';
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { memoryToRead } from '../platform/copy.ts';

/** What stands for standard input on the command line. */
export const STANDARD_INPUT = '-';
/** Its descriptor. */
export const STDIN = 0;

/** Bytes that a pipe is read into, again and again: no more than a cache holds. */
const RING = 1 << 19;
/** Bytes that are asked for at once: a pipe holds no more, unless somebody has given it more. */
const READ = 1 << 16;
/** The largest chunk: a reader may hold two of them, and there has to be room to read on. */
const CHUNK = RING / 4;

/** What comes, until `signal` is aborted. A chunk may be written over when the chunk after the next one is asked for. */
export async function* pipeChunks(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const input = path === STANDARD_INPUT ? standardInput() : new Pipe(await open(path));
  const stop = (): void => void input.destroy();
  signal?.addEventListener('abort', stop);
  try {
    if (!signal?.aborted) yield* input;
  } finally {
    signal?.removeEventListener('abort', stop);
    input.destroy();
  }
}

function standardInput(): AsyncIterable<Uint8Array> & { destroy(): unknown } {
  const status = fstatSync(STDIN);
  return status.isFIFO() || status.isSocket() ? new Pipe(STDIN) : process.stdin;
}

/**
 * To open a pipe that nobody writes, and to read it, may take for ever: a thread must not wait for it, for which the program's end would have to
 * wait. Its end comes after its first writer's.
 */
async function open(path: string): Promise<number> {
  return await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/**
 * A pipe that is read into the same memory again and again. A stream of Node's takes new memory for each 64 KiB, and has more to do for each than all
 * who look at it.
 */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket;
  readonly #ring = memoryToRead(RING);
  /** Where the next bytes go: the socket has been given that memory, and keeps it while it is paused. */
  #at = 0;
  /** Bytes before that, which nobody has taken; and before those, the last two chunks that were taken. */
  #pending = 0;
  #last = 0;
  #lastButOne = 0;
  #paused = false;
  #ended = false;
  #error: unknown;
  /** Tells whoever waits for bytes, or for the end. */
  #wake: (() => void) | undefined;

  constructor(descriptor: number) {
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: descriptor,
      readable: true,
      writable: false,
      onread: {
        buffer: () => this.#ring.subarray(this.#at, this.#at + Math.min(READ, this.#free)),
        callback: (bytes) => {
          this.#at = (this.#at + bytes) % RING;
          this.#pending += bytes;
          this.#wake?.();
          // When what it is given now is full, too, there has to be more to give it.
          this.#paused = this.#free <= READ;
          return !this.#paused;
        },
      },
    };
    this.#socket = new Socket(options);
    this.#socket.once('error', (error) => void (this.#error = error));
    for (const event of ['end', 'close']) {
      this.#socket.once(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Gives what has come since the last chunk, to the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#pending === 0 && !this.#ended) {
        await new Promise<void>((resolve) => void (this.#wake = resolve));
        await setImmediate(); // what else the same turn of the event loop reads comes with it
      }
      if (this.#pending === 0) break;
      yield this.#take();
    }
    if (this.#error !== undefined) throw this.#error;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(): Uint8Array {
    const from = (this.#at - this.#pending + RING) % RING;
    const chunk = this.#ring.subarray(from, from + Math.min(this.#pending, CHUNK));
    this.#pending -= chunk.length;
    this.#lastButOne = this.#last;
    this.#last = chunk.length;
    if (this.#paused && this.#free > READ) {
      this.#paused = false;
      this.#socket.resume();
    }
    return chunk;
  }

  /** Bytes that may be written over. */
  get #free(): number {
    return RING - this.#pending - this.#last - this.#lastButOne;
  }
}
