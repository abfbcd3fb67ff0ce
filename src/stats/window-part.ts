import type { Intervals } from './intervals.ts';
import { addGroup, type GroupCounts } from './window-groups.ts';

/** What one shard has seen of one window of capture time: parts of all shards add up. Times are ns on the capture clock. */
export interface WindowPart {
  number: number;
  /** The first window that it stands for, where that is an earlier one: in all of them nothing happened. */
  since?: number;
  /** So many windows behind it are the same: nothing happened in any of them. */
  repeats: number;
  /** Where the capture ended within it: nothing comes behind it. Undefined: it ended where windows do. */
  end: number | undefined;
  opened: number;
  /** Records that ended. */
  ended: number;
  /** Connections whose close became known, by class, initiator and sequence. */
  readonly classes: Map<string, number>;
  readonly initiators: Map<string, number>;
  readonly sequences: Map<string, number>;
  readonly resets: Map<string, number>;
  readonly timeWait: { entered: number; restarted: number; expired: number; reused: number; assassinated: number };
  /** In TIME_WAIT when the window began; and when one came into it, or left it, in no order. */
  waiting: number;
  readonly entering: number[];
  readonly leaving: number[];
  /** At the end of the window: sockets by state of client and server, and what is in CLOSE_WAIT, and the oldest since when. */
  states: Map<string, number>;
  closeWait: number;
  oldest: number;
  /** How many more ports are held at its end than were at its beginning, by group (GROUP_WIDTH numbers: address of client and server, server port and family); of each shard where that changed. */
  held: readonly { readonly keys: Float64Array; readonly counts: Float64Array }[];
  /** By group, where they were asked for. */
  groups: Map<string, GroupCounts>;
  /** Durations of the closes: whole, first FIN to its ACK, half closed, second FIN to its ACK. */
  readonly durations: [number[], number[], number[], number[]];
}

export function emptyPart(waiting: number): WindowPart {
  return {
    number: 0,
    repeats: 0,
    end: undefined,
    opened: 0,
    ended: 0,
    classes: new Map(),
    initiators: new Map(),
    sequences: new Map(),
    resets: new Map(),
    timeWait: { entered: 0, restarted: 0, expired: 0, reused: 0, assassinated: 0 },
    waiting,
    entering: [],
    leaving: [],
    states: new Map(),
    closeWait: 0,
    oldest: Infinity,
    held: [],
    groups: new Map(),
    durations: [[], [], [], []],
  };
}

export const count = (counts: Map<string, number>, name: string, by = 1): void => void counts.set(name, (counts.get(name) ?? 0) + by);

/** Where a window begins and ends, ns. */
export const spanOf = ({ number, since = number, end }: WindowPart, intervals: Intervals): { start: number; end: number } => ({
  start: intervals.start(since),
  end: end ?? intervals.end(number),
});

/** The window that comes `behind` windows after one that is repeated. */
export const repeated = (part: WindowPart, behind: number): WindowPart => ({
  ...part,
  number: part.number + behind,
  repeats: part.repeats - behind,
});

/** Whether anything happened in a window. */
export function hasNews(part: WindowPart): boolean {
  const { opened, ended, classes, initiators, sequences, resets, timeWait, entering, leaving, held, groups } = part;
  const closes = classes.size + initiators.size + sequences.size + resets.size;
  return opened + ended + closes + entering.length + leaving.length + timeWait.restarted + held.length + groups.size > 0;
}

/** Whether nothing at all is in a part. */
export const isEmpty = (part: WindowPart): boolean => !hasNews(part) && part.waiting + part.states.size === 0;

/** Whether nothing happened in a window, and all is as it was in the one right before it. */
export function isAlike(before: WindowPart, part: WindowPart): boolean {
  const { number, end, waiting, closeWait, oldest, states } = part;
  return (
    number === before.number + 1 &&
    end === undefined &&
    !hasNews(part) &&
    waiting === before.waiting &&
    closeWait === before.closeWait &&
    oldest === before.oldest &&
    areEqual(states, before.states)
  );
}

function areEqual(counts: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): boolean {
  if (counts === others) return true; // of a window that is repeated
  return counts.size === others.size && [...counts].every(([name, n]) => others.get(name) === n);
}

/** Several parts of the same window as one, which is not repeated. */
export function mergeParts(parts: readonly WindowPart[]): WindowPart {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const whole = { ...emptyPart(0), number: first!.number, end: first!.end };
  for (const part of parts) {
    whole.opened += part.opened;
    whole.ended += part.ended;
    for (const counts of ['classes', 'initiators', 'sequences', 'resets', 'states'] as const)
      for (const [name, n] of part[counts]) count(whole[counts], name, n);
    for (const name of ['entered', 'restarted', 'expired', 'reused', 'assassinated'] as const) whole.timeWait[name] += part.timeWait[name];
    whole.waiting += part.waiting;
    for (const time of part.entering) whole.entering.push(time);
    for (const time of part.leaving) whole.leaving.push(time);
    whole.closeWait += part.closeWait;
    for (const [name, group] of part.groups) addGroup(whole.groups, name, group);
    whole.oldest = Math.min(whole.oldest, part.oldest);
    part.durations.forEach((list, i) => {
      for (const duration of list) whole.durations[i]!.push(duration);
    });
  }
  whole.held = parts.flatMap(({ held }) => held);
  return whole;
}

/** Numbers that name a group of ports. */
export const GROUP_WIDTH = 9;
