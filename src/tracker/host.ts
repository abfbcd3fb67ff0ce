import { FIN_INVALID, HOLE_FORGOTTEN, RST_CHALLENGED } from '../layout/oddities.ts';
import { RST_CHALLENGED as CHALLENGED } from '../layout/modifiers.ts';
import { FACTS, MODIFIERS, R, RESET, RESET_AFTER_CLOSE } from '../layout/slot.ts';
import { holdsTimeWait } from './close.ts';
import { disproveFin } from './disproved.ts';
import { addHole, areCovered, coveredHoles, fillHoles, forgetHole } from './holes.ts';
import type { HostCalls, TableMemory } from './memory.ts';
import { acknowledgedAlready, overtaken, sentBeforeAck } from './misordered.ts';
import type { Oddities } from './oddities.ts';
import { HISTORY_MORE, IDLE, MORE_TOKENS } from './rare.ts';
import { reset } from './reset.ts';
import { Segment } from './segment.ts';
import { distance } from './serial.ts';
import type { ConnectionTable } from './table.ts';

/**
 * What WebAssembly calls while it gathers facts: all of it is needed by few connections only.
 * @param endedByRst whether an RST ends TIME_WAIT (Profile)
 */
export function hostCalls(table: () => ConnectionTable, memory: TableMemory, oddities: Oddities, endedByRst: boolean): HostCalls {
  const segment = new Segment();
  const rare = (slot: number) => table().rare(slot);
  return {
    oddity: (which: number): void => oddities.add(which),

    moreTokens(slot: number, at: number, token: number): number {
      const { tokens } = rare(slot);
      if (((tokens[at - 1] ?? -1) & 7) === R) return 0;
      if (at < MORE_TOKENS) tokens.push(token);
      return 1;
    },

    moreLetters(slot: number, letter: number): void {
      const one = rare(slot);
      if (one.history.length < HISTORY_MORE) one.history += String.fromCharCode(letter);
    },

    addHole(slot: number, endpoint: number, from: number, to: number): void {
      const holes = rare(slot).holes[endpoint as 0];
      addHole(holes, from, to);
      if (forgetHole(holes)) oddities.add(HOLE_FORGOTTEN);
    },

    fillHoles(slot: number, endpoint: number, from: number, to: number): number {
      const holes = rare(slot).holes[endpoint as 0];
      const filled = fillHoles(holes, from, to);
      if (forgetHole(holes)) oddities.add(HOLE_FORGOTTEN); // what is filled in its midst becomes two
      return filled;
    },

    forgetHoles(slot: number, endpoint: number): void {
      rare(slot).holes[endpoint as 0].length = 0;
    },

    coveredHoles: (slot: number, endpoint: number, before: number, ack: number): number =>
      coveredHoles(rare(slot).holes[endpoint as 0], before, ack),

    areCovered: (slot: number, endpoint: number, ack: number): number => (areCovered(rare(slot).holes[endpoint as 0], ack) ? 1 : 0),

    countGap: (slot: number, endpoint: number): number => ++rare(slot).gaps[endpoint as 0],

    countZeroWindow: (slot: number, endpoint: number): number => ++rare(slot).zeroWindows[endpoint as 0],

    noteIss(slot: number, endpoint: number, iss: number): void {
      rare(slot).earlierIss[endpoint as 0] = iss;
    },

    earlierIss: (slot: number, endpoint: number, latest: number): number => rare(slot).earlierIss[endpoint as 0] ?? latest,

    noteSynAck(slot: number, endpoint: number, time: number): void {
      rare(slot).synAckTime[endpoint as 0] = time;
    },

    noteEstablished(slot: number, endpoint: number, time: number): void {
      rare(slot).establishedTime[endpoint as 0] = time;
    },

    noteFinAcked(slot: number, endpoint: number, next: number, lacksFin: number): void {
      const one = rare(slot);
      one.sentBefore[endpoint as 0] = next;
      if (lacksFin) one.finBehindAck = endpoint;
    },

    addHalfClosedBytes(slot: number, endpoint: number, end: number, bytes: number): number {
      const { halfClosedBytes, sentBefore } = rare(slot);
      const before = sentBefore[endpoint as 0];
      const after = before === undefined ? bytes : Math.min(bytes, Math.max(0, distance(end, before)));
      halfClosedBytes[endpoint as 0] += after;
      return after;
    },

    /** An inexact RST that it was sent was challenged or dropped (RFC 5961 §3). */
    stillAlive(slot: number, endpoint: number, ack: number): void {
      const one = rare(slot);
      if (!one.doubtful || one.doubtful.sender === endpoint || (one.doubtful.atEnd && one.doubtful.seq === ack)) return;
      one.doubtful = undefined;
      table().words[slot + MODIFIERS]! |= CHALLENGED;
      oddities.add(RST_CHALLENGED);
    },

    reset(slot: number, record: number, idle: number, first: number): void {
      const { words, times } = memory.records;
      const connections = table();
      const before = connections.words[slot + FACTS]! & (RESET | RESET_AFTER_CLOSE);
      segment.read(words, times, record / Int32Array.BYTES_PER_ELEMENT);
      reset(connections, oddities, slot, segment, endedByRst);
      if (idle < IDLE || first !== 0 || before !== 0) return;
      const believed = (connections.words[slot + FACTS]! & (RESET | RESET_AFTER_CLOSE)) !== 0;
      if (believed || connections.peekRare(slot)?.doubtful?.time === segment.time) rare(slot).resetIdle = idle;
    },

    /** A holder of TIME_WAIT that still acknowledges has not been ended by the RST: what the packets prove beats the profile. */
    surviveReset(slot: number, endpoint: number): void {
      if (holdsTimeWait(table(), slot, endpoint)) table().words[slot + FACTS]! &= ~RESET;
    },

    acknowledgedAlready: (slot: number, endpoint: number, time: number): void => acknowledgedAlready(table(), slot, endpoint, time),

    overtaken: (slot: number, endpoint: number, firstTime: number): void => overtaken(table(), slot, endpoint, firstTime !== 0),
    sentBeforeAck: (slot: number, endpoint: number): void => sentBeforeAck(table(), slot, endpoint),

    farFin(slot: number, endpoint: number, nxt: number, acked: number, acknowledged: number): void {
      rare(slot).farFins[endpoint as 0] = { nxt, acked: acknowledged !== 0 ? acked : undefined };
    },

    goesOn(slot: number, endpoint: number, start: number): void {
      const { farFins } = rare(slot);
      const fin = farFins[endpoint as 0];
      if (fin?.nxt !== start) return;
      farFins[endpoint as 0] = undefined;
      disproveFin(table(), slot, endpoint, fin);
      oddities.add(FIN_INVALID);
    },

    mayBePlain(slot: number): number {
      const { held, doubtful } = rare(slot);
      return !held && !doubtful ? 1 : 0;
    },
  };
}
