import type { RecordFilter } from '../../domain/record.ts';
import type { Mark } from '../page-key.ts';
import { comparePositions } from '../position.ts';
import { mayBeNewer, type RecordView, type SegmentView } from './segment-catalog.ts';
import { type FoundRow, segmentRowsSince } from './segment-rows.ts';

/** What one run wrote since a mark. */
interface RunRows {
  readonly run: string;
  readonly since: number;
  readonly rows: readonly FoundRow[];
}

/**
 * What was written since a mark, each event once however late it came: at most `limit`, oldest first, and the mark from
 * which to go on. Of each run a stretch of its chain is taken, so that a number a run tells what was seen; runs are merged by
 * the latest instant that each had come to.
 *
 * @throws SQLite's error
 */
export function rowsSince(
  view: RecordView,
  mark: Mark,
  filter: RecordFilter,
  limit: number,
): { rows: FoundRow[]; mark: Mark } {
  const runs = [...Map.groupBy(view.segments, ({ run }) => run)]
    .filter(([run]) => mark.heads[run] !== undefined || mayBeNewer(run, mark))
    .map(([run, segments]) => runRows(run, segments, mark.heads[run] ?? 0, filter, limit));
  const merged = runs.flatMap(({ rows }) => withReached(rows));
  const taken = merged.sort(compareReached).slice(0, limit);
  const rows = taken.map(({ row }) => row);
  const heads = { ...view.mark.heads };
  for (const run of runs) {
    const seen = rows.filter(({ segment }) => segment.run === run.run);
    // Where something was left, the next page begins; elsewhere behind all there is, matching or not.
    if (seen.length < run.rows.length) heads[run.run] = Math.max(run.since, ...seen.map(({ seq }) => seq));
  }
  return { rows: rows.sort(comparePositions), mark: { newestRun: view.mark.newestRun, heads } };
}

/** One more than the limit, so that a run with something left is known. */
function runRows(run: string, segments: SegmentView[], since: number, filter: RecordFilter, limit: number): RunRows {
  const rows: FoundRow[] = [];
  for (const segment of segments.toSorted((a, b) => a.firstSeq - b.firstSeq)) {
    if (segment.lastSeq <= since) continue;
    rows.push(...segmentRowsSince(segment, filter, since, limit + 1 - rows.length));
    if (rows.length > limit) break;
  }
  return { run, since, rows };
}

interface Reached {
  readonly row: FoundRow;
  /** The latest instant that the chain had come to, which never goes back. */
  readonly reached: number;
}

function withReached(rows: readonly FoundRow[]): Reached[] {
  let reached = 0;
  return rows.map((row) => {
    reached = Math.max(reached, row.at);
    return { row, reached };
  });
}

/** Keeps the order of each chain, whatever instants its events carry. */
function compareReached(a: Reached, b: Reached): number {
  return comparePositions({ ...a.row, at: a.reached }, { ...b.row, at: b.reached });
}
