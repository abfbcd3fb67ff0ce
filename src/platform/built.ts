import { existsSync } from 'node:fs';

/** Beside the file that asks, as in a bundle; in dist/, from one of its folders; and in dist/ beside src/, under a test runner. */
const PLACES = ['./', '../', '../../dist/'];

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
