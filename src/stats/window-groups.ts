import { CLIENT_IS_HIGH, FACTS } from '../layout/slot.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import { type GroupBy, type GroupNames, groupNames } from './grouping.ts';
import type { StateName } from './states-now.ts';

/** What a window has seen of one group. Of a connection between two groups each counts it; what is an endpoint's is its group's alone. */
export interface GroupCounts {
  /** Connections that began; records that ended. */
  opened: number;
  ended: number;
  /** Connections whose close became known, by class; RSTs that the group's endpoints sent, by stage. */
  readonly classes: Map<string, number>;
  readonly resets: Map<string, number>;
  /** TIME_WAITs of its endpoints: entered; how many more there are at the end of the window than at its beginning. */
  entered: number;
  waiting: number;
  /** In CLOSE_WAIT at the end of the window. */
  closeWait: number;
}

/** What of a connection's close is told by group. */
export interface GroupNews {
  readonly class: string;
  readonly reset: string;
  readonly resetBy: 0 | 1;
  /** Bits of the endpoints that entered TIME_WAIT. */
  readonly holders: number;
  /** ... and of those that are in it now. */
  readonly waits: number;
  /** Undefined: nothing was told yet, or nobody asked. */
  readonly groups: GroupNames | undefined;
}

/** One shard's groups in the present window. */
export class WindowGroups {
  readonly #by: GroupBy;
  #counts = new Map<string, GroupCounts>();

  constructor(by: GroupBy) {
    this.#by = by;
  }

  namesOf(table: ConnectionTable, slot: number): GroupNames {
    return groupNames(table, slot, this.#by);
  }

  opened(table: ConnectionTable, slot: number): void {
    for (const group of this.#both(this.namesOf(table, slot))) group.opened++;
  }

  ended(names: GroupNames): void {
    for (const group of this.#both(names)) group.ended++;
  }

  /** What was told of a connection before, and what is known now. */
  tell(old: GroupNews, news: GroupNews): void {
    if (old.groups) this.#count(old, old.groups, -1);
    if (news.groups) this.#count(news, news.groups, 1);
  }

  /** The window ends, and a connection is there: the states of its client and server. */
  look(table: ConnectionTable, slot: number, client: StateName, server: StateName): void {
    if (client !== 'CLOSE_WAIT' && server !== 'CLOSE_WAIT') return;
    const [low, high] = this.namesOf(table, slot);
    const [own, peer] = (table.words[slot + FACTS]! & CLIENT_IS_HIGH) === 0 ? [low, high] : [high, low];
    if (client === 'CLOSE_WAIT') groupOf(this.#counts, own).closeWait++;
    if (server === 'CLOSE_WAIT') groupOf(this.#counts, peer).closeWait++;
  }

  /** The groups to which something happened in the window that is over, by name; the next one begins. */
  take(): Map<string, GroupCounts> {
    const counts = this.#counts;
    this.#counts = new Map();
    return counts;
  }

  #count({ class: name, reset, resetBy, holders, waits }: GroupNews, names: GroupNames, by: 1 | -1): void {
    for (const group of this.#both(names)) if (name !== '') add(group.classes, name, by);
    if (reset !== '') add(groupOf(this.#counts, names[resetBy]).resets, reset, by);
    for (const endpoint of [0, 1] as const) {
      if ((holders & (1 << endpoint)) !== 0) groupOf(this.#counts, names[endpoint]).entered += by;
      if ((waits & (1 << endpoint)) !== 0) groupOf(this.#counts, names[endpoint]).waiting += by;
    }
  }

  #both([low, high]: GroupNames): GroupCounts[] {
    return low === high ? [groupOf(this.#counts, low)] : [groupOf(this.#counts, low), groupOf(this.#counts, high)];
  }
}

/** The counts of a group, which are made where there are none. */
function groupOf(counts: Map<string, GroupCounts>, name: string): GroupCounts {
  let group = counts.get(name);
  if (!group) {
    group = { opened: 0, ended: 0, classes: new Map(), resets: new Map(), entered: 0, waiting: 0, closeWait: 0 };
    counts.set(name, group);
  }
  return group;
}

const add = (counts: Map<string, number>, name: string, by: number): void => void counts.set(name, (counts.get(name) ?? 0) + by);

/** Adds the groups of another shard, or of one group to another. */
export function addGroup(counts: Map<string, GroupCounts>, name: string, other: GroupCounts): void {
  const group = groupOf(counts, name);
  for (const count of ['opened', 'ended', 'entered', 'waiting', 'closeWait'] as const) group[count] += other[count];
  for (const [key, n] of other.classes) add(group.classes, key, n);
  for (const [key, n] of other.resets) add(group.resets, key, n);
}
