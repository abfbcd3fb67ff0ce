#!/usr/bin/env node
import { load } from './platform/code.ts';

const program = load<typeof import('./command.ts')>('command.cjs');
if (await program.exports.runCommand(process.argv.slice(2))) program.keep();
