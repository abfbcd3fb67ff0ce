import { wordsText } from '../records/address.ts';
import { HOST_FROM, HOST_TO, HOST_WORDS } from '../layout/ledger.ts';
import { GroupLog } from './group-log.ts';
import type { Account } from './ledger.ts';
import { Population, type PopulationFigures } from './population.ts';
import { highestPeaks } from './ranking.ts';

export interface HostFigures extends PopulationFigures {
  host: string;
  entered: number;
}

/** Who holds TIME_WAIT: each host's sockets in it over capture time, and those of all together. */
export class WaitingHosts {
  readonly #account: Account;
  readonly #log: GroupLog;
  readonly #all = new Population();
  /** Rows of the log that `all` has. */
  #taken = 0;
  /** Populations of those hosts that somebody asked for, or whose intervals were too many to be kept one by one. */
  readonly #hosts: (Population | undefined)[] = [];

  constructor(account: Account) {
    this.#account = account;
    this.#log = new GroupLog(account);
  }

  /** The sockets of all hosts together over [from, to], once all rows have come; and how many there were. */
  together(from: number, to: number): PopulationFigures & { entered: number } {
    const { rows, columns, logged } = this.#account;
    if (this.#all.grow(rows.subarray(this.#taken * columns, logged * columns), columns, HOST_FROM, HOST_TO, to)) this.#taken = logged;
    else this.#takeAll();
    return { ...this.#all.snapshot(from, to), entered: this.#all.entered };
  }

  /** Takes all rows, so that the log has room again. */
  drain(): void {
    this.#takeAll();
    this.#taken = 0;
    this.#log.drain((host, at) => {
      if (host >= 0) this.#enter(this.#host(host), at);
    });
  }

  /** Lets the population of all have what was logged since the last call. */
  #takeAll(): void {
    const { columns, logged } = this.#account;
    for (; this.#taken < logged; this.#taken++) this.#enter(this.#all, this.#taken * columns);
  }

  #host(number: number): Population {
    return (this.#hosts[number] ??= new Population());
  }

  #enter(host: Population, at: number): void {
    const { rows } = this.#account;
    host.add(rows[at + HOST_FROM]!, rows[at + HOST_TO]!);
  }

  /** A host with all of its intervals. */
  #whole(number: number): Population {
    const host = this.#host(number);
    for (const at of this.#log.take(number)) this.#enter(host, at);
    return host;
  }

  /**
   * The `top` hosts by their peaks over [from, to], once all rows have come; how many hosts there are, and how many TIME_WAITs of those that
   * lie beyond the limit.
   */
  snapshot(from: number, to: number, top: number): { worst: HostFigures[]; hosts: number; beyond: number } {
    this.#takeAll();
    this.#taken = 0; // the log is emptied now
    this.#log.index();
    const entered = this.#account.members;
    const worst = highestPeaks(entered, top, (number) => this.#whole(number).snapshot(from, to)).map(({ number, figures }) => {
      const key = this.#account.key(number);
      return Object.assign({ host: wordsText(key, 0, key[HOST_WORDS - 1] !== 0), entered: entered[number]! }, figures);
    });
    return { worst, hosts: entered.length, beyond: this.#account.beyond };
  }
}
