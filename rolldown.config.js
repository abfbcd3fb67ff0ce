// The command and its workers as few files: a run over a small capture is mostly the loading of modules, and each worker loads them again.

const shared = { platform: 'node', external: /^[^./]/ };

export default [
  {
    ...shared,
    input: { cli: 'src/cli.ts' },
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
  },
  // What threads run is required, because a thread has done that in half the time of an import.
  { ...shared, input: 'src/shard/worker.ts', output: { file: 'dist/worker.cjs', format: 'cjs' } },
  {
    ...shared,
    input: { decompressor: 'src/shard/decompressor.ts' },
    output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'chunks/[name].cjs' },
  },
];
