import {
  FAMILY_V4,
  FAMILY_V6,
  INSTRUCTION_WORDS,
  INSTRUCTIONS_CAPACITY,
  NET_V4,
  NET_V6,
  PASS,
  PORTS,
  REJECT,
  TCP,
  VLAN,
} from '../layout/filter.ts';
import { isIPv4 } from 'node:net';
import { type Expression, FilterError, parseFilter } from './parse.ts';

const QUESTIONS = { ip: FAMILY_V4, ip6: FAMILY_V6, tcp: TCP } as const;

/**
 * Compiles a filter expression to the decoder's program.
 * @throws FilterError
 */
export function compileFilter(text: string): Int32Array {
  const program: number[][] = [];
  const start = emit(parseFilter(text), PASS, REJECT, program);
  if (program.length > INSTRUCTIONS_CAPACITY) throw new FilterError(text, 0, `a filter has at most ${INSTRUCTIONS_CAPACITY} conditions`);
  // Instructions are emitted from the last to the first; the decoder begins with number 0.
  const last = program.length - 1;
  if (start !== last) throw new Error('a program does not begin with its first instruction');
  const place = (target: number): number => (target < 0 ? target : last - target);
  const instructions = new Int32Array(program.length * INSTRUCTION_WORDS);
  for (const [number, instruction] of program.toReversed().entries()) {
    instructions.set(instruction, number * INSTRUCTION_WORDS);
    const [yes = 0, no = 0] = instruction.slice(-2);
    instructions.set([place(yes), place(no)], (number + 1) * INSTRUCTION_WORDS - 2);
  }
  return instructions;
}

/** Adds an expression's instructions, that go on at `yes` or `no`; answers the number of the first one. */
function emit(expression: Expression, yes: number, no: number, program: number[][]): number {
  const add = (question: number, direction: number, value: readonly number[], bits: number): number =>
    program.push([question, direction, ...value, ...Array<number>(4 - value.length).fill(0), bits, yes, no]) - 1;
  switch (expression.kind) {
    case 'and':
      return emit(expression.left, emit(expression.right, yes, no, program), no, program);
    case 'or':
      return emit(expression.left, yes, emit(expression.right, yes, no, program), program);
    case 'not':
      return emit(expression.of, no, yes, program);
    case 'net': {
      const { direction, address, bits } = expression;
      return isIPv4(address) ? add(NET_V4, direction, [ipv4Number(address)], bits) : add(NET_V6, direction, ipv6Words(address), bits);
    }
    case 'ports':
      return add(PORTS, expression.direction, [expression.first, expression.last], 0);
    case 'vlan':
      return add(VLAN, 0, [expression.id], 0);
    case 'family':
      break;
  }
  return add(QUESTIONS[expression.family], 0, [], 0);
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) | 0;
}

function groups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** The words of an IPv6 address as they lie in memory. */
function ipv6Words(address: string): number[] {
  const [head = '', tail] = address
    .toLowerCase()
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
      const [a, b, c, d] = bytes.map(Number) as [number, number, number, number];
      return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    })
    .split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  const bytes = new DataView(new ArrayBuffer(16));
  for (const [i, group] of all.entries()) bytes.setUint16(2 * i, group);
  return [0, 4, 8, 12].map((at) => bytes.getInt32(at, true));
}
