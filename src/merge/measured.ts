import type { Outcome } from './outcome.ts';

/** What packets prove of the length of a host's TIME_WAIT (SPEC §4), whatever the profile says of it. */
export interface MeasuredHost {
  host: string;
  /** It was still there after so long: the longest of all. Absent where nothing proves any. */
  lower_s?: number;
  /** It had left after so long: the shortest of all. */
  upper_s?: number;
  /** Observations, and how many of them are of the upper bound. */
  observations: number;
  left: number;
  profile_s: number;
  /** Whether the profile's length lies between the bounds, within TOLERANCE. */
  agrees: boolean;
}

export interface MeasuredRecord {
  /** Hosts of which something is proved; observations of those that were too many. */
  hosts: number;
  others: number;
  /** Those first that disagree with the profile, then those with the most observations. */
  worst: MeasuredHost[];
}

/** Share by which a timer may be longer or shorter than its profile says: Linux has up to two seconds in sixty. */
const TOLERANCE = 0.05;

export function measuredRecord({ statistics, profile, clock }: Outcome, top: number): MeasuredRecord {
  const { hosts, others } = statistics.measured.figures;
  const all = hosts.map(([host, { lower, upper, lowers, uppers }]) => {
    const agrees = lower <= profile.twoMsl * (1 + TOLERANCE) && upper >= profile.twoMsl * (1 - TOLERANCE);
    const found: MeasuredHost = { host, observations: lowers + uppers, left: uppers, profile_s: profile.twoMsl / 1e9, agrees };
    if (lowers > 0) found.lower_s = clock.seconds(lower);
    if (uppers > 0) found.upper_s = clock.seconds(upper);
    return found;
  });
  all.sort((a, b) => Number(a.agrees) - Number(b.agrees) || b.observations - a.observations || (a.host < b.host ? -1 : 1));
  return { hosts: all.length, others, worst: all.slice(0, top) };
}
