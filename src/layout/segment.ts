// The segment record: what the decoder says of one packet, and all that the tracker ever learns of it.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
//
//   byte 0          4          8          12         16         20         24         28
//        +----------+----------+----------+----------+----------+----------+----------+----------+
//      0 |  time (f64, ns)     |   seq    |   ack    |   low    |   high   |  ports   |   hash   |
//        +----------+----------+----------+----------+----------+----------+----------+----------+
//     32 | payload  |win |flags|  tsval   |  digest  |   link   |  packet  | address  |lag | tcp |
//        +----------+----------+----------+----------+----------+----------+----------+----------+
//
// One record is one cache line. Offsets are in 32-bit words; TIME_WORD is the first of two.
// The two endpoints of a 4-tuple are ordered once, here: `low` is the endpoint whose (address, port) is smaller as an
// unsigned big-endian number, and FROM_HIGH tells that the other one sent this segment.

/** Raised whenever the meaning of a byte changes; the module exports the value it was compiled with. */
export const LAYOUT_VERSION = 5;

export const SEGMENT_BYTES = 64;
export const SEGMENT_WORDS = 16;

/** f64, nanoseconds since the origin of the run; never less than that of the packet before (the capture clock). */
export const TIME_WORD = 0;
/** Sequence number of the segment's first byte (the SYN's own number on a SYN). */
export const SEQ_WORD = 2;
/** Acknowledgement number; 0 where ACK is not set. */
export const ACK_WORD = 3;
/** IPv4 address as a big-endian number, or the digest of an IPv6 address, of the low endpoint. */
export const LOW_WORD = 4;
/** The same of the high endpoint. */
export const HIGH_WORD = 5;
/** Port of the low endpoint << 16 | port of the high endpoint. */
export const PORTS_WORD = 6;
/** Hash of the unordered 4-tuple, of 32 well-mixed bits: shard by the high bits, index by the low ones. */
export const HASH_WORD = 7;
/** Payload bytes by the IP length (never by what was captured). In a FRAGMENT_TAIL: IP payload of the whole datagram. */
export const PAYLOAD_WORD = 8;
/** Flags below | window as on the wire << 16. */
export const FLAGS_WORD = 9;
/** TSval of the timestamps option (RFC 7323), 0 where HAS_TIMESTAMP is not set. */
export const TSVAL_WORD = 10;
/** Digest of the innermost packet's bytes from IP on, hop limit and checksums left out, at most 32 bytes of payload. */
export const DIGEST_WORD = 11;
/** Digest of where the packet was captured: link header, tunnels, interface; 0 where there is none. Fragments: the IP identification. */
export const LINK_WORD = 12;
/** Index of the packet in its batch, that is among those of one decode() call (packets without a segment count too). */
export const PACKET_WORD = 13;
/** PAIRED: index into the batch's address pairs. Else 0. */
export const ADDRESS_WORD = 14;
/** Bits 0-3 window scale (15: none), 4-7 data offset in words, 8 SACK permitted, 9 SACK blocks, 10 Fast Open option;
 * 16-31 how far the packet's own timestamp lies before `time`, in LAG_UNITs, saturating. */
export const TCP_WORD = 15;
/** ns. */
export const LAG_UNIT = 16000;

// Flags: the low byte is the header's (tcp.ts).
/** The high endpoint sent it. */
export const FROM_HIGH = 0x100;
export const IPV6 = 0x200;
export const HAS_TIMESTAMP = 0x400;
/** IPv6, or IPv4 with identification 0: equal bytes alone do not prove a copy. */
export const NO_IDENTIFICATION = 0x800;
/** First fragment of a datagram whose true length comes with its last fragment. */
export const FRAGMENT_HEAD = 0x1000;
/** Last fragment: no segment, it only tells the datagram's length. Ports, hash, seq, ack, digest are 0, and the order is by address. */
export const FRAGMENT_TAIL = 0x2000;

/** The tunnel or VLAN is a part of the identity: the address pair says which. */
export const SCOPED = 0x4000;
/** A fragment that another shard has, too, and counts: which first and last ones belong together all shards find out alike. */
export const FOREIGN = 0x8000;
/** IPV6 or SCOPED: there is an address pair. */
export const PAIRED = 0x4200;

export const NO_WINDOW_SCALE = 15;

/**
 * Bytes of one entry of a batch's address pairs: the low endpoint's IPv6 address, then the high one's, as on the wire, or zeros for
 * IPv4; then the scope, 0 where none counts: 16 bits each for the ids of the first two VLAN tags, and 32 bits for the VNI plus 1.
 */
export const ADDRESS_PAIR_BYTES = 40;
