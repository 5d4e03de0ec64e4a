import { closeSync, fsyncSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TakenOut } from '../../domain/archive.ts';
import { escapedName } from '../escaped-name.ts';
import { heldBySink } from '../retention/held-by-sink.ts';
import type { Going, PruneAsked, PrunePlan } from '../retention/record-pruner.ts';
import { saidAgain, takenBy } from '../retention/said-again.ts';
import { openIntents } from './open-intents.ts';
import { type StoredSegment, segmentsToGo, storedSegments } from './prunable-segments.ts';
import { REWRITTEN, rewriteSegment, TEAM_WITH_BYTES } from './rewrite-segment.ts';
import { openSegmentToRead } from './segment-head.ts';

/** Left behind for so long, a half-written file is nobody's any more. */
const ABANDONED_MS = 3_600_000;

/**
 * What would go of the record in a directory.
 *
 * @throws SQLite's or the file system's error
 */
export function planSegments(directory: string, asked: PruneAsked): PrunePlan {
  const segments = storedSegments(directory);
  const holds = (segment: StoredSegment): string | undefined =>
    heldBySink(asked, segment.chain, segment.lastSeq) ?? openIntents(segment, segments);
  const { going, heldBack } = segmentsToGo(segments, asked, holds);
  const left = segments.filter((segment) => !going.includes(segment));
  const events = [...Map.groupBy(going, ({ chain }) => chain).values()].map(wholeBatches);
  const bytes = left.flatMap((segment) => {
    const own = ofTeams(segment, asked);
    const reason = own.length === 0 ? undefined : holds(segment);
    if (reason !== undefined) heldBack.push(`${segment.chain} from event ${segment.firstSeq} on: ${reason}`);
    return reason === undefined ? own : [];
  });
  const firstKept = new Map(left.toReversed().map(({ chain, firstSeq }) => [chain, firstSeq]));
  return {
    going: [...events, ...bytes],
    saidAgain: saidAgain(going.flatMap(saidIn), events, firstKept),
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    heldBack,
  };
}

/**
 * Takes it out.
 *
 * @returns bytes that the record takes after it
 * @throws SQLite's or the file system's error
 */
export function pruneSegments(directory: string, { teams }: PruneAsked, going: readonly Going[]): number {
  const segments = storedSegments(directory);
  for (const { chain, taken, team, firstSeq, lastSeq } of going) {
    const own = segments.filter((segment) => segment.chain === chain && segment.isSealed);
    if (taken === 'events') {
      // Oldest first: whoever is ended in the middle leaves a chain that begins later, and none with a hole.
      for (const { path } of own.filter((segment) => segment.lastSeq <= lastSeq)) rmSync(path, { force: true });
    } else {
      const before = teams.find((each) => each.team === team)?.before;
      const segment = own.find((each) => each.firstSeq <= firstSeq && lastSeq <= each.lastSeq);
      if (segment !== undefined && team !== undefined && before !== undefined)
        rewriteSegment(segment.path, team, before);
    }
  }
  sweep(directory);
  return storedSegments(directory).reduce((sum, segment) => sum + segment.bytes, 0);
}

function wholeBatches(segments: readonly StoredSegment[]): Going {
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('expected at least one segment');
  return {
    chain: first.chain,
    firstSeq: first.firstSeq,
    lastSeq: last.lastSeq,
    taken: 'events',
    events: last.lastSeq - first.firstSeq + 1,
    lastLink: Buffer.from(last.link).toString('hex'),
  };
}

/** A whole segment at once, so that none is rewritten again and again as its events come of age. */
function ofTeams({ path, chain, highAt, isSealed }: StoredSegment, { teams }: PruneAsked): Going[] {
  const due = teams.filter(({ before }) => isSealed && highAt < before);
  if (due.length === 0) return [];
  using db = openSegmentToRead(path);
  const count = db.prepare(
    `SELECT count(*) AS events, min(seq) AS first, max(seq) AS last FROM event WHERE ${TEAM_WITH_BYTES}`,
  );
  return due.flatMap(({ team, before }) => {
    const row = count.get(escapedName(team), before);
    const events = Number(row?.['events'] ?? 0);
    if (events === 0) return [];
    const [firstSeq, lastSeq] = [Number(row?.['first']), Number(row?.['last'])];
    return [{ chain, firstSeq, lastSeq, taken: 'bytes' as const, events, team }];
  });
}

/** What events of a segment say that was taken out before. */
function saidIn({ path }: StoredSegment): TakenOut[] {
  using db = openSegmentToRead(path);
  const rows = db.prepare(
    `SELECT line FROM event WHERE line IS NOT NULL
       AND operation IN (SELECT id FROM term WHERE name IN ('audit.prune', 'audit.erase')) ORDER BY seq`,
  );
  return rows.all().flatMap((row) => takenBy(String(row['line'])) ?? []);
}

function sweep(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.includes(`.db${REWRITTEN}-`)) continue;
    const path = join(directory, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - since > ABANDONED_MS) rmSync(path, { force: true });
  }
  const entries = openSync(directory, 'r');
  try {
    fsyncSync(entries);
  } finally {
    closeSync(entries);
  }
}
