// How numbers read in the report.

/** A whole number with its thousands apart. By hand: the first use of Intl costs a short run a tenth of its time. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
export const share = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(1)} %`;

/** A number for people: three digits. */
export const brief = (value: number): string => (value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3))));

/** What names of files are in: control characters, which a terminal would obey, are written out. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A duration for people: three digits, and a unit that fits. */
export function duration(seconds: number): string {
  if (seconds >= 120) {
    const s = Math.round(seconds);
    const parts = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60];
    const named = parts.map((value, i) => `${value} ${['d', 'h', 'min', 's'][i]}`);
    const from = parts.findIndex((value) => value > 0);
    return named.slice(from, from + 2).join(' ');
  }
  if (seconds >= 1) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds >= 1e-3) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number((seconds * 1e6).toPrecision(3))} µs`;
}
