/**
 * One of the ledger's accounts: who held something and when. Its holders are numbered 0, 1, 2 ... in the order in which they were met.
 * Views of it are valid as long as the ledger is.
 */
export interface Account {
  /** Holders that are told apart. */
  readonly holders: number;
  /** How often each of them held something. */
  readonly members: Int32Array;
  /** How often others did, who were too many. */
  readonly beyond: number;
  /** Rows of its log, of which the first `logged` are written: `columns` doubles each, the holder's number in front. */
  readonly rows: Float64Array;
  readonly columns: number;
  readonly logged: number;
  /** No more rows can be logged before all are taken. */
  readonly isFull: boolean;
  /**
   * What index() brings together: places of rows, in doubles, by holder, each holder's in order. Those of holder n stand from `begins[n + 1]` up to
   * `ends[n + 1]`; in front are those of all beyond the limit.
   */
  readonly places: { readonly places: Int32Array; readonly begins: Int32Array; readonly ends: Int32Array };
  index(): void;
  /** Words of a holder's key (layout/ledger.ts). */
  key(number: number): Uint32Array;
  /** Empties the log. */
  clear(): void;
}

/** Who holds what, from when to when (layout/ledger.ts). WebAssembly keeps it: decode/ledger-memory.ts. */
export interface Ledger {
  /** Hosts, which hold TIME_WAIT. */
  readonly hosts: Account;
  /** Groups of client, server and server's port, which hold ports of the client. */
  readonly groups: Account;
  /** By the number of a group: how often a new connection from the same port ended its client's TIME_WAIT. */
  readonly reuses: Int32Array;
  /** The rows (layout/note.ts) of all lanes. */
  readonly lanes: Float64Array;
  /** Whether all rows of a lane are entered. */
  isEmpty(lane: number): boolean;
  /** Fills an empty lane with rows, which are in order, from `from` on, and lets them be altered; answers where those begin that had no room. */
  fill(lane: number, rows: Float64Array, from: number, alter?: (rows: Float64Array) => void): number;
  /** A lane has nothing that comes before any row of the others: until all are closed, and so are empty again. */
  close(lane: number): void;
  /**
   * Enters rows of as many lanes in the order of precedes() (note.ts). Answers EMPTY, OVER, FULL, or the place in `lanes` of a row that is about
   * more than holding: leaks, resets, stuck endpoints.
   */
  merge(lanes: number): number;
}
