import { createRequire } from 'node:module';

type Koffi = typeof import('koffi');

/** A library of the system's, as koffi gives it. */
export interface Library {
  /** A function by its C declaration, which is also what it has to be taken for; throws where the library has none of that name. */
  func(declaration: string): unknown;
  /** Where bytes lie in memory, which has no more than 2^53 of them. */
  address(bytes: Uint8Array | BigUint64Array): number;
}

/** Bytes of an address, and of a size. */
const WORD_BYTES = 8;

/**
 * Opens a library of the system's, null: the C library. Undefined where there is none of that name, no 64-bit Linux, or no koffi, which is
 * an optional dependency: whoever asks can do without.
 */
export function openLibrary(name: string | null): Library | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    if (koffi.sizeof('size_t') !== WORD_BYTES) return undefined;
    const library = koffi.load(name);
    return {
      func: (declaration) => library.func(declaration),
      address: addresses(koffi),
    };
  } catch {
    return undefined; // koffi does not tell by its error what is missing
  }
}

/** What is called of a library of the system's; undefined where that cannot be opened, or lacks something. */
export function functionsIn<T>(name: string | null, functionsOf: (library: Library) => T): T | undefined {
  const library = openLibrary(name);
  try {
    return library && functionsOf(library);
  } catch {
    return undefined; // koffi throws where a function is missing: some headers say that theirs may be taken away
  }
}

/** By where the memory lies that bytes are a part of: that is asked for once, because it takes as long as a small block takes to decompress. */
function addresses(koffi: Koffi): Library['address'] {
  const known = new WeakMap<ArrayBufferLike, number>();
  return ({ buffer, byteOffset }) => {
    let address = known.get(buffer);
    if (address === undefined) {
      address = Number(koffi.address(new Uint8Array(buffer)));
      known.set(buffer, address);
    }
    return address + byteOffset;
  };
}
