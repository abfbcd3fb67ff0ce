// @types/node declares WebAssembly for those who include the DOM's types only; what is used of it is written down here.

export interface CompiledModule {
  readonly [moduleBrand]: never;
}
declare const moduleBrand: unique symbol;

export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

interface WebAssemblyNamespace {
  readonly Module: {
    new (bytes: Uint8Array): CompiledModule;
    imports(module: CompiledModule): { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (module: CompiledModule, imports: Record<string, Record<string, unknown>>) => { readonly exports: object };
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => SharedMemory;
}

declare const WebAssembly: WebAssemblyNamespace;

export const { Instance, Memory, Module } = WebAssembly;

/** A constant that a module exports. */
export const constantOf = (exports: object, name: string): number => Number(Reflect.get(exports, name).value);
