import { readFileSync } from 'node:fs';
import { parse } from 'node:path';

// The command and its workers as few files: a run over a small capture is mostly the loading of modules, and each worker loads them again.
// They are CommonJS, because only of that V8's code can be kept (src/platform/code.ts), and Node starts sooner where it loads no ES module
// at all; what threads run is required in half the time of an import. Piscina, many small modules too, is bundled for the same reasons.
// The library (lib/) is ES modules, as tsc writes them.

/** No comments and no spaces: each thread reads all of it. All else stays as it is written, and names do for the sake of those who read a stack. */
const minify = { compress: false, mangle: false, codegen: true };

/** Writes another file beside a bundle. */
const beside = (fileName, source) => ({
  name: `beside-${fileName}`,
  generateBundle() {
    this.emitFile({ type: 'asset', fileName, source });
  },
});

/** What most runs do without is required when something of it is first used: together 4 ms of each start. */
const LAZY = /\b(?:let|const) (\w+) = require\("(node:(?:net|worker_threads))"\);/g;
const lazily = {
  name: 'lazily',
  renderChunk(code, { isEntry }) {
    const lazy = code.replaceAll(LAZY, 'const $1 = new Proxy({}, { get: (_, name) => require("$2")[name] });');
    if (isEntry && lazy === code) throw new Error('nothing is required as it was when this was written');
    return lazy;
  },
};

const bundle = (name, input, ...plugins) => ({
  platform: 'node',
  external: /^[^./]/,
  input: { [name]: input },
  output: { dir: 'dist', format: 'cjs', entryFileNames: name, chunkFileNames: `chunks/${parse(name).name}-[name].cjs`, minify },
  plugins,
});

/** Piscina looks for its worker beside itself, by this name. */
const PISCINA = './node_modules/piscina';

export default [
  // The package is one of ES modules, but not in this folder.
  bundle('cli.js', 'src/cli.ts', beside('package.json', '{ "type": "commonjs" }\n')),
  bundle('command.cjs', 'src/command.ts', lazily),
  bundle('thread.cjs', 'src/shard/thread.ts'),
  bundle('shard.cjs', 'src/shard/worker.ts'),
  bundle('decompressor.cjs', 'src/shard/decompressor.ts'),
  bundle('piscina.cjs', `${PISCINA}/dist/main.js`, beside('piscina.LICENSE', readFileSync(`${PISCINA}/LICENSE`))),
  bundle('worker.js', `${PISCINA}/dist/worker.js`),
];
