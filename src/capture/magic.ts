// What a file that is no capture, or of a format that is not read, seems to be, by its first bytes: for messages only.

const MAGICS: readonly (readonly [what: string, ...bytes: number[]])[] = [
  ['gzip-compressed data', 0x1f, 0x8b],
  ['zstd-compressed data', 0x28, 0xb5, 0x2f, 0xfd],
  ['lz4-compressed data', 0x04, 0x22, 0x4d, 0x18],
  ['xz-compressed data', 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  ['bzip2-compressed data', 0x42, 0x5a, 0x68],
  ['a zip archive', 0x50, 0x4b, 0x03, 0x04],
  ['a capture of Microsoft Network Monitor 1', 0x52, 0x54, 0x53, 0x53],
  ['a capture of the Sniffer, by Network General', 0x54, 0x52, 0x53, 0x4e, 0x49, 0x46, 0x46],
  ['a program', 0x7f, 0x45, 0x4c, 0x46],
  ['a PDF document', 0x25, 0x50, 0x44, 0x46],
];

/** Of a record in Endace's format, and the last of its types. */
const ERF_HEADER_BYTES = 16;
const LAST_ERF_TYPE = 48;
/** Seconds. */
const DAY = 86_400;

/** How many bytes are looked at to tell text. */
const SAMPLE = 64;

/** A phrase such as "it seems to be gzip-compressed data". */
export function looksLike(bytes: Uint8Array): string {
  const known = MAGICS.find(([, ...magic]) => magic.length <= bytes.length && magic.every((byte, at) => bytes[at] === byte));
  if (known) return `it seems to be ${known[0]}`;
  if (isErf(bytes)) return 'it seems to be a capture of an Endace card (ERF)';
  const sample = bytes.subarray(0, SAMPLE);
  if (sample.every(isText) && (sample[0] ?? 0xff) < 0x80) return 'it seems to be text';
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `it begins with the bytes ${first.join(' ')}`;
}

/**
 * Whether bytes are two records of Endace's extensible record format, the second of which may be cut: a time (little-endian, seconds in the
 * upper half), a type below 0x80 and a bit that tells of extensions, flags, the record's length (big-endian). It has no magic number.
 */
function isErf(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isRecord = (at: number): boolean => {
    const type = view.getUint8(at + 8) & 0x7f;
    return type > 0 && type <= LAST_ERF_TYPE && view.getUint16(at + 10) > ERF_HEADER_BYTES;
  };
  if (bytes.length < 2 * ERF_HEADER_BYTES || !isRecord(0)) return false;
  const next = view.getUint16(10);
  if (next + ERF_HEADER_BYTES > bytes.length || !isRecord(next)) return false;
  return Math.abs(view.getUint32(next + 4, true) - view.getUint32(4, true)) < DAY;
}

/** Printable ASCII, tab, line feed, carriage return, or a byte of UTF-8's longer sequences. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
