import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadFile } from '../../src/platform/code.ts';

interface Program {
  readonly number: number;
  readonly path: string;
  readonly twice: (value: number) => number;
}

const ONE = 'exports.number = 1; exports.path = __filename; exports.twice = (value) => value * 2;';
const TWO = ONE.replace('1', '2');

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'code-'));
  file = join(folder, 'program.cjs');
  writeFileSync(file, ONE);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const kept = (): string[] => readdirSync(folder).filter((name) => name !== 'program.cjs');

describe('code that is kept', () => {
  it('is not there unless somebody keeps it', () => {
    const { exports } = loadFile<Program>(file);
    expect(exports).toMatchObject({ number: 1, path: file });
    expect(exports.twice(21)).toBe(42);
    expect(kept()).toEqual([]);
  });

  it('is what the next run runs', () => {
    loadFile<Program>(file).keep();
    const [name] = kept();
    expect(kept()).toHaveLength(1);
    expect(loadFile<Program>(file).exports).toMatchObject({ number: 1, path: file });
    // V8 does not see that the code is of another text of the same length: so it shows that it is used.
    const code = readFileSync(join(folder, name!)).subarray(ONE.length);
    writeFileSync(file, TWO);
    writeFileSync(join(folder, name!), Buffer.concat([Buffer.from(TWO), code]));
    expect(loadFile<Program>(file).exports.number).toBe(1);
  });

  it('is kept for each setting of V8 by itself', () => {
    const { keep } = loadFile<Program>(file);
    onTestFinished(() => setFlagsFromString('--flush-bytecode'));
    setFlagsFromString('--no-flush-bytecode');
    keep(); // V8 would refuse it
    expect(kept()).toHaveLength(0);
    loadFile<Program>(file).keep();
    expect(kept()).toHaveLength(1);
    setFlagsFromString('--flush-bytecode');
    keep();
    expect(kept()).toHaveLength(2);
  });

  it('is kept anew where V8 refuses it', () => {
    loadFile<Program>(file).keep();
    const place = join(folder, kept()[0]!);
    const other = `${ONE} // V8 has not compiled this before`;
    const refused = Buffer.concat([Buffer.from(other), Buffer.alloc(999)]);
    writeFileSync(file, other);
    writeFileSync(place, refused);
    loadFile<Program>(file).keep();
    expect(readFileSync(place).equals(refused)).toBe(false);
  });

  it('is not taken for that of another text', () => {
    loadFile<Program>(file).keep();
    writeFileSync(file, TWO);
    expect(loadFile<Program>(file).exports.number).toBe(2);
  });

  it('is nothing that a run depends on', () => {
    loadFile<Program>(file).keep();
    const place = join(folder, kept()[0]!);
    for (const broken of [
      Buffer.alloc(0),
      readFileSync(place).subarray(0, ONE.length + 7),
      Buffer.concat([Buffer.from(ONE), Buffer.alloc(999)]),
    ]) {
      writeFileSync(place, broken);
      expect(loadFile<Program>(file).exports.number).toBe(1);
    }
    rmSync(place);
    mkdirSync(place); // cannot be read, nor replaced
    const { exports, keep } = loadFile<Program>(file);
    expect(exports.number).toBe(1);
    keep();
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('is not run where it is damaged', () => {
    const { keep } = loadFile<Program>(file);
    keep();
    const place = join(folder, kept()[0]!);
    const whole = readFileSync(place);
    const size = (whole.length - ONE.length) / 2;
    // What is run is the code of another text, so that it shows where the code is used: each time of another file, because V8 remembers those.
    const forged = Buffer.concat([Buffer.from(TWO), whole.subarray(ONE.length)]);
    let files = 0;
    const numberOf = (bytes: Uint8Array): number => {
      const another = join(folder, `${files++}.cjs`);
      writeFileSync(another, TWO);
      writeFileSync(place.replace('program.cjs', `${files - 1}.cjs`), bytes);
      return loadFile<Program>(another).exports.number;
    };
    expect(numberOf(forged)).toBe(1);
    for (let at = 0; at < size * 2; at += 37) {
      const changed = Buffer.from(forged);
      changed[TWO.length + at]! ^= 1 << (at % 8);
      expect(numberOf(changed), `byte ${at}`).toBe(2);
    }
    for (let left = TWO.length; left < forged.length; left += 97) {
      expect(numberOf(forged.subarray(0, left)), `cut to ${left}`).toBe(2);
      expect(numberOf(Buffer.from(forged).fill(0, left)), `zeros from ${left}`).toBe(2);
    }
  });

  it('is of the file as its own parts see it', () => {
    writeFileSync(join(folder, 'part.cjs'), "exports.whole = require('./program.cjs');");
    writeFileSync(file, `${ONE} exports.part = () => require('./part.cjs').whole.number;`);
    expect(loadFile<Program & { part: () => number }>(file).exports.part()).toBe(1);
  });
});
