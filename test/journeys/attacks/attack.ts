/** One hostile request, as data. */
export interface Attack {
  readonly name: string;
  /** Section of an RFC, or what else asks for the refusal. */
  readonly source: string;
  /**
   * The bytes, latin1: one character each. `{auth}` stands for a sound Host and Authorization with their line ends, `{host}` and
   * `{token}` for what is in them.
   */
  readonly bytes: string;
  /** What may be the answer's. */
  readonly statuses: readonly number[];
  /** `closes`: what follows on the connection could be misread. `stays`: the very next request on it is served. */
  readonly connection: 'closes' | 'stays';
}

type Row = readonly [name: string, source: string, bytes: string, statuses?: readonly number[]];

/** Rows that are refused with 400, or other statuses where they say so, and end the connection. */
export function closing(rows: readonly Row[]): Attack[] {
  return rows.map(([name, source, bytes, statuses = [400]]) => ({
    name,
    source,
    bytes,
    statuses,
    connection: 'closes',
  }));
}

/** Rows that are refused and leave a connection on which all is clear. */
export function staying(rows: readonly Row[]): Attack[] {
  return rows.map(([name, source, bytes, statuses = [400]]) => ({
    name,
    source,
    bytes,
    statuses,
    connection: 'stays',
  }));
}
