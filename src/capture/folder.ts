import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NoCaptureError } from './errors.ts';
import { attempt } from './file.ts';
import { STANDARD_INPUT } from './pipe.ts';

/** What a folder holds, by name, without what has a name that begins with a dot. */
export interface Folder {
  /** Its files, and what cannot be looked at: whoever opens that says why. */
  readonly files: readonly string[];
  /** Why the others are left out: folders, and pipes, sockets and devices, which one might wait for. */
  readonly others: readonly NoCaptureError[];
}

/**
 * Undefined: it is no folder.
 * @throws CaptureError where that cannot be found out
 */
export function folderAt(path: string): Folder | undefined {
  return attempt(path, 0, () => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    const files: string[] = [];
    const others: NoCaptureError[] = [];
    for (const name of readdirSync(path).sort()) {
      if (name.startsWith('.')) continue;
      const member = name === STANDARD_INPUT ? `${path}/${name}` : join(path, name); // in the present folder it is no name for standard input
      const rule = otherAt(member);
      if (rule === undefined) files.push(member);
      else others.push(new NoCaptureError(member, 0, rule));
    }
    return { files, others };
  });
}

/** What it is, if it is there and no file. */
function otherAt(path: string): string | undefined {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return 'a folder in a folder is read only by its own name';
    return status.isFile() ? undefined : 'no file; a pipe in a folder is read only by its own name';
  } catch {
    return undefined;
  }
}
