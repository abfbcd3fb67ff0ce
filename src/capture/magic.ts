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

/** How many bytes are looked at to tell text. */
const SAMPLE = 64;

/** A phrase such as "it seems to be gzip-compressed data". */
export function looksLike(bytes: Uint8Array): string {
  const known = MAGICS.find(([, ...magic]) => magic.length <= bytes.length && magic.every((byte, at) => bytes[at] === byte));
  if (known) return `it seems to be ${known[0]}`;
  const sample = bytes.subarray(0, SAMPLE);
  if (sample.every(isText) && (sample[0] ?? 0xff) < 0x80) return 'it seems to be text';
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `it begins with the bytes ${first.join(' ')}`;
}

/** Printable ASCII, tab, line feed, carriage return, or a byte of UTF-8's longer sequences. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
