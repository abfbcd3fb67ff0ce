// One frame, whatever file format it came from: its layers in order.

import { FILTERED, FRAGMENT } from '../src/layout/drops.ts';
import { FRAGMENT_TAIL, NO_WINDOW_SCALE } from '../src/layout/segment.ts';
import * as cursor from './cursor.ts';
import { filtering, passes } from './filter.ts';
import { IPV6 } from './layer.ts';
import { IPV6_FOLLOWS, openLink, plainLink } from './link.ts';
import { destination, fragment, ipv4Destination, networkHeader, plainPayload, protocol, source, transportBytes } from './network.ts';
import { TCP } from './protocol.ts';
import {
  digestedBytes,
  distributeToAll,
  endpointFlags,
  finishRecord,
  writeDigest,
  writeEndpoints,
  writeIdentification,
  writePlace,
  writeTail,
  writeTcp,
} from './segment.ts';
import { forgetTags, noting } from './tags.ts';
import { commonOptions, options, tcpHeader, TIMESTAMPS_SEEN } from './tcp.ts';
import { innermost } from './tunnel.ts';

/** frame()'s answer where it wrote a segment. */
export const IS_SEGMENT = -1;

/**
 * Writes the frame's segment to the batch.
 * @param captured bytes that may be read from `frame` on
 * @param original bytes the packet had (unsigned)
 * @param time ns since the origin, never less than that of the frame before
 * @param lag how far the frame's own timestamp lies before `time`, in units of 16 µs, at most 65535
 * @param packet its index in the batch
 * @returns IS_SEGMENT or the drop reason
 */
export function frame(linkType: i32, frame: usize, captured: i32, original: u32, time: f64, lag: i32, packet: i32): i32 {
  if (noting) forgetTags();
  let link = plainLink(linkType, frame, captured);
  let path: u64 = 0;
  let ipv6 = link > 0 && (link & IPV6_FOLLOWS) != 0;
  if (ipv6) link ^= IPV6_FOLLOWS;
  let named = link;
  if (link < 0) {
    const layer = openLink(linkType, frame, captured, <i32>min<u32>(original, i32.MAX_VALUE));
    if (layer < 0) return ~layer;
    ipv6 = layer == IPV6;
    link = <i32>(cursor.at - frame);
    named = cursor.unsteadyAt == 0 ? link : <i32>(cursor.unsteadyAt - frame);
    path = cursor.path;
  }
  let ip = frame + link;
  let there = captured - link;
  let network = 20;
  let length = ipv6 || there < 20 ? -1 : plainPayload(ip);
  const plain = length >= 0;
  if (!plain) {
    const room = <i32>min<u32>(original, i32.MAX_VALUE) - link;
    network = networkHeader(ipv6, ip, there, room);
    if (network >= 0 && protocol != TCP) {
      network = innermost(ipv6, ip, there, room, network, path);
      ip = cursor.at;
      ipv6 = network >= 0 && load<u8>(ip) >> 4 == 6;
      there = cursor.left;
      path = cursor.path;
    }
    if (network < 0) return ~network;
    length = transportBytes;
  }
  const special = plain ? 0 : fragment;
  const tcp = ip + network;
  there -= network;
  let header = 0;
  let ports: u32 = 0;
  if (special != FRAGMENT_TAIL) {
    header = tcpHeader(tcp, there, length);
    if (header < 0) return ~header;
    ports = bswap<u32>(load<u32>(tcp));
    if (filtering && !passes(ipv6 ? source : ip + 12, ipv6 ? destination : ipv4Destination(ip), ipv6, ports)) return FILTERED;
  }
  const record = writeEndpoints(ip, ipv6, ports);
  const flags = special | endpointFlags;
  if (special == FRAGMENT_TAIL) {
    writeTail(record, flags);
    writeIdentification(record);
    finishRecord(record, time, lag, packet, NO_WINDOW_SCALE);
    distributeToAll(record);
    return FRAGMENT;
  }
  const end = tcp + min(header, there);
  const seen = commonOptions(tcp + 20, end) || options(tcp + 20, end);
  writeTcp(record, tcp, there, length - header, flags, seen);
  writeDigest(record, ip, ipv6, tcp, digestedBytes(header, there, length - header));
  writePlace(record, frame, named, path);
  if (special != 0) writeIdentification(record);
  finishRecord(record, time, lag, packet, (seen & (TIMESTAMPS_SEEN - 1)) | (header << 2));
  if (special != 0) distributeToAll(record);
  return IS_SEGMENT;
}
