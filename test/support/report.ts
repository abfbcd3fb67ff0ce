import type { SummaryRecord } from '../../src/index.ts';
import { findings } from '../../src/report/findings.ts';
import type { Report } from '../../src/report/sections.ts';

/** The report of a summary whose lists are whole. */
export const reportOf = (summary: SummaryRecord, ...captures: string[]): Report => ({ summary, findings: findings(summary), captures });
