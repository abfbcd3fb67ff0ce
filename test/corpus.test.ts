// Zeek's own baselines for captures of its own. Those captures are not ours to commit: they are read from a folder beside the
// repository, and the test is skipped where that is absent.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyze, type ConnectionRecord } from '../src/index.ts';

interface Baseline {
  file: string;
  test: string;
  non_default?: boolean;
  may_affect_tcp?: boolean;
  flags?: string[];
  rows: { conn_state?: string; history?: string; tshark_streams?: number[] }[];
}

const folder = fileURLToPath(new URL('../../shared/captures/zeek/', import.meta.url));
const oracle = `${folder}oracle.zeek.jsonl`;
const isThere = existsSync(oracle);
if (!isThere) console.warn('the corpus of captures is not there: Zeek is not asked');

const PCAP = new Set(['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d']);
const isPcap = (path: string): boolean => existsSync(path) && PCAP.has(readFileSync(path).subarray(0, 4).toString('hex'));

/** One row and one stream, no settings that matter, no bad checksums (which Zeek drops). */
const baselines: Baseline[] = (isThere ? readFileSync(oracle, 'utf8').split('\n').filter(Boolean) : [])
  .map((line): Baseline => JSON.parse(line))
  .filter(({ file, non_default, may_affect_tcp, rows }) => !non_default && !may_affect_tcp && rows.length === 1 && isPcap(folder + file))
  .filter(({ rows: [row] }) => row?.conn_state !== undefined && row.tshark_streams?.length === 1 && !/[Cc]/.test(row.history ?? ''));

/** A history as it was before the connection's direction was turned round. */
const unflipped = (history: string): string =>
  history.startsWith('^')
    ? history.slice(1).replaceAll(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))
    : history;

describe.skipIf(!isThere)("Zeek's baselines", () => {
  let compared = 0;

  it.each(baselines.map((baseline) => [baseline.file, baseline] as const))('%s', async (file, { rows: [row], test, flags }) => {
    const connections: ConnectionRecord[] = [];
    for await (const record of analyze(folder + file)) if (record.type === 'connection') connections.push(record);
    const [connection, another] = connections;
    if (!connection || another) return; // in a tunnel that is not opened, or of several connections
    compared++;
    expect(connection.zeek.conn_state, test).toBe(row?.conn_state);
    const { history } = connection.zeek;
    // With -b Zeek knows no likely server ports: who sent first is the originator, whatever its port.
    const ours = flags?.includes('-b') && !row?.history?.startsWith('^') ? unflipped(history) : history;
    if (row?.history !== undefined) expect(ours, test).toBe(row.history);
  });

  it('were compared', () => expect(compared).toBeGreaterThan(8));
});
