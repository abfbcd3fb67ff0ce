const ZERO = 0x30;
/** Whole numbers below take the short way: those of 31 bits. */
const SMALL = 2 ** 31;

/** Writes a text of ASCII characters; answers where it ends. Short texts, as records have them: a loop beats a call of the encoder. */
export function writeAscii(text: string, bytes: Uint8Array, from: number): number {
  for (let i = 0; i < text.length; i++) bytes[from + i] = text.charCodeAt(i);
  return from + text.length;
}

/** Writes a whole number in decimal; answers where it ends. */
export function writeInteger(value: number, bytes: Uint8Array, from: number): number {
  if (value >= SMALL || value < 0) return writeAscii(String(value), bytes, from);
  let digits = 1;
  for (let limit = 10; value >= limit && digits < 10; limit *= 10) digits++;
  let rest = value | 0;
  for (let at = from + digits - 1; at >= from; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return from + digits;
}
