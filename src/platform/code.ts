import { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { built } from './built.ts';

/** A part of the program that has been loaded. */
export interface Loaded<T> {
  readonly exports: T;
  /** Keeps what V8 has compiled of it so far for the runs to come, where nothing is kept yet and V8's settings are still the same. */
  readonly keep: () => void;
}

/** Where what is kept of a file stands: beside it, by V8's version and settings, and the processor. */
const keptOf = (file: string): string => `${file}.${cachedDataVersionTag().toString(16)}.code`;

/**
 * Loads a CommonJS file of the built program, which must not import others dynamically, with the code that an earlier run kept of it: a short
 * run is mostly the parsing and compiling of the program, in each thread.
 * @throws Error where it is not built
 */
export function load<T>(name: string): Loaded<T> {
  return loadFile(fileURLToPath(built(name)));
}

/** The same of a file by its path. */
export function loadFile<T>(file: string): Loaded<T> {
  const source = readFileSync(file);
  const place = keptOf(file);
  const cachedData = read(place, source);
  const text = `(function (exports, require, module, __filename, __dirname) {${source.toString()}\n})`;
  const script = new Script(text, { filename: file, cachedData });
  const require = createRequire(file);
  const module = new Module(file);
  require.cache[file] = module; // its own chunks may require it
  const run = script.runInThisContext() as Wrapper;
  run(module.exports, require, module, file, dirname(file));
  return {
    exports: module.exports as T,
    keep: () => {
      if ((!cachedData || script.cachedDataRejected) && place === keptOf(file))
        write(place, () => {
          const code = script.createCachedData();
          return Buffer.concat([source, code, code]);
        });
    },
  };
}

type Wrapper = (exports: unknown, require: NodeJS.Require, module: Module, filename: string, dirname: string) => void;

/**
 * The code that is kept of a text; undefined where there is none. It follows the text that it was made of, because V8 itself compares
 * no more than lengths, beside its own version and settings. It stands there twice, because V8 runs damaged code, which ends the
 * process: to load what computes a digest would take 3 to 5 ms of the 25 or so that this saves.
 */
function read(place: string, source: Buffer): Buffer | undefined {
  try {
    const kept = readFileSync(place);
    const middle = (kept.length + source.length) / 2;
    const code = kept.subarray(source.length, middle);
    return kept.subarray(0, source.length).equals(source) && kept.subarray(middle).equals(code) ? code : undefined;
  } catch {
    return undefined; // the program is compiled as if nothing were kept
  }
}

/** Others may read or write it at the same time: they see all of it or nothing. */
function write(place: string, bytes: () => Uint8Array): void {
  const draft = `${place}-${Math.random().toString(36).slice(2)}`;
  try {
    accessSync(dirname(place), constants.W_OK); // before the bytes are made
    writeFileSync(draft, bytes());
    renameSync(draft, place);
  } catch {
    rmSync(draft, { force: true }); // the program lies where it must not write, or the disk is full: the next run is as slow as this one
  }
}
