import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files in a folder whose names do not begin with a dot, by name; undefined: it is no folder. */
export function filesIn(path: string): string[] | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
    .map(({ name }) => join(path, name))
    .sort();
}
