/* oxlint-disable unicorn/consistent-function-scoping -- a test's own words stand beside it */
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ipv4Text, ipv6Text } from '../../src/records/address.ts';
import { writeInteger } from '../../src/records/ascii.ts';
import { FACTS, HIGH, IPV6, LOW, PORTS, SLOT_WORDS } from '../../src/layout/slot.ts';
import { COMMUNITY_VERSION, communityDigest } from '../../src/records/community-id.ts';
import { Clock } from '../../src/records/time.ts';
import type { ConnectionTable } from '../../src/tracker/table.ts';

const groups = (text: string): Uint8Array =>
  Uint8Array.from(text.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));

describe('times and numbers in ASCII', () => {
  const bytes = new Uint8Array(64);
  const written = (write: (bytes: Uint8Array, from: number) => number): string => {
    bytes.fill(0);
    return Buffer.from(bytes.subarray(7, write(bytes, 7))).toString('latin1');
  };
  const digits = fc.constantFrom(6, 9);
  const durations = fc.oneof(
    fc.double({ min: -1e12, max: 1e19, noNaN: true }),
    fc.integer({ min: 0, max: 1e7 }).map((micros) => micros * 1e3),
    fc.integer({ min: 0, max: 2000 }),
  );

  it('are what the texts are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e9 }), digits, durations, (origin, precision, time) => {
        const clock = new Clock(origin, precision);
        expect(written((to, from) => clock.writeText(time, to, from))).toBe(clock.text(time));
        expect(written((to, from) => clock.writeSeconds(time, to, from))).toBe(JSON.stringify(clock.seconds(time)));
      }),
    );
    const centuries = new Clock(0, 6);
    for (const time of [1.4670016299999998e23, 5.69700633e23, 1.139401266e24, -1.8e25]) {
      expect(centuries.text(time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(written((to, from) => centuries.writeText(time, to, from))).toBe(centuries.text(time));
    }
    const counts = fc.oneof(
      fc.maxSafeNat(),
      fc.integer(),
      fc.integer({ min: 0, max: 2000 }),
      fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32),
    );
    fc.assert(
      fc.property(counts, (count) => {
        expect(written((to, from) => writeInteger(count, to, from))).toBe(String(count));
      }),
    );
  });
});

describe('IPv4 addresses', () => {
  it('of signed and unsigned numbers', () => {
    expect([0, 1, 0x7f000001, -1, 0xffffffff, 0x0a000002, -0x40000000].map(ipv4Text)).toEqual([
      '0.0.0.0',
      '0.0.0.1',
      '127.0.0.1',
      '255.255.255.255',
      '255.255.255.255',
      '10.0.0.2',
      '192.0.0.0',
    ]);
  });
});

describe('IPv6 addresses as RFC 5952 writes them', () => {
  const cases: [string, string][] = [
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // §4.2.3: the first of equally long runs
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'], // §4.2.3: the longest run
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // §4.2.2: no :: for one group
    ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:1', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1'], // §4.2.2
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'], // §4.2.1: as short as possible
    ['2001:0db8:0:0:0:0:0:0001', '2001:db8::1'], // §4.1: no leading zeros
    ['2001:DB8:0:0:0:0:0:ABCD', '2001:db8::abcd'], // §4.3: lower case
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['0:1:0:0:1:0:0:1', '0:1::1:0:0:1'],
    ['fe80:0:0:0:0:0:0:1', 'fe80::1'],
    ['0:0:0:0:0:ffff:c000:0201', '::ffff:192.0.2.1'], // §5: IPv4-mapped
    ['0:0:0:0:0:fffe:c000:0201', '::fffe:c000:201'],
    ['0:0:0:0:0:0:1500:0007', '::21.0.0.7'], // §5: IPv4-compatible
    ['0:0:0:0:0:0:0:1500', '::1500'],
  ];
  for (const [full, text] of cases) {
    it(`${full} is ${text}`, () => {
      expect(ipv6Text(groups(full))).toBe(text);
    });
  }

  it('any address: valid, lower case, as short as it can be, and read back the same', () => {
    const byte = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(255) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.array(byte, { minLength: 16, maxLength: 16 }), (dense, sparse) => {
        for (const address of [dense, Uint8Array.from(sparse)]) {
          const text = ipv6Text(address);
          expect(isIPv6(text), text).toBe(true);
          expect(new URL(`http://[${text}]/`).hostname.length).toBeGreaterThan(3);
          if (text.includes('.')) continue;
          expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`); // WHATWG's serializer follows RFC 5952
        }
      }),
    );
  });
});

describe('Community ID v1', () => {
  /** A table with one connection. */
  const table = (facts: number, low: number, high: number, ports: readonly [number, number], pair = new Uint8Array(40)) => {
    const words = new Int32Array(SLOT_WORDS);
    words[FACTS] = facts;
    words[LOW] = low;
    words[HIGH] = high;
    words[PORTS] = (ports[0] << 16) | ports[1];
    return { words, pair: () => pair } as unknown as ConnectionTable;
  };
  const number = (text: string): number => text.split('.').reduce((sum, byte) => (sum << 8) | Number(byte), 0);
  const example = table(0, number('66.35.250.204'), number('128.232.110.120'), [80, 34855]);

  it("of the specification's TCP example (github.com/corelight/community-id-spec)", () => {
    expect(COMMUNITY_VERSION + communityDigest(example, 0)).toBe('1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
  });

  it('does not carry anything over from one call to the next', () => {
    const long = table(
      IPV6,
      1,
      2,
      [1, 2],
      Uint8Array.from({ length: 40 }, (_, i) => i),
    );
    const before = communityDigest(long, 0);
    expect(communityDigest(example, 0)).toBe('LQU9qZlK+B5F3KDmev6m5PMibrg=');
    expect(communityDigest(long, 0)).toBe(before);
    const whole = Buffer.from([0, 0, ...Array.from({ length: 32 }, (_, i) => i), 6, 0, 0, 1, 0, 2]);
    expect(before).toBe(createHash('sha1').update(whole).digest('base64'));
  });
});

describe('times', () => {
  const ORIGIN = 1_634_203_917;

  it('in microseconds and nanoseconds', () => {
    expect(new Clock(ORIGIN, 6).text(624_450_000)).toBe('2021-10-14T09:31:57.624450Z');
    expect(new Clock(ORIGIN, 9).text(624_450_001)).toBe('2021-10-14T09:31:57.624450001Z');
    expect(new Clock(0, 6).text(0)).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('across seconds, days and years, in any order', () => {
    const clock = new Clock(1_609_459_199, 6);
    expect([999_999_000, 1e9, 0, 86_400e9].map((time) => clock.text(time))).toEqual([
      '2020-12-31T23:59:59.999999Z',
      '2021-01-01T00:00:00.000000Z',
      '2020-12-31T23:59:59.000000Z',
      '2021-01-01T23:59:59.000000Z',
    ]);
  });

  it('before the origin', () => {
    const clock = new Clock(ORIGIN, 9);
    expect(clock.text(-1)).toBe('2021-10-14T09:31:56.999999999Z');
    expect(clock.text(-1e9)).toBe('2021-10-14T09:31:56.000000000Z');
  });

  it('of a whole unsigned 32-bit second', () => {
    expect(new Clock(2 ** 32 - 1, 6).text(999_999_000)).toBe('2106-02-07T06:28:15.999999Z');
  });

  it('any time: read back the same', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.integer({ min: -(10 ** 6), max: 10 ** 9 }), fc.nat(999_999), (origin, seconds, fraction) => {
        const clock = new Clock(origin, 6);
        const text = clock.text(seconds * 1e9 + fraction * 1000);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        expect(Date.parse(`${text.slice(0, 19)}Z`) / 1000).toBe(origin + seconds);
        expect(Number(text.slice(20, 26))).toBe(fraction);
      }),
    );
  });

  it('durations in seconds, with the resolution of the capture', () => {
    expect(new Clock(0, 6).seconds(2_185_033_000)).toBe(2.185033);
    expect(new Clock(0, 6).seconds(1000)).toBe(0.000001);
    expect(new Clock(0, 9).seconds(1)).toBe(1e-9);
    expect(new Clock(0, 6).seconds(0)).toBe(0);
    expect(new Clock(0, 6).seconds(86_400e9)).toBe(86_400);
  });
});
