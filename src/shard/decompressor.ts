// What a thread does that decompresses: any number of streams, each as far as its slots are free. None waits for another one, because
// nobody knows in what order they are wanted.

import { once } from 'node:events';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { decompressHere } from '../capture/stream.ts';
import { copyBytes } from '../platform/copy.ts';
import type { DecodingTask } from './decoding.ts';
import { feedFile } from './feeder.ts';
import { SLOT_BYTES, Slots } from './slots.ts';

/** A stream; its compressed chunks come through the port, and last undefined. */
export interface StreamTask {
  /** Where what it holds is to be put. */
  readonly slots: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A file that is to be put into a feed, for which a Fed is answered through the port. */
export interface FileTask {
  readonly path: string;
  readonly decoding: DecodingTask & { readonly feed: SharedArrayBuffer };
  readonly port: MessagePort;
}

/** What is said through a stream's port: so many bytes are in the next slot; another chunk may be sent; it is over, and what was wrong. */
export type Answer = number | 'more' | { readonly rule: string | undefined };

parentPort?.on('message', (task: StreamTask | FileTask) => void ('path' in task ? feed(task) : decompress(task)));

async function feed({ path, decoding, port }: FileTask): Promise<void> {
  port.postMessage(await feedFile(path, decoding));
  port.close();
}

async function decompress({ slots, port }: StreamTask): Promise<void> {
  const output = new Output(new Slots(slots), port);
  const chunks = decompressHere(chunksFrom(port, () => output.flush()));
  let next = await chunks.next();
  while (!next.done) next = (await output.write(next.value)) ? await chunks.next() : await chunks.return(undefined);
  output.flush();
  answer(port, { rule: next.value });
  port.close();
}

function answer(port: MessagePort, content: Answer): void {
  port.postMessage(content);
}

/** The chunks that come through a port. `starved` is told when there is none and the next one has to be waited for. */
async function* chunksFrom(port: MessagePort, starved: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks: (Uint8Array | undefined)[] = [];
  port.on('message', (chunk: Uint8Array | undefined) => void chunks.push(chunk));
  for (;;) {
    if (chunks.length === 0) starved();
    while (chunks.length === 0) await once(port, 'message');
    const chunk = chunks.shift();
    if (!chunk) return;
    answer(port, 'more');
    yield chunk;
  }
}

/** Fills slots, and tells of each that is full. */
class Output {
  readonly #slots: Slots;
  readonly #port: MessagePort;
  #number = 0;
  #slot: Uint8Array | undefined;
  #filled = 0;

  constructor(slots: Slots, port: MessagePort) {
    this.#slots = slots;
    this.#port = port;
  }

  /** Takes bytes; false: nobody wants any more. */
  async write(chunk: Uint8Array): Promise<boolean> {
    for (let from = 0; from < chunk.length; ) {
      if (!this.#slot) {
        if (!(await this.#slots.wait(this.#number))) return false;
        this.#slot = this.#slots.slot(this.#number);
      }
      const part = chunk.subarray(from, from + SLOT_BYTES - this.#filled);
      copyBytes(part, this.#slot.subarray(this.#filled));
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === SLOT_BYTES) this.flush();
    }
    return true;
  }

  /** Hands on what there is, because more may be long in coming. */
  flush(): void {
    if (this.#filled === 0) return;
    answer(this.#port, this.#filled);
    this.#slot = undefined;
    this.#number++;
    this.#filled = 0;
  }
}
