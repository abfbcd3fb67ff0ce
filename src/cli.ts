#!/usr/bin/env node
import { analyze } from './index.ts';
for await (const r of analyze(process.argv.slice(3).filter((a) => !a.startsWith('-')), { transitions: true })) process.stdout.write(JSON.stringify(r) + '\n');
