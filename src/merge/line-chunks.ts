/** Bytes of a chunk. */
const CHUNK_BYTES = 1 << 18;
/** Stretches of lines from so many bytes on are passed on as they are. */
export const STRETCH_BYTES = 1 << 16;

/** Puts stretches of lines, each from the text of some delivery, one behind the other into chunks. */
export class LineChunks {
  #chunk: Buffer = Buffer.alloc(0);
  #from = 0;
  #at = 0;

  /** Appends text[from..to); what is full goes to `out`. */
  add(text: Uint8Array, from: number, to: number, out: Uint8Array[]): void {
    const bytes = to - from;
    if (bytes >= STRETCH_BYTES) {
      this.flush(out);
      out.push(text.subarray(from, to));
      return;
    }
    if (bytes > this.#chunk.length - this.#at) {
      this.flush(out);
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#from = 0;
      this.#at = 0;
    }
    this.#chunk.set(text.subarray(from, to), this.#at);
    this.#at += bytes;
  }

  /** Hands over what there is. */
  flush(out: Uint8Array[]): void {
    if (this.#at > this.#from) out.push(this.#chunk.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
