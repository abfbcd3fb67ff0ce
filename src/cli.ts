#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { CaptureError } from './capture/errors.ts';
import { faultMessage } from './capture/fault.ts';
import { Run } from './merge/run.ts';
import { summaryRecord } from './merge/summary.ts';
import { type Command, helpText, parseCommand, UsageError } from './options.ts';
import { notices } from './report/notices.ts';
import { ProgressLine } from './report/progress.ts';
import { reportText } from './report/text.ts';
import { writeNdjson } from './stream/ndjson.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
const DONE = 0;
const FAILED = 1;
const MISUSED = 2;
const PARTIAL = 3;

const say = (message: string): void => void process.stderr.write(`fourwaves: ${message}\n`);

async function main(args: readonly string[]): Promise<number> {
  const command = parseCommand(args);
  if (command.name === 'help') return print(helpText());
  if (command.name === 'version') return print(`${version()}\n`);
  const form = command.name === 'stream' && command.only.has('connection') ? 'lines' : 'none';
  const abort = new AbortController();
  let status: number = DONE;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      abort.abort();
      status = code;
    });
  }
  const run = await Run.open(command.captures, form, command.transitions, command.run, abort);
  const progress = new ProgressLine(run, process.stderr);
  try {
    await (command.name === 'stream' ? writeNdjson(run, command.only, process.stdout, command.top) : report(run, command, progress));
  } finally {
    progress.end();
  }
  const outcome = run.outcome();
  const { faults, packets, files } = outcome;
  for (const fault of faults) say(faultMessage(fault));
  for (const notice of notices(outcome)) say(notice);
  if (status === DONE && faults.length > 0) status = packets > 0 || faults.length < files ? PARTIAL : FAILED;
  return status;
}

async function report(run: Run, command: Command, progress: ProgressLine): Promise<void> {
  for await (const _ of run.batches());
  progress.end();
  const summary = summaryRecord(run.outcome(), command.top);
  const color = process.stdout.isTTY;
  await print(command.json ? `${JSON.stringify(summary, undefined, 2)}\n` : reportText(summary, command.captures, color));
}

/** Writes all of a text, also where standard output is slow. */
function print(text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve(DONE)));
  });
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return text;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(DONE); // whoever read the output has seen enough
  say(`standard output: ${error.message}`);
  process.exit(FAILED);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    say(`${error.message}\nTry 'fourwaves --help'.`);
    process.exitCode = MISUSED;
  } else if (error instanceof CaptureError) {
    say(error.message);
    process.exitCode = FAILED;
  } else if ((error as NodeJS.ErrnoException).code === 'EPIPE' || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') {
    process.exitCode = DONE;
  } else throw error;
}
