import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Whole {
  readonly name: string;
  /** Median of the wall time of a whole process, s. */
  readonly seconds: number;
  readonly runs: readonly number[];
}

const cli = fileURLToPath(import.meta.resolve('#dist/cli.js'));
const FILTER = 'tcp[tcpflags] & (tcp-fin|tcp-rst) != 0';

/** Programs that read the whole capture. Each row says what it does, because they do not do the same. */
const COMMANDS: readonly { name: string; command: (file: string) => string[]; slow?: boolean }[] = [
  { name: 'fourwaves report', command: (file) => [process.execPath, cli, 'report', file] },
  { name: 'fourwaves report --workers 1', command: (file) => [process.execPath, cli, 'report', '--workers', '1', file] },
  { name: 'capinfos -c (counts packets)', command: (file) => ['capinfos', '-c', file] },
  { name: 'tcpdump, FINs and RSTs (filters packets)', command: (file) => ['tcpdump', '-nr', file, '-w', '/dev/null', FILTER] },
  { name: 'softflowd (flow counters)', command: (file) => ['softflowd', '-r', file, '-n', '127.0.0.1:9995'] },
  { name: 'tcptrace -n -l (connections)', command: (file) => ['tcptrace', '-n', '-l', file], slow: true },
  { name: 'tshark -q -z conv,tcp (conversations)', command: (file) => ['tshark', '-q', '-z', 'conv,tcp', '-n', '-r', file], slow: true },
];

const isInstalled = (program: string): boolean => program === process.execPath || spawnSync('which', [program]).status === 0;

/** Runs every installed program `runs` times in turn, so that a machine that drifts drifts for all. Slow peers run once. */
export function measureWhole(file: string, runs: number): Whole[] {
  const commands = COMMANDS.filter(({ command }) => isInstalled(command(file)[0]!));
  const times = new Map<string, number[]>(commands.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, command, slow } of commands) {
      if (slow && run > 0) continue;
      const [program, ...args] = command(file);
      const began = performance.now();
      const { status } = spawnSync(program!, args, { stdio: 'ignore' });
      if (status !== 0) throw new Error(`${name}: exit status ${status}`);
      times.get(name)!.push((performance.now() - began) / 1000);
    }
  }
  return [...times].map(([name, list]) => ({ name, seconds: list.toSorted((a, b) => a - b)[list.length >> 1]!, runs: list }));
}
