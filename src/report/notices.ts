import { namedDrops } from '../decode/drops.ts';
import { IP_TRUNCATED, LINK_TRUNCATED, LINK_TYPE, TCP_TRUNCATED } from '../layout/drops.ts';
import type { Outcome } from '../merge/outcome.ts';
import { count, plural } from './words.ts';

/** Ethernet, IPv4 and TCP headers without options. */
const SNAPSHOT = 54;

/**
 * What a user has to be told of the input on standard error, because the answer may not be what was hoped for.
 * @param connection the only one that was looked for, as the user named it
 */
export function notices(outcome: Outcome, connection?: string): string[] {
  const {
    packets,
    drops,
    linkTypes,
    passedOver,
    interrupted,
    statistics: { connections },
  } = outcome;
  const found = passedOver.map((message) => `left out: ${message}`);
  if (packets === 0) return [...found, interrupted ? 'ended before anything was read' : 'the capture holds no packets'];
  if (drops[LINK_TYPE]! > 0)
    found.push(
      `${plural(drops[LINK_TYPE]!, 'packet')} ${drops[LINK_TYPE] === 1 ? 'has' : 'have'} a link type that is not supported, or that no header tells (headers have ${linkTypes.join(', ') || 'none'})`,
    );
  const cut = drops[LINK_TRUNCATED]! + drops[IP_TRUNCATED]! + drops[TCP_TRUNCATED]!;
  if (cut > 0)
    found.push(
      `${plural(cut, 'packet')} ${cut === 1 ? 'ends before the TCP flags that it' : 'end before the TCP flags that they'} should have, so that ${cut === 1 ? 'its connection' : 'their connections'} may miss segments: of plain Ethernet and IPv4 a snapshot needs ${SNAPSHOT} bytes`,
    );
  if (connections === 0) {
    const reasons = Object.entries(namedDrops(drops))
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name} ${count(n)}`);
    const what = connection === undefined ? 'a usable TCP segment' : `a segment of ${connection}`;
    const is = connection === undefined ? 'is' : 'was found to be';
    const none = packets === 1 ? 'the only packet is not' : `none of the ${count(packets)} packets ${is}`;
    found.push(`${none} ${what} (${reasons.join(', ')})`);
  }
  return found;
}
