import { addressOf, type ConnectionRecord, connectionRecord } from '../records/connection.ts';
import { Analysis, type AnalysisOptions } from '../shard/analysis.ts';
import { Statistics } from '../stats/statistics.ts';
import { type SummaryRecord, summaryRecord } from './summary.ts';

export interface RunOptions extends AnalysisOptions {
  /** Make a record of each connection; without it, only the statistics are kept. */
  readonly connections: boolean;
  /** Give each endpoint its list of states. */
  readonly transitions: boolean;
}

/** Batches after which the event loop gets a turn, for signals and for output. */
const TURN = 8;

/** A run over captures: connection records in batches as they end, statistics, and a summary when it is over. */
export class Run {
  readonly analysis: Analysis;
  readonly statistics = new Statistics();
  /** Set to end the run before its input does; what has been read is reported. */
  interrupted = false;
  #records: ConnectionRecord[] = [];

  /** @throws CaptureError where no capture can be read at all */
  constructor(captures: readonly string[], options: RunOptions) {
    this.analysis = new Analysis(captures, options, (connection) => {
      this.statistics.add(connection, (endpoint) => addressOf(connection, endpoint));
      if (options.connections) this.#records.push(connectionRecord(connection, this.analysis.clock, options.transitions));
    });
  }

  /** Runs it; yields the records of the connections that ended meanwhile, often none. */
  async *batches(): AsyncGenerator<ConnectionRecord[], void, undefined> {
    let batches = 0;
    for (const _ of this.analysis.run()) {
      if (this.interrupted) break;
      if (this.#records.length > 0) yield this.#taken();
      if (++batches % TURN === 0) {
        await new Promise(setImmediate);
        yield [];
      }
    }
    this.analysis.finish();
    yield this.#taken();
  }

  summary(): SummaryRecord {
    return summaryRecord(this.analysis, this.statistics, this.interrupted);
  }

  #taken(): ConnectionRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}
