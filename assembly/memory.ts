// Where things lie in linear memory. All of it is reserved here, once, and the module never allocates: the host's views stay
// valid. Only the slots of connections, the last region, grow with the memory. What nobody touches costs nothing.

import {
  BINS,
  COUNTS_WORDS,
  LARGEST_UNITS,
  SEGMENTS_CAPACITY,
  SLOTS_CAPACITY,
  STREAM_BYTES,
  STREAM_MARGIN,
  WINDOW_BYTES,
} from '../src/layout/batch.ts';
import { DEPARTURE_WORDS } from '../src/layout/departure.ts';
import { INSTRUCTION_WORDS, INSTRUCTIONS_CAPACITY } from '../src/layout/filter.ts';
import { INTERFACE_BYTES, INTERFACES_CAPACITY, STATE_WORDS } from '../src/layout/framing.ts';
import { LINES_BYTES, TEMPLATES_BYTES } from '../src/layout/line.ts';
import { COLUMNS } from '../src/layout/note.ts';
import { COUNTERS, DURATION_DOUBLES, DURATIONS, ROWS_CAPACITY, SHAPE_BYTES, SHAPES_CAPACITY } from '../src/layout/shape.ts';
import { ADDRESS_PAIR_BYTES, SEGMENT_BYTES } from '../src/layout/segment.ts';
import {
  CHAIN_BYTES,
  CONNECTIONS_CAPACITY,
  ENTRY_BYTES,
  HINTS as HINTS_CAPACITY,
  RECENT_BYTES,
  RECENT_CAPACITY,
  TRACKING_WORDS,
} from '../src/layout/tracking.ts';

/** Keys derived from the seed (hash.ts). */
export const KEY_BYTES = 208;

export const STATE: usize = memory.data(STATE_WORDS * 4, 16);
export const KEYS: usize = memory.data(KEY_BYTES, 16);
/** VLAN tags of a frame (tags.ts). */
export const TAGS: usize = memory.data(128, 16);
export const TRACKING: usize = memory.data(TRACKING_WORDS * 4, 16);
/** Where the line ends that was written last: bytes from LINES on. */
export const LINE_END: usize = memory.data(4, 16);
/** Departures that were written last (depart.ts). */
export const DEPARTED: usize = memory.data(4, 16);
/** A record that names a connection, and its address pair: for what the host looks up. */
export const NAME: usize = memory.data(SEGMENT_BYTES, 16);
export const NAME_PAIR: usize = memory.data(ADDRESS_PAIR_BYTES, 16);

// The large regions lie beyond all static data, which is below 64 KiB. (As static data, debug builds would write out
// their zeros.) layout/tracking.ts says where the slots begin, in pages of 64 KiB, and asconfig.json's initialMemory.
/** One bin; a slot has one for each shard, and as many units of them as its window has. */
export const SEGMENTS_BYTES: usize = SEGMENTS_CAPACITY * SEGMENT_BYTES;
/** Every record may be IPv6. */
export const PAIRS_BYTES: usize = SEGMENTS_CAPACITY * ADDRESS_PAIR_BYTES;
export const COUNTS_BYTES: usize = COUNTS_WORDS * 4;

export const INTERFACES: usize = 0x10000;
export const INTERFACES_BYTES: usize = INTERFACES_CAPACITY * INTERFACE_BYTES;
export const FILTER: usize = INTERFACES + INTERFACES_BYTES;
export const FILTER_BYTES: usize = INSTRUCTIONS_CAPACITY * INSTRUCTION_WORDS * 4;
export const COUNTS: usize = FILTER + FILTER_BYTES;
export const PAIRS: usize = COUNTS + COUNTS_BYTES * SLOTS_CAPACITY;
export const SEGMENTS: usize = PAIRS + PAIRS_BYTES * SLOTS_CAPACITY;
/** What one shard has of the largest window, and its pairs, that came from another memory. */
export const STAGE: usize = SEGMENTS + SEGMENTS_BYTES * BINS;
export const STAGE_PAIRS: usize = STAGE + SEGMENTS_BYTES * LARGEST_UNITS;
/** Who waits to leave the table: as many entries again as connections, of those that do not count any more. */
export const EXPIRIES: usize = STAGE_PAIRS + PAIRS_BYTES * LARGEST_UNITS;
/** Entries to order connections by, and as much again to merge them; the index's own, while it is doubled. */
export const ORDER: usize = EXPIRIES + CONNECTIONS_CAPACITY * 2 * 4;
export const ORDER_ENTRY_BYTES = 16;
/** Shapes of ended connections; twice as many numbers of them, by hash; what is counted; rows that the host has not taken. */
export const SHAPES: usize = ORDER + CONNECTIONS_CAPACITY * 2 * ORDER_ENTRY_BYTES;
export const SHAPE_ENTRIES: usize = SHAPES + SHAPES_CAPACITY * SHAPE_BYTES;
export const SHAPE_ENTRIES_BYTES: usize = SHAPES_CAPACITY * 4;
export const SHAPE_COUNTERS: usize = SHAPE_ENTRIES + SHAPE_ENTRIES_BYTES;
export const DURATION_SUMS: usize = SHAPE_COUNTERS + SHAPES_CAPACITY * COUNTERS * 8;
export const SHAPE_ROWS: usize = DURATION_SUMS + DURATIONS * DURATION_DOUBLES * 8;
/** Departures of those rows, and when the TIME_WAIT of each last started. */
export const DEPARTURES: usize = SHAPE_ROWS + ROWS_CAPACITY * COLUMNS * 8;
export const DEPARTURE_STARTS: usize = DEPARTURES + ROWS_CAPACITY * DEPARTURE_WORDS * 4;
/** Which template each counter has, its place plus 1; the templates, and the lines that the host has not taken. */
export const TEMPLATE_PLACES: usize = DEPARTURE_STARTS + ROWS_CAPACITY * 8;
export const TEMPLATES: usize = TEMPLATE_PLACES + SHAPES_CAPACITY * COUNTERS * 4;
export const LINES: usize = TEMPLATES + TEMPLATES_BYTES;
/** Where the chains of the newest packets end: they grow downwards. */
export const CHAINS_END: usize = (LINES + LINES_BYTES + RECENT_CAPACITY * CHAIN_BYTES + 0xffff) & ~0xffff;
export const HINTS: usize = CHAINS_END;
/** Pages of a file can be mapped over this one. */
export const WINDOW: usize = HINTS + HINTS_CAPACITY * 4;
/** The latest bytes of a stream. */
export const STREAM: usize = WINDOW + WINDOW_BYTES;
/** The index: twice as many entries as connections. */
export const INDEX: usize = STREAM + STREAM_BYTES + STREAM_MARGIN;
/** IPv6 addresses of connections. */
export const KEPT_PAIRS: usize = INDEX + CONNECTIONS_CAPACITY * 2 * ENTRY_BYTES;
/** Where the packets of the last millisecond end, which grow downwards, too. */
export const RECENT_END: usize = KEPT_PAIRS + CONNECTIONS_CAPACITY * ADDRESS_PAIR_BYTES + RECENT_CAPACITY * RECENT_BYTES;
export const CONNECTIONS: usize = RECENT_END;
