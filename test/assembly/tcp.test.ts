// The TCP header, its options, and where a cut leaves of it.

import { describe, expect, it } from 'vitest';
import { RAW } from '../../src/layout/link.ts';
import { HAS_TIMESTAMP, NO_WINDOW_SCALE } from '../../src/layout/segment.ts';
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../src/layout/tcp.ts';
import { BUILDS, decodeOne, dropOf } from '../decode/decoding.ts';
import { bytes, ethernet, ipv4, type TcpFields, tcp } from '../support/packets.ts';

const SACK_PERMITTED = 0x100;
const SACK_BLOCKS = 0x200;
const FAST_OPEN = 0x400;
const stamps = [8, 10, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1];
const TSVAL = 0x12345678;

describe.each(BUILDS)('tcp, $build', ({ decoder }) => {
  const one = (fields: TcpFields, captured?: number) => {
    const packet = ipv4(tcp(fields));
    return decodeOne(packet.subarray(0, captured), RAW, packet.length, decoder);
  };

  it('reads the header', () => {
    const fields = { seq: 0xfedcba98, ack: 0x89abcdef, window: 0xfffe, flags: ACK | PSH, payload: [1, 2, 3] };
    expect(one(fields)).toMatchObject({ seq: 0xfedcba98, ack: 0x89abcdef, window: 0xfffe, flags: ACK | PSH, payload: 3, headerWords: 5 });
  });

  it.each([FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, 0, 255])('reads flags %i, and no acknowledgement without ACK', (flags) => {
    expect(one({ flags, ack: 5 })).toMatchObject({ flags, ack: flags & ACK ? 5 : 0 });
  });

  it.each<[what: string, options: number[], expected: object]>([
    ['none', [], { options: 0, windowScale: NO_WINDOW_SCALE, tsval: 0, flags: ACK }],
    ['padded timestamps', [1, 1, ...stamps], { tsval: TSVAL, flags: ACK | HAS_TIMESTAMP, headerWords: 8 }],
    ['timestamps first', [...stamps, 1, 1], { tsval: TSVAL, flags: ACK | HAS_TIMESTAMP }],
    ['timestamp 0', [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0], { tsval: 0, flags: ACK | HAS_TIMESTAMP }],
    ['window scale', [3, 3, 7], { windowScale: 7 }],
    ['window scale 0', [3, 3, 0], { windowScale: 0 }],
    ['window scale above 14', [3, 3, 200], { windowScale: 14 }],
    ['sack permitted', [4, 2], { options: SACK_PERMITTED }],
    ['one sack block', [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2], { options: SACK_BLOCKS }],
    ['three sack blocks and timestamps', [...stamps, 5, 26, ...Array(24).fill(9)], { options: SACK_BLOCKS, tsval: TSVAL }],
    ['fast open', [34, 10, 1, 2, 3, 4, 5, 6, 7, 8], { options: FAST_OPEN }],
    ['a request for a fast open cookie', [34, 2], { options: FAST_OPEN }],
    ['experimental fast open', [254, 4, 0xf9, 0x89], { options: FAST_OPEN }],
    ["somebody else's experiment", [254, 4, 0xf9, 0x88], { options: 0 }],
    ['an experiment without a name', [254, 2, 0xf9, 0x89], { options: 0 }],
    ["linux's SYN", [2, 4, 5, 180, 4, 2, ...stamps, 1, 3, 3, 7], { options: SACK_PERMITTED, windowScale: 7, tsval: TSVAL }],
    ['an unknown option before', [77, 6, 1, 2, 3, 4, 4, 2], { options: SACK_PERMITTED }],
    ['nothing after the end', [0, 4, 2, 0], { options: 0 }],
    ['forty no-operations', Array(40).fill(1), { options: 0, headerWords: 15 }],
    ['all that came before a length of 0', [4, 2, 3, 0, 34, 2], { options: SACK_PERMITTED, windowScale: NO_WINDOW_SCALE }],
    ['all that came before a length of 1', [4, 2, 77, 1, 34, 2], { options: SACK_PERMITTED }],
    ['all that came before a length beyond the header', [4, 2, 8, 10, 0, 0, 0, 1], { options: SACK_PERMITTED, tsval: 0, flags: ACK }],
    ['no window scale of a wrong length', [3, 4, 7, 0], { windowScale: NO_WINDOW_SCALE }],
    ['no timestamps of a wrong length', [8, 6, 1, 2, 3, 4], { tsval: 0, flags: ACK }],
    ['an option without its length', [1, 1, 1, 34], { options: 0 }],
  ])('reads options: %s', (_what, options, expected) => {
    expect(one({ options })).toMatchObject(expected);
  });

  it('does not remember the timestamp of the segment before', () => {
    expect(one({ options: [1, 1, ...stamps] }).tsval).toBe(TSVAL);
    expect(one({}).tsval).toBe(0);
  });

  it('reads of a cut header what was captured, and takes no window for a closed one', () => {
    const fields = { window: 0x1234, options: [4, 2, ...stamps], payload: [1, 2, 3] };
    const whole = one(fields);
    const expected = { seq: whole.seq, ack: whole.ack, flags: ACK, payload: 3, headerWords: 8 };
    for (let captured = 34; captured < 52; captured++) {
      expect(one(fields, captured)).toMatchObject({
        ...expected,
        window: captured < 36 ? 0xffff : 0x1234,
        options: captured < 42 ? 0 : SACK_PERMITTED,
        tsval: 0,
      });
    }
    expect(one(fields, 52)).toMatchObject({ ...expected, flags: ACK | HAS_TIMESTAMP, options: SACK_PERMITTED, tsval: TSVAL });
  });

  it('does not read the padding as options', () => {
    expect(decodeOne(bytes(ethernet(ipv4(tcp())), [4, 2, 34, 2, 0, 0]), undefined, undefined, decoder)).toMatchObject({
      options: 0,
      payload: 0,
    });
  });

  it.each<[what: string, packet: Uint8Array, drop: string]>([
    ['a cut before the flags', ipv4(tcp()).subarray(0, 33), 'tcp_truncated'],
    ['a cut before the header', ipv4(tcp()).subarray(0, 20), 'tcp_truncated'],
    ['a data offset of 4 words', ipv4(tcp({ offset: 4 })), 'tcp_offset'],
    ['a data offset of 0', ipv4(tcp({ offset: 0 })), 'tcp_offset'],
    ['a data offset beyond the length', ipv4(tcp({ offset: 6 })), 'tcp_offset'],
    ['padding in the place of options', bytes(ipv4(tcp({ offset: 6 })), new Uint8Array(6)), 'tcp_offset'],
    ['a length that holds no header', ipv4(tcp(), { totalLength: 39 }), 'tcp_offset'],
    ['a length that holds nothing', ipv4(bytes()), 'tcp_offset'],
  ])('drops %s', (_what, packet, drop) => {
    expect(dropOf(packet, RAW, undefined, decoder)).toBe(drop);
  });
});
