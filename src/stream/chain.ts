/** Loads stream-chain. It is a file of its own, which is required like any other: code that is kept (platform/code.ts) cannot import modules. */
export const loadChain = () => import('stream-chain');
