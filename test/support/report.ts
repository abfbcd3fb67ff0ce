import type { SummaryRecord } from '../../src/index.ts';
import { findings } from '../../src/report/findings.ts';
import type { Report } from '../../src/report/sections.ts';

/** The report of a summary whose lists are whole. */
export const reportOf = (summary: SummaryRecord, ...captures: string[]): Report => ({ summary, findings: findings(summary), captures });

/** The same summary, with three connections that a server leaves in CLOSE_WAIT. */
export function leaking(summary: SummaryRecord): SummaryRecord {
  const owner = { host: '10.0.0.9', role: 'server', server_port: 80, suspects: 3, leaks: 0, oldest_s: 90 } as const;
  return { ...summary, close_wait: { suspects: 3, leaks: 0, owners: [{ ...owner, connections: ['10.0.0.2:4000-10.0.0.9:80'] }] } };
}
