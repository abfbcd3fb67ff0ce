/** `a - b` modulo 2^32 as a signed number: positive where `a` comes after `b` (RFC 9293 §3.4). Nobody else compares sequence numbers. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** The largest window that TCP can advertise (RFC 7323 §2.3: 2^30): what lies further away belongs to no live exchange. */
export const MAX_WINDOW = 2 ** 30;

/** Whether `a` could belong to an exchange that is at `b` now. */
export function plausible(a: number, b: number): boolean {
  const d = (a - b) | 0;
  return d <= MAX_WINDOW && d >= -MAX_WINDOW;
}
