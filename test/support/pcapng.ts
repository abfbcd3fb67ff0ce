// pcapng captures to test with: blocks in either byte order.

import { EN10MB } from '../../src/layout/link.ts';
import { bytes, type CapturedPacket } from './packets.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface BlockOrder {
  bigEndian?: boolean;
}

const u16 = (value: number, big = false): Bytes => {
  const word = new DataView(new ArrayBuffer(2));
  word.setUint16(0, value, !big);
  return new Uint8Array(word.buffer);
};
const u32 = (value: number, big = false): Bytes => {
  const word = new DataView(new ArrayBuffer(4));
  word.setUint32(0, value, !big);
  return new Uint8Array(word.buffer);
};
const padded = (content: Uint8Array): Bytes => bytes(content, new Uint8Array((4 - (content.length % 4)) % 4));

export function block(type: number, body: Uint8Array, big = false): Bytes {
  const content = padded(body);
  const length = u32(12 + content.length, big);
  return bytes(u32(type, big), length, content, length);
}

export function option(code: number, value: Uint8Array, big = false): Bytes {
  return bytes(u16(code, big), u16(value.length, big), padded(value));
}

export function sectionHeader(big = false): Bytes {
  return block(0x0a0d0d0a, bytes(u32(0x1a2b3c4d, big), u16(1, big), u16(0, big), u32(0xffffffff, big), u32(0xffffffff, big)), big);
}

export interface InterfaceFields {
  linkType?: number;
  snaplen?: number;
  /** if_tsresol, as it is written. */
  resolution?: number;
  /** if_tsoffset, seconds. */
  offset?: number;
}

export function interfaceDescription(fields: InterfaceFields = {}, big = false): Bytes {
  const offset = new DataView(new ArrayBuffer(8));
  offset.setBigInt64(0, BigInt(fields.offset ?? 0), !big);
  return block(
    1,
    bytes(
      u16(fields.linkType ?? EN10MB, big),
      u16(0, big),
      u32(fields.snaplen ?? 0, big),
      option(2, new TextEncoder().encode('eth0'), big),
      fields.resolution === undefined ? [] : option(9, bytes(fields.resolution), big),
      fields.offset === undefined ? [] : option(14, new Uint8Array(offset.buffer), big),
      u32(0),
    ),
    big,
  );
}

export interface BlockPacket extends CapturedPacket {
  interface?: number;
  /** In units of the interface; instead of seconds and microseconds. */
  stamp?: bigint;
}

function stampOf({ stamp, seconds = 1_600_000_000, fraction = 0 }: BlockPacket): bigint {
  return stamp ?? BigInt(seconds) * 1_000_000n + BigInt(fraction);
}

function stampWords(packet: BlockPacket, big: boolean): Bytes {
  const stamp = stampOf(packet);
  return bytes(u32(Number(stamp >> 32n), big), u32(Number(stamp & 0xffffffffn), big));
}

export function enhancedPacket(packet: BlockPacket, big = false): Bytes {
  const { captured } = packet;
  const lengths = bytes(u32(captured.length, big), u32(packet.original ?? captured.length, big));
  return block(6, bytes(u32(packet.interface ?? 0, big), stampWords(packet, big), lengths, padded(captured)), big);
}

export function obsoletePacket(packet: BlockPacket, big = false): Bytes {
  const { captured } = packet;
  const lengths = bytes(u32(captured.length, big), u32(packet.original ?? captured.length, big));
  return block(2, bytes(u16(packet.interface ?? 0, big), u16(3, big), stampWords(packet, big), lengths, padded(captured)), big);
}

export function simplePacket(packet: CapturedPacket, big = false): Bytes {
  return block(3, bytes(u32(packet.original ?? packet.captured.length, big), padded(packet.captured)), big);
}

/** A capture of one section and one interface. */
export function pcapng(packets: readonly BlockPacket[], fields: InterfaceFields & BlockOrder = {}): Bytes {
  const big = fields.bigEndian ?? false;
  return bytes(sectionHeader(big), interfaceDescription(fields, big), ...packets.map((packet) => enhancedPacket(packet, big)));
}
