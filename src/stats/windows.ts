import { TIME, WAIT_FROM, WAIT_TO } from '../layout/note.ts';
import * as slots from '../layout/slot.ts';
import { ackedTime, CloseTimes, closeTimes, judge, Verdict } from '../tracker/close.ts';
import { sequenceText } from '../tracker/sequence.ts';
import type { ConnectionTable } from '../tracker/table.ts';
import { type Profile, type TimeWait, timeWaits } from '../tracker/time-wait.ts';
import { type Ended, RELEASED } from '../tracker/ended.ts';
import type { GroupBy } from './grouping.ts';
import { Present, type Sight } from './present.ts';
import { resetStage } from './reset-stage.ts';
import type { Shapes } from './shapes.ts';
import { type StatePair, statesNow } from './states-now.ts';
import { type GroupNews, WindowGroups } from './window-groups.ts';
import { count, emptyPart, hasNews, type WindowPart } from './window-part.ts';

/** What a window was told of a connection that may still change. */
interface Told extends GroupNews {
  class: string;
  initiator: string;
  sequence: string;
  reset: string;
  /** There was a FIN: how long the close took is counted. */
  timed: boolean;
  entered: number;
  /** In TIME_WAIT now. */
  waiting: number;
  expired: number;
  assassinated: number;
  /** Ended by a new connection of the same 4-tuple. */
  reused: number;
}

const NOTHING: Told = {
  class: '',
  initiator: '',
  sequence: '',
  reset: '',
  timed: false,
  resetBy: 0,
  holders: 0,
  waits: 0,
  groups: undefined,
  entered: 0,
  waiting: 0,
  expired: 0,
  assassinated: 0,
  reused: 0,
};

/**
 * One shard's windows of capture time. A close is counted in the window in which it became known, not when its record ends, which is
 * a TIME_WAIT later; where a later segment shows it in another light, the window of that segment takes one off and adds another. So
 * the windows always add up to the summary.
 */
export class WindowCounter {
  readonly #profile: Profile;
  /** What was told of the connection in each slot, by the slot's number. */
  readonly #told: (Told | undefined)[] = [];
  /** What is told of all connections that one counter counts (layout/shape.ts). */
  readonly #kinds = new Map<number, Told>();
  readonly #shapes: Pick<Shapes, 'counterOf' | 'meet' | 'timed'> | undefined;
  /** Written anew each time. */
  readonly #verdict = new Verdict();
  readonly #times = new CloseTimes();
  /** When each endpoint entered TIME_WAIT, and when each left it, ns. */
  readonly #waits = new Float64Array(4);
  #part = emptyPart(0);
  #waiting = 0;
  /** When the first TIME_WAIT will be over that the last look saw and that may have no timer. */
  #leaves = Infinity;
  readonly #present = new Present();
  readonly #groups: WindowGroups | undefined;

  /** `by`: what groups are told apart beside the whole; `shapes`: who knows connections again by their shape. */
  constructor(profile: Profile, by?: GroupBy, shapes?: Pick<Shapes, 'counterOf' | 'meet' | 'timed'>) {
    this.#profile = profile;
    this.#groups = by && new WindowGroups(by);
    this.#shapes = shapes;
  }

  opened(table: ConnectionTable, slot: number): void {
    this.#part.opened++;
    this.#groups?.opened(table, slot);
  }

  /** The close of a connection that is still in the table may be known by now, or look different. */
  closing(table: ConnectionTable, slot: number, time: number): void {
    const timed = this.#toldOf(slot).timed;
    this.#waits.fill(time);
    const counter = this.#shapes?.counterOf(slot, time) ?? -1;
    if (counter >= 0) {
      const kind = this.#kinds.get(counter)!;
      this.#tell(table, slot, this.#grouped(kind, table, slot));
      if (!timed && kind.timed) this.#takeTimed();
      return;
    }
    const verdict = this.#verdict;
    judge(table, slot, verdict);
    const close = { table, slot, verdict, timeWaits: timeWaits(table, slot, verdict, this.#profile, time, false) };
    const news = newsOf(close, false);
    const met = this.#shapes?.meet(close) ?? -1;
    if (met >= 0) this.#kinds.set(met, news);
    this.#tell(table, slot, this.#grouped(news, table, slot));
    if (!timed) this.#durations(close);
  }

  /** A record ends. `counter`: of connections that are like it, -1 where there is none. */
  ended(connection: Ended, counter: number): void {
    const { table, slot, timeWaits: waits, time, packet } = connection;
    // A SYN that was held has its slot next, before the last look: this one is there, too.
    if (packet === RELEASED) this.#present.stay(table, slot, (_, client) => this.#sight(table, slot, client, time));
    const { timed } = this.#toldOf(slot);
    const news = newsOf(connection, connection.ending !== 'capture_end');
    if (counter >= 0) this.#kinds.set(counter, news);
    this.#note(waits, time);
    this.#end(table, slot, news, packet);
    if (!timed) this.#durations(connection);
    for (const { restarts } of waits) this.#part.timeWait.restarted += restarts;
  }

  /** The same of a connection that was taken by its shape: none of its TIME_WAITs was restarted. They are in a row (note.ts) at `at`. */
  counted(table: ConnectionTable, slot: number, counter: number, packet: number, rows: Float64Array, at: number): void {
    const { timed } = this.#toldOf(slot);
    const kind = this.#kinds.get(counter)!;
    for (let place = 0; place < 2; place++) {
      const [from, to] = [rows[at + WAIT_FROM + place]!, rows[at + WAIT_TO + place]!];
      this.#waits[place] = Number.isNaN(from) ? rows[at + TIME]! : from;
      this.#waits[2 + place] = Number.isNaN(to) ? rows[at + TIME]! : to;
    }
    this.#end(table, slot, kind, packet);
    if (!timed && kind.timed) this.#takeTimed();
  }

  /** A record ends; #waits tells when its TIME_WAITs were. */
  #end(table: ConnectionTable, slot: number, kind: Told, packet: number): void {
    const news = this.#grouped(kind, table, slot);
    this.#part.ended++;
    this.#part.timeWait.reused += news.reused;
    this.#tell(table, slot, news);
    if (news.groups) this.#groups?.ended(news.groups);
    this.#told[slot / slots.SLOT_WORDS] = undefined;
    // What the capture's end ends was there at the end of its last window.
    if (packet === Infinity) return;
    this.#present.leave(table, slot);
    this.#groups?.leave(slot);
  }

  #toldOf(slot: number): Told {
    return this.#told[slot / slots.SLOT_WORDS] ?? NOTHING;
  }

  #grouped(news: Told, table: ConnectionTable, slot: number): Told {
    return this.#groups ? { ...news, groups: this.#groups.namesOf(table, slot) } : news;
  }

  /** Counts what is new, and takes back what no longer holds; #waits tells when TIME_WAITs were, of which one begins or is over. */
  #tell(table: ConnectionTable, slot: number, news: Told): void {
    const part = this.#part;
    const old = this.#toldOf(slot);
    if (old === news) return;
    this.#wait(old, news);
    exchange(part.classes, old.class, news.class);
    exchange(part.initiators, old.initiator, news.initiator);
    exchange(part.sequences, old.sequence, news.sequence);
    exchange(part.resets, old.reset, news.reset);
    part.timeWait.entered += news.entered - old.entered;
    part.timeWait.expired += news.expired - old.expired;
    part.timeWait.assassinated += news.assassinated - old.assassinated;
    this.#waiting += news.waiting - old.waiting;
    this.#groups?.tell(table, slot, old, news);
    const place = slot / slots.SLOT_WORDS;
    while (this.#told.length <= place) this.#told.push(undefined); // with gaps it would be a dictionary
    this.#told[place] = news;
  }

  /** A TIME_WAIT that no close tells of, because the segment that would is not in the capture: it has begun, or is over. */
  #sightWaits(table: ConnectionTable, slot: number, waits: readonly TimeWait[], time: number): void {
    const old = this.#toldOf(slot);
    if (waits.length === 0 && (old.holders | old.waits) === 0) return;
    const news = { ...old, ...waitNews(waits, false), groups: this.#groups?.namesOf(table, slot) };
    if (news.holders === old.holders && news.waits === old.waits) return;
    this.#note(waits, time);
    this.#tell(table, slot, news);
  }

  /** Writes when TIME_WAITs were; `time`: of what turned out to be none. */
  #note(waits: readonly TimeWait[], time: number): void {
    this.#waits.fill(time);
    for (const { holder, start, end } of waits) {
      this.#waits[holder] = start;
      this.#waits[2 + holder] = end;
    }
  }

  /** Who waits anew by what is told now, or no longer, did so from when TIME_WAIT began, or up to when it ended: that may be before now. */
  #wait(old: Told, news: Told): void {
    const anew = news.holders & ~old.holders;
    for (let holder = 0; holder < 2; holder++) {
      const bit = 1 << holder;
      if ((old.waits & bit) === 0 && ((anew | news.waits) & bit) !== 0) this.#part.entering.push(this.#waits[holder]!);
      if ((news.waits & bit) === 0 && ((anew | old.waits) & bit) !== 0) this.#part.leaving.push(this.#waits[2 + holder]!);
    }
  }

  #durations(connection: Pick<Ended, 'table' | 'slot' | 'verdict'>): void {
    const { duration, finAck, halfClosed, lastAck } = closeTimes(connection.table, connection.slot, connection.verdict, this.#times);
    const { fin } = connection.verdict;
    this.#count(fin[0] || fin[1] ? duration : -1, finAck, halfClosed, lastAck);
  }

  /** Durations of the close of a connection that was known by its shape. */
  #takeTimed(): void {
    const { timed } = this.#shapes!;
    this.#count(timed[3]!, timed[0]!, timed[1]!, timed[2]!);
  }

  #count(duration: number, finAck: number, halfClosed: number, lastAck: number): void {
    const [whole, first, half, last] = this.#part.durations;
    if (duration >= 0) whole.push(duration);
    if (finAck >= 0) first.push(finAck);
    if (halfClosed >= 0) half.push(halfClosed);
    if (lastAck >= 0) last.push(lastAck);
  }

  /**
   * What holds in the table at `time`, the last instant of a window, is looked up. The capture may end there, which ends all records first.
   * Answers until when all of it stays so, if no segment comes and no timer runs out: a TIME_WAIT that has none may be over.
   */
  look(table: ConnectionTable, time: number): number {
    const part = this.#part;
    this.#leaves = Infinity;
    this.#present.look(table, (slot, client) => this.#sight(table, slot, client, time));
    part.states = this.#present.states();
    part.held = this.#present.takeHeld();
    return this.#leaves;
  }

  /** An endpoint in CLOSE_WAIT, since it acknowledged the FIN of `closer`. */
  #closeWait(table: ConnectionTable, slot: number, closer: number): void {
    this.#part.closeWait++;
    this.#part.oldest = Math.min(this.#part.oldest, ackedTime(table, slot, this.#verdict, closer));
  }

  /**
   * What a window has, and as many behind it as it `repeats` itself in, in which nothing happens; the next one begins. `end`: where the capture
   * ended in it, if it did.
   */
  take(number: number, repeats: number, end: number | undefined): WindowPart[] {
    const part = { ...this.#part, number, repeats, end };
    if (this.#groups) part.groups = this.#groups.take();
    this.#part = emptyPart(this.#waiting);
    if (repeats === 0 || !hasNews(part)) return [part];
    const { states, closeWait, oldest } = part;
    return [
      { ...part, repeats: 0 },
      { ...emptyPart(this.#waiting), states, closeWait, oldest, number: number + 1, repeats: repeats - 1 },
    ];
  }

  /** Looks at one connection. */
  #sight(table: ConnectionTable, slot: number, client: 0 | 1, time: number): Sight {
    const facts = table.words[slot + slots.FACTS]!;
    const closed = (facts & (slots.CLOSED | slots.RESET)) === slots.CLOSED;
    if (closed || (facts & slots.PLAIN) !== 0) this.#groups?.leave(slot);
    if ((facts & slots.PLAIN) !== 0) return OPEN;
    if (closed) {
      const { waits } = this.#toldOf(slot); // of one that became known late it may have been over by then
      return CLOSED[((waits >> client) & 1) + 2 * ((waits >> (client ^ 1)) & 1)]!;
    }
    const verdict = this.#verdict;
    judge(table, slot, verdict);
    const waits = timeWaits(table, slot, verdict, this.#profile, time, false);
    for (const { endedBy, expiry } of waits) if (endedBy === 'capture_end') this.#leaves = Math.min(this.#leaves, expiry);
    this.#sightWaits(table, slot, waits, time);
    const pair = statesNow(table, slot, verdict, waits);
    const stays = pair.split(' ').map((state) => state === 'CLOSE_WAIT');
    if (stays[0]) this.#closeWait(table, slot, client ^ 1);
    if (stays[1]) this.#closeWait(table, slot, client);
    this.#groups?.look(table, slot, stays);
    // What waits may be over by the next look, who is in CLOSE_WAIT is counted in each of them, and the capture's end settles what is doubtful.
    return { pair, steady: waits.length === 0 && !stays.includes(true) && !table.peekRare(slot)?.doubtful };
  }
}

const steady = (pair: StatePair): Sight => ({ pair, steady: true });
const OPEN = steady('ESTABLISHED ESTABLISHED');
/** Of a connection that is closed: by who holds TIME_WAIT, neither, the client, the server, both. */
const CLOSED = (['CLOSED CLOSED', 'TIME_WAIT CLOSED', 'CLOSED TIME_WAIT', 'TIME_WAIT TIME_WAIT'] as const).map(steady);

/** Of two names that count a connection, one takes the place of the other; empty: there is none. */
function exchange(counts: Map<string, number>, old: string, name: string): void {
  if (old === name) return;
  if (old !== '') count(counts, old, -1);
  if (name !== '') count(counts, name);
}

/** What is told of a close. `over`: its record has ended before the capture did. */
function newsOf({ table, slot, verdict, timeWaits: waits }: Pick<Ended, 'table' | 'slot' | 'verdict' | 'timeWaits'>, over: boolean): Told {
  const client = (table.words[slot + slots.FACTS]! & slots.CLIENT_IS_HIGH) === 0 ? 0 : 1;
  const { initiator } = verdict;
  return {
    class: verdict.class,
    timed: verdict.fin[0] || verdict.fin[1],
    initiator: initiator === undefined ? '' : initiator === 'both' ? 'both' : initiator === client ? 'client' : 'server',
    sequence: sequenceText(table, slot, client),
    reset: resetStage(verdict) ?? '',
    resetBy: verdict.resetBy,
    groups: undefined,
    ...waitNews(waits, over),
  };
}

/** What is told of TIME_WAITs. `over`: of none of them any more that it holds. */
function waitNews(
  waits: readonly TimeWait[],
  over: boolean,
): Pick<Told, 'holders' | 'waits' | 'entered' | 'waiting' | 'expired' | 'assassinated' | 'reused'> {
  const waiting = over ? [] : waits.filter(({ endedBy }) => endedBy === 'capture_end');
  return {
    holders: endpointBits(waits),
    waits: endpointBits(waiting),
    entered: waits.length,
    waiting: waiting.length,
    expired: waits.filter(({ endedBy }) => endedBy === 'expiry').length,
    assassinated: waits.filter(({ endedBy }) => endedBy === 'rst').length,
    reused: waits.filter(({ endedBy }) => endedBy === 'reuse').length,
  };
}

/** A bit for each endpoint that holds one. */
const endpointBits = (waits: readonly TimeWait[]): number => waits.reduce((bits, { holder }) => bits | (1 << holder), 0);
