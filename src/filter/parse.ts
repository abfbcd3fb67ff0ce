// Filter expressions: the words of pcap-filter(7) that make sense of TCP segments.
//
//   expression  part { and|or part }          both bind equally, from the left, as they do there
//   part        not part | ( expression ) | primitive
//   primitive   [ip|ip6|tcp] [src|dst|src or dst|src and dst] [host|net|port|portrange] values | vlan [id] | ip | ip6 | tcp
//   values      value | not values | ( values { and|or values } )
//
// A value alone takes the words before the last value: `port 80 or 443`, which `port (80 or 443)` is, too.

import { isIP, isIPv4 } from 'node:net';
import { BOTH, DESTINATION, EITHER, SOURCE } from '../layout/filter.ts';

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'net'; readonly direction: number; readonly address: string; readonly bits: number }
  | { readonly kind: 'ports'; readonly direction: number; readonly first: number; readonly last: number }
  | { readonly kind: 'vlan'; readonly id: number }
  | { readonly kind: 'family'; readonly family: 'ip' | 'ip6' | 'tcp' };

/** An expression that cannot be understood. */
export class FilterError extends Error {
  /** Place in the expression, from 0. */
  readonly at: number;

  constructor(expression: string, at: number, rule: string) {
    super(`${rule}\n  ${expression}\n  ${' '.repeat(at)}^`);
    this.name = 'FilterError';
    this.at = at;
  }
}

type Type = 'host' | 'net' | 'port' | 'portrange';

interface Words {
  readonly family: 'ip' | 'ip6' | 'tcp' | undefined;
  readonly direction: number;
  readonly type: Type;
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const TYPES: ReadonlySet<string> = new Set(['host', 'net', 'port', 'portrange']);
const FAMILIES: ReadonlySet<string> = new Set(['ip', 'ip6', 'tcp']);
const SYNONYMS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };
const LARGEST_PORT = 65_535;
const LARGEST_VLAN = 4095;
/** Conditions within 'not' and brackets: nobody means more. */
const DEEPEST = 200;

/**
 * Parses a filter expression.
 * @throws FilterError
 */
export function parseFilter(text: string): Expression {
  return new Parser(text).whole();
}

/** A decimal number: with zeros in front it is octal to tcpdump. */
const isDecimal = (text: string): boolean => /^(0|[1-9]\d*)$/.test(text);

const isByte = (text: string): boolean => isDecimal(text) && Number(text) <= 255;

/** A prefix length, undefined where there is none, not a number where it is none. */
const prefixBits = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : isDecimal(text) ? Number(text) : Number.NaN;

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #last: Words | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = [...text.matchAll(/&&|\|\||[!()]|[^\s()!&|]+|[&|]/g)].map(({ 0: found, index }) => ({
      text: SYNONYMS[found] ?? found,
      at: index,
    }));
  }

  whole(): Expression {
    const expression = this.#expression(() => this.#primitive());
    if (this.#peek !== undefined)
      this.#fail(this.#peek === ')' ? 'no bracket was opened' : `'and' or 'or' is missing before '${this.#peek}'`);
    return expression;
  }

  get #peek(): string | undefined {
    return this.#tokens[this.#next]?.text;
  }

  #take(): string | undefined {
    return this.#tokens[this.#next++]?.text;
  }

  #accept(...words: string[]): string | undefined {
    return this.#peek !== undefined && words.includes(this.#peek) ? this.#take() : undefined;
  }

  /** Fails at the next word, or at the one before it. */
  #fail(rule: string, back = 0): never {
    throw new FilterError(this.#text, this.#tokens[this.#next - back]?.at ?? this.#text.length, rule);
  }

  /** Conditions of one kind, joined. */
  #expression(condition: () => Expression): Expression {
    let left = this.#part(condition);
    for (let kind = this.#accept('and', 'or'); kind !== undefined; kind = this.#accept('and', 'or')) {
      left = { kind: kind === 'and' ? 'and' : 'or', left, right: this.#part(condition) };
    }
    return left;
  }

  #part(condition: () => Expression): Expression {
    if (this.#depth++ > DEEPEST) this.#fail(`more than ${DEEPEST} brackets, or 'not', within each other`, 1);
    const part = this.#nested(condition) ?? condition();
    this.#depth--;
    return part;
  }

  /** What is in brackets or denied, if that comes next. */
  #nested(condition: () => Expression): Expression | undefined {
    if (this.#accept('not') !== undefined) return { kind: 'not', of: this.#part(condition) };
    if (this.#accept('(') === undefined) return undefined;
    const inner = this.#expression(condition);
    if (this.#accept(')') === undefined) this.#fail("')' is missing");
    return inner;
  }

  #primitive(): Expression {
    if (this.#accept('vlan') !== undefined) return this.#vlan();
    const family = this.#accept('ip', 'ip6', 'tcp') as Words['family'];
    const direction = this.#direction();
    const type = this.#peek !== undefined && TYPES.has(this.#peek) ? (this.#take() as Type) : undefined;
    if (family !== undefined && direction === undefined && type === undefined && !this.#isValue()) return { kind: 'family', family };
    const alone = family === undefined && direction === undefined && type === undefined;
    const words: Words = alone && this.#last ? this.#last : { family, direction: direction ?? EITHER, type: type ?? 'host' };
    if (alone && !this.#isValue())
      this.#fail(this.#peek === undefined ? 'the expression ends where a condition is expected' : `'${this.#peek}' is not known here`);
    this.#last = words;
    return this.#part(() => this.#qualified(words));
  }

  #qualified(words: Words): Expression {
    if (!this.#isValue()) this.#fail(`${words.type} needs a value`);
    const value = this.#value(words);
    return words.family === 'ip' || words.family === 'ip6'
      ? { kind: 'and', left: { kind: 'family', family: words.family }, right: value }
      : value;
  }

  #isValue(): boolean {
    return (
      this.#peek !== undefined &&
      !['and', 'or', 'not', '(', ')', 'vlan', 'src', 'dst', '&', '|'].includes(this.#peek) &&
      !TYPES.has(this.#peek) &&
      !FAMILIES.has(this.#peek)
    );
  }

  #direction(): number | undefined {
    const first = this.#accept('src', 'dst');
    if (first === undefined) return undefined;
    const joined = this.#tokens[this.#next + 1]?.text;
    if ((this.#peek === 'or' || this.#peek === 'and') && (joined === 'src' || joined === 'dst') && joined !== first) {
      const both = this.#take() === 'and';
      this.#take();
      return both ? BOTH : EITHER;
    }
    return first === 'src' ? SOURCE : DESTINATION;
  }

  #vlan(): Expression {
    if (this.#peek === undefined || !/^\d+$/.test(this.#peek)) return { kind: 'vlan', id: -1 };
    const text = this.#take()!;
    const id = Number(text);
    if (!isDecimal(text) || id > LARGEST_VLAN) this.#fail(`'${text}' is no VLAN id from 0 to ${LARGEST_VLAN}`, 1);
    return { kind: 'vlan', id };
  }

  #value({ family, direction, type }: Words): Expression {
    const text = this.#take()!;
    if (type === 'port' || type === 'portrange') {
      const [first, last = first] = type === 'port' ? [text] : text.split(/-(.*)/);
      const ends = [this.#port(first!), this.#port(last!)] as const;
      return { kind: 'ports', direction, first: Math.min(...ends), last: Math.max(...ends) };
    }
    const [address = '', length] = text.split(/\/(.*)/);
    if (type === 'host' && length !== undefined) this.#fail('a host has no prefix length: say net', 1);
    if (isIP(address) !== 0 && !address.includes('%')) {
      if (family === (isIPv4(address) ? 'ip6' : 'ip')) this.#fail(`${address} is no address of ${family}`, 1);
      const most = isIPv4(address) ? 32 : 128;
      const bits = prefixBits(length) ?? this.#mask(isIPv4(address)) ?? most;
      if (!(bits <= most)) this.#fail(`a prefix length of ${address} is at most ${most}`, 1);
      return { kind: 'net', direction, address, bits };
    }
    const parts = address.split('.');
    if (type === 'net' && family !== 'ip6' && parts.length < 4 && parts.every(isByte)) {
      const full = [...parts, ...Array<string>(4 - parts.length).fill('0')].join('.');
      const bits = prefixBits(length) ?? this.#mask(true) ?? 8 * parts.length;
      if (!(bits <= 32)) this.#fail('a prefix length is at most 32', 1);
      return { kind: 'net', direction, address: full, bits };
    }
    return this.#fail(`'${text}' is no IP address${type === 'net' ? ' or network' : ', and names are not looked up'}`, 1);
  }

  /** `mask 255.255.0.0` behind an IPv4 network. */
  #mask(v4: boolean): number | undefined {
    if (!v4 || this.#accept('mask') === undefined) return undefined;
    const text = this.#take() ?? '';
    const value = isIPv4(text) ? text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) : NaN;
    const bits = 32 - Math.log2(2 ** 32 - value);
    if (!Number.isInteger(bits)) this.#fail(`'${text}' is no network mask`, 1);
    return bits;
  }

  #port(text: string): number {
    if (!isDecimal(text) || Number(text) > LARGEST_PORT) this.#fail(`'${text}' is no port from 0 to ${LARGEST_PORT}`, 1);
    return Number(text);
  }
}
