import { namedDrops } from '../decode/drops.ts';
import { IP_TRUNCATED, LINK_TRUNCATED, LINK_TYPE, TCP_TRUNCATED } from '../layout/drops.ts';
import type { Outcome } from '../merge/outcome.ts';

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
      `${drops[LINK_TYPE]} packets have a link type that is not supported, or that no header tells (headers have ${linkTypes.join(', ') || 'none'})`,
    );
  const cut = drops[LINK_TRUNCATED]! + drops[IP_TRUNCATED]! + drops[TCP_TRUNCATED]!;
  if (cut > 0)
    found.push(
      `${cut} packets end before the TCP flags that they should have, so that their connections may miss segments: of plain Ethernet and IPv4 a snapshot needs ${SNAPSHOT} bytes`,
    );
  if (connections === 0) {
    const reasons = Object.entries(namedDrops(drops))
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`);
    const none = connection === undefined ? 'is a usable TCP segment' : `was found to be a segment of ${connection}`;
    found.push(`none of the ${packets} packets ${none} (${reasons.join(', ')})`);
  }
  return found;
}
