#!/usr/bin/env node
import { load } from './platform/code.ts';

const program = load<typeof import('./command.ts')>('command.cjs');
void program.exports.runCommand(process.argv.slice(2)).then((analysed) => {
  if (analysed) program.keep();
});
