// Blocks of the pcapng format, as draft-ietf-opsawg-pcapng describes them.

import { describe, expect, it } from 'vitest';
import { LINUX_SLL, RAW } from '../../src/layout/link.ts';
import { bytes, ethernet, ipv4, ipv6, pcap, tcp } from '../support/packets.ts';
import {
  block,
  type BlockPacket,
  enhancedPacket,
  interfaceDescription,
  obsoletePacket,
  option,
  pcapng,
  sectionHeader,
  simplePacket,
} from '../support/pcapng.ts';
import { BUILDS, decodeSource, inMemory, ORIGIN } from './decoding.ts';

const ip = ipv4(tcp({ payload: [1, 2, 3] }));
const frame = ethernet(ip);
const packets: BlockPacket[] = Array.from({ length: 9 }, (_, i) => ({
  seconds: ORIGIN + i,
  fraction: 17 * i,
  captured: ethernet(i % 3 === 0 ? ipv6(tcp({ seq: i })) : ipv4(tcp({ seq: i, payload: new Uint8Array(i) }))),
}));

/** A packet in a block whose lengths do not count what fills its last word. */
const unpaddedPacket = (payload: number): Uint8Array => {
  const written = enhancedPacket({ captured: bytes(frame, new Uint8Array(payload)) });
  const view = new DataView(written.buffer);
  const length = 32 + frame.length + payload;
  view.setUint32(4, length, true);
  view.setUint32(written.length - 4, length, true);
  return written;
};

describe.each(BUILDS)('pcapng, $build', ({ decoder }) => {
  const decode = (capture: Uint8Array, windowBytes?: number) => decodeSource(inMemory(capture), windowBytes, decoder);
  const timesOf = (capture: Uint8Array) => decode(capture).records.map(({ time }) => time);

  it.each([false, true])('gives the records that pcap gives (big-endian %s), in windows of any size', (bigEndian) => {
    const expected = decode(pcap(packets));
    for (const windowBytes of [1, 50, 200, 1 << 20]) expect(decode(pcapng(packets, { bigEndian }), windowBytes)).toEqual(expected);
  });

  it('reads enhanced, simple and obsolete packet blocks', () => {
    const packet = { captured: frame, original: 1514, seconds: ORIGIN, fraction: 5 };
    const decoded = decode(
      bytes(sectionHeader(), interfaceDescription(), enhancedPacket(packet), obsoletePacket(packet), simplePacket(packet)),
    );
    expect(decoded).toMatchObject({ packets: 3, segments: 3, faults: [] });
    // A simple packet has no time: it is taken to be that of the packet before.
    expect(decoded.records.map(({ time }) => time)).toEqual([5000, 5000, 5000]);
    expect(new Set(decoded.records.map(({ digest }) => digest)).size).toBe(1);
  });

  it('bounds a simple packet by the snapshot length, and by its block', () => {
    const cut = frame.subarray(0, 60);
    const decoded = decode(
      bytes(sectionHeader(), interfaceDescription({ snaplen: 60 }), simplePacket({ captured: bytes(cut, 9, 9, 9, 9), original: 1514 })),
    );
    expect(decoded).toMatchObject({ segments: 1, records: [{ payload: 3 }] });
  });

  it.each([
    ['microseconds by default', undefined, 1_500_000n, 1.5e9],
    ['milliseconds', 3, 1500n, 1.5e9],
    ['nanoseconds', 9, 1_500_000_001n, 1_500_000_001],
    ['whole seconds', 0, 2n, 2e9],
    ['halves to the 10th', 0x8a, 1536n, 1.5e9],
    ['halves to the 32nd', 0xa0, 3n << 31n, 1.5e9],
  ])('reads timestamps in %s', (_name, resolution, units, ns) => {
    const perSecond =
      resolution === undefined ? 1_000_000n : resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
    const stamp = BigInt(ORIGIN) * perSecond + units;
    expect(timesOf(pcapng([{ captured: frame, stamp }], resolution === undefined ? {} : { resolution }))).toEqual([ns]);
  });

  it('cuts off what is finer than nanoseconds', () => {
    // No count of picoseconds since 1970 fits into 64 bits: such interfaces have an offset.
    const packet = { captured: frame, stamp: 1_500_000_000_999n };
    expect(timesOf(pcapng([packet], { resolution: 12, offset: ORIGIN }))).toEqual([1.5e9]);
  });

  it('adds the offset of an interface', () => {
    expect(timesOf(pcapng([{ captured: frame, seconds: 100 }], { offset: ORIGIN - 97 }))).toEqual([3e9]);
    expect(timesOf(pcapng([{ captured: frame, seconds: ORIGIN + 10 }], { offset: -4 }))).toEqual([6e9]);
  });

  it('gives each packet the link type and the units of its interface', () => {
    const sll = bytes(0, 0, 0, 1, 0, 6, new Uint8Array(8), 8, 0, ip);
    const decoded = decode(
      bytes(
        sectionHeader(),
        interfaceDescription(),
        interfaceDescription({ linkType: RAW, resolution: 9 }),
        enhancedPacket({ captured: frame }),
        interfaceDescription({ linkType: LINUX_SLL }),
        enhancedPacket({ captured: ip, interface: 1, stamp: BigInt(ORIGIN) * 1_000_000_000n }),
        enhancedPacket({ captured: sll, interface: 2 }),
      ),
    );
    expect(decoded).toMatchObject({ packets: 3, segments: 3 });
    expect(new Set(decoded.records.map(({ digest }) => digest)).size).toBe(1);
    expect(decoded.records.map(({ time }) => time)).toEqual([0, 0, 0]);
  });

  it('tells copies by their interfaces, where nothing else differs', () => {
    const { records } = decode(
      bytes(
        sectionHeader(),
        interfaceDescription(),
        interfaceDescription(),
        enhancedPacket({ captured: frame }),
        enhancedPacket({ captured: frame, interface: 1 }),
      ),
    );
    expect(records[0]!.digest).toBe(records[1]!.digest);
    expect(records[0]!.link).not.toBe(records[1]!.link);
  });

  it('forgets the interfaces where another section begins, in another byte order', () => {
    const decoded = decode(
      bytes(
        pcapng([{ captured: frame }]),
        sectionHeader(true),
        interfaceDescription({ linkType: RAW, resolution: 3 }, true),
        enhancedPacket({ captured: ip, stamp: BigInt(ORIGIN) * 1000n + 7n }, true),
      ),
      40,
    );
    expect(decoded).toMatchObject({ segments: 2, faults: [] });
    expect(decoded.records.map(({ time }) => time)).toEqual([0, 7e6]);
  });

  it('counts a packet of an interface that nothing describes', () => {
    expect(decode(bytes(sectionHeader(), enhancedPacket({ captured: frame })))).toMatchObject({
      packets: 1,
      drops: { link_type: 1 },
      faults: [],
    });
  });

  it('passes all other blocks by', () => {
    const others = [4, 5, 0x0a, 0x0bad, 0x40000bad, 0x80000001].map((type) => block(type, new Uint8Array(100_000)));
    const packet = enhancedPacket({ captured: frame });
    const capture = bytes(sectionHeader(), interfaceDescription(), ...others.flatMap((other) => [other, packet]));
    for (const windowBytes of [1000, 1 << 20]) expect(decode(capture, windowBytes)).toMatchObject({ segments: 6, faults: [] });
  });

  it('does not mind options behind a packet', () => {
    const words = new DataView(bytes(enhancedPacket({ captured: frame })).buffer);
    const body = new Uint8Array(words.buffer).slice(8, -4);
    const commented = block(6, bytes(body, option(1, new TextEncoder().encode('a comment')), 0, 0, 0, 0));
    expect(decode(bytes(sectionHeader(), interfaceDescription(), commented))).toMatchObject({ segments: 1, faults: [] });
  });

  it('takes lengths that do not count what fills the last word', () => {
    const capture = bytes(sectionHeader(), interfaceDescription(), ...[0, 1, 2, 3, 4, 5, 6, 7].map(unpaddedPacket));
    for (const windowBytes of [64, 1 << 20]) expect(decode(capture, windowBytes)).toMatchObject({ segments: 8, faults: [] });
  });

  it.each<[string, (packet: DataView) => void, RegExp]>([
    ['a length that is no multiple of 4', (packet) => packet.setUint32(4, packet.byteLength + 1, true), /at its end/],
    ['a length below its header', (packet) => packet.setUint32(4, 8, true), /claims a length of 8 bytes/],
    ['two lengths', (packet) => packet.setUint32(packet.byteLength - 4, 4, true), /at its end/],
    ['more captured bytes than it holds', (packet) => packet.setUint32(20, 5000, true), /more captured bytes/],
  ])('passes over a block with %s, and goes on behind it', (_name, breakIt, message) => {
    const broken = enhancedPacket({ captured: frame });
    breakIt(new DataView(broken.buffer));
    const good = enhancedPacket({ captured: frame });
    const capture = bytes(sectionHeader(), interfaceDescription(), good, broken, good, good, good, good, good);
    const before = sectionHeader().length + interfaceDescription().length + good.length;
    for (const windowBytes of [64, 1 << 20]) {
      const { segments, faults } = decode(capture, windowBytes);
      expect(segments).toBe(6);
      expect(faults).toMatchObject([{ offset: before, truncated: false, resumed: before + broken.length }]);
      expect(faults[0]!.rule).toMatch(message);
    }
  });

  it('gives what comes before the cut, wherever the capture is cut', () => {
    const whole = pcapng(packets);
    const ends = [sectionHeader().length, sectionHeader().length + interfaceDescription().length];
    for (const packet of packets) ends.push(ends.at(-1)! + enhancedPacket(packet).length);
    for (let cut = 28; cut <= whole.length; cut++) {
      const { segments, faults } = decode(whole.subarray(0, cut), 100);
      expect(segments).toBe(Math.max(0, ends.filter((end) => end <= cut).length - 2));
      expect(faults.length).toBe(ends.includes(cut) ? 0 : 1);
    }
  });
});
