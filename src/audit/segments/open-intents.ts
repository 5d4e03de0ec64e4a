import type { StoredSegment } from './prunable-segments.ts';
import { openSegmentToRead } from './segment-head.ts';

/** Requests with one event in this segment, which only announces: their end stands in another segment, or nowhere yet. */
const ANNOUNCED = `
  SELECT request_id FROM event AS announced
  WHERE request_id IS NOT NULL AND line IS NOT NULL AND (
    kind IN (SELECT id FROM term WHERE name = 'intent')
    OR (kind IN (SELECT id FROM term WHERE name = 'admin') AND line LIKE '%"result":"intended"%')
  ) AND NOT EXISTS (
    SELECT 1 FROM event AS other WHERE other.request_id = announced.request_id AND other.seq <> announced.seq
  )`;

/**
 * Why a segment must stay for what it announces and nobody has said the end of, in words; undefined when there is nothing.
 *
 * @param all the segments of all runs: a successor says what became of a dead run's
 * @throws SQLite's error
 */
export function openIntents(segment: StoredSegment, all: readonly StoredSegment[]): string | undefined {
  using db = openSegmentToRead(segment.path);
  let open = db
    .prepare(ANNOUNCED)
    .all()
    .map((row) => String(row['request_id']));
  // What comes next in the same run mostly has it; then what later runs say.
  const later = all.filter(({ run, n }) => (run === segment.run ? n > segment.n : run > segment.run));
  for (const { path } of later) {
    if (open.length === 0) return undefined;
    using other = openSegmentToRead(path);
    const find = other.prepare('SELECT 1 FROM event WHERE request_id = ?');
    open = open.filter((id) => find.get(id) === undefined);
  }
  return open.length === 0 ? undefined : `what became of ${open.length} intended changes is not on record yet`;
}
