import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './file.ts';

/**
 * The files in a folder whose names do not begin with a dot, by name; undefined: it is no folder.
 * @throws CaptureError where that cannot be found out
 */
export function filesIn(path: string): string[] | undefined {
  return attempt(path, 0, () => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
      .map(({ name }) => join(path, name))
      .sort();
  });
}
