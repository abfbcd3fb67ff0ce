// A file's pages, mapped over the memory that its bytes are wanted in, so that nothing is copied. Linux only.
//
// A page beyond a file's end kills the process that touches it. So a file is mapped only under a lease (fcntl_locking(2),
// F_SETLEASE): the kernel grants it while nobody has the file open for writing, and makes whoever wants to write or truncate it
// wait, for 45 s as a rule, until the lease is given back. It is asked for before each window, and a window takes some milliseconds;
// and whoever looks at none for a while gives it back. (A process that is stopped within a window, for longer than that, may lose
// it; and one that stands still, because it writes its progress to a terminal which is stopped, keeps it for so long.) Leases hold where
// all who write are of this system: on the file systems of its own disks. Pages are private: V8 makes all of a memory writable when
// it grows, and nothing that is written there would come into the file.
//
// Threads of a process wait for each other where memory is mapped, so that is done for many windows at once. Pages are put there for one (madvise(2),
// MADV_POPULATE_READ), which also tells of a disk that cannot be read: touching such a page would kill the process, too, as it still would
// if it were taken from memory meanwhile and could not be read a second time.

import { fstatSync } from 'node:fs';
import { functionsIn, type Library } from '../platform/library.ts';
import { CaptureFile } from './file.ts';

/** Bytes of a page, or a multiple of them. */
const PAGE = 1 << 16;
/** Bytes of a file that are mapped at once, and those behind them that a window has room for. */
const STRETCH = 1 << 25;

/** File systems of disks, or memory, that no other system writes to, by statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, tmpfs. */
const OWN_FILE_SYSTEMS: ReadonlySet<bigint> = new Set([0xef53n, 0x58465342n, 0x9123683en, 0xf2f52010n, 0x01021994n]);
/** Words of a structure that is no smaller than what fstatfs(2) fills; the first one is the type. */
const STATFS_WORDS = 32;

const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

const MADV_SEQUENTIAL = 2;
const MADV_POPULATE_READ = 22;

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
  /** Whether what is asked for with some memory was done (madvise(2)). */
  advise: (address: number, length: number, advice: number) => boolean;
  fcntl: (descriptor: number, command: number, argument: number) => number;
  /** Fills a structure at an address; 0: it has. */
  fstatfs: (descriptor: number, address: number) => number;
  address: Library['address'];
}

function systemOf(library: Library): System {
  const mmap = library.func(
    'uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int descriptor, int64_t offset)',
  ) as (...args: number[]) => number | bigint;
  const madvise = library.func('int madvise(uintptr_t address, size_t length, int advice)') as (...args: number[]) => number;
  return {
    advise: (address, length, advice) => madvise(address, length, advice) === 0,
    mapAt: (address, length, protection, flags, descriptor, offset) =>
      mmap(address, length, protection, MAP_PRIVATE | MAP_FIXED | flags, descriptor, offset) === address,
    fcntl: library.func('int fcntl(int descriptor, int command, int argument)') as System['fcntl'],
    fstatfs: library.func('int fstatfs(int descriptor, uintptr_t address)') as System['fstatfs'],
    address: (bytes) => library.address(bytes),
  };
}

let system: System | undefined;

/** A file that is mapped while nobody can change it, and read otherwise. */
export class MappedFile extends CaptureFile {
  /** Undefined: it has to be asked for. */
  #leased: boolean | undefined;
  /** The memory that the file was last mapped over, and from which position on. */
  #target: Uint8Array | undefined;
  #start = -1;
  /** Where the pages begin that were asked for last, and where they end. */
  #position = 0;
  #end = 0;

  /**
   * Maps a part of the file over a decoder's window, which begins at a page, and answers where in it `bytes` from `position` on are; undefined: it is
   * to be read.
   * @throws Error where the window's memory is lost
   */
  placeOf(position: number, bytes: number, window: Uint8Array): number | undefined {
    if (position + bytes > this.size) return undefined; // it ended before, when it was opened: whoever reads it finds that out
    this.#leased ??= this.#lease();
    if (!this.#leased || !system) return undefined;
    const start = position - (position % STRETCH);
    if (system.fcntl(this.descriptor, F_GETLEASE, 0) === F_RDLCK && this.#map(start, window) && this.#populate(position, bytes))
      return position - start;
    this.#release();
    return undefined;
  }

  #lease(): boolean {
    system ??= functionsIn(null, systemOf);
    if (!system || !this.#isOwn(system)) return false;
    if (system.fcntl(this.descriptor, F_SETSIG, SIGURG) !== 0 || system.fcntl(this.descriptor, F_SETLEASE, F_RDLCK) !== 0) return false;
    // It may have become shorter before there was a lease.
    const whole = fstatSync(this.descriptor).size >= this.size;
    if (!whole) system.fcntl(this.descriptor, F_SETLEASE, F_UNLCK);
    return whole;
  }

  #isOwn({ fstatfs, address }: System): boolean {
    const status = new BigUint64Array(STATFS_WORDS);
    return fstatfs(this.descriptor, address(status)) === 0 && OWN_FILE_SYSTEMS.has(status[0]!);
  }

  #map(start: number, window: Uint8Array): boolean {
    if (this.#start === start && this.#target === window) return true;
    const length = Math.min(window.length, this.size - start);
    const address = system!.address(window);
    this.#target = window;
    this.#start = start;
    this.#end = 0;
    if (!system!.mapAt(address, length, PROT_READ, 0, this.descriptor, start)) return false;
    system!.advise(address, length, MADV_SEQUENTIAL); // the kernel reads ahead as it does for read(2)
    return true;
  }

  /** Has the pages there; false: some cannot be read. */
  #populate(position: number, bytes: number): boolean {
    const end = position + bytes;
    if (position >= this.#position && end <= this.#end) return true;
    this.#position = position - (position % PAGE);
    this.#end = end;
    return system!.advise(system!.address(this.#target!) + this.#position - this.#start, end - this.#position, MADV_POPULATE_READ);
  }

  /** `bytes` may be a part of what was mapped over, but then the file is read from now on. */
  override read(bytes: Uint8Array, position: number): number {
    if (bytes.buffer === this.#target?.buffer) this.#release();
    return super.read(bytes, position);
  }

  rest(): void {
    if (!this.#leased) return;
    this.#release();
    this.#leased = undefined; // it may be had again
  }

  override close(): void {
    this.#release();
    super.close();
  }

  /** Puts ordinary memory in the place of the file, and lets others write to it. */
  #release(): void {
    if (!this.#leased || !system) return;
    if (this.#target) {
      if (!system.mapAt(system.address(this.#target), this.#target.length, PROT_READ_WRITE, MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))
        throw new Error('memory cannot be had in the place of a mapped file');
      this.#target = undefined;
    }
    system.fcntl(this.descriptor, F_SETLEASE, F_UNLCK);
    this.#leased = false;
  }
}
