/** Where an event stands in the order of the record. */
export interface Position {
  readonly at: number;
  readonly chain: string;
  readonly seq: number;
}

/** By instant, then chain, then place in it; chains by UTF-16 units. */
export function comparePositions(a: Position, b: Position): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.chain !== b.chain) return a.chain < b.chain ? -1 : 1;
  return a.seq - b.seq;
}
