import { existsSync } from 'node:fs';

/** Beside the file that asks, as in a bundle; and in dist/ beside the folder of the one that asks, lib/ or src/. */
const PLACES = ['./', '../../dist/'];

/**
 * Where a file of the built program lies.
 * @throws Error where it is not built
 */
export function built(name: string): URL {
  for (const place of PLACES) {
    const url = new URL(place + name, import.meta.url);
    if (existsSync(url)) return url;
  }
  throw new Error(`there is no ${name}: npm run build makes it`);
}
