/** Far enough from where malloc(3) begins, in a cache line of its own. */
const BEHIND = 48;

/**
 * Copies bytes to the beginning of others, which are not in the same place. TypedArray.set() takes shared memory word by word, and
 * byte by byte where the two are not aligned alike, which is up to twice and nine times as slow; this is what Node does by memcpy(3).
 */
export function copyBytes(from: ArrayBufferView, to: ArrayBufferView): void {
  const { byteLength } = from;
  if (byteLength === 0) return; // nothing to fill with would be an error
  Buffer.from(to.buffer, to.byteOffset, to.byteLength).fill(bytesOf(from), 0, byteLength);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Memory to read files and pipes into, and to copy large parts from. What begins 1 to 31 bytes behind a page's beginning is filled from pages, or copied to them, at a quarter of the speed by
 * processors of AMD (of the Zen 3 kind), and memory that malloc(3) maps begins 16 bytes behind one.
 */
export function memoryToRead(bytes: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(bytes + BEHIND), BEHIND, bytes);
}
