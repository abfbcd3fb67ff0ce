/** Memory of whoever takes what comes out. */
export interface Room {
  /** Where the next bytes go: so many at most, and one at least. Undefined: nobody wants any more. */
  room(bytes: number): Promise<Uint8Array | undefined>;
}

/**
 * Gives what chunks hold. What it gives may be written over as soon as more is asked for. One that can write anywhere puts it into
 * the room where there is one.
 */
export type Decompress = (chunks: AsyncIterable<Uint8Array>, room?: Room) => AsyncGenerator<Uint8Array, void, undefined>;
