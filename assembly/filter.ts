// The filter's program (src/layout/filter.ts), run for one segment.

import {
  BOTH,
  DESTINATION,
  EITHER,
  FAMILY_V4,
  FAMILY_V6,
  INSTRUCTION_WORDS,
  NET_V4,
  NET_V6,
  PASS,
  PORTS,
  SOURCE,
  VLAN,
} from '../src/layout/filter.ts';
import { FILTER_LENGTH } from '../src/layout/framing.ts';
import { FILTER } from './memory.ts';
import { word } from './state.ts';
import { hasTag } from './tags.ts';

/** Whether there is a filter. */
export let filtering: bool = false;

export function useFilter(): void {
  filtering = word(FILTER_LENGTH) > 0;
}

/**
 * Whether a segment passes.
 * @param source address of the source address
 * @param destination address of the destination address
 * @param ports source << 16 | destination
 */
export function passes(source: usize, destination: usize, ipv6: bool, ports: u32): bool {
  let at = 0;
  while (at >= 0) {
    const instruction = FILTER + ((<usize>(at * INSTRUCTION_WORDS)) << 2);
    at = answerTo(instruction, source, destination, ipv6, ports) ? load<i32>(instruction, 28) : load<i32>(instruction, 32);
  }
  return at == PASS;
}

function answerTo(instruction: usize, source: usize, destination: usize, ipv6: bool, ports: u32): bool {
  const direction = load<i32>(instruction, 4);
  switch (load<i32>(instruction)) {
    case NET_V4:
      return !ipv6 && directed(direction, inNet4(instruction, source), inNet4(instruction, destination));
    case NET_V6:
      return ipv6 && directed(direction, inNet6(instruction, source), inNet6(instruction, destination));
    case PORTS:
      return directed(direction, inRange(instruction, ports >> 16), inRange(instruction, ports & 0xffff));
    case FAMILY_V4:
      return !ipv6;
    case FAMILY_V6:
      return ipv6;
    case VLAN:
      return hasTag(load<i32>(instruction, 8));
    default:
      return true;
  }
}

function directed(direction: i32, source: bool, destination: bool): bool {
  if (direction == EITHER) return source || destination;
  if (direction == BOTH) return source && destination;
  return direction == SOURCE ? source : direction == DESTINATION && destination;
}

function inNet4(instruction: usize, address: usize): bool {
  const bits = load<i32>(instruction, 24);
  return bits == 0 || (bswap<u32>(load<u32>(address)) ^ load<u32>(instruction, 8)) >> (32 - bits) == 0;
}

function inNet6(instruction: usize, address: usize): bool {
  let bits = load<i32>(instruction, 24);
  for (let at: usize = 0; bits > 0; at += 4) {
    const difference = bswap<u32>(load<u32>(address + at) ^ load<u32>(instruction + 8 + at));
    if (bits >= 32 ? difference != 0 : difference >> (32 - bits) != 0) return false;
    bits -= 32;
  }
  return true;
}

function inRange(instruction: usize, port: u32): bool {
  return port >= load<u32>(instruction, 8) && port <= load<u32>(instruction, 12);
}
