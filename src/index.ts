import { Run } from './merge/run.ts';
import type { RunOptions } from './merge/run-options.ts';
import { type SummaryRecord, summaryRecord } from './merge/summary.ts';
import type { WindowRecord } from './merge/window.ts';
import type { GroupWindowRecord } from './merge/window-groups.ts';
import type { ConnectionRecord } from './records/connection.ts';

export { CaptureError } from './capture/errors.ts';
export { FilterError } from './filter/parse.ts';
export type { WindowRecord } from './merge/window.ts';
export type { GroupWindowRecord } from './merge/window-groups.ts';
export type { SummaryRecord } from './merge/summary.ts';
export type { ConnectionRecord } from './records/connection.ts';

export interface AnalyzeOptions extends RunOptions {
  /** Give each endpoint its list of states. */
  readonly transitions?: boolean;
}

/**
 * Analyses captures: yields a record for each connection when it ends, in capture order, one for each window where an `interval` is
 * given (and for each group of it, with `per`), and a summary last. Several captures are read as one, in the order of their first packets.
 * @throws RangeError for an option out of range, FilterError for a filter that is none
 * @throws CaptureError where no capture can be read at all; one that is damaged further on ends there, and the summary says so
 */
export async function* analyze(
  captures: string | readonly string[],
  options: AnalyzeOptions = {},
): AsyncGenerator<ConnectionRecord | WindowRecord | GroupWindowRecord | SummaryRecord, void, undefined> {
  const paths = typeof captures === 'string' ? [captures] : captures;
  const run = await Run.open(paths, 'records', options.transitions ?? false, options);
  for await (const records of run.batches())
    for (const record of records) yield record as ConnectionRecord | WindowRecord | GroupWindowRecord;
  yield summaryRecord(run.outcome());
}
