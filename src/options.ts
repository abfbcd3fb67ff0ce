import { parseArgs } from 'node:util';
import { compileFilter } from './filter/compile.ts';
import { FilterError } from './filter/parse.ts';
import { SHARDS_CAPACITY } from './layout/batch.ts';
import type { RunOptions, Scope } from './merge/run.ts';
import { LINE_TYPES, type LineType } from './stream/ndjson.ts';
import { PROFILES } from './tracker/time-wait.ts';

/** What the command line asks for. */
export interface Command {
  readonly name: 'report' | 'stream' | 'help' | 'version';
  readonly captures: readonly string[];
  readonly run: RunOptions;
  /** Each capture by itself. */
  readonly each: boolean;
  readonly json: boolean;
  readonly transitions: boolean;
  readonly only: ReadonlySet<LineType>;
}

/** The command line cannot be understood: exit status 2. */
export class UsageError extends Error {}

interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
  readonly of?: 'report' | 'stream';
}

const OPTIONS = {
  json: { type: 'boolean', of: 'report', help: 'one JSON document instead of text' },
  only: { type: 'string', of: 'stream', value: 'TYPES', help: `lines to print: ${LINE_TYPES.join(',')}` },
  transitions: { type: 'boolean', of: 'stream', help: 'list the states of both endpoints, with seconds since the start' },
  profile: { type: 'string', value: 'NAME', help: `how hosts treat TIME_WAIT: ${Object.keys(PROFILES).join(', ')} (default linux)` },
  '2msl': { type: 'string', value: 'SECONDS', help: "length of TIME_WAIT, instead of the profile's" },
  'idle-timeout': {
    type: 'string',
    value: 'SECONDS',
    help: 'end the record of an open connection that is silent this long (default: never)',
  },
  workers: {
    type: 'string',
    value: 'N',
    help: `threads that share the work, 1 to ${SHARDS_CAPACITY} (default: as many as there are processors)`,
  },
  filter: {
    type: 'string',
    value: "'EXPR'",
    help: 'look at these segments only: host, net, port, portrange, src, dst, vlan, and, or, not, brackets',
  },
  distinguish: {
    type: 'string',
    value: 'vlan,vni',
    help: 'take connections of equal addresses in different VLANs, or virtual networks, for different ones',
  },
  each: { type: 'boolean', help: 'analyse each capture by itself, instead of all as one' },
  follow: { type: 'boolean', help: 'go on as the capture grows, and through rotation, until interrupted' },
  io: { type: 'string', value: 'auto|map|read', help: 'how files are read: mapped, or copied (default auto: whatever is faster)' },
  help: { type: 'boolean', short: 'h', help: 'print this' },
  version: { type: 'boolean', short: 'V', help: 'print the version' },
} as const satisfies Record<string, Option>;

/**
 * Reads the arguments after the program's name.
 * @throws UsageError
 */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [first] = positionals;
  const named = first === 'report' || first === 'stream';
  const captures = named ? positionals.slice(1) : positionals;
  const name = values.help ? 'help' : values.version ? 'version' : named ? first : 'report';
  if ((name === 'report' || name === 'stream') && captures.length === 0) throw new UsageError('no capture given');
  for (const [option, { of }] of Object.entries(OPTIONS as Record<string, Option>)) {
    if (of && of !== name && values[option as 'json'] !== undefined && name !== 'help')
      throw new UsageError(`--${option} belongs to '${of}'`);
  }
  if (values.follow && (captures.length > 1 || values.each)) throw new UsageError('--follow takes one capture');
  const profile = values.profile ?? 'linux';
  if (!Object.hasOwn(PROFILES, profile)) throw new UsageError(`--profile ${profile}: not one of ${Object.keys(PROFILES).join(', ')}`);
  return {
    name,
    captures,
    run: {
      profile,
      ...(values['2msl'] !== undefined && { twoMsl: seconds('2msl', values['2msl']) }),
      ...(values['idle-timeout'] !== undefined && { idleTimeout: seconds('idle-timeout', values['idle-timeout']) }),
      ...io(values.io),
      ...(values.distinguish !== undefined && { distinguish: scopes(values.distinguish) }),
      ...(values.filter !== undefined && { filter: filter(values.filter) }),
      ...(values.follow && { follow: true }),
      ...(values.workers !== undefined && { workers: workers(values.workers) }),
    },
    each: values.each ?? false,
    json: values.json ?? false,
    transitions: values.transitions ?? false,
    only: lineTypes(values.only),
  };
}

function parse(args: readonly string[]) {
  const options = OPTIONS;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function io(text = 'auto'): Pick<RunOptions, 'io'> {
  if (text === 'auto') return {};
  if (text !== 'map' && text !== 'read') throw new UsageError(`--io ${text}: not one of auto, map, read`);
  return { io: text };
}

function scopes(text: string): Scope[] {
  const list = text.split(',');
  const other = list.find((scope) => scope !== 'vlan' && scope !== 'vni');
  if (other !== undefined) throw new UsageError(`--distinguish ${text}: '${other}' is not one of vlan, vni`);
  return list as Scope[];
}

/** Checked here, so that a bad one is told before anything is read. */
function filter(text: string): string {
  try {
    compileFilter(text);
    return text;
  } catch (error) {
    if (error instanceof FilterError) throw new UsageError(`--filter: ${error.message}`);
    throw error;
  }
}

function workers(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= SHARDS_CAPACITY))
    throw new UsageError(`--workers ${text}: not a whole number from 1 to ${SHARDS_CAPACITY}`);
  return value;
}

function seconds(option: string, text: string): number {
  const value = Number(text.replace(/s$/, ''));
  if (!(value > 0 && value <= 1e9) || text.trim() === '') throw new UsageError(`--${option} ${text}: not a number of seconds above 0`);
  return value;
}

function lineTypes(text: string | undefined): ReadonlySet<LineType> {
  if (text === undefined) return new Set(LINE_TYPES);
  const types = text.split(',');
  for (const type of types) {
    if (!LINE_TYPES.includes(type as LineType)) throw new UsageError(`--only ${text}: '${type}' is not one of ${LINE_TYPES.join(', ')}`);
  }
  return new Set(types as LineType[]);
}

/** The text of --help. */
export function helpText(): string {
  return `Tells how the TCP connections in packet captures end.

Usage: fourwaves [report] CAPTURE...   a report for people
       fourwaves stream CAPTURE...     one JSON object a line, as connections end

Options of report:
${rows('report')}
Options of stream:
${rows('stream')}
Options:
${rows(undefined)}
CAPTURE is a file, a folder, or - for standard input: pcap or pcapng, also compressed by gzip, zstd, lz4 or xz. Several captures are
read as one, in the order of their first packets; where they overlap, they are merged by time.
Exit status: 0 all was analysed, 1 nothing could be, 2 wrong usage, 3 only a part (standard error says where it ends),
130 and 143 ended by SIGINT or SIGTERM after reporting what had been read.
`;
}

function rows(of: Option['of']): string {
  return Object.entries<Option>(OPTIONS)
    .filter(([, option]) => option.of === of)
    .map(
      ([name, { short, value, help }]) => `  ${`${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`.padEnd(25)} ${help}\n`,
    )
    .join('');
}
