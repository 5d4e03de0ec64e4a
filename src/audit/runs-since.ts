import { runOf } from './chain.ts';
import { comparePositions, type Position } from './position.ts';

/** What one run wrote since a mark, in the order of its chain: at most one more than the page takes. */
export interface RunRows<R extends Position> {
  readonly run: string;
  readonly since: number;
  readonly rows: readonly R[];
}

/**
 * A page of what runs wrote since a mark, and by run of which something was left, the last event that was seen. Of each run a
 * stretch of its chain is taken, so that a number a run tells what was seen; runs are merged by the latest instant that each
 * had come to.
 */
export function pageSince<R extends Position>(
  runs: readonly RunRows<R>[],
  limit: number,
): { rows: R[]; left: Record<string, number> } {
  const merged = runs.flatMap(({ rows }) => withReached(rows));
  const rows = merged
    .sort(compareReached)
    .slice(0, limit)
    .map(({ row }) => row);
  const left: Record<string, number> = {};
  for (const { run, since, rows: found } of runs) {
    const seen = rows.filter(({ chain }) => runOf(chain) === run);
    if (seen.length < found.length) left[run] = Math.max(since, ...seen.map(({ seq }) => seq));
  }
  return { rows: rows.sort((a, b) => comparePositions(b, a)), left };
}

interface Reached<R> {
  readonly row: R;
  /** The latest instant that the chain had come to, which never goes back. */
  readonly reached: number;
}

function withReached<R extends Position>(rows: readonly R[]): Reached<R>[] {
  let reached = 0;
  return rows.map((row) => {
    reached = Math.max(reached, row.at);
    return { row, reached };
  });
}

/** Keeps the order of each chain, whatever instants its events carry. */
function compareReached<R extends Position>(a: Reached<R>, b: Reached<R>): number {
  return comparePositions({ ...a.row, at: a.reached }, { ...b.row, at: b.reached });
}
