import { STREAM_BYTES, WINDOW_BYTES } from '../layout/batch.ts';
import { ADDRESS_PAIR_BYTES } from '../layout/segment.ts';
import {
  CONNECTIONS_CAPACITY,
  ENTRY_BYTES,
  HINTS,
  MEMORY_PAGES,
  MOST_PAGES,
  RECENT_BYTES,
  RECENT_CAPACITY,
  SHARED_BYTES,
} from '../layout/tracking.ts';
import { openLibrary } from '../platform/library.ts';
import type { DecoderMemory } from './decoder.ts';

const PAGE = 1 << 16;
const MADV_HUGEPAGE = 14;
/** The large page that the hints, the window and the tables begin in (assembly/memory.ts): before it, one would be cleared for the little that is used of it. */
export const HUGE_FROM =
  MEMORY_PAGES * PAGE -
  RECENT_CAPACITY * RECENT_BYTES -
  CONNECTIONS_CAPACITY * (2 * ENTRY_BYTES + ADDRESS_PAIR_BYTES) -
  STREAM_BYTES -
  WINDOW_BYTES -
  HINTS * 4 -
  SHARED_BYTES;

/**
 * Asks the kernel for large pages behind windows and tables of connections, as madvise(2) says, also where they have yet to grow: a large one then
 * costs a page fault for 2 MB instead of 4 KB, and fewer walks through page tables. Where nobody can be asked, nothing changes.
 */
export function adviseHugePages(memories: readonly DecoderMemory[]): void {
  const library = openLibrary(null);
  if (!library) return;
  const madvise = library.func('int madvise(uintptr_t address, size_t length, int advice)') as (
    address: bigint,
    length: number,
    advice: number,
  ) => number;
  for (const { buffer } of memories)
    madvise(library.address(new Uint8Array(buffer)) + BigInt(HUGE_FROM), MOST_PAGES * PAGE - HUGE_FROM, MADV_HUGEPAGE);
}
