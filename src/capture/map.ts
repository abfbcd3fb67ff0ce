// A file's pages, mapped over the memory that its bytes are wanted in, so that nothing is copied. Linux only.
//
// A page beyond a file's end kills the process that touches it. So a file is mapped only under a lease (fcntl_locking(2),
// F_SETLEASE): the kernel grants it while nobody has the file open for writing, and makes whoever wants to write or truncate it
// wait, for 45 s as a rule, until the lease is given back. It is asked for before each window, and a window takes a millisecond.

import { functionsIn, type Library } from '../platform/library.ts';
import { CaptureFile } from './file.ts';

/** Bytes of a page, or a multiple of them. */
const PAGE = 1 << 16;

const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_GETLEASE = 1025;
const F_RDLCK = 0;
const F_UNLCK = 2;
/** What tells that the lease is wanted back: a signal that nobody minds. */
const SIGURG = 23;

interface System {
  /** Whether the memory at an address is now what was asked for. */
  mapAt: (address: number, length: number, protection: number, flags: number, descriptor: number, offset: number) => boolean;
  fcntl: (descriptor: number, command: number, argument: number) => number;
  address: (bytes: Uint8Array) => number;
}

function systemOf(library: Library): System {
  const mmap = library.func(
    'uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int descriptor, int64_t offset)',
  ) as (...args: number[]) => number | bigint;
  return {
    mapAt: (address, length, protection, flags, descriptor, offset) =>
      mmap(address, length, protection, MAP_PRIVATE | MAP_FIXED | flags, descriptor, offset) === address,
    fcntl: library.func('int fcntl(int descriptor, int command, int argument)') as System['fcntl'],
    address: (bytes) => library.address(bytes),
  };
}

let system: System | undefined;

/** A file that is mapped while nobody can change it, and read otherwise. */
export class MappedFile extends CaptureFile {
  readonly #descriptor: number;
  /** The memory that the file was last mapped over. */
  #target: Uint8Array | undefined;
  #leased: boolean;

  constructor(path: string) {
    super(path);
    this.#descriptor = this.descriptor;
    system ??= functionsIn(null, systemOf);
    this.#leased =
      system !== undefined &&
      system.fcntl(this.#descriptor, F_SETSIG, SIGURG) === 0 &&
      system.fcntl(this.#descriptor, F_SETLEASE, F_RDLCK) === 0;
  }

  /** What positions have to be multiples of, so that they can be mapped. */
  override get alignment(): number {
    return PAGE;
  }

  /** `bytes` begins at a page. */
  override read(bytes: Uint8Array, position: number): number {
    if (!this.#leased || !system) return super.read(bytes, position);
    const length = Math.min(bytes.length, this.size - position);
    if (length <= 0) return 0;
    const held = system.fcntl(this.#descriptor, F_GETLEASE, 0) === F_RDLCK;
    const address = system.address(bytes);
    if (held) {
      if (this.#target === undefined || bytes.length > this.#target.length) this.#target = bytes;
      // Pages that may be written are copied as soon as they are asked for beforehand.
      if (system.mapAt(address, length, PROT_READ, MAP_POPULATE, this.#descriptor, position)) return length;
    }
    this.#unmap();
    return super.read(bytes, position);
  }

  override close(): void {
    this.#unmap();
    super.close();
  }

  /** Puts ordinary memory in the place of the file, and lets others write to it. */
  #unmap(): void {
    if (!this.#leased || !system) return;
    if (this.#target) {
      if (!system.mapAt(system.address(this.#target), this.#target.length, PROT_READ_WRITE, MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))
        throw new Error('memory cannot be had in the place of a mapped file');
      this.#target = undefined;
    }
    system.fcntl(this.#descriptor, F_SETLEASE, F_UNLCK);
    this.#leased = false;
  }
}
