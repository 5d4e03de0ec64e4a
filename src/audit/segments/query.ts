import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import { plainName } from '../escaped-name.ts';
import { parsePageKey } from '../page-key.ts';
import { comparePositions } from '../position.ts';
import { type FoundTarget, type PageAsked, recordPage, TARGETS_SHOWN_MAX } from '../record-page.ts';
import { rowsSince } from './rows-since.ts';
import type { RecordView, SegmentCatalog, SegmentView } from './segment-catalog.ts';
import { type RowsAsked, type SegmentRow, segmentRows } from './segment-rows.ts';

/**
 * A page of the record of all gateways in a directory, newest first by (at, chain, seq). Its keys name events, so what comes
 * meanwhile moves nothing; that of the newest page names what there was, so what comes late is not passed over.
 *
 * @throws GatewayError `invalid_request` when a page key is none of ours; SQLite's error when a segment cannot be read
 */
export function queryRecord(catalog: SegmentCatalog, filter: RecordFilter, page: PageAsked): RecordPage {
  using files = new DisposableStack();
  const { before, after, limit } = page;
  const name = before === undefined ? 'after' : 'before';
  const key = before ?? after;
  const from = key === undefined ? undefined : parsePageKey(key, name);
  const view = catalog.view(files);
  if (from !== undefined && 'heads' in from) {
    const { rows, mark } = rowsSince(view, from, filter, limit);
    return recordPage(rows, true, mark, targetsOf);
  }
  const direction = name === 'after' ? 'older' : 'newer';
  // One more than asked for tells whether there are more.
  const found = collect(view, { filter, direction, from, count: limit + 1 });
  const hasMore = found.length > limit;
  const rows = found.slice(0, limit);
  if (direction === 'older') return recordPage(rows, hasMore, from === undefined ? view.mark : undefined, targetsOf);
  return recordPage(rows.reverse(), true, hasMore ? undefined : view.mark, targetsOf);
}

/** The first `count` events in the given direction, over all segments, whose times may overlap. */
function collect(view: RecordView, asked: RowsAsked): SegmentRow[] {
  const isOlder = asked.direction === 'older';
  const inOrder = view.segments
    .filter((segment) => mayHold(segment, asked))
    .sort((a, b) => (isOlder ? b.highAt - a.highAt : a.lowAt - b.lowAt));
  let found: SegmentRow[] = [];
  for (const segment of inOrder) {
    const farthest = found[asked.count - 1];
    // Of the same instant it may still have one: chains decide then.
    if (farthest !== undefined && (isOlder ? segment.highAt < farthest.at : segment.lowAt > farthest.at)) break;
    found = [...found, ...segmentRows(segment, asked)]
      .sort((a, b) => (isOlder ? comparePositions(b, a) : comparePositions(a, b)))
      .slice(0, asked.count);
  }
  return found;
}

function mayHold(segment: SegmentView, { filter, direction, from }: RowsAsked): boolean {
  if (filter.since !== undefined && segment.highAt < filter.since) return false;
  if (filter.until !== undefined && segment.lowAt >= filter.until) return false;
  if (from === undefined) return true;
  return direction === 'older' ? segment.lowAt <= from.at : segment.highAt >= from.at;
}

function targetsOf(row: SegmentRow): FoundTarget[] {
  const targets = row.segment
    .db()
    ?.prepare(
      `SELECT term.name AS kind, target.name FROM target JOIN term ON term.id = target.kind
       WHERE target.seq = ? ORDER BY target.n LIMIT ?`,
    )
    .all(row.seq, TARGETS_SHOWN_MAX);
  return (targets ?? []).map((target) => ({
    kind: plainName(String(target['kind'])) ?? '',
    name: plainName(String(target['name'])) ?? '',
  }));
}
