/**
 * Bytes that go in at once. Where a stream is damaged, zlib and xz hand nothing on of what the damaged piece gave before, so the first pieces
 * are small, and later ones small beside what went before them.
 */
const SMALLEST_PIECE = 256;
const LARGEST_PIECE = 1 << 18;
const SHARE = 64;

/** Bytes of the next piece, at most, behind so many. */
export function pieceLength(given: number): number {
  return Math.min(LARGEST_PIECE, Math.max(SMALLEST_PIECE, Math.floor(given / SHARE)));
}

/** The same bytes, in pieces of which none is more than a sixty-fourth of all before it, but for the first. */
export async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + pieceLength(given));
      at += piece.length;
      given += piece.length;
      yield piece;
    }
  }
}
