import { parseArgs } from 'node:util';
import { STANDARD_INPUT } from './capture/pipe.ts';
import { compileFilter } from './filter/compile.ts';
import { connectionFilter } from './filter/connection.ts';
import { FilterError } from './filter/parse.ts';
import { SHARDS_CAPACITY } from './layout/batch.ts';
import type { RunOptions, Scope } from './merge/run-options.ts';
import { ADDRESS_BITS, type GroupBy } from './stats/grouping.ts';
import type { Change } from './stats/what-if.ts';
import { LINE_TYPES, type LineType } from './stream/ndjson.ts';
import { PROFILES } from './tracker/time-wait.ts';

/** What the command line asks for. */
export interface Command {
  readonly name: Name | 'help' | 'version';
  readonly captures: readonly string[];
  readonly run: RunOptions;
  /** Each capture by itself. */
  readonly each: boolean;
  readonly json: boolean;
  /** File that the report is to be written to as a page. */
  readonly html: string | undefined;
  /** How many hosts, groups of ports and the like are named. */
  readonly top: number | undefined;
  /** Each endpoint's list of states is asked for. */
  readonly transitions: boolean;
  readonly only: ReadonlySet<LineType>;
  /** The connection that is to be explained, as the user named it. */
  readonly connection: string | undefined;
}

const NAMES = ['report', 'stream', 'explain'] as const;
type Name = (typeof NAMES)[number];

/** The command line cannot be understood: exit status 2. */
export class UsageError extends Error {}

interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
  /** The commands that have it; all where absent. */
  readonly of?: readonly Name[];
}

const OPTIONS = {
  json: { type: 'boolean', of: ['report'], help: 'one JSON document instead of text' },
  html: { type: 'string', of: ['report'], value: 'FILE', help: 'write a page instead of text' },
  'what-if': {
    type: 'string',
    multiple: true,
    value: 'CHANGE',
    of: ['report', 'stream'],
    help: 'compare with 2msl=SECONDS, ports=LOW-HIGH, tw_reuse=1, or several with commas; may be repeated',
  },
  top: {
    type: 'string',
    value: 'N',
    of: ['report', 'stream'],
    help: 'how many hosts, groups of ports and the like to name (default 20, of stream 5; in text 8)',
  },
  only: { type: 'string', of: ['stream'], value: 'TYPES', help: `lines to print: ${LINE_TYPES.join(',')}` },
  interval: {
    type: 'string',
    of: ['stream'],
    value: 'TIME',
    help: 'print a window line for each interval of capture time: 10s, 500ms, 5m',
  },
  per: { type: 'string', of: ['stream'], value: 'GROUP', help: 'with --interval, one more line for each host, service, pair or subnet/N' },
  connection: {
    type: 'string',
    of: ['explain'],
    value: 'A:PORT-B:PORT',
    help: 'which connection, in either direction; [A]:PORT where A is IPv6',
  },
  transitions: { type: 'boolean', of: ['stream'], help: 'list the states of both endpoints, with seconds since the start' },
  profile: { type: 'string', value: 'NAME', help: `how hosts treat TIME_WAIT: ${Object.keys(PROFILES).join(', ')} (default linux)` },
  '2msl': { type: 'string', value: 'SECONDS', help: "length of TIME_WAIT, instead of the profile's" },
  ports: { type: 'string', value: 'LOW-HIGH', of: ['report', 'stream'], help: 'ephemeral ports of the clients (default 32768-60999)' },
  'idle-timeout': {
    type: 'string',
    value: 'SECONDS',
    help: 'end the record of an open connection that is silent this long (default: never)',
  },
  workers: {
    type: 'string',
    value: 'N',
    help: `threads that share the work, 1 to ${SHARDS_CAPACITY} (default: as many as the captures have work for, and the machine processors)`,
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
  each: { type: 'boolean', of: ['report', 'stream'], help: 'analyse each capture by itself, instead of all as one' },
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
  const { values, positionals, tokens } = parse(args);
  refuseRepeated(tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])));
  const [first] = positionals;
  const named = NAMES.find((name) => name === first);
  const captures = named ? positionals.slice(1) : positionals;
  const command = named ?? 'report';
  const name = values.help ? 'help' : values.version ? 'version' : command;
  if (name === command && captures.length === 0) throw new UsageError('no capture given');
  if (captures.filter((path) => path === STANDARD_INPUT).length > 1) throw new UsageError('standard input (-) can be read only once');
  for (const [option, { of }] of Object.entries(OPTIONS as Record<string, Option>)) {
    if (of && !of.includes(command) && values[option as 'json'] !== undefined && name !== 'help')
      throw new UsageError(`--${option} belongs to ${of.map((one) => `'${one}'`).join(' and ')}`);
  }
  if (name === 'explain' && values.connection === undefined) throw new UsageError('explain needs --connection A:PORT-B:PORT');
  if (values.only?.split(',').every((type) => type === 'window') && values.interval === undefined)
    throw new UsageError('--only window needs --interval');
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
      ...(values.interval !== undefined && { interval: interval(values.interval) }),
      ...(values.per !== undefined && { per: group(values.per, values.interval) }),
      ...(values.ports !== undefined && { ports: portRange('ports', values.ports) }),
      ...(values['what-if'] !== undefined && { whatIf: values['what-if'].map(change) }),
      ...io(values.io),
      ...(values.distinguish !== undefined && { distinguish: scopes(values.distinguish) }),
      ...filters(values.filter, values.connection),
      ...(values.follow && { follow: true }),
      ...(values.workers !== undefined && { workers: workers(values.workers) }),
    },
    each: values.each ?? false,
    json: values.json ?? false,
    html: values.html,
    top: values.top === undefined ? undefined : top(values.top),
    transitions: values.transitions ?? name === 'explain',
    only: lineTypes(values.only),
    connection: values.connection,
  };
}

function parse(args: readonly string[]) {
  const options = OPTIONS;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Of two values one would be forgotten without a word; to say twice that something is to be done is harmless. */
function refuseRepeated(names: readonly string[]): void {
  const repeated = names.find((name, at) => {
    const { type, multiple = false }: Option = OPTIONS[name as keyof typeof OPTIONS];
    return type === 'string' && !multiple && names.indexOf(name) < at;
  });
  if (repeated !== undefined) throw new UsageError(`--${repeated} is given twice: it has one value`);
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

/** Which segments are looked at: where a connection is named, only its own. */
function filters(expression: string | undefined, connection: string | undefined): Pick<RunOptions, 'filter'> {
  const found = expression === undefined ? [] : [filter(expression)];
  if (connection !== undefined) {
    const own = connectionFilter(connection);
    if (own === undefined)
      throw new UsageError(`--connection ${connection}: not two endpoints, as 10.0.0.3:55692-10.0.0.2:22 or [::1]:1024-[::1]:80`);
    found.push(own);
  }
  if (found.length === 0) return {};
  return { filter: found.length === 1 ? found[0]! : found.map((one) => `(${one})`).join(' and ') };
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

/** A number of decimal digits; not a number where there is anything else. */
const whole = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN);

function workers(text: string): number {
  const value = whole(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= SHARDS_CAPACITY))
    throw new UsageError(`--workers ${text}: not a whole number from 1 to ${SHARDS_CAPACITY}`);
  return value;
}

/** One --what-if: settings with commas between them. */
function change(name: string): Change {
  const found: { -readonly [Key in keyof Change]: Change[Key] } = { name };
  const keys = new Set<string>();
  for (const setting of name.split(',')) {
    const [key = '', ...rest] = setting.split('=');
    const value = rest.join('=');
    if (keys.has(key)) throw new UsageError(`--what-if ${name}: ${key} is set twice`);
    keys.add(key);
    if (key === '2msl') found.twoMsl = seconds('what-if 2msl', value) * 1e9;
    else if (key === 'ports') found.ports = portRange('what-if ports', value);
    else if (key === 'tw_reuse' && /^[01]$/.test(value)) found.reuse = value === '1';
    else throw new UsageError(`--what-if ${name}: '${setting}' is none of 2msl=SECONDS, ports=LOW-HIGH, tw_reuse=1`);
  }
  return found;
}

function top(text: string): number {
  const value = whole(text);
  if (!(Number.isInteger(value) && value >= 1)) throw new UsageError(`--top ${text}: not a whole number from 1 on`);
  return value;
}

function seconds(option: string, text: string): number {
  const value = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?s?$/i.test(text) ? Number(text.replace(/s$/i, '')) : Number.NaN;
  if (!(value > 0 && value <= 1e9)) throw new UsageError(`--${option} ${text}: not a number of seconds above 0, up to 1e9`);
  return value;
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };

function interval(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text) ?? [];
  const value = Number(number) * UNITS[unit]!;
  if (!(value >= 0.001 && value <= 1e6)) throw new UsageError(`--interval ${text}: not a time from 1ms to 1e6s, as 10s, 500ms or 5m`);
  return value;
}

/** What windows are told apart by. */
function group(text: string, every: string | undefined): GroupBy {
  if (every === undefined) throw new UsageError('--per needs --interval');
  if (text === 'host' || text === 'service' || text === 'pair') return { kind: text };
  const bits = /^subnet\/(\d{1,3})$/.exec(text)?.[1];
  if (bits === undefined || Number(bits) > ADDRESS_BITS)
    throw new UsageError(`--per ${text}: not one of host, service, pair, subnet/N with N from 0 to ${ADDRESS_BITS}`);
  return { kind: 'subnet', bits: Number(bits) };
}

/** How many ports LOW-HIGH are. */
function portRange(option: string, text: string): number {
  const [, low, high] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const count = Number(high) - Number(low) + 1;
  if (!(count >= 1 && Number(high) <= 65_535 && Number(low) >= 1)) throw new UsageError(`--${option} ${text}: not two ports LOW-HIGH`);
  return count;
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
       fourwaves explain CAPTURE...    one connection, segment by segment, with the states of both endpoints

Options of report:
${rows('report')}
Options of stream:
${rows('stream')}
Options of explain:
${rows('explain')}
Options of report and stream:
${rows('report', 'stream')}
Options:
${rows()}
CAPTURE is a file, a folder, or - for standard input: pcap or pcapng, also compressed by gzip, zstd, lz4 or xz. Several captures are
read as one, in the order of their first packets; where they overlap, they are merged by time.
Exit status: 0 all was analysed, 1 nothing could be, 2 wrong usage, 3 only a part (standard error says where it ends),
130 and 143 ended by SIGINT or SIGTERM after reporting what had been read.
`;
}

function rows(...of: Name[]): string {
  return Object.entries<Option>(OPTIONS)
    .filter(([, option]) => (option.of ?? []).join() === of.join())
    .map(
      ([name, { short, value, help }]) => `  ${`${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`.padEnd(25)} ${help}\n`,
    )
    .join('');
}
