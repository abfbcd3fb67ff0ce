/** Connections by the states of client and server. */
export type StateMatrix = Record<string, Record<string, number>>;

/** From counts by `CLIENT SERVER`, both in the order of their names. */
export function stateMatrix(counts: ReadonlyMap<string, number>): StateMatrix {
  const rows: StateMatrix = {};
  for (const [pair, n] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [client = '', server = ''] = pair.split(' ');
    (rows[client] ??= {})[server] = n;
  }
  return rows;
}
