import { wordsText } from '../records/address.ts';
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
  readonly #hosts: Population[] = [];
  readonly #key = new Float64Array(ADDRESS_WORDS + 1);
  /** TIME_WAITs of hosts beyond the limit. */
  others = 0;

  add(rows: Float64Array, at: number): void {
    for (const holder of [0, 1]) {
      const from = rows[at + WAIT_FROM + holder]!;
      if (Number.isNaN(from)) continue;
      const to = rows[at + WAIT_TO + holder]!;
      this.all.add(from, to);
      for (let word = 0; word < ADDRESS_WORDS; word++) this.#key[word] = rows[at + ADDRESS + holder * ADDRESS_WORDS + word]!;
      this.#key[ADDRESS_WORDS] = rows[at + FACTS]! & IPV6;
      const number = this.#table.number(this.#key);
      if (number < 0) this.others++;
      else (this.#hosts[number] ??= new Population()).add(from, to);
    }
  }

  /** The `top` hosts by their peaks over [from, to], and how many there are. */
  snapshot(from: number, to: number, top: number): { worst: HostFigures[]; hosts: number } {
    const entered = this.#hosts.map((population) => population.entered);
    const worst = highestPeaks(entered, top, (number) => this.#hosts[number]!.snapshot(from, to)).map(({ number, figures }) => {
      const key = this.#table.key(number);
      return Object.assign({ host: wordsText(key, 0, key[ADDRESS_WORDS] !== 0), entered: entered[number]! }, figures);
    });
    return { worst, hosts: this.#hosts.length };
  }
}
