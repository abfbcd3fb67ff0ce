import { CLIENT_IS_HIGH, FACTS, SLOT_WORDS } from '../layout/slot.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import { type GroupBy, type GroupNames, groupNames } from './grouping.ts';

const FIRST_SLOTS = 1 << 10;

/** What a window has seen of one group. Of a connection between two groups each counts it; what is an endpoint's is its group's alone. */
export interface GroupCounts {
  /** Connections that began; records that ended. */
  opened: number;
  ended: number;
  /** Connections whose close became known, by class; RSTs that the group's endpoints sent, by stage. */
  readonly classes: Map<string, number>;
  readonly resets: Map<string, number>;
  /** TIME_WAITs of its endpoints: entered; how many more there are at the end of the window than at its beginning, and so of CLOSE_WAIT. */
  entered: number;
  waiting: number;
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
  /** Groups whose endpoints are in CLOSE_WAIT, by slot. */
  readonly #closeWaits = new Map<number, readonly string[]>();
  /** Where groups are told apart by it: who was taken for the client when the connection in a slot was counted as opened, plus 1, by the slot's number. */
  #clients: Uint8Array | undefined;

  constructor(by: GroupBy) {
    this.#by = by;
    if (by.kind === 'service' || by.kind === 'pair') this.#clients = new Uint8Array(FIRST_SLOTS);
  }

  namesOf(table: ConnectionTable, slot: number): GroupNames {
    return groupNames(table, slot, this.#by, clientOf(table, slot));
  }

  opened(table: ConnectionTable, slot: number): void {
    for (const group of this.#both(this.namesOf(table, slot))) group.opened++;
    if (!this.#clients) return;
    const place = slot / SLOT_WORDS;
    if (place >= this.#clients.length) {
      const clients = new Uint8Array(2 ** Math.ceil(Math.log2(place + 1)));
      clients.set(this.#clients);
      this.#clients = clients;
    }
    this.#clients[place] = clientOf(table, slot) + 1;
  }

  ended(names: GroupNames): void {
    for (const group of this.#both(names)) group.ended++;
  }

  /** What was told of a connection before, and what is known now: perhaps that its client is its server. */
  tell(table: ConnectionTable, slot: number, old: GroupNews, news: GroupNews): void {
    if (old.groups) this.#count(old, old.groups, -1);
    if (!news.groups) return;
    this.#count(news, news.groups, 1);
    const client = clientOf(table, slot);
    const place = slot / SLOT_WORDS;
    if (!this.#clients || this.#clients[place] === client + 1) return;
    for (const group of this.#both(groupNames(table, slot, this.#by, client === 0 ? 1 : 0))) group.opened--;
    for (const group of this.#both(news.groups)) group.opened++;
    this.#clients[place] = client + 1;
  }

  /** The window ends, and a connection is there: whether its client and its server are in CLOSE_WAIT. */
  look(table: ConnectionTable, slot: number, [client, server]: readonly boolean[]): void {
    if (!client && !server) return this.leave(slot);
    const [low, high] = this.namesOf(table, slot);
    const [own, peer] = clientOf(table, slot) === 0 ? [low, high] : [high, low];
    const names = [...(client ? [own] : []), ...(server ? [peer] : [])];
    const known = this.#closeWaits.get(slot);
    if (known?.join() === names.join()) return;
    this.leave(slot);
    for (const name of names) groupOf(this.#counts, name).closeWait++;
    this.#closeWaits.set(slot, names);
  }

  /** None of a connection's endpoints is in CLOSE_WAIT any more. */
  leave(slot: number): void {
    const names = this.#closeWaits.get(slot);
    if (!names) return;
    for (const name of names) groupOf(this.#counts, name).closeWait--;
    this.#closeWaits.delete(slot);
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

const clientOf = ({ words }: ConnectionTable, slot: number): 0 | 1 => ((words[slot + FACTS]! & CLIENT_IS_HIGH) === 0 ? 0 : 1);

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
