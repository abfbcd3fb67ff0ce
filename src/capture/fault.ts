/** Where a capture could not be read as it should be. */
export interface Fault {
  readonly file: string;
  readonly offset: number;
  /** Whether the tail is cut, rather than something broken. */
  readonly truncated: boolean;
  readonly rule: string;
  /** Where reading went on; undefined: it did not. */
  readonly resumed?: number;
  /** The next file of its name is waited for. */
  readonly awaited?: boolean;
}

/** Why a capture is not what its header says: it counts other records than there are up to `end`. */
export function miscount(file: string, end: number, counted: number, found: number): Fault {
  return { file, offset: end, rule: `the header counts ${counted} records, and ${found} were found`, truncated: found < counted };
}

export function faultMessage({ file, offset, rule, resumed, truncated, awaited }: Fault): string {
  const goesOn = awaited
    ? '; the next file of its name is waited for'
    : resumed === undefined
      ? '; nothing that could be read follows'
      : resumed > offset
        ? `; ${resumed - offset} bytes were passed over`
        : `; reading went on at offset ${resumed}, because a length before may be wrong`;
  return `${file}: offset ${offset}: ${rule}${truncated ? '' : goesOn}`;
}
