import { ipv4Text, ipv6Text } from '../records/address.ts';
import type { Bound } from '../tracker/stay.ts';

/** Hosts that are told apart. */
const HOSTS = 1 << 16;

/** What packets prove of the length of one host's TIME_WAIT, ns: it lasts at least `lower` and at most `upper`. */
export interface HostBounds {
  /** 0: nothing is proved. */
  lower: number;
  /** Infinity: nothing is proved. */
  upper: number;
  /** Observations of either kind. */
  lowers: number;
  uppers: number;
}

/**
 * The measured TIME_WAIT of each host (SPEC §4). Parts merge in any order, with the same result: of too many hosts those are kept whose
 * addresses come first as texts, which no part can have left out, and the observations of all others are counted together.
 */
export class MeasuredWaits {
  #hosts = new Map<string, HostBounds>();
  readonly #limit: number;
  total = 0;

  constructor(limit = HOSTS) {
    this.#limit = limit;
  }

  add(host: Uint8Array, { kind, age }: Bound): void {
    const bounds =
      kind === 'lower' ? { lower: age, upper: Infinity, lowers: 1, uppers: 0 } : { lower: 0, upper: age, lowers: 0, uppers: 1 };
    this.#merge(textOf(host), bounds);
    this.total++;
  }

  /** What another run of them can merge. */
  part(): MeasuredPart {
    this.#cut();
    return { hosts: this.#hosts, total: this.total };
  }

  merge({ hosts, total }: MeasuredPart): void {
    for (const [host, bounds] of hosts) this.#merge(host, bounds);
    this.total += total;
  }

  /** Each host with its bounds, by address; and the observations of hosts beyond the limit. */
  get figures(): { hosts: [string, HostBounds][]; others: number } {
    this.#cut();
    const hosts = [...this.#hosts].sort(byName);
    return { hosts, others: this.total - hosts.reduce((sum, [, { lowers, uppers }]) => sum + lowers + uppers, 0) };
  }

  #merge(host: string, { lower, upper, lowers, uppers }: HostBounds): void {
    const known = this.#hosts.get(host);
    if (!known) {
      this.#hosts.set(host, { lower, upper, lowers, uppers });
      if (this.#hosts.size >= this.#limit * 2) this.#cut();
      return;
    }
    known.lower = Math.max(known.lower, lower);
    known.upper = Math.min(known.upper, upper);
    known.lowers += lowers;
    known.uppers += uppers;
  }

  #cut(): void {
    if (this.#hosts.size > this.#limit) this.#hosts = new Map([...this.#hosts].sort(byName).slice(0, this.#limit));
  }
}

/** Measured waits as plain data, which may be sent to another thread. */
export interface MeasuredPart {
  readonly hosts: ReadonlyMap<string, HostBounds>;
  readonly total: number;
}

const byName = ([a]: [string, HostBounds], [b]: [string, HostBounds]): number => (a < b ? -1 : 1);

const textOf = (host: Uint8Array): string =>
  host.length === 4 ? ipv4Text((host[0]! << 24) | (host[1]! << 16) | (host[2]! << 8) | host[3]!) : ipv6Text(host);
