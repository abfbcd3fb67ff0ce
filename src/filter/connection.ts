import { isIP } from 'node:net';

const LARGEST_PORT = 65_535;

/** The filter expression for the segments of one connection, `A:PORT-B:PORT` (IPv6 addresses in brackets); undefined where that names none. */
export function connectionFilter(text: string): string | undefined {
  const [, first, firstPort, second, secondPort] = /^(\[[^\]%]+\]|[\d.]+):(\d+)-(\[[^\]%]+\]|[\d.]+):(\d+)$/.exec(text) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const [one, other] = [first, second].map((address) => address.replace(/^\[(.*)\]$/, '$1')) as [string, string];
  const family = isIP(one);
  if (family === 0 || family !== isIP(other) || first.startsWith('[') !== (family === 6)) return undefined;
  if (Number(firstPort) > LARGEST_PORT || Number(secondPort) > LARGEST_PORT) return undefined;
  return `${way(one, firstPort!, other, secondPort!)} or ${way(other, secondPort!, one, firstPort!)}`;
}

const way = (from: string, fromPort: string, to: string, toPort: string): string =>
  `(src host ${from} and src port ${fromPort} and dst host ${to} and dst port ${toPort})`;
