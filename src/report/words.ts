// How numbers, and who they are about, read in the report.

import type { Owner } from '../stats/owners.ts';

/** A whole number with its thousands apart. By hand: the first use of Intl costs a short run a tenth of its time. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
export const share = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(1)} %`;

/** A number for people: three digits. */
export const brief = (value: number): string => (value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3))));

export const ownerText = ({ host, role, server_port }: Owner): string => `${host} (${role}, port ${server_port})`;

/** What names of files are in: control characters, which a terminal would obey, are written out. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A duration for people: three digits, and a unit that fits. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole >= 120) {
    const parts = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
    const named = parts.map((value, i) => `${value} ${['d', 'h', 'min', 's'][i]}`);
    const from = parts.findIndex((value) => value > 0);
    return named.slice(from, from + 2).join(' ');
  }
  const [factor, unit] = UNITS.find(([each]) => three(seconds * each) >= 1) ?? (seconds === 0 ? UNITS[0] : UNITS[2]);
  return `${three(seconds * factor)} ${unit}`;
}

/** How many there are in a second, and their name. */
const UNITS = [
  [1, 's'],
  [1e3, 'ms'],
  [1e6, 'µs'],
] as const;

const three = (value: number): number => Number(value.toPrecision(3));
