// The command and its workers as few files: a run over a small capture is mostly the loading of modules, and each worker loads them again.
// They are CommonJS, because only of that V8's code can be kept (src/platform/code.ts), and what threads run is required in half the time of an import.

const shared = { platform: 'node', external: /^[^./]/ };

/** No comments and no spaces: each thread reads all of it. All else stays as it is written, and names do for the sake of those who read a stack. */
const minify = { compress: false, mangle: false, codegen: true };

const bundle = (name, input) => ({
  ...shared,
  input: { [name]: input },
  output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: `chunks/${name}-[name].cjs`, minify },
});

export default [
  { ...shared, input: 'src/cli.ts', output: { file: 'dist/cli.js', format: 'esm', minify } },
  bundle('command', 'src/command.ts'),
  bundle('thread', 'src/shard/thread.ts'),
  bundle('worker', 'src/shard/worker.ts'),
  bundle('decompressor', 'src/shard/decompressor.ts'),
];
