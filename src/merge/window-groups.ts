import type { Clock } from '../records/time.ts';
import type { Intervals } from '../stats/intervals.ts';
import { addGroup, type GroupCounts } from '../stats/window-groups.ts';
import { spanOf, type WindowPart } from '../stats/window-part.ts';
import { ranked } from './window.ts';

/**
 * One group in one interval of capture time, after the line of the whole interval. A connection between two groups (of hosts or networks)
 * is in both; a TIME_WAIT, a CLOSE_WAIT, an RST in that of its endpoint. Groups with nothing to tell have no line.
 */
export interface GroupWindowRecord {
  type: 'window';
  start: string;
  end: string;
  duration_s: number;
  /** Its name; OTHERS: all that had fewer than those which are named. */
  group: string;
  /** Of OTHERS: how many they are. */
  groups?: number;
  opened: number;
  ended: number;
  close: { class: Record<string, number> };
  resets: Record<string, number>;
  time_wait: { entered: number; now: number };
  close_wait: { now: number };
}

/** Groups of an interval that are named: those with the most connections. */
const GROUPS = 100;
const OTHERS = 'others';

export function groupRecords(whole: WindowPart, intervals: Intervals, clock: Clock): GroupWindowRecord[] {
  const { groups } = whole;
  const { start, end } = spanOf(whole, intervals);
  const told = [...groups].filter(([, counts]) => tells(counts));
  told.sort(([a, one], [b, other]) => weight(other) - weight(one) || (a < b ? -1 : 1));
  const record = ([group, counts]: [string, GroupCounts], together?: number): GroupWindowRecord => ({
    type: 'window',
    start: clock.text(start),
    end: clock.text(end),
    duration_s: clock.seconds(end - start),
    group,
    ...(together !== undefined && { groups: together }),
    opened: counts.opened,
    ended: counts.ended,
    close: { class: ranked(counts.classes) },
    resets: ranked(counts.resets),
    time_wait: { entered: counts.entered, now: counts.waiting },
    close_wait: { now: counts.closeWait },
  });
  const named = told.slice(0, GROUPS).map((group) => record(group));
  const others = told.slice(GROUPS);
  if (others.length === 0) return named;
  const sum = new Map<string, GroupCounts>();
  for (const [, counts] of others) addGroup(sum, OTHERS, counts);
  return [...named, ...Array.from(sum, (group) => record(group, others.length))];
}

const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** Connections that begin, close, end, or wait. */
const weight = ({ opened, ended, classes, waiting, closeWait }: GroupCounts): number =>
  opened + ended + total(classes) + waiting + closeWait;

/** Whether anything is left of it: what was told and taken back in the same window is nothing. */
const tells = ({ opened, ended, entered, waiting, closeWait, classes, resets }: GroupCounts): boolean =>
  [opened, ended, entered, waiting, closeWait, ...classes.values(), ...resets.values()].some((n) => n !== 0);
