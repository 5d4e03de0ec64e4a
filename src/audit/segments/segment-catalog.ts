import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Mark } from '../page-key.ts';
import { ulidEpochMs } from '../ulid.ts';
import { listSegments, type SegmentFile } from './segment-file.ts';
import { openSegmentToRead, readSegmentHead, type SegmentHead } from './segment-head.ts';

type Range = NonNullable<SegmentHead['range']>;

/** A segment that has events, at the moment of one query. */
export interface SegmentView extends Range {
  readonly run: string;
  readonly chain: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Sealed ones have indexes. */
  readonly sealed: boolean;
  /** The file, opened when first asked for; undefined when it is gone since. */
  db(): DatabaseSync | undefined;
}

export interface RecordView {
  readonly segments: readonly SegmentView[];
  readonly mark: Mark;
}

/** Two gateways that start at once may appear in the directory in another order than their names say, by this much. */
const START_SKEW_MS = 10_000;

/** Whether a run may have appeared only after a mark was made that does not name it. */
export function mayBeNewer(run: string, mark: Mark): boolean {
  return mark.newestRun === '' || ulidEpochMs(run) >= ulidEpochMs(mark.newestRun) - START_SKEW_MS;
}

/** Remembers what sealed segments say of themselves, which never changes: most queries then open few files. */
export class SegmentCatalog {
  readonly #directory: string;
  #sealed = new Map<string, SegmentHead>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * All segments with events. Each open one is read within one transaction, so that it does not grow under the query; all
   * files are closed with `files`.
   *
   * @throws SQLite's or the file system's error, when a segment is there and cannot be read
   */
  view(files: DisposableStack): RecordView {
    const listed = listSegments(this.#directory);
    const sealed = new Map<string, SegmentHead>();
    const segments: SegmentView[] = [];
    const heads: Record<string, number> = {};
    const newestRun = listed[0]?.run ?? '';
    for (const file of listed) {
      const db = onceOpened(file, files);
      const head = this.#sealed.get(file.path) ?? readHead(db());
      if (head === undefined) continue;
      if (head.sealed) sealed.set(file.path, head);
      const mayGrow = !head.sealed || mayBeNewer(file.run, { newestRun, heads });
      if (mayGrow) heads[file.run] = Math.max(head.head.seq, heads[file.run] ?? 0);
      if (head.range !== undefined) segments.push(viewOf(file, head, head.range, db));
    }
    this.#sealed = sealed;
    return { segments, mark: { newestRun, heads } };
  }
}

function viewOf({ run }: SegmentFile, head: SegmentHead, range: Range, db: SegmentView['db']): SegmentView {
  const { chain, firstSeq, sealed } = head;
  return { run, chain, firstSeq, lastSeq: head.head.seq, sealed, ...range, db };
}

function readHead(db: DatabaseSync | undefined): SegmentHead | undefined {
  return db === undefined ? undefined : readSegmentHead(db);
}

function onceOpened({ path }: SegmentFile, files: DisposableStack): SegmentView['db'] {
  let db: DatabaseSync | undefined;
  return () => {
    db ??= openView(path, files);
    return db;
  };
}

function openView(path: string, files: DisposableStack): DatabaseSync | undefined {
  try {
    const db = files.use(openSegmentToRead(path));
    db.exec('BEGIN');
    return db;
  } catch (error) {
    // Retention removes files, also between listing and opening them.
    if (!existsSync(path)) return undefined;
    throw error;
  }
}
