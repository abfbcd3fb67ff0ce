import { wordsText } from '../records/address.ts';
import { GroupLog, ROWS } from './group-log.ts';
import { IndexTable } from './index-table.ts';
import { ADDRESS, ADDRESS_WORDS, FACTS, IPV6, WAIT_FROM, WAIT_TO } from '../layout/note.ts';
import { Population, type PopulationFigures } from './population.ts';
import { highestPeaks } from './ranking.ts';

/** Hosts that are told apart; what comes later is counted together. */
const HOSTS = 1 << 16;

export interface HostFigures extends PopulationFigures {
  host: string;
  entered: number;
}

/** Who holds TIME_WAIT: each host's sockets in it over capture time, and those of all together. */
export class WaitingHosts {
  readonly all = new Population();
  readonly #table = new IndexTable(ADDRESS_WORDS + 1, HOSTS);
  /** Populations of those hosts that somebody asked for, or whose intervals were too many to be kept one by one. */
  readonly #hosts: (Population | undefined)[] = [];
  /** TIME_WAITs of each host. */
  readonly #entered: number[] = [];
  readonly #log: GroupLog;
  readonly #key = new Float64Array(ADDRESS_WORDS + 1);
  /** TIME_WAITs of hosts beyond the limit. */
  others = 0;

  /** `rows`: intervals that are kept one by one, for the hosts that somebody asks for. */
  constructor(rows = ROWS) {
    this.#log = new GroupLog(2, rows);
  }

  add(rows: Float64Array, at: number): void {
    for (let holder = 0; holder < 2; holder++) {
      const from = rows[at + WAIT_FROM + holder]!;
      if (Number.isNaN(from)) continue;
      const to = rows[at + WAIT_TO + holder]!;
      this.all.add(from, to);
      for (let word = 0; word < ADDRESS_WORDS; word++) this.#key[word] = rows[at + ADDRESS + holder * ADDRESS_WORDS + word]!;
      this.#key[ADDRESS_WORDS] = rows[at + FACTS]! & IPV6;
      const number = this.#table.number(this.#key);
      if (number < 0) this.others++;
      else this.#add(number, from, to);
    }
  }

  #add(number: number, from: number, to: number): void {
    if (number === this.#entered.length) this.#entered.push(0);
    this.#entered[number]!++;
    const at = this.#log.add(number);
    const { rows } = this.#log;
    rows[at] = from;
    rows[at + 1] = to;
    if (this.#log.isFull) this.#log.drain((host, place) => this.#enter(this.#host(host), place));
  }

  #host(number: number): Population {
    return (this.#hosts[number] ??= new Population());
  }

  #enter(host: Population, at: number): void {
    const { rows } = this.#log;
    host.add(rows[at]!, rows[at + 1]!);
  }

  /** A host with all of its intervals. */
  #whole(number: number): Population {
    const host = this.#host(number);
    for (const at of this.#log.take(number)) this.#enter(host, at);
    return host;
  }

  /** The `top` hosts by their peaks over [from, to], and how many there are. */
  snapshot(from: number, to: number, top: number): { worst: HostFigures[]; hosts: number } {
    const entered = this.#entered;
    this.#log.index(entered.length);
    const worst = highestPeaks(entered, top, (number) => this.#whole(number).snapshot(from, to)).map(({ number, figures }) => {
      const key = this.#table.key(number);
      return Object.assign({ host: wordsText(key, 0, key[ADDRESS_WORDS] !== 0), entered: entered[number]! }, figures);
    });
    return { worst, hosts: entered.length };
  }
}
