import type { Clock } from '../records/time.ts';
import type { PopulationFigures } from '../stats/population.ts';
import { byPeak, type GroupFigures, type PortsSnapshot } from '../stats/ports.ts';
import type { Outcome } from './outcome.ts';

/** How many of something there were at once: when the capture ended, at most (first reached when), and weighted by time. */
export interface PopulationRecord {
  now: number;
  peak: number;
  peak_at?: string;
  mean: number;
}

/** The ports of one client address towards one server address and port (SPEC §4). */
export interface PortRecord {
  client: string;
  server: string;
  server_port: number;
  connections: number;
  /** New connections a second, from the first one to the end of the capture. */
  rate_per_s: number;
  /** Ports taken by open connections and by the client's TIME_WAIT. */
  held: PopulationRecord;
  /** Sockets that the client had in TIME_WAIT. */
  time_wait: PopulationRecord & { entered: number };
  /** Share of the range that was held at the peak. */
  pressure: number;
  /** Time during which more than 80 % of the range was held. */
  above_80_s: number;
  /** Different ports that the client used; absent where they were too many to remember. */
  used_ports?: { count: number; lowest: number; highest: number };
  /** Connections that took a port which was still in TIME_WAIT. */
  reused: number;
  /** From then on all ports that the client ever used were taken at once, and it had to take some out of TIME_WAIT: its own range is that small. */
  exhausted_at?: string;
  /** When all of the range will be held if it goes on like this. */
  forecast_at?: string;
  /** Connections that came too late for the exact peak: it may be higher by as many. */
  late?: number;
}

export interface PortsRecord {
  /** Ephemeral ports that a client is supposed to have. */
  range: number;
  /** Connections a second that the range sustains where the client always holds TIME_WAIT. */
  sustained_per_s: number;
  /** Groups that were told apart, and connections of those that were too many. */
  groups: number;
  others: number;
  /** Groups whose client ran out of ports. */
  exhausted: number;
  /** In the order of their peaks. Where there are more, the one with the highest, then those that ran out of ports, came close to that, or will, then the others. */
  worst: PortRecord[];
}

export function portsRecord(outcome: Outcome, top: number): PortsRecord {
  const snapshot = snapshotOf(outcome, top);
  const { highest, exhausted, tight, growing } = snapshot;
  const named = new Set([...highest.slice(0, 1), ...exhausted, ...tight, ...growing, ...highest]);
  return recordOf(outcome, snapshot, [...named].slice(0, top).sort(byPeak));
}

/** The same, of groups that ran out of ports, came close to that, or will: `each` of a kind, in that order. */
export function alarmingPorts(outcome: Outcome, each: number): PortsRecord {
  const snapshot = snapshotOf(outcome, 1);
  const { exhausted, tight, growing } = snapshot;
  const named = [exhausted, tight, growing].flatMap((groups) => groups.slice(0, each));
  return recordOf(outcome, snapshot, named);
}

const snapshotOf = ({ answers, firstTime, lastTime }: Outcome, top: number): PortsSnapshot =>
  answers.ports.snapshot(firstTime ?? 0, firstTime === undefined ? 0 : lastTime, top);

function recordOf(outcome: Outcome, { groups, beyond, exhausted }: PortsSnapshot, worst: readonly GroupFigures[]): PortsRecord {
  const { ports: range, profile } = outcome;
  return {
    range,
    sustained_per_s: rounded(range / (profile.twoMsl / 1e9), 3),
    groups,
    others: beyond,
    exhausted: exhausted.length,
    worst: worst.map((figures) => portRecord(figures, outcome)),
  };
}

function portRecord(figures: GroupFigures, { clock, ports: range, lastTime }: Outcome): PortRecord {
  const { client, server, port, connections, held, waiting, entered, used, reused, firstStart, exhausted, forecast, late } = figures;
  const span = (lastTime - firstStart) / 1e9;
  const record: PortRecord = {
    client,
    server,
    server_port: port,
    connections,
    rate_per_s: span > 0 ? rounded(connections / span, 3) : 0,
    held: populationRecord(held, clock),
    time_wait: { entered, ...populationRecord(waiting, clock) },
    pressure: rounded(held.peak / range, 6),
    above_80_s: clock.seconds(held.above),
    ...(used && { used_ports: used }),
    reused,
  };
  if (exhausted) record.exhausted_at = clock.text(held.peakAt!);
  if (forecast !== undefined) record.forecast_at = clock.text(forecast);
  if (late > 0) record.late = late;
  return record;
}

export function populationRecord({ now, peak, peakAt, mean }: PopulationFigures, clock: Clock): PopulationRecord {
  return { now, peak, ...(peakAt !== undefined && { peak_at: clock.text(peakAt) }), mean: rounded(mean, 6) };
}

export function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
