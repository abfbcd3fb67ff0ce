import { type SummaryRecord, summaryRecord } from './merge/summary.ts';
import { addressOf, type ConnectionRecord, connectionRecord } from './records/connection.ts';
import { Analysis, type AnalysisOptions } from './shard/analysis.ts';
import { Statistics } from './stats/statistics.ts';

export { CaptureError } from './capture/errors.ts';
export type { SummaryRecord } from './merge/summary.ts';
export type { ConnectionRecord } from './records/connection.ts';
export type { AnalysisOptions } from './shard/analysis.ts';

export interface AnalyzeOptions extends AnalysisOptions {
  /** Give each endpoint its list of states. */
  readonly transitions?: boolean;
}

/** Batches after which the event loop gets a turn. */
const TURN = 16;

/**
 * Analyses captures: yields a record for each connection when it ends, in capture order, and a summary last. Several captures
 * are read as one, in the order given.
 * @throws CaptureError where a capture cannot be read at all; one that is damaged further on ends there, and the summary says so
 */
export async function* analyze(
  captures: string | readonly string[],
  options: AnalyzeOptions = {},
): AsyncGenerator<ConnectionRecord | SummaryRecord, void, undefined> {
  const statistics = new Statistics();
  let records: ConnectionRecord[] = [];
  const analysis: Analysis = new Analysis(typeof captures === 'string' ? [captures] : captures, options, (connection) => {
    statistics.add(connection, (endpoint) => addressOf(connection, endpoint));
    records.push(connectionRecord(connection, analysis.clock, options.transitions ?? false));
  });
  let batches = 0;
  for (const _ of analysis.run()) {
    yield* records;
    records = [];
    if (++batches % TURN === 0) await new Promise(setImmediate);
  }
  analysis.finish();
  yield* records;
  yield summaryRecord(analysis, statistics, false);
}
