// The frame that nearly all are: Ethernet or Linux cooked, IPv4 without options, a whole datagram, TCP whose header was captured. What
// frame.ts writes of it is written here without asking what only other frames have, and without a loop: a third fewer instructions.

import * as links from '../src/layout/link.ts';
import { DIGEST_WORD, FROM_HIGH, LINK_WORD, NO_IDENTIFICATION } from '../src/layout/segment.ts';
import { digestPlain, digestShortLink, FEW_BYTES, hashTuple } from './hash.ts';
import { TCP } from './protocol.ts';
import { atInterface, beginRecord, digestedBytes, finishRecord, reversed, writeTcp } from './segment.ts';
import { commonOptions, options, TIMESTAMPS_SEEN } from './tcp.ts';

/** EtherTypes as a little-endian load sees them. */
const IPV4 = 0x0008;
const VLAN = 0x0081;

/** Writes the segment of a frame, if it is one of these; answers whether it is. The parameters are those of frame(). */
export function plain(linkType: i32, frame: usize, captured: i32, time: f64, lag: i32, packet: i32): bool {
  let link = 14;
  let typeAt = frame + 12;
  if (linkType == links.EN10MB) {
    if (load<u16>(frame, 12) == VLAN) {
      link = 18;
      typeAt = frame + 16;
    }
  } else if (linkType == links.LINUX_SLL) {
    link = 16;
    typeAt = frame + 14;
  } else {
    if (linkType != links.LINUX_SLL2) return false;
    link = 20;
    typeAt = frame;
  }
  const there = captured - link - 20;
  if (there < 20 || load<u16>(typeAt) != IPV4) return false;
  const ip = frame + link;
  const first = load<u64>(ip);
  // Version and header length; offset and MF of the fragment word.
  if ((first & 0xff3f0000000000ff) != 0x45 || load<u8>(ip, 9) != TCP) return false;
  const tcp = ip + 20;
  const header: i32 = (load<u8>(tcp, 12) >> 2) & 60;
  const payload = <i32>bswap<u16>(<u16>(first >> 16)) - 20 - header;
  if (header < 20 || there < header || payload < 0) return false;
  const digested = digestedBytes(header, there, payload);
  if (digested > FEW_BYTES) return false;

  const seen = commonOptions(tcp + 20, tcp + header) || options(tcp + 20, tcp + header);
  // Source address | destination address << 32, source port << 16 | destination port.
  const names = reversed(v128.load(ip, 12));
  const addresses = <u64>i64x2.extract_lane(names, 0);
  const ports: u32 = i32x4.extract_lane(names, 2);
  const fromHigh = i32((((addresses & 0xffffffff) << 16) | (ports >> 16)) > (((addresses >> 32) << 16) | (ports & 0xffff)));
  // Which direction comes next cannot be predicted, so both are exchanged without a branch.
  const both = rotl(addresses, fromHigh << 5);
  const bothPorts = rotl(ports, fromHigh << 4);
  const record = beginRecord(both, bothPorts, hashTuple(both, bothPorts, false), 0);
  const flags = (i32((first & 0xffff00000000) == 0) * NO_IDENTIFICATION) | (fromHigh * FROM_HIGH);
  writeTcp(record, tcp, there, payload, flags, seen);
  store<u32>(record, digestPlain(ip, digested), DIGEST_WORD << 2);
  store<u32>(record, atInterface(digestShortLink(frame, link)), LINK_WORD << 2);
  finishRecord(record, time, lag, packet, (seen & (TIMESTAMPS_SEEN - 1)) | (header << 2));
  return true;
}
