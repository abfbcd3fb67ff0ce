import * as line from '../layout/line.ts';
import { ZEEK } from '../layout/slot.ts';
import { RESET } from '../layout/zeek.ts';
import type { Ended } from '../tracker/ended.ts';
import { COMMUNITY_VERSION } from './community-id.ts';
import { clientOf, type ConnectionRecord, connectionRecord, type Measure } from './connection.ts';

/** What stands for a field in a record's text, where the field is text, and where it is a number: that one's quotes go with it. */
const text = (field: number, endpoint = 0): string => `<${field}.${endpoint}>`;
const number = (field: number, endpoint = 0): string => `<#${field}.${endpoint}>`;
const MARKS = /"<#(\d+)\.(\d)>"|<(\d+)\.(\d)>/g;

const UNMEASURED: Measure<number, number> = { text: (time) => time, seconds: (duration) => duration };
const ZEEK_STATE = 7;

/**
 * The template for lines of connections of the same shape (layout/line.ts): this one's own line, with the fields in which they differ
 * left open. Undefined where more than those may differ: Zeek's word for a reset connection depends on its history, and a place in a
 * virtual network is each connection's own.
 */
export function templateOf(connection: Ended): Uint8Array | undefined {
  const { table, slot } = connection;
  if ([0, 1].some((endpoint) => (table.words[slot + ZEEK + endpoint]! & ZEEK_STATE) === RESET)) return undefined;
  const record = connectionRecord(connection, UNMEASURED, false);
  if (record.vlan || record.vni !== undefined) return undefined;
  const marks = marksOf(record, clientOf(connection));
  const whole = JSON.stringify(record, function (this: object, name: string, value: unknown) {
    return marks.get(this)?.[name] ?? value;
  });
  return encode(`${whole}\n`);
}

/** What stands in place of the fields that each connection has of its own, by the object and the name. */
function marksOf(record: ConnectionRecord<number>, client: number): ReadonlyMap<object, Readonly<Record<string, string>>> {
  const { close, zeek, wireshark } = record;
  return new Map<object, Record<string, string>>([
    [
      record,
      {
        start: text(line.TIME_OF_START),
        end: text(line.TIME_OF_LAST),
        duration_s: number(line.SECONDS_OF_CONNECTION),
        community_id: COMMUNITY_VERSION + text(line.COMMUNITY),
      },
    ],
    [record.client, endpointMarks(client)],
    [record.server, endpointMarks(client ^ 1)],
    [
      close,
      {
        start: text(line.TIME_OF_CLOSE),
        duration_s: number(line.SECONDS_OF_CLOSE),
        fin_ack_s: number(line.SECONDS_TO_FIN_ACK),
        half_closed_s: number(line.SECONDS_HALF_CLOSED),
        last_ack_s: number(line.SECONDS_TO_LAST_ACK),
      },
    ],
    [zeek, { history: text(line.HISTORY_TEXT) }],
    [wireshark, { completeness: number(line.COMPLETENESS_NUMBER) }],
    ...record.time_wait.map((wait) => [wait, waitMarks(wait.holder === 'client' ? client : client ^ 1)] as const),
  ]);
}

const endpointMarks = (endpoint: number): Record<string, string> => ({
  ip: text(line.ADDRESS_TEXT, endpoint),
  port: number(line.PORT_NUMBER, endpoint),
  segments: number(line.SEGMENT_COUNT, endpoint),
  bytes: number(line.BYTE_COUNT, endpoint),
  syn: number(line.SYN_COUNT, endpoint),
  fin: number(line.FIN_COUNT, endpoint),
  fin_retransmits: number(line.FIN_RETRANSMIT_COUNT, endpoint),
  rst: number(line.RST_COUNT, endpoint),
});

const waitMarks = (holder: number): Record<string, string> => ({
  start: text(line.TIME_OF_WAIT, holder),
  expiry: text(line.TIME_OF_EXPIRY, holder),
  end: text(line.TIME_OF_WAIT_END, holder),
});

/** Cuts a text at its marks, into steps. */
function encode(whole: string): Uint8Array {
  const steps: Uint8Array[] = [];
  let from = 0;
  for (const { 0: mark, 1: ofNumber, 2: first, 3: ofText, 4: second, index } of whole.matchAll(MARKS)) {
    steps.push(step(Number(ofNumber ?? ofText), Number(first ?? second), whole.slice(from, index)));
    from = index + mark.length;
  }
  steps.push(step(line.NOTHING, 0, whole.slice(from)));
  return Buffer.concat(steps);
}

function step(field: number, endpoint: number, before: string): Uint8Array {
  const bytes = Buffer.alloc(line.STEP_BYTES + before.length);
  bytes[0] = field;
  bytes[1] = endpoint;
  bytes.writeUInt16LE(before.length, 2);
  bytes.write(before, line.STEP_BYTES, 'latin1');
  return bytes;
}
