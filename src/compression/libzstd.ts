// The system's own libzstd (zstd.h, "Buffer-less streaming decompression"), block by block, right to where it is wanted: what repeats is read
// there again, so nothing is copied. It wants a 64-bit system that has the library, and koffi, which is an optional dependency.

import { memoryToRead } from '../platform/copy.ts';
import { functionsIn, type Library } from '../platform/library.ts';
import { ByteQueue } from './byte-queue.ts';
import { CompressionError } from './errors.ts';
import type { Decompress, Room } from './room.ts';

/** What Linux distributions call it: the number is that of its binary interface, which has not changed since 1.0. */
const LIBRARY = 'libzstd.so.1';
/** A block holds no more (RFC 8878 §3.1.1.2.4). */
const BLOCK = 1 << 17;
/** The largest window, as of the zstd tool: what a stream may repeat from that far back has to be kept. */
const LARGEST_WINDOW = 1 << 27;
/** Bytes that tell how long a frame's header is, none of which is shorter; and of the longest one. */
const SHORTEST_HEADER = 5;
const LONGEST_HEADER = 18;
/** Bytes of own memory that may be filled before they are given away: few enough to be copied while they are in the cache, but not each small block. */
const OWN = BLOCK + (1 << 14);
const NOTHING = new Uint8Array(0);

const CUT = 'the zstd stream is cut';
const TOO_LARGE = 'the zstd stream has a larger window than is supported (zstd -d --long=31 reads it)';
/** What is wrong with a stream that is not damaged, by the library's name of the error (zstd_errors.h). */
const RULES: Readonly<Record<string, string>> = {
  'Frame requires too much memory for decoding': TOO_LARGE,
  'Dictionary mismatch': 'the zstd stream needs a dictionary (zstd -d -D FILE reads it)',
};

// Of the structure that says what a frame's header does, ZSTD_frameHeader: words of 8 bytes, halves of them.
const CONTENT_SIZE = 0;
const WINDOW_SIZE = 1;
const FRAME_TYPE = 5;
const HEADER_WORDS = 8;
const SKIPPABLE = 1;

/** What functions answer: a size, or an error. Those are the largest sizes that there are (zstd_errors.h), which come as bigint. */
type Size = number | bigint;

interface Functions {
  readonly create: () => Size;
  readonly free: (context: Size) => Size;
  /** Answers 0, or how many bytes it needs to tell. */
  readonly frameHeader: (header: number, input: number, bytes: number) => Size;
  readonly begin: (context: Size) => Size;
  /** How many bytes continue() wants, all at once; 0: the frame is through. */
  readonly wanted: (context: Size) => Size;
  /** Answers how many bytes came out. */
  readonly continue: (context: Size, output: number, room: number, input: number, bytes: number) => Size;
  readonly errorName: (size: Size) => string;
  readonly address: Library['address'];
}

function functionsOf(library: Library): Functions {
  return {
    create: library.func('uintptr_t ZSTD_createDCtx()') as Functions['create'],
    free: library.func('size_t ZSTD_freeDCtx(uintptr_t context)') as Functions['free'],
    frameHeader: library.func('size_t ZSTD_getFrameHeader(uintptr_t header, uintptr_t input, size_t bytes)') as Functions['frameHeader'],
    begin: library.func('size_t ZSTD_decompressBegin(uintptr_t context)') as Functions['begin'],
    wanted: library.func('size_t ZSTD_nextSrcSizeToDecompress(uintptr_t context)') as Functions['wanted'],
    continue: library.func(
      'size_t ZSTD_decompressContinue(uintptr_t context, uintptr_t output, size_t room, uintptr_t input, size_t bytes)',
    ) as Functions['continue'],
    errorName: library.func('const char *ZSTD_getErrorName(size_t size)') as Functions['errorName'],
    address: (bytes) => library.address(bytes),
  };
}

/**
 * Decompresses zstd (RFC 8878), of any number of frames, by the system's library; undefined where that cannot be had.
 * What comes out of it throws CompressionError.
 * @param name of the library
 */
export function systemUnzstd(name = LIBRARY): Decompress | undefined {
  const library = functionsIn(name, functionsOf);
  return library && ((chunks, room) => unzstd(library, chunks, room));
}

async function* unzstd(library: Functions, chunks: AsyncIterable<Uint8Array>, room?: Room): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteQueue(chunks, CUT);
  const output = new Output(library, room);
  const context = library.create();
  if (Number(context) === 0) throw new Error('there is no memory to decompress zstd');
  try {
    while (!output.isUnwanted && (await input.more())) {
      const header = await readHeader(library, input);
      if (header.skips === undefined) yield* frame(library, context, header, input, output);
      else await input.skip(header.skips);
    }
  } finally {
    library.free(context);
    await input.close();
  }
}

interface Header {
  readonly bytes: Uint8Array;
  /** Bytes that a skippable frame holds; undefined: it is none. */
  readonly skips: number | undefined;
  /** How far back it repeats bytes, at most. */
  readonly window: number;
}

async function readHeader(library: Functions, input: ByteQueue): Promise<Header> {
  const words = new BigUint64Array(HEADER_WORDS);
  const told = (bytes: Uint8Array): number =>
    check(library, library.frameHeader(library.address(words), library.address(bytes), bytes.length));
  const bytes = new Uint8Array(LONGEST_HEADER);
  let length = 0;
  for (let wanted = SHORTEST_HEADER; wanted > length; wanted = told(bytes.subarray(0, length))) {
    bytes.set(await input.bytes(wanted - length), length);
    length = wanted;
  }
  const skippable = new Uint32Array(words.buffer)[FRAME_TYPE] === SKIPPABLE;
  const [content, window] = [Number(words[CONTENT_SIZE]), Number(words[WINDOW_SIZE])];
  if (!skippable && window > LARGEST_WINDOW) throw new CompressionError(TOO_LARGE);
  return { bytes: bytes.slice(0, length), skips: skippable ? content : undefined, window: Math.min(window, content) };
}

/** Decompresses one frame. */
async function* frame(
  library: Functions,
  context: Size,
  { bytes, window }: Header,
  input: ByteQueue,
  output: Output,
): AsyncGenerator<Uint8Array, void, undefined> {
  const put = (piece: Uint8Array): Size => library.continue(context, output.address, output.left, library.address(piece), piece.length);
  output.begin(window);
  check(library, library.begin(context));
  check(library, put(bytes.subarray(0, SHORTEST_HEADER)));
  check(library, put(bytes.subarray(SHORTEST_HEADER)));
  for (let next = library.wanted(context); next !== 0; ) {
    if (output.left < BLOCK) {
      yield* output.take();
      if (!(await output.makeRoom())) return;
    }
    let cut = false;
    if (next <= input.atHand.length) next = decompressAtHand(library, context, Number(next), input, output);
    else {
      yield* output.take(); // the rest may be long in coming
      const piece = await input.upTo(Number(next));
      cut = piece.length < next;
      const came = piece.length === 0 ? 0 : put(piece); // what there is of a block that is not compressed can be had
      if (typeof came === 'number') output.add(came);
      next = typeof came === 'number' ? library.wanted(context) : came;
    }
    if (typeof next === 'number' && !cut) continue;
    yield* output.take();
    if (cut) throw new CompressionError(CUT);
    check(library, next);
  }
  yield* output.take();
}

/**
 * Decompresses what is at hand, as far as there is room for it: nothing else is done between blocks, which are thousands a second. Answers how many bytes
 * are wanted next, or an error.
 */
function decompressAtHand(library: Functions, context: Size, first: number, input: ByteQueue, output: Output): Size {
  const { atHand } = input;
  const { address, left } = output;
  const from = library.address(atHand);
  const bytes = atHand.length;
  let read = 0;
  let filled = 0;
  let next: Size = first;
  while (typeof next === 'number' && next > 0 && read + next <= bytes && left - filled >= BLOCK) {
    const came = library.continue(context, address + filled, left - filled, from + read, next);
    if (typeof came === 'number') {
      read += next;
      filled += came;
      next = library.wanted(context);
    } else next = came;
  }
  input.take(read);
  output.add(filled);
  return next;
}

/** @throws CompressionError where a size means an error */
function check(library: Functions, size: Size): number {
  if (typeof size === 'number') return size;
  const name = library.errorName(size);
  throw new CompressionError(RULES[name] ?? `the zstd stream is damaged (${name})`);
}

/** Where blocks are put: others' memory, where that keeps as much as a frame repeats; else memory of its own. */
class Output {
  /** Nobody wants any more. */
  isUnwanted = false;
  readonly #library: Functions;
  readonly #room: Room | undefined;
  #own: Uint8Array = NOTHING;
  #isOwn = true;
  #memory: Uint8Array = NOTHING;
  /** Where the memory lies; and bytes of it that are filled, and of those that were given away. */
  #address = 0;
  #filled = 0;
  #given = 0;
  /** Bytes that were given away of all frames. */
  #position = 0;

  constructor(library: Functions, room: Room | undefined) {
    this.#library = library;
    this.#room = room;
  }

  /** A frame begins that repeats bytes from so far back. */
  begin(window: number): void {
    this.#isOwn = !this.#room || window > this.#room.kept;
    // One block is written behind those that are kept, and one may have no room at the end.
    const bytes = window + 2 * OWN;
    if (this.#isOwn && this.#own.length < bytes) this.#own = memoryToRead(bytes);
    this.#use(NOTHING);
  }

  /** Where the next block goes, and bytes that there are for it. */
  get address(): number {
    return this.#address + this.#filled;
  }

  get left(): number {
    return this.#memory.length - this.#filled;
  }

  /** So much has come out. */
  add(bytes: number): void {
    this.#filled += bytes;
  }

  /** What has come out since the last call. */
  *take(): Generator<Uint8Array, void, undefined> {
    const part = this.#memory.subarray(this.#given, this.#filled);
    this.#given = this.#filled;
    this.#position += part.length;
    if (part.length > 0) yield part;
  }

  /** Makes room for a block, once all before it were taken; false: nobody wants it. */
  async makeRoom(): Promise<boolean> {
    const memory = this.#isOwn ? this.#nextOwn() : await this.#room!.room(this.#position, BLOCK);
    this.isUnwanted = memory === undefined;
    this.#use(memory ?? NOTHING);
    return !this.isUnwanted;
  }

  /** Behind what is filled, or from the beginning: then the library goes on to read what it repeats where that was. */
  #nextOwn(): Uint8Array {
    const end = this.#memory.length === 0 ? 0 : this.#memory.byteOffset - this.#own.byteOffset + this.#filled;
    const at = end + OWN > this.#own.length ? 0 : end;
    return this.#own.subarray(at, at + OWN);
  }

  #use(memory: Uint8Array): void {
    this.#memory = memory;
    this.#address = memory.length === 0 ? 0 : this.#library.address(memory);
    this.#filled = 0;
    this.#given = 0;
  }
}
