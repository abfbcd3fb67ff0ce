import { ACK, FIN, RST, SYN } from '../layout/tcp.ts';
import type { ConnectionRecord, EndpointRecord, Role, TimeWaitRecord } from '../records/connection.ts';
import { socketText } from '../records/address.ts';
import type { Clock } from '../records/time.ts';
import { beginOf, type Entry, type Passage } from './passage.ts';
import { MEANINGS } from './sections.ts';
import { duration, plural } from './words.ts';

/** Of the column of times, at least. */
const TIME_WIDTH = 12;
const STATE_WIDTH = 12;
/** Of the column between the endpoints, at least; and what an arrow has beside its label. */
const ARROW_WIDTH = 46;
const ARROW = 5;
const ROLES = ['client', 'server'] as const;

/** An endpoint enters a state. */
interface Turn {
  readonly role: Role;
  readonly state: string;
  readonly seconds: number;
}

/** A line of the ladder: what passes between the endpoints, and the states that they enter by it. */
interface Rung {
  readonly seconds: number;
  /** Who sent it, where it is one segment. */
  readonly sender?: Role;
  /** Its flags, unless it is a copy, which proves nothing. */
  readonly flags?: number;
  readonly label: string;
  readonly states: Partial<Record<Role, string>>;
}

/** One connection for people: what became of it, and then every segment, between the states of both endpoints. */
export function ladderText(record: ConnectionRecord, entries: readonly Entry[], clock: Clock): string {
  const client = socketText(record.client.ip, record.client.port);
  const all = rungs(record, entries, clock);
  const width = all.reduce(
    (most, { sender, label }) => (sender ? Math.max(most, label.length + ARROW) : most),
    Math.max(ARROW_WIDTH, client.length),
  );
  const times = all.map(({ seconds }) => seconds.toFixed(clock.digits));
  const timeWidth = times.reduce((most, { length }) => Math.max(most, length), TIME_WIDTH);
  const titles = ['seconds'.padStart(timeWidth), 'client'.padEnd(STATE_WIDTH), client.padEnd(width), `server ${serverOf(record)}`];
  const lines = all.map((rung, i) => line(times[i]!.padStart(timeWidth), rung, width));
  return `${heading(record)}\n${titles.join('  ')}\n${lines.join('')}`;
}

const serverOf = ({ server }: ConnectionRecord): string => socketText(server.ip, server.port);

function heading(record: ConnectionRecord): string {
  const { client, close, open, start, end_reason: end, confidence, time_wait: waits, reuse, duration_s: length } = record;
  const by = close.initiator === undefined ? '' : close.initiator === 'both' ? ', begun by both' : `, begun by the ${close.initiator}`;
  const took = close.duration_s === undefined ? '' : `, in ${duration(close.duration_s)}`;
  const lines = [
    `${socketText(client.ip, client.port)}-${serverOf(record)}`,
    ...networkOf(record),
    `  opened     ${start}: ${open}, ${duration(length)} from its first segment to its last`,
    `  closed     ${close.class}: ${MEANINGS[close.class] ?? ''}${by}${took}; ${confidence}`,
    ...(close.sequence === '' ? [] : [`  sequence   ${close.sequence}`]),
    ...(close.modifiers.length === 0 ? [] : [`  modifiers  ${close.modifiers.join(' ')}`]),
    ...waits.map(waiting),
    ...(reuse ?? []).map(
      ({ holder, verdict, age_s: age }) => `  reuse      a SYN met the TIME_WAIT of the ${holder}, ${duration(age)} old: ${verdict}`,
    ),
    `  ended      ${end}`,
    `  sent       ${ROLES.map((role) => sent(role, record[role])).join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Where equal addresses are told apart, in which VLAN and virtual network these are. */
function networkOf({ vlan, vni }: ConnectionRecord): string[] {
  const names = [...(vlan ? [`VLAN ${vlan.join('.')}`] : []), ...(vni === undefined ? [] : [`VNI ${vni}`])];
  return names.length === 0 ? [] : [`  network    ${names.join(', ')}`];
}

function waiting({ holder, start, end, expiry, ended_by: reason, restarts }: TimeWaitRecord): string {
  const until = reason === 'capture_end' ? `${expiry}, beyond the capture` : `${end}: ${reason}`;
  const again = restarts > 0 ? `, restarted ${plural(restarts, 'time')}` : '';
  return `  TIME_WAIT  ${holder}, ${start} to ${until}${again}`;
}

const sent = (role: Role, { segments, bytes }: EndpointRecord): string =>
  `${role} ${plural(segments, 'segment')} with ${plural(bytes, 'byte')} of payload`;

/** All rungs in their order: each state stands beside the segment that proves it, or, where that is not told by itself, alone. */
function rungs(record: ConnectionRecord, entries: readonly Entry[], clock: Clock): Rung[] {
  const [first] = entries;
  const begin = first ? beginOf(first).time : 0;
  const secondsOf = (entry: Entry): number => clock.seconds(beginOf(entry).time - begin);
  const turns = turnsOf(record);
  const numbers = new Numbers(entries);
  const list: Rung[] = [];
  let from = 0;
  while (from < entries.length) {
    const seconds = secondsOf(entries[from]!);
    let to = from + 1;
    while (to < entries.length && secondsOf(entries[to]!) === seconds) to++;
    const group = entries.slice(from, to).map((entry) => rungOf(entry, seconds, record, numbers));
    const after: Rung[] = [];
    for (; turns[0] && turns[0].seconds <= seconds; turns.shift()) {
      const [turn] = turns;
      if (turn.seconds < seconds) list.push(alone(turn));
      else if (!settle(turn, group)) after.push(alone(turn));
    }
    for (const rung of [...group, ...after]) list.push(rung);
    from = to;
  }
  return [...list, ...turns.map(alone)];
}

/** Both endpoints' states, in the order in which they were entered. */
function turnsOf(record: ConnectionRecord): Turn[] {
  const turns = ROLES.flatMap((role) => (record[role].states ?? []).map(([state, seconds]) => ({ role, state, seconds })));
  return turns.sort((a, b) => a.seconds - b.seconds);
}

const alone = ({ role, state, seconds }: Turn): Rung => ({ seconds, label: '', states: { [role]: state } });

/** Puts a state beside the segment, of those at the same time, that proves it, or else beside the next one; answers whether there was one. */
function settle({ role, state }: Turn, group: readonly Rung[]): boolean {
  const before = group.findLastIndex(({ states }) => states[role] !== undefined); // an endpoint's states are in order
  const free = group.slice(before + 1).filter(({ flags }) => flags !== undefined);
  const proof = free.find(({ sender, flags }) => proves(state, sender === role, flags!)) ?? free[0];
  if (!proof) return false;
  proof.states[role] = state;
  return true;
}

/** Whether a segment is such a one as proves a state of an endpoint. `own`: it is the endpoint's own. */
function proves(state: string, own: boolean, flags: number): boolean {
  if (state === 'SYN_SENT' || state === 'SYN_RECV') return own && (flags & SYN) !== 0;
  if (state === 'FIN_WAIT1' || state === 'LAST_ACK') return own && (flags & FIN) !== 0;
  if (state === 'CLOSED') return (flags & RST) !== 0 || (!own && (flags & ACK) !== 0);
  if (state === 'FIN_WAIT2') return !own && (flags & ACK) !== 0;
  return (own || state === 'ESTABLISHED') && (flags & (ACK | SYN)) === ACK;
}

/** Sequence numbers as people count them: from a sender's SYN on, or where there is none, from the first one that it was seen with. */
class Numbers {
  readonly #begins = new Map<string, number>();

  constructor(entries: readonly Entry[]) {
    const segments = entries.map(beginOf);
    const begin = (sender: string, number: number): void => void (this.#begins.has(sender) || this.#begins.set(sender, number));
    for (const { from, flags, seq } of segments) if ((flags & SYN) !== 0) begin(from, seq);
    for (const { from, to, flags, seq, ack } of segments) {
      if ((flags & RST) === 0) begin(from, seq - 1); // an RST's numbers may be anything
      if ((flags & (ACK | RST)) === ACK) begin(to, ack - 1);
    }
  }

  of(sender: string, number: number): number {
    const distance = (number - (this.#begins.get(sender) ?? 0)) >>> 0;
    return distance < 2 ** 31 ? distance : distance - 2 ** 32;
  }
}

function rungOf(entry: Entry, seconds: number, record: ConnectionRecord, numbers: Numbers): Rung {
  const client = socketText(record.client.ip, record.client.port);
  if (!('segment' in entry)) return { seconds, label: passage(entry, client), states: {} };
  const { segment, again } = entry;
  const { from, to, flags, seq, ack, payload, window, copy } = segment;
  const names = [
    [SYN, 'SYN'],
    [FIN, 'FIN'],
    [RST, 'RST'],
    [ACK, 'ACK'],
  ] as const;
  const label = [
    names
      .filter(([bit]) => (flags & bit) !== 0)
      .map(([, name]) => name)
      .join('+') || 'no flags',
    ...((flags & (SYN | FIN)) !== 0 || payload > 0 || (flags & ACK) === 0 ? [`seq ${numbers.of(from, seq)}`] : []),
    ...((flags & ACK) !== 0 ? [`ack ${numbers.of(to, ack)}`] : []),
    ...(payload > 0 ? [plural(payload, 'byte')] : []),
    ...(window === 0 && (flags & RST) === 0 ? ['window 0'] : []),
    ...(again ? ['again'] : []),
    ...(copy ? ['copy'] : []),
  ].join(' ');
  return { seconds, sender: from === client ? 'client' : 'server', ...(!copy && { flags }), label, states: {} };
}

function passage({ first, last, sent: sums }: Passage, client: string): string {
  const parts = [...sums].map(
    ([from, { segments, bytes }]) =>
      `${from === client ? '>' : '<'} ${plural(segments, 'segment')}${bytes > 0 ? `, ${plural(bytes, 'byte')}` : ''}`,
  );
  return `... ${duration((last.time - first.time) / 1e9)}: ${parts.join('; ') || 'copies'}`;
}

function line(time: string, { sender, label, states }: Rung, width: number): string {
  const shaft = '-'.repeat(Math.max(0, width - label.length - ARROW));
  const middle = sender === undefined ? label : sender === 'client' ? `-- ${label} ${shaft}>` : `<${shaft} ${label} --`;
  const columns = [time, (states.client ?? '').padEnd(STATE_WIDTH), middle.padEnd(width), states.server ?? ''];
  return `${columns.join('  ').trimEnd()}\n`;
}
