import { setImmediate } from 'node:timers/promises';
import { CaptureError } from '../capture/errors.ts';
import type { Fault } from '../capture/fault.ts';
import type { FeedWriter } from './feed-writer.ts';

/** What has come is handed on when nothing more does for as long, or when it has waited as long, ms. */
const IDLE = 20;
const PATIENCE = 100;
/** Bytes after which the event loop gets a turn: where all that is needed is there, nothing is waited for. */
const TURN = 1 << 24;

/** Writes a stream into a feed to its end; answers where it broke off, if it did: all before is handed on. */
export async function pump(chunks: AsyncGenerator<Uint8Array>, writer: FeedWriter): Promise<Fault | undefined> {
  let fault: Fault | undefined;
  try {
    await writeAll(chunks, writer);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const { file, offset, rule } = error;
    fault = { file, offset, rule, truncated: true };
  } finally {
    await chunks.return(undefined);
  }
  writer.end();
  return fault;
}

/** A slow stream is handed on as it comes. */
async function writeAll(chunks: AsyncGenerator<Uint8Array>, writer: FeedWriter): Promise<void> {
  let handedOn = performance.now();
  let waits = false;
  let turn = TURN;
  const timer = setTimeout(() => {
    if (!waits || writer.pending === 0) return;
    writer.flush();
    handedOn = performance.now();
  }, IDLE);
  try {
    for (;;) {
      waits = true;
      timer.refresh(); // a new one for each chunk costs more
      const { value, done } = await chunks.next();
      waits = false;
      if (done) return;
      const before = writer.pending;
      if (!(await writer.write(value))) return;
      if (writer.written >= turn) {
        await setImmediate();
        turn = writer.written + TURN;
      }
      const now = performance.now();
      if (writer.pending < before + value.length) handedOn = now;
      else if (now - handedOn > PATIENCE) {
        writer.flush();
        handedOn = now;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
