import { LINE_BYTES, LINES_BYTES } from '../layout/line.ts';
import type { Ended } from '../tracker/ended.ts';
import { writeAscii, writeInteger } from './ascii.ts';
import {
  type CloseRecord,
  type ConnectionRecord,
  type ConnectionReuse,
  connectionRecord,
  type EndpointRecord,
  type Measure,
  type TimeWaitRecord,
} from './connection.ts';
import type { Clock } from './time.ts';

const COMMA = 0x2c;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;

/** The fields of a record in the order of its line: one that is not named here does not compile. */
type Fields =
  | 'type'
  | 'start'
  | 'end'
  | 'duration_s'
  | 'client'
  | 'server'
  | 'open'
  | 'close'
  | 'time_wait'
  | 'reuse'
  | 'end_reason'
  | 'visibility'
  | 'confidence'
  | 'community_id'
  | 'zeek'
  | 'wireshark'
  | 'flow_end_reason'
  | 'vlan'
  | 'vni';
type Complete = [Exclude<keyof ConnectionRecord, Fields>] extends [never] ? ConnectionRecord<number> : never;

/** Times stay what they are, ns: they are written without ever being texts. */
const UNMEASURED: Measure<number, number> = { text: (time) => time, seconds: (duration) => duration };

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
/** What stands before a value: the comma that ends the one before it, and its name. */
const key = (name: string): Uint8Array => ascii(`,"${name}":`);

const HEAD = ascii('{"type":"connection","start":');
const END = key('end');
const DURATION = key('duration_s');
const CLIENT = ascii(',"client":{"ip":"');
const SERVER = ascii(',"server":{"ip":"');
const PORT = ascii('","port":');
const SEGMENTS = key('segments');
const BYTES = key('bytes');
const SYN = key('syn');
const FIN = key('fin');
const FIN_RETRANSMITS = key('fin_retransmits');
const RST = key('rst');
const STATE = key('state');
const STATES = key('states');
const OPEN = key('open');
const CLOSE = ascii(',"close":{"class":');
const SEQUENCE = key('sequence');
const MODIFIERS = key('modifiers');
const INITIATOR = key('initiator');
const BASIS = key('basis');
const START = key('start');
const FIN_ACK = key('fin_ack_s');
const HALF_CLOSED = key('half_closed_s');
const LAST_ACK = key('last_ack_s');
const HALF_CLOSED_BYTES = key('half_closed_bytes');
const RESET_IDLE = key('reset_idle_s');
const TIME_WAIT = key('time_wait');
const HOLDER = ascii('{"holder":');
const EXPIRY = key('expiry');
const RESTARTS = key('restarts');
const ENDED_BY = key('ended_by');
const REUSE = key('reuse');
const VERDICT = key('verdict');
const AGE = key('age_s');
const GAP = key('gap_s');
const ISN_DELTA = key('isn_delta');
const TSVAL_DELTA = key('tsval_delta');
const END_REASON = key('end_reason');
const VISIBILITY = key('visibility');
const CONFIDENCE = key('confidence');
const COMMUNITY_ID = key('community_id');
const CONN_STATE = ascii(',"zeek":{"conn_state":');
const HISTORY = key('history');
const COMPLETENESS = ascii('},"wireshark":{"completeness":');
const VLAN = key('vlan');
const VNI = key('vni');
const FLOW_END_REASON = ascii('},"flow_end_reason":');

/** Lines of JSON, one behind the other: what JSON.stringify() would make of the records, without texts in between. All is ASCII. */
export class Lines {
  readonly #clock: Clock;
  readonly #transitions: boolean;
  readonly #bytes: Uint8Array;
  #at = 0;
  /** What did not fit, and its length. */
  #full: Uint8Array<ArrayBuffer>[] = [];
  #before = 0;

  /** `bytes`: where lines are written, at least LINE_BYTES; others may write there, too. */
  constructor(clock: Clock, transitions: boolean, bytes: Uint8Array = new Uint8Array(LINES_BYTES)) {
    this.#clock = clock;
    this.#transitions = transitions;
    this.#bytes = bytes;
  }

  /** Bytes of all lines. */
  get length(): number {
    return this.#before + this.#at;
  }

  /** Makes room for a line, and answers where it begins. */
  room(): number {
    if (this.#bytes.length - this.#at < LINE_BYTES) {
      this.#full.push(this.#bytes.slice(0, this.#at));
      this.#before += this.#at;
      this.#at = 0;
    }
    return this.#at;
  }

  /** Somebody else has written a line there, up to `end`. */
  written(end: number): void {
    this.#at = end;
  }

  /** Appends a connection's line. */
  add(connection: Ended): void {
    const from = this.room();
    this.#line(connectionRecord(connection, UNMEASURED, this.#transitions));
    if (this.#at - from > LINE_BYTES) throw new RangeError(`a line of ${this.#at - from} bytes`);
  }

  /** All lines so far, in memory of their own, which may be sent to another thread; those to come begin anew. */
  take(): Uint8Array<ArrayBuffer> {
    const rest = this.#bytes.slice(0, this.#at);
    const lines = this.#full.length === 0 ? rest : new Uint8Array(Buffer.concat([...this.#full, rest]));
    this.#full = [];
    this.#before = 0;
    this.#at = 0;
    return lines;
  }

  #line(record: Complete): void {
    const { zeek } = record;
    this.#put(HEAD);
    this.#timeText(record.start);
    this.#time(END, record.end);
    this.#seconds(DURATION, record.duration_s);
    this.#endpoint(CLIENT, record.client);
    this.#endpoint(SERVER, record.server);
    this.#text(OPEN, record.open);
    this.#close(record.close);
    this.#timeWaits(record.time_wait);
    if (record.reuse) this.#reuses(record.reuse);
    this.#text(END_REASON, record.end_reason);
    this.#text(VISIBILITY, record.visibility);
    this.#text(CONFIDENCE, record.confidence);
    this.#text(COMMUNITY_ID, record.community_id);
    this.#text(CONN_STATE, zeek.conn_state);
    this.#text(HISTORY, zeek.history);
    this.#integer(COMPLETENESS, record.wireshark.completeness);
    this.#integer(FLOW_END_REASON, record.flow_end_reason);
    if (record.vlan !== undefined) this.#tags(record.vlan);
    if (record.vni !== undefined) this.#integer(VNI, record.vni);
    this.#byte(CLOSE_OBJECT);
    this.#byte(NEWLINE);
  }

  #tags(tags: readonly number[]): void {
    this.#put(VLAN);
    this.#byte(OPEN_LIST);
    for (let i = 0; i < tags.length; i++) {
      if (i > 0) this.#byte(COMMA);
      this.#at = writeInteger(tags[i]!, this.#bytes, this.#at);
    }
    this.#byte(CLOSE_LIST);
  }

  #endpoint(name: Uint8Array, record: EndpointRecord): void {
    this.#put(name);
    this.#at = writeAscii(record.ip, this.#bytes, this.#at);
    this.#integer(PORT, record.port);
    this.#integer(SEGMENTS, record.segments);
    this.#integer(BYTES, record.bytes);
    this.#integer(SYN, record.syn);
    this.#integer(FIN, record.fin);
    this.#integer(FIN_RETRANSMITS, record.fin_retransmits);
    this.#integer(RST, record.rst);
    if (record.state !== undefined) this.#text(STATE, record.state);
    if (record.states) this.#states(record.states);
    this.#byte(CLOSE_OBJECT);
  }

  #states(states: NonNullable<EndpointRecord['states']>): void {
    this.#put(STATES);
    this.#byte(OPEN_LIST);
    for (let i = 0; i < states.length; i++) {
      const [state, seconds] = states[i]!;
      if (i > 0) this.#byte(COMMA);
      this.#byte(OPEN_LIST);
      this.#quoted(state);
      this.#byte(COMMA);
      this.#secondsText(seconds);
      this.#byte(CLOSE_LIST);
    }
    this.#byte(CLOSE_LIST);
  }

  #close(record: CloseRecord<number>): void {
    this.#put(CLOSE);
    this.#quoted(record.class);
    this.#text(SEQUENCE, record.sequence);
    this.#put(MODIFIERS);
    this.#byte(OPEN_LIST);
    for (let i = 0; i < record.modifiers.length; i++) {
      if (i > 0) this.#byte(COMMA);
      this.#quoted(record.modifiers[i]!);
    }
    this.#byte(CLOSE_LIST);
    if (record.initiator !== undefined) this.#text(INITIATOR, record.initiator);
    if (record.basis !== undefined) this.#text(BASIS, record.basis);
    if (record.start !== undefined) this.#time(START, record.start);
    if (record.duration_s !== undefined) this.#seconds(DURATION, record.duration_s);
    if (record.fin_ack_s !== undefined) this.#seconds(FIN_ACK, record.fin_ack_s);
    if (record.half_closed_s !== undefined) this.#seconds(HALF_CLOSED, record.half_closed_s);
    if (record.last_ack_s !== undefined) this.#seconds(LAST_ACK, record.last_ack_s);
    if (record.half_closed_bytes !== undefined) this.#integer(HALF_CLOSED_BYTES, record.half_closed_bytes);
    if (record.reset_idle_s !== undefined) this.#seconds(RESET_IDLE, record.reset_idle_s);
    this.#byte(CLOSE_OBJECT);
  }

  #timeWaits(records: readonly TimeWaitRecord<number>[]): void {
    this.#put(TIME_WAIT);
    this.#byte(OPEN_LIST);
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (i > 0) this.#byte(COMMA);
      this.#put(HOLDER);
      this.#quoted(record.holder);
      this.#time(START, record.start);
      this.#time(EXPIRY, record.expiry);
      this.#time(END, record.end);
      this.#integer(RESTARTS, record.restarts);
      this.#text(ENDED_BY, record.ended_by);
      this.#text(BASIS, record.basis);
      this.#byte(CLOSE_OBJECT);
    }
    this.#byte(CLOSE_LIST);
  }

  #reuses(records: readonly ConnectionReuse[]): void {
    this.#put(REUSE);
    this.#byte(OPEN_LIST);
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (i > 0) this.#byte(COMMA);
      this.#put(HOLDER);
      this.#quoted(record.holder);
      this.#text(VERDICT, record.verdict);
      this.#seconds(AGE, record.age_s);
      this.#seconds(GAP, record.gap_s);
      if (record.isn_delta !== undefined) this.#integer(ISN_DELTA, record.isn_delta);
      if (record.tsval_delta !== undefined) this.#integer(TSVAL_DELTA, record.tsval_delta);
      this.#byte(CLOSE_OBJECT);
    }
    this.#byte(CLOSE_LIST);
  }

  #text(name: Uint8Array, text: string): void {
    this.#put(name);
    this.#quoted(text);
  }

  #integer(name: Uint8Array, value: number): void {
    this.#put(name);
    this.#at = writeInteger(value, this.#bytes, this.#at);
  }

  #time(name: Uint8Array, time: number): void {
    this.#put(name);
    this.#timeText(time);
  }

  #seconds(name: Uint8Array, duration: number): void {
    this.#put(name);
    this.#secondsText(duration);
  }

  #timeText(time: number): void {
    this.#byte(QUOTE);
    this.#at = this.#clock.writeText(time, this.#bytes, this.#at);
    this.#byte(QUOTE);
  }

  #secondsText(duration: number): void {
    this.#at = this.#clock.writeSeconds(duration, this.#bytes, this.#at);
  }

  /** A text that needs no escapes, as all in a record: addresses, and words of ours. */
  #quoted(text: string): void {
    this.#byte(QUOTE);
    this.#at = writeAscii(text, this.#bytes, this.#at);
    this.#byte(QUOTE);
  }

  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #byte(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }
}
