// The command and its workers as few files: a run over a small capture is mostly the loading of modules, and each worker loads them again.

export default {
  input: { cli: 'src/cli.ts', worker: 'src/shard/worker.ts', decompressor: 'src/shard/decompressor.ts' },
  platform: 'node',
  external: /^[^./]/,
  output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
};
