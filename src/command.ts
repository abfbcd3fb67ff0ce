import { readFileSync, statSync } from 'node:fs';
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import { CaptureError, NoCaptureError } from './capture/errors.ts';
import { isNameLost } from './capture/file.ts';
import { folderAt } from './capture/folder.ts';
import { type Fault, faultMessage } from './capture/fault.ts';
import { STANDARD_INPUT } from './capture/pipe.ts';
import type { Outcome } from './merge/outcome.ts';
import { Run } from './merge/run.ts';
import { summaryRecord } from './merge/summary.ts';
import { type Command, helpText, parseCommand, UsageError } from './options.ts';
import { explanations } from './report/explanation.ts';
import { notices } from './report/notices.ts';
import { findings, seenOf } from './report/findings.ts';
import { pageText } from './report/page.ts';
import { PageError, PageFile } from './report/page-file.ts';
import { CLEAR_LINE, ProgressLine } from './report/progress.ts';
import type { Report } from './report/sections.ts';
import { reportText } from './report/text.ts';
import { printable } from './report/words.ts';
import { writeNdjson } from './stream/ndjson.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
const DONE = 0;
const FAILED = 1;
const MISUSED = 2;
const PARTIAL = 3;
/** Faults that are told one by one. */
const MESSAGES = 20;
/**
 * V8 optimizes what has run for a while, in each thread, on the processors that the threads need; most of a run is WebAssembly, so that seldom
 * pays off within seconds. Only Node.js 20 has this setting: a later V8 would say on standard error that it does not know it.
 */
const THREAD_FLAGS = process.versions.v8.startsWith('11.3.') ? '--interrupt-budget=500000' : undefined;
/** V8's own figure, for when the main thread is alone again: what it has compiled is kept for runs that begin with this one. */
const FLAGS_AFTER_THREADS = '--interrupt-budget=67584';
const BEGUN_WITH = cachedDataVersionTag();

/** A message may come while the terminal's line holds the progress of a run that goes on. */
const CLEAR = process.stderr.isTTY ? CLEAR_LINE : '';

const say = (message: string): void => void process.stderr.write(`${CLEAR}fourwaves: ${printable(message)}\n`);

async function main(command: Command): Promise<number> {
  if (command.name === 'help') return print(helpText());
  if (command.name === 'version') return print(`${version()}\n`);
  const page = command.html === undefined ? undefined : await openPage(command.html, command.captures);
  try {
    return await analyseAll(command, page);
  } finally {
    await page?.close();
  }
}

/** Analyses what the command is about, and answers the exit status. */
async function analyseAll(command: Command, page: PageFile | undefined): Promise<number> {
  const form = command.name === 'explain' ? 'segments' : command.name === 'stream' && command.only.has('connection') ? 'lines' : 'none';
  const abort = new AbortController();
  let status: number = DONE;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      abort.abort();
      status = code;
    });
  }
  const sets = command.each ? command.captures.flatMap(setsOf) : [{ captures: command.captures, inFolder: false }];
  // A terminal may be stopped, and who writes to it then stands still, with all that is mapped.
  const io = command.run.io ?? (command.name !== 'report' && process.stdout.isTTY ? 'read' : 'auto');
  const statuses: number[] = [];
  const reports: Report[] = [];
  for (const { captures, inFolder } of sets) {
    if (abort.signal.aborted) break;
    if (command.run.follow && captures.some(isMissing)) say(`${captures.join()}: not there yet, and waited for`);
    const told = new Set<Fault>();
    const onFault = (fault: Fault): void => tell(fault, told);
    try {
      const run = await Run.open(captures, form, command.transitions, { ...command.run, io, threadFlags: THREAD_FLAGS, onFault }, abort);
      await analyse(run, command);
      if (cachedDataVersionTag() !== BEGUN_WITH) setFlagsFromString(FLAGS_AFTER_THREADS);
      const outcome = run.outcome();
      if (command.name === 'report') {
        const summary = summaryRecord(outcome, command.top);
        const report = { summary, findings: command.json && !page ? [] : findings(seenOf(outcome)), captures, top: command.top };
        reports.push(report);
        if (!command.json && !page) {
          const text = reportText(report, process.stdout.isTTY && process.stdout.hasColors());
          await print(reports.length > 1 ? `\n${text}` : text);
        }
      }
      statuses.push(conclude(outcome, told, command.connection));
    } catch (error) {
      if (!(error instanceof CaptureError && (command.each || abort.signal.aborted))) throw error;
      if (inFolder && error instanceof NoCaptureError && !abort.signal.aborted) say(`left out: ${error.message}`);
      else {
        say(abort.signal.aborted ? 'ended before anything could be read' : error.message);
        statuses.push(FAILED);
      }
    }
  }
  if (command.name === 'report' && command.json && (command.each || reports.length > 0)) {
    const summaries = reports.map(({ summary }) => summary);
    await print(`${JSON.stringify(command.each ? summaries : summaries[0], undefined, 2)}\n`);
  }
  if (reports.length > 0) await page?.write(pageText(reports));
  if (status !== DONE) return status;
  return statuses.every((one) => one === statuses[0]) ? (statuses[0] ?? FAILED) : PARTIAL;
}

/** Whether there is no file of a name yet, but may be. What else keeps it from being looked at, whoever opens it says. */
function isMissing(path: string): boolean {
  try {
    if (path !== STANDARD_INPUT) statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && !isNameLost(error);
  }
}

/** Captures that are analysed as one. */
interface CaptureSet {
  readonly captures: readonly string[];
  /** What is no capture is left out of a folder. */
  readonly inFolder: boolean;
}

/** What is analysed by itself where each is: a folder's files. */
function setsOf(path: string): CaptureSet[] {
  const folder = folderAt(path);
  if (!folder || folder.files.length === 0) return [{ captures: [path], inFolder: false }]; // whoever opens it says what is wrong
  for (const { message } of folder.others) say(`left out: ${message}`);
  return folder.files.map((file) => ({ captures: [file], inFolder: true }));
}

/** @throws UsageError where it cannot be written, or is one of the captures */
async function openPage(path: string, captures: readonly string[]): Promise<PageFile> {
  try {
    return await PageFile.open(
      path,
      captures.flatMap((name) => folderAt(name)?.files ?? [name]),
    );
  } catch (error) {
    throw new UsageError(`--html ${path}: ${(error as Error).message}`);
  }
}

/** Runs, and prints the lines of `stream`, or what `explain` tells. */
async function analyse(run: Run, command: Command): Promise<void> {
  const progress = new ProgressLine(run, process.stderr);
  try {
    if (command.name === 'stream') await writeNdjson(run, command.only, process.stdout, command.top);
    else if (command.name === 'explain') for await (const text of explanations(run)) await print(text);
    else for await (const _ of run.batches());
  } finally {
    progress.end();
  }
}

/** Says what is wrong with a capture, once, and as long as not too many have been `told`. */
function tell(fault: Fault, told: Set<Fault>): void {
  if (told.size === MESSAGES || told.has(fault)) return;
  told.add(fault);
  say(faultMessage(fault));
}

/**
 * Says what the user has to know of a run, and what its exit status would be. `told`: faults of which the user knows already;
 * `connection`: the only one that was looked for.
 */
function conclude(outcome: Outcome, told: Set<Fault>, connection: string | undefined): number {
  const { faults, damages, packets, files } = outcome;
  for (const fault of faults) tell(fault, told);
  if (damages > told.size) say(`and ${damages - told.size} more like these`);
  for (const notice of notices(outcome, connection)) say(notice);
  if (connection !== undefined && outcome.statistics.connections === 0) return FAILED;
  if (damages === 0) return DONE;
  return packets > 0 || damages < files ? PARTIAL : FAILED;
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

/** Does what the command line says, with all that a process has for it; answers whether captures were analysed. */
export async function runCommand(args: readonly string[]): Promise<boolean> {
  process.stderr.on('error', () => undefined); // whoever should read it is gone, and there is nobody else to tell
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(DONE); // whoever read the output has seen enough
    say(`standard output: ${error.message}`);
    process.exit(FAILED);
  });
  try {
    const parsed = parseCommand(args);
    process.exitCode = await main(parsed);
    return parsed.name !== 'help' && parsed.name !== 'version';
  } catch (error) {
    process.exitCode = failed(error);
    return false;
  }
}

/** Says why nothing could be done, and answers the exit status. */
function failed(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`fourwaves: ${error.message}\nTry 'fourwaves --help'.\n`); // lines of its own, and of names only what was typed
    return MISUSED;
  }
  if (error instanceof CaptureError || error instanceof PageError) {
    say(error.message);
    return FAILED;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE') return DONE;
  process.stderr.write(`fourwaves: an error of the program itself, please report it: ${(error as Error).stack}\n`);
  return process.exit(FAILED); // threads may live on
}
