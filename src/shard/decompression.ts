// Decompression beside the thread that asks.

import { MessageChannel, type Worker } from 'node:worker_threads';
import type { Decompression } from '../capture/stream.ts';
import type { Answer, FileTask, StreamTask } from './decompressor.ts';
import { giveBack, takeThread } from './decompressors.ts';
import type { Fed } from './feeder.ts';
import { Slots } from './slots.ts';

/** Compressed chunks that are under way. */
const AHEAD = 2;

/** What it gives is not written over before the chunk after the next one is asked for, or the stream is left. */
export const decompressBeside: Decompression = async function* decompressed(chunks) {
  const thread = takeThread();
  const stream = new RemoteStream(thread.worker);
  try {
    void stream.feed(chunks);
    return yield* stream.output();
  } finally {
    await stream.close();
    await giveBack(thread);
  }
};

/** Has a compressed file decompressed into a feed. */
export async function feedBeside(path: string, decoding: FileTask['decoding']): Promise<Fed> {
  const thread = takeThread();
  const { worker } = thread;
  const { port1, port2 } = new MessageChannel();
  let died: ((error: unknown) => void) | undefined;
  try {
    return await new Promise<Fed>((resolve, reject) => {
      died = reject;
      port1.once('message', resolve);
      worker.once('error', died);
      const file: FileTask = { path, decoding, port: port2 };
      worker.postMessage(file, [port2]);
    });
  } finally {
    if (died) worker.off('error', died);
    port1.close();
    await giveBack(thread);
  }
}

/** A stream that another thread decompresses. */
class RemoteStream {
  readonly #slots = new Slots();
  readonly #channel = new MessageChannel();
  readonly #thread: Worker;
  /** What the filled slots hold, bytes, until they are taken. */
  readonly #lengths: number[] = [];
  /** How many more chunks may be sent. */
  #credit = AHEAD;
  #end: { readonly rule: string | undefined } | undefined;
  #failure: unknown;
  /** Those who wait for any of this to change. */
  #waiting: (() => void)[] = [];

  constructor(thread: Worker) {
    const { port1, port2 } = this.#channel;
    port1.on('message', (answer: Answer) => {
      if (answer === 'more') this.#credit++;
      else if (typeof answer === 'number') this.#lengths.push(answer);
      else this.#end = answer;
      this.#wake();
    });
    this.#thread = thread.once('error', this.#fail);
    const task: StreamTask = { slots: this.#slots.buffer, port: port2 };
    thread.postMessage(task, [port2]);
  }

  /** Sends what is to be decompressed, no faster than it is taken. */
  async feed(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { port1 } = this.#channel;
    try {
      for await (const chunk of chunks) {
        while (this.#credit === 0 && !this.#end) await this.#change();
        if (this.#end) return;
        this.#credit--;
        const own = new Uint8Array(chunk); // all of the memory that a chunk is a part of would be sent
        port1.postMessage(own, [own.buffer]);
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      port1.postMessage(undefined);
    }
  }

  /** What comes back; and what was wrong. */
  async *output(): AsyncGenerator<Uint8Array, string | undefined, undefined> {
    for (let number = 0; ; number++) {
      while (this.#lengths.length === 0 && !this.#end) await this.#change();
      const length = this.#lengths.shift();
      if (length === undefined) break;
      this.#slots.free(number - 1);
      yield this.#slots.slot(number).subarray(0, length);
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#end?.rule;
  }

  /** Resolves when the thread has done with it. */
  async close(): Promise<void> {
    const { port1 } = this.#channel;
    this.#slots.stop();
    port1.postMessage(undefined);
    while (!this.#end) await this.#change();
    this.#thread.off('error', this.#fail);
    port1.close();
  }

  /** The thread has died. */
  readonly #fail = (error: unknown): void => {
    this.#failure = error;
    this.#end = { rule: undefined };
    this.#wake();
  };

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}
