// The decoder's own block of words: the host writes the first part before a window, the decoder answers in the second.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
// Offsets are in 32-bit words from the block's address (`STATE`, exported by the module).

// -- written by the host; the two of the section change where a window holds blocks that say so
/** How the records of the present section are written: the bits below. */
export const FORM = 0;
/** Interfaces of the present section: entries of the region `INTERFACES`. Of a classic pcap there is one. */
export const INTERFACE_COUNT = 1;
/** 1 where the capture ends with the bytes that there are. */
export const AT_END = 2;
/** What counts as a part of a connection's identity beside its 4-tuple: the bits below. */
export const DISTINGUISHED = 3;
/** f64 (two words): whole seconds (since 1970, UTC; negative: before) at which the run's clock reads 0. */
export const ORIGIN = 4;
/** Mixed into the hash of every 4-tuple, so that nobody who writes a capture can choose collisions. */
export const SEED = 6;
/** Shards among which the 4-tuples are divided, 1 to SHARDS_CAPACITY. */
export const SHARDS = 7;
/** Instructions of the filter's program, in the region `FILTER`; 0: all segments pass. */
export const FILTER_LENGTH = 8;
/** 1 where the bytes to decode are in no cache of this processor's: a file's pages, or what another one has written. */
export const FAR = 9;
/** Units of the largest window (layout/batch.ts), 1 to LARGEST_UNITS. */
export const UNITS = 10;

// -- carried from window to window
/** f64 (two words): the capture clock, ns since the origin: the largest timestamp so far. Starts at -Infinity. */
export const CLOCK = 12;

// -- answered: sums over the calls of decode() since begin()
export const PACKETS = 14;
export const SEGMENTS = 15;
/** Address pairs written. */
export const PAIRS = 16;
/** Packets whose timestamp lies before the capture clock. */
export const REGRESSIONS = 17;
/** Why the last call stopped: one of the words below. */
export const STOPPED = 18;
/** Records written: SEGMENTS and the last fragments, which are no segments; what all shards have counts once. */
export const RECORDS = 19;
/** f64 (two words): the first packet's own timestamp, ns since the origin; Infinity where there was none. */
export const FIRST = 20;
/** Section headers that were met. */
export const SECTIONS = 22;
/** Offset of the last record that the last call decoded, or, of a block, which has its length twice, where it ends, unless its type is unknown; -1: none. */
export const PREVIOUS = 23;
/** DROP_REASONS words. */
export const DROPS = 24;
/** Packets that A-MSDUs held beyond one each: a packet of the capture is a segment or a drop, but for these. */
export const AGGREGATED = 40;

export const STATE_WORDS = 64;

// Bits of FORM.
/** The headers are big-endian. */
export const SWAPPED = 1;
/** Blocks (pcapng), not records (pcap). */
export const BLOCKS = 2;
/** Captured and original length may have changed places (pcap before version 2.4). */
export const LENGTHS_SWAPPED = 4;
/** Record headers have 8 bytes more (the variant of Kuznetzov's patches). */
export const PATCHED = 8;
/** Records of snoop (RFC 1761). */
export const SNOOP = 16;
/** Records whose times count ticks from a start: those of Network Monitor, or NetXRay. */
export const TICKS = 32;
/** Their lengths have 16 bits, and 28 bytes follow (NetXRay). */
export const SHORT_LENGTHS = 64;
/** The bits from this one on: how many bytes stand behind each packet (Network Monitor from 2.1 on). */
export const TRAILER_SHIFT = 8;

// Bits of DISTINGUISHED.
/** The first two VLAN tags. */
export const BY_VLAN = 1;
/** The network identifier of VXLAN or GENEVE, the innermost one. */
export const BY_VNI = 2;

// Why decode() stopped.
/** No more records begin before `stop`; or the bytes before `to` are not all that one needs. */
export const WANTS_BYTES = 0;
/** The batch is full; go on at the answered offset. */
export const BATCH_FULL = 1;
// What is at the answered offset cannot be a record or a block, because ...
/** its captured length exceeds what its interface may have. */
export const BROKEN_CAPTURED = 2;
/** its length is smaller than its header, larger than LARGEST_BLOCK, or no multiple of 4. */
export const BROKEN_LENGTH = 3;
/** the length at its end is not that at its beginning. */
export const BROKEN_TRAILER = 4;
/** it begins a section of an unknown byte order or version. */
export const BROKEN_SECTION = 5;
/** its time has nothing to do with those around it, and no record follows it. */
export const BROKEN_TIME = 7;
/** the section has more interfaces than INTERFACES_CAPACITY. */
export const BROKEN_INTERFACES = 6;

/** A time that far from the capture clock is doubted, s: a day. */
export const DOUBTED_S = 86400;
/** And so is the very first one that far before those that follow it, s: nobody waits a year for the second packet. */
export const PATIENCE_S = 31622400;
/** A time that far ahead of the capture clock is doubted where it counts ticks from the capture's beginning, s: few bits are set in those, as in much else. */
export const DOUBTED_TICKS_S = 60;
/** Records that are followed, at most, to find out whether one ends in others: what is made to look like them may have very many beginnings. */
export const MOST_LINKS = 65536;
/** Records that have to follow one whose time is doubted, before it is believed. */
export const WITNESSES = 3;

/** Bytes in a pcap record header: seconds, fraction, captured length, original length. */
export const RECORD_HEADER_BYTES = 16;
/** The same with Kuznetzov's interface, protocol and packet type. */
export const PATCHED_HEADER_BYTES = 24;
/** Bytes of a snoop record before the captured ones. */
export const SNOOP_HEADER_BYTES = 24;
/** Bytes of a Network Monitor record before the captured ones: ticks (u64), original length, captured length. */
export const NETMON_HEADER_BYTES = 16;
/** Bytes of a NetXRay record before the captured ones. */
export const NETXRAY_HEADER_BYTES = 40;
/** A Network Monitor trailer that is that long has the time in UTC, which counts instead of the ticks. */
export const UTC_TRAILER_BYTES = 15;
/** Where in the trailer. */
export const UTC_OFFSET = 6;

// An entry of the region `INTERFACES`, in 64-bit words.
//
//   0 link type (i32), largest captured length (i32)
//   1 snapshot length (i32, 0: none), captured bytes that may stand behind a packet (i32) | 2 units in a second (u64)
//   3 seconds that are added to each timestamp (f64) | 4, 5 a unit is [4] / [5] ns (f64)
//   6 units since 1970 that ticks are counted from (f64, whole)
export const INTERFACE_WORDS = 7;
export const INTERFACE_BYTES = 56;
/** Interfaces that a section may have. */
export const INTERFACES_CAPACITY = 4096;

/** Bytes that a block may have: as many as there is room for. (Wireshark allows half of it.) */
export const LARGEST_BLOCK = 0x2000000;

// Block types (draft-ietf-opsawg-pcapng §10).
export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE_DESCRIPTION = 1;
/** Obsolete. */
export const PACKET = 2;
export const SIMPLE_PACKET = 3;
export const ENHANCED_PACKET = 6;
/** Types up to this one are given out in order; of those above only a section header's and these occur: custom blocks, to be copied and not. */
export const LAST_ORDINARY_BLOCK = 0x0b;
export const CUSTOM = 0x0bad;
export const CUSTOM_UNCOPIED = 0x40000bad;
/** Value of the byte-order magic, as its writer sees it. */
export const BYTE_ORDER = 0x1a2b3c4d;
