// The command and its workers as few files: a run over a small capture is mostly the loading of modules, and each worker loads them again.

const shared = { platform: 'node', external: /^[^./]/ };

/** No comments and no spaces: each thread reads all of it. All else stays as it is written, and names do for the sake of those who read a stack. */
const minify = { compress: false, mangle: false, codegen: true };

export default [
  {
    ...shared,
    input: { cli: 'src/cli.ts' },
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js', minify },
  },
  // What threads run is required, because a thread has done that in half the time of an import.
  { ...shared, input: 'src/shard/worker.ts', output: { file: 'dist/worker.cjs', format: 'cjs', minify } },
  {
    ...shared,
    input: { decompressor: 'src/shard/decompressor.ts' },
    output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'chunks/[name].cjs', minify },
  },
];
