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

interface Told {
  readonly group: string;
  readonly counts: GroupCounts;
  readonly weight: number;
}

/** Sockets of a group at the end of a window, in TIME_WAIT and in CLOSE_WAIT. */
interface Standing {
  waiting: number;
  closeWait: number;
}

/** The groups of one window after the other. */
export class GroupWindows {
  readonly #intervals: Intervals;
  readonly #clock: Clock;
  /** Of groups that have any; and of all together. */
  readonly #standing = new Map<string, Standing>();
  readonly #all = { waiting: 0, closeWait: 0 };

  constructor(intervals: Intervals, clock: Clock) {
    this.#intervals = intervals;
    this.#clock = clock;
  }

  /** The lines of the next window: those with the most connections, and one for all others. */
  records(whole: WindowPart): GroupWindowRecord[] {
    const news = Array.from(whole.groups, ([group, counts]) => ({ group, counts: { ...counts, ...this.#stand(group, counts) } }))
      .filter(({ counts }) => tells(counts))
      .map(({ group, counts }) => ({ group, counts, weight: weight(counts) }));
    const told = [...news, ...this.#quiet(whole.groups)].sort(heavier);
    const named = told.slice(0, GROUPS);
    const all = this.#standing.size + news.filter(({ group }) => !this.#standing.has(group)).length;
    const records = named.map(({ group, counts }) => this.#record(whole, group, counts));
    if (all === named.length) return records;
    const others: GroupCounts = { ...standingOnly(this.#all), classes: new Map(), resets: new Map() };
    for (const { counts } of told) {
      others.waiting -= counts.waiting;
      others.closeWait -= counts.closeWait;
    }
    const sum = new Map([[OTHERS, others]]);
    for (const { counts } of told.slice(GROUPS)) addGroup(sum, OTHERS, counts);
    return [...records, this.#record(whole, OTHERS, others, all - named.length)];
  }

  /** Of those to which nothing happened the ones that have the most: as many as may be named. All others are not even sorted. */
  #quiet(but: ReadonlyMap<string, GroupCounts>): Told[] {
    const most: Told[] = [];
    let least: Told | undefined;
    for (const [group, standing] of this.#standing) {
      const has = standing.waiting + standing.closeWait;
      if (least && (has < least.weight || (has === least.weight && group > least.group))) continue;
      if (but.has(group)) continue;
      most.push({ group, counts: standingOnly(standing), weight: has });
      if (most.length < 2 * GROUPS) continue;
      most.sort(heavier).splice(GROUPS);
      least = most.at(-1);
    }
    return most.sort(heavier).slice(0, GROUPS);
  }

  /** A group has so many more; answers how many it has. */
  #stand(group: string, more: Standing): Standing {
    const standing = this.#standing.get(group) ?? { waiting: 0, closeWait: 0 };
    for (const counts of [standing, this.#all]) {
      counts.waiting += more.waiting;
      counts.closeWait += more.closeWait;
    }
    if (standing.waiting === 0 && standing.closeWait === 0) this.#standing.delete(group);
    else this.#standing.set(group, standing);
    return { ...standing };
  }

  #record(whole: WindowPart, group: string, counts: GroupCounts, together?: number): GroupWindowRecord {
    const { start, end } = spanOf(whole, this.#intervals);
    return {
      type: 'window',
      start: this.#clock.text(start),
      end: this.#clock.text(end),
      duration_s: this.#clock.seconds(end - start),
      group,
      ...(together !== undefined && { groups: together }),
      opened: counts.opened,
      ended: counts.ended,
      close: { class: ranked(counts.classes) },
      resets: ranked(counts.resets),
      time_wait: { entered: counts.entered, now: counts.waiting },
      close_wait: { now: counts.closeWait },
    };
  }
}

const NONE: Map<string, number> = new Map();

const standingOnly = ({ waiting, closeWait }: Standing): GroupCounts => ({
  opened: 0,
  ended: 0,
  classes: NONE,
  resets: NONE,
  entered: 0,
  waiting,
  closeWait,
});

const heavier = (a: Told, b: Told): number => b.weight - a.weight || (a.group < b.group ? -1 : 1);

const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** Connections that begin, close, end, or wait. */
const weight = ({ opened, ended, classes, waiting, closeWait }: GroupCounts): number =>
  opened + ended + total(classes) + waiting + closeWait;

/** Whether anything is left of it: what was told and taken back in the same window is nothing. */
const tells = ({ opened, ended, entered, waiting, closeWait, classes, resets }: GroupCounts): boolean =>
  [opened, ended, entered, waiting, closeWait, ...classes.values(), ...resets.values()].some((n) => n !== 0);
