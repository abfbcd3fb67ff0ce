#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { load } from './platform/code.ts';

// V8 optimizes what has run for a while, in each thread, on the processors that the threads need; most of a run is WebAssembly, so that seldom
// pays off within seconds. The default is 67584 bytes of bytecode: with as many as these, a run over packets of full size takes a tenth less.
setFlagsFromString('--interrupt-budget=500000');

const program = load<typeof import('./command.ts')>('command.cjs');
if (await program.exports.runCommand(process.argv.slice(2))) program.keep();
