/** Memory of whoever takes what comes out. It stays as it is while more comes, so far as to tell what repeats. */
export interface Room {
  /** Bytes before those for which room is given that are still there, each beside the one before it but for where the memory begins anew. */
  readonly kept: number;
  /**
   * Where what comes out belongs from byte `position` on: `least` bytes or more. What was given before may not all have been taken
   * yet. Undefined: nobody wants any more.
   */
  room(position: number, least: number): Promise<Uint8Array | undefined>;
}

/**
 * Gives what chunks hold. What it gives may be written over as soon as more is asked for. One that can write anywhere puts it into
 * the room where there is one.
 */
export type Decompress = (chunks: AsyncIterable<Uint8Array>, room?: Room) => AsyncGenerator<Uint8Array, void, undefined>;
