import type { FeedWriter } from './feed.ts';

/** What has come is handed on when nothing more does for as long, or when it has waited as long, ms. */
const IDLE = 20;
const PATIENCE = 100;

/** Writes a stream into a feed to its end. A slow stream is handed on as it comes. */
export async function pump(chunks: AsyncIterator<Uint8Array>, writer: FeedWriter): Promise<void> {
  let handedOn = performance.now();
  for (;;) {
    const coming = chunks.next();
    let timer: NodeJS.Timeout | undefined;
    if (writer.pending > 0) {
      timer = setTimeout(() => {
        writer.flush();
        handedOn = performance.now();
      }, IDLE);
    }
    const { value, done } = await coming;
    clearTimeout(timer);
    if (done) return;
    const before = writer.pending;
    if (!(await writer.write(value))) return;
    const now = performance.now();
    if (writer.pending < before + value.length) handedOn = now;
    else if (now - handedOn > PATIENCE) {
      writer.flush();
      handedOn = now;
    }
  }
}
