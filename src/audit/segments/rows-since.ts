import type { RecordFilter } from '../../domain/record.ts';
import type { Mark } from '../page-key.ts';
import { pageSince, type RunRows } from '../runs-since.ts';
import { mayBeNewer, type RecordView, type SegmentView } from './segment-catalog.ts';
import { type SegmentRow, segmentRowsSince } from './segment-rows.ts';

/**
 * What was written since a mark, each event once however late it came: at most `limit`, newest first, and the mark
 * from which to go on.
 *
 * @throws SQLite's error
 */
export function rowsSince(
  view: RecordView,
  mark: Mark,
  filter: RecordFilter,
  limit: number,
): { rows: SegmentRow[]; mark: Mark } {
  const runs = [...Map.groupBy(view.segments, ({ run }) => run)]
    .filter(([run]) => mark.heads[run] !== undefined || mayBeNewer(run, mark))
    .map(([run, segments]) => runRows(run, segments, mark.heads[run] ?? 0, filter, limit));
  const { rows, left } = pageSince(runs, limit);
  // Where something was left, the next page begins; elsewhere behind all there is, matching or not.
  return { rows, mark: { newestRun: view.mark.newestRun, heads: { ...view.mark.heads, ...left } } };
}

/** One more than the limit, so that a run with something left is known. */
function runRows(
  run: string,
  segments: SegmentView[],
  since: number,
  filter: RecordFilter,
  limit: number,
): RunRows<SegmentRow> {
  const rows: SegmentRow[] = [];
  for (const segment of segments.toSorted((a, b) => a.firstSeq - b.firstSeq)) {
    if (segment.lastSeq <= since) continue;
    rows.push(...segmentRowsSince(segment, filter, since, limit + 1 - rows.length));
    if (rows.length > limit) break;
  }
  return { run, since, rows };
}
