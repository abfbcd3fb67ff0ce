import type { WhatIf } from '../stats/what-if.ts';
import type { Outcome } from './outcome.ts';
import { type PopulationRecord, populationRecord, rounded } from './ports.ts';

/** What another setting would have changed, the connections being the same (SPEC §4). */
export interface WhatIfRecord {
  /** As the user wrote it. */
  change: string;
  time_wait: PopulationRecord;
  ports: {
    range: number;
    sustained_per_s: number;
    worst: { client: string; server: string; server_port: number; held: PopulationRecord; pressure: number; above_80_s: number }[];
  };
}

/** Groups of ports named for each change. */
const TOP = 3;

export function whatIfRecord(
  { change, holdings: { waiting, ports }, range, twoMsl }: WhatIf,
  { clock, firstTime, lastTime }: Outcome,
): WhatIfRecord {
  const span = [firstTime ?? 0, firstTime === undefined ? 0 : lastTime] as const;
  return {
    change: change.name,
    time_wait: populationRecord(waiting.together(...span), clock),
    ports: {
      range,
      // A port that is taken again after a second is held for one.
      sustained_per_s: rounded(range / Math.min(twoMsl / 1e9, change.reuse ? 1 : Infinity), 3),
      worst: ports.snapshot(...span, TOP).highest.map(({ client, server, port, held }) => ({
        client,
        server,
        server_port: port,
        held: populationRecord(held, clock),
        pressure: rounded(held.peak / range, 6),
        above_80_s: clock.seconds(held.above),
      })),
    },
  };
}
