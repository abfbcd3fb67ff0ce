/** Why a capture was not read to its end. All before `offset` was. */
export interface Fault {
  readonly file: string;
  readonly offset: number;
  /** Whether the tail is cut, rather than a record broken. */
  readonly truncated: boolean;
  readonly rule: string;
  readonly message: string;
}
