import { CONNECTIONS_CAPACITY } from '../layout/tracking.ts';
import { type LeakRecord, leaksRecord } from '../merge/leaks.ts';
import { measuredRecord } from '../merge/measured.ts';
import type { Outcome } from '../merge/outcome.ts';
import { alarmingPorts, type PortRecord } from '../merge/ports.ts';
import { resetsRecord } from '../merge/resets.ts';
import { reuseRecord } from '../merge/reuse.ts';
import { type StuckOwner, stuckRecord } from '../merge/stuck.ts';
import type { SummaryRecord } from '../merge/summary.ts';
import type { Owner } from '../stats/owners.ts';
import { TIGHT } from '../stats/ports.ts';
import { STUCK_KINDS } from '../stats/stuck.ts';
import { socketText } from '../records/address.ts';
import type { ResetStage } from '../stats/reset-stage.ts';
import { brief, count, duration, ownerText, plural, share } from './words.ts';

/** One thing that a person should know: a sentence with its numbers, and what helps. */
export interface Finding {
  text: string;
  advice?: string;
  /** The packet filter that shows whose connections it is about; absent where it is about all. --filter takes it, and so does tcpdump. */
  filter?: string;
}

/** The part of a summary in which findings are found. */
export type Seen = Pick<SummaryRecord, 'connections' | 'end_reason' | 'ports' | 'close_wait' | 'stuck' | 'resets' | 'reuse'> & {
  readonly time_wait: Pick<SummaryRecord['time_wait'], 'profile' | '2msl_s' | 'measured'>;
};

/** Findings of one kind. */
const EACH = 3;
/** Share of connections that were reset from which on it stands out. */
const MANY = 0.05;
/** Share of the RSTs at a stage from which on it is worth saying who sent them. */
const NAMED = 0.1;
/** Endpoints in FIN_WAIT2 that are a pile, and FINs without an answer that are no accident. */
const PILE = 10;
const SEVERAL = 3;

const GONE =
  'What helps: look for a peer, a firewall or an address translator that is gone, or forgets connections before they are closed.';

const LISTEN =
  'What helps: see whether the program runs that should listen there, or who asks for what nobody offers (a scan asks for many ports).';

/** What was seen of an outcome, in lists that lack nobody who may stand out, however few a summary names. */
export function seenOf(outcome: Outcome): Seen {
  const { statistics, profile } = outcome;
  return {
    connections: statistics.connections,
    end_reason: Object.fromEntries(statistics.endReasons.sorted()),
    time_wait: { profile: profile.name, '2msl_s': profile.twoMsl / 1e9, measured: measuredRecord(outcome, EACH) },
    ports: alarmingPorts(outcome, EACH),
    close_wait: leaksRecord(outcome, EACH),
    stuck: stuckRecord(outcome, EACH * STUCK_KINDS.length),
    resets: resetsRecord(outcome, Infinity), // they are in the order of all that they sent, and what stands out is some of it
    reuse: reuseRecord(outcome),
  };
}

/** What stands out, most important first. */
export function findings(summary: Seen): Finding[] {
  const { worst } = summary.ports;
  return [
    ...evicted(summary),
    ...ranOut(summary),
    ...worst
      .filter(({ pressure, exhausted_at }) => pressure >= TIGHT && !exhausted_at)
      .slice(0, EACH)
      .map((group) => (group.held.peak > summary.ports.range ? wider : tight)(group, summary)),
    ...worst
      .filter(({ forecast_at, pressure }) => forecast_at !== undefined && pressure < TIGHT)
      .slice(0, EACH)
      .map((group) => forecast(group, summary)),
    ...summary.close_wait.owners.slice(0, EACH).map(leak),
    ...stuck(summary),
    ...timers(summary),
    ...challenged(summary),
    ...measured(summary),
    ...aborts(summary, 'established', 'in the middle, without any FIN'),
    ...aborts(summary, 'handshake', 'before they were open', LISTEN),
  ];
}

/** Connections that were not followed to their end: what the rest says of states and populations lacks them. */
function evicted({ end_reason: { evicted: times = 0 }, connections }: Seen): Finding[] {
  if (times === 0) return [];
  return [
    {
      text:
        `${count(times)} of ${plural(connections, 'connection')} (${share(times, connections)}) were let go before their end, those that had been silent longest: ` +
        `more than ${count(CONNECTIONS_CAPACITY)} were open at a time in one worker. What a population holds may have been more.`,
      advice:
        'What helps: --idle-timeout ends silent connections earlier, --filter leaves out others, and more --workers follow more at a time.',
    },
  ];
}

const REMEDIES =
  'What helps: keep connections open and use them again, let the server close first, give the client a wider range of ports (net.ipv4.ip_local_port_range) or more addresses, or spread over more server addresses or ports.';

const named = ({ host, role, server_port }: Pick<StuckOwner, 'host' | 'role' | 'server_port'>): string =>
  role === 'server' ? `The server ${socketText(host, server_port)}` : `${host}, a client of port ${server_port},`;

const pairFilter = ({ client, server, server_port }: PortRecord): string => `tcp port ${server_port} and host ${client} and host ${server}`;

/** Clients that have run out of ports: the first ones, and how many there are. */
function ranOut(summary: Seen): Finding[] {
  const { worst, exhausted: all } = summary.ports;
  const told = worst
    .filter(({ exhausted_at }) => exhausted_at !== undefined)
    .slice(0, EACH)
    .map((group) => exhausted(group, summary));
  const [last] = told.slice(-1);
  if (last && all > told.length) last.text += ` So did ${count(all - told.length)} more, other clients or towards other servers.`;
  return told;
}

function exhausted(group: PortRecord, { time_wait: wait }: Seen): Finding {
  const { client, server, server_port, used_ports, connections, reused, rate_per_s } = group;
  const { count: ports, lowest, highest } = used_ports!;
  const needed = Math.ceil(rate_per_s * wait['2msl_s']);
  // Whoever opens none any more has needed more than it needs on average.
  const takes = needed > ports ? `; it opened ${brief(rate_per_s)}, which takes ${count(needed)} ports` : '';
  return {
    text:
      `${client} has run out of ports towards ${socketText(server, server_port)}: at ${group.exhausted_at} all ${plural(ports, 'port')} that it ever uses ` +
      `(${lowest}-${highest}) were taken, ${count(group.time_wait.peak)} of them at most by its own TIME_WAIT, and ${count(reused)} of its ${plural(connections, 'connection')} ` +
      `had to take a port out of TIME_WAIT. With ${plural(ports, 'port')} and ${duration(wait['2msl_s'])} of TIME_WAIT it can open ` +
      `${brief(ports / wait['2msl_s'])} connections a second${takes}.`,
    advice: REMEDIES,
    filter: pairFilter(group),
  };
}

/** A client that took more ports than it was supposed to have. */
function wider(group: PortRecord, { ports: { range } }: Seen): Finding {
  const { client, server, server_port, held, time_wait } = group;
  return {
    text:
      `${client} has more ports than the ${count(range)} that were assumed: towards ${socketText(server, server_port)} it took ${count(held.peak)} at once ` +
      `(${held.peak_at}), ${count(time_wait.peak)} of them at most by TIME_WAIT. How near it came to their end is not known.`,
    advice: 'What helps: --ports with the range that the client really has (net.ipv4.ip_local_port_range).',
    filter: pairFilter(group),
  };
}

function tight(group: PortRecord, { ports: { range, sustained_per_s } }: Seen): Finding {
  const { client, server, server_port, held, time_wait, pressure, rate_per_s } = group;
  return {
    text:
      `${client} ${pressure >= 1 ? 'has run out of ports' : 'comes close to the end of its ports'} towards ${socketText(server, server_port)}: ` +
      `${count(held.peak)} of ${count(range)} (${share(held.peak, range)}) were taken at ${held.peak_at}, ${count(time_wait.peak)} of them at most by TIME_WAIT` +
      `${group.above_80_s > 0 ? `; more than 80 % were for ${duration(group.above_80_s)}` : ''}. It opened ${brief(rate_per_s)} connections a second; ${brief(sustained_per_s)} can be sustained.`,
    advice: REMEDIES,
    filter: pairFilter(group),
  };
}

function forecast(group: PortRecord, { ports: { range, sustained_per_s } }: Seen): Finding {
  const { client, server, server_port, held, rate_per_s, forecast_at } = group;
  return {
    text:
      `${client} will run out of ports towards ${socketText(server, server_port)} at ${forecast_at} if it goes on like this: ${count(held.now)} of ${count(range)} were ` +
      `taken at the end, and it opens ${brief(rate_per_s)} connections a second where ${brief(sustained_per_s)} can be sustained.`,
    advice: REMEDIES,
    filter: pairFilter(group),
  };
}

function leak({ host, role, server_port, suspects, leaks, oldest_s, connections }: LeakRecord): Finding {
  const who = named({ host, role, server_port });
  const grade = leaks > 0 ? `; ${count(leaks)} still answered probes: the program lives and does not close` : '';
  return {
    text: `${who} leaves ${plural(leaks + suspects, 'connection')} in CLOSE_WAIT, the oldest for ${duration(oldest_s)} (${connections.join(', ')})${grade}.`,
    advice: 'What helps: the program has to close its socket when it has read the end of the stream; no setting of the kernel does that.',
    filter: `tcp port ${server_port} and host ${host}`,
  };
}

const repeats = ({ total }: StuckOwner): string => `repeated the FIN of ${plural(total, 'connection')} and never got an ACK for it`;

/** A finding for each owner that has at least so many. */
function each(owners: readonly StuckOwner[], least: number, text: (owner: StuckOwner) => string, advice: string): Finding[] {
  return owners
    .filter(({ total }) => total >= least)
    .slice(0, EACH)
    .map((owner) => ({
      text: `${named(owner)} ${text(owner)} (${owner.connection}${owner.total > 1 ? ' for one' : ''}).`,
      advice,
      filter: `tcp port ${owner.server_port} and host ${owner.host}`,
    }));
}

/** Endpoints that wait in vain for the other side's part of the handshake, or of the close. */
function stuck({ connections, stuck: { no_reply, fin_wait2, fin_wait1, last_ack, half_open } }: Seen): Finding[] {
  return [
    ...each(
      no_reply.owners,
      Math.max(PILE, MANY * connections),
      ({ total }) => `has ${plural(total, 'connection')} (${share(total, connections)} of all) whose handshake was never completed`,
      'What helps: see whether somebody drops what is for it, or its queue overflows (nstat -az TcpExtListenDrops); where nobody acknowledges its SYN-ACKs, who sends those SYNs.',
    ),
    ...each(
      fin_wait2.owners,
      PILE,
      ({ total, oldest_s }) =>
        `has ${plural(total, 'connection')} in FIN_WAIT2 at the end, the oldest for ${duration(oldest_s!)}: the peer acknowledged the FIN and does not close`,
      'What helps: the peer has to close; until then a limit for what the closer waits (net.ipv4.tcp_fin_timeout for sockets that no program has any more).',
    ),
    ...each(fin_wait1.owners, SEVERAL, (owner) => `stays in FIN_WAIT1: it ${repeats(owner)}`, GONE),
    ...each(last_ack.owners, SEVERAL, (owner) => `stays in LAST_ACK: it ${repeats(owner)}`, GONE),
    ...each(
      half_open.owners,
      1,
      ({ total }) =>
        `kept ${plural(total, 'connection')} that the other side had forgotten: a new SYN of the same ports was challenged, and the RST that came back ended the old one`,
      'What helps: keep-alives find half-open connections before somebody needs their ports; look for what restarts, or forgets, at the other side.',
    ),
  ];
}

/** Senders of RSTs after the same long silence. */
function timers({ resets }: Seen): Finding[] {
  return resets.senders
    .filter(({ idle_timeout }) => idle_timeout !== undefined)
    .slice(0, EACH)
    .map(({ host, role, server_port, idle_timeout, idle }) => ({
      text:
        `${host}, ${role === 'server' ? `the server at port ${server_port},` : `a client of port ${server_port},`} resets connections after ${idle_timeout!.seconds} s of silence ` +
        `(${count(idle_timeout!.count)} of ${plural(idle, 'RST')} after a silence): that is the idle timeout of somebody, perhaps of a load balancer or firewall in between.`,
      advice: `What helps: keep-alives more often than every ${idle_timeout!.seconds} s, or a shorter idle timeout at the side that opens the connections.`,
      filter: `tcp port ${server_port} and host ${host}`,
    }));
}

/** A SYN of a port that is still in TIME_WAIT is answered by an ACK, then comes an RST: told in words. */
function challenged({ reuse: { challenged: times, challenged_age_s: age } }: Seen): Finding[] {
  if (times === 0) return [];
  return [
    {
      text:
        `${plural(times, 'new connection')} met a TIME_WAIT of the same ports, ${times === 1 ? '' : 'at most '}${duration(age.max!)} old, ` +
        `that did not let ${times === 1 ? 'it' : 'them'} in: the SYN was answered by an ACK of the old connection, ` +
        'which the client answers by RST, and it has to send its SYN again a second later.',
      advice: 'What helps: TCP timestamps on both sides, more ports for the client, or the client closing first.',
    },
  ];
}

/** Hosts whose TIME_WAIT lasts otherwise than the profile says. */
function measured({ time_wait: { measured: found, profile } }: Seen): Finding[] {
  return found.worst
    .filter(({ agrees }) => !agrees)
    .slice(0, EACH)
    .map(({ host, lower_s, upper_s, observations, profile_s }) => {
      const known = [
        ...(lower_s === undefined ? [] : [`it was still there ${duration(lower_s)} after its last start`]),
        ...(upper_s === undefined ? [] : [`it had left after ${duration(upper_s)}`]),
      ];
      return {
        text:
          `TIME_WAIT of ${host} does not last the ${duration(profile_s)} that were assumed (${profile}): by ${plural(observations, 'observation')}, ${known.join(', and ')}. ` +
          `All numbers about its TIME_WAIT rest on that assumption.`,
        advice: 'What helps: --profile or --2msl with the length that the host really has.',
        filter: `tcp and host ${host}`,
      };
    });
}

/** Connections that an RST ended at a stage at which many were: `when` says at which. */
function aborts({ connections, resets }: Seen, stage: ResetStage, when: string, advice?: string): Finding[] {
  const ended = resets.stage[stage] ?? 0;
  if (ended < connections * MANY || ended < 2) return [];
  const text = `${count(ended)} of ${plural(connections, 'connection')} (${share(ended, connections)}) ended by an RST ${when}`;
  const hosts = byHost(resets.senders, stage);
  const [worst] = hosts;
  // Senders beyond those that are told apart have no name.
  if (!worst) return [{ text: `${text}.` }];
  const { host, role, ports, sent } = worst;
  const [port, most] = ports[0]!;
  const helps = advice && role === 'server' && { advice };
  if (sent < ended * NAMED) {
    const apart =
      hosts.reduce((sum, one) => sum + one.sent, 0) === ended ? plural(hosts.length, 'sender') : 'the senders that are told apart';
    return [{ text: `${text}; of ${apart} none sent more than ${count(sent)} of those RSTs.`, ...helps }];
  }
  const elsewhere = sent > most ? `, and ${count(sent - most)} with ${plural(ports.length - 1, 'other port')}` : '';
  return [
    {
      text: `${text}; ${ownerText({ host, role, server_port: port })} sent ${count(most)} of those RSTs${elsewhere}.`,
      ...helps,
      filter: `${sent > most ? 'tcp' : `tcp port ${port}`} and host ${host}`,
    },
  ];
}

/** RSTs of a host in one role: by the server's port, most first, and all. */
interface Sent extends Pick<Owner, 'host' | 'role'> {
  ports: [number, number][];
  sent: number;
}

/** What hosts sent at a stage; who sent most comes first. */
function byHost(senders: Seen['resets']['senders'], stage: ResetStage): Sent[] {
  const hosts = new Map<string, Sent>();
  for (const { host, role, server_port, stage: stages } of senders) {
    const sent = stages[stage] ?? 0;
    if (sent === 0) continue;
    const key = `${role} ${host}`;
    const known = hosts.get(key) ?? { host, role, ports: [], sent: 0 };
    known.ports.push([server_port, sent]);
    known.sent += sent;
    hosts.set(key, known);
  }
  for (const { ports } of hosts.values()) ports.sort((a, b) => b[1] - a[1]);
  return [...hosts.values()].sort((a, b) => b.sent - a.sent);
}
