import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { type Head, lineDigest, nextLink } from '../chain.ts';
import { escapedName } from '../escaped-name.ts';
import { columnsOf, eventFields } from '../event-columns.ts';
import type { UsageTally } from '../usage-tally.ts';
import { readSegmentHead, type SegmentHead } from './segment-head.ts';
import { SEGMENT_SCHEMA } from './segment-schema.ts';
import { SegmentTerms } from './segment-terms.ts';

/** What a new segment is told when it is made. */
export interface SegmentBegin {
  readonly gatewayId: string;
  readonly chain: string;
  readonly n: number;
  readonly head: Head;
}

/** About 4 MiB of pages: what a checkpoint writes back at once, some ten milliseconds. */
const CHECKPOINT_PAGES = 1_000;
/** The log and its index take it over. */
const OPEN_MODE = 0o640;
const PAGE_BYTES = 4_096;
/** Each commit rewrites the last pages of `event` and `batch`, and often one more. */
const COMMIT_PAGES = 3;

/**
 * The segment that is being written, by this connection alone. WAL with `synchronous = FULL`: each commit is one append
 * and one fsync, after which it survives the loss of the process and, as far as the disk keeps its word, of power.
 */
export class OpenSegment {
  readonly path: string;
  readonly firstSeq: number;
  readonly #db: DatabaseSync;
  readonly #terms: SegmentTerms;
  readonly #insertEvent: StatementSync;
  readonly #insertTarget: StatementSync;
  readonly #insertBatch: StatementSync;
  readonly #inode: number;
  #lowAt: number;
  #highAt: number;
  #pagesInLog = 0;

  private constructor(path: string, db: DatabaseSync, found: SegmentHead) {
    this.path = path;
    this.firstSeq = found.firstSeq;
    this.#db = db;
    this.#terms = new SegmentTerms(db);
    this.#insertEvent = db.prepare(`INSERT INTO event VALUES (${'?, '.repeat(14)}?)`);
    this.#insertTarget = db.prepare('INSERT INTO target VALUES (?, ?, ?, ?)');
    this.#insertBatch = db.prepare('INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)');
    this.#inode = statSync(path).ino;
    this.#lowAt = found.range?.lowAt ?? Number.POSITIVE_INFINITY;
    this.#highAt = found.range?.highAt ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Opens the segment at `path`; makes it where there is none. What it says of itself may differ from `begin`: the caller
   * judges.
   *
   * @param busyMsMax how long any statement waits for another process's lock
   * @throws SQLite's or the file system's error
   */
  static open(path: string, begin: SegmentBegin, busyMsMax: number): { segment: OpenSegment; found: SegmentHead } {
    reserve(path);
    const db = new DatabaseSync(path, { timeout: busyMsMax });
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
      const found = readSegmentHead(db) ?? make(db, begin);
      return { segment: new OpenSegment(path, db, found), found };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /**
   * Writes one batch, whole or not at all, and says where the chain stands then.
   *
   * @param text lines as `eventLine` makes them
   * @param tally counts them
   * @throws SQLite's error; an error when the file was removed or replaced underneath. The segment must then be closed.
   */
  commit(n: number, text: string, head: Head, tally: UsageTally): Head {
    // SQLite would go on writing, without an error, to a file that has no name any more.
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode) {
      throw new Error(`${this.path} was removed or replaced`);
    }
    this.#db.exec('BEGIN IMMEDIATE');
    const digests: Uint8Array[] = [];
    let seq = head.seq;
    for (let begin = 0, end = text.indexOf('\n'); end !== -1; begin = end + 1, end = text.indexOf('\n', begin)) {
      const line = text.slice(begin, end);
      if (line.startsWith('[')) {
        this.#writeTargets(seq, line);
      } else {
        seq += 1;
        const digest = lineDigest(line);
        digests.push(digest);
        this.#writeEvent(seq, line, digest, tally);
      }
    }
    const link = nextLink(head.link, digests);
    this.#insertBatch.run(head.seq + 1, seq, n, link, this.#lowAt, this.#highAt);
    this.#db.exec('COMMIT');
    this.#pagesInLog += COMMIT_PAGES + text.length / PAGE_BYTES;
    return { seq, batch: n, link };
  }

  /**
   * Keeps a checkpoint, unless one of the same event is there.
   *
   * @throws SQLite's error
   */
  keep(seq: number, { text, keyId, signature }: SignedCheckpoint): void {
    this.#db.prepare('INSERT OR IGNORE INTO checkpoint VALUES (?, ?, ?, ?)').run(seq, text, keyId, signature);
    this.#pagesInLog += COMMIT_PAGES;
  }

  /** Between commits: writes the log back into the file when it has grown, so that no commit has to. */
  rest(): void {
    if (this.#pagesInLog < CHECKPOINT_PAGES) return;
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    this.#pagesInLog = 0;
  }

  close(): void {
    this.#db.close();
  }

  #writeEvent(seq: number, line: string, digest: Uint8Array, tally: UsageTally): void {
    const fields = eventFields(line);
    tally.add(fields);
    const event = columnsOf(fields);
    if (event.at < this.#lowAt) this.#lowAt = event.at;
    if (event.at > this.#highAt) this.#highAt = event.at;
    this.#insertEvent.run(
      seq,
      event.at,
      this.#terms.id(event.kind),
      this.#terms.id(event.teamId, event.team),
      this.#terms.id(event.appId, event.app),
      this.#terms.id(event.personId),
      this.#terms.id(event.tokenId),
      this.#terms.id(event.keyFingerprint),
      this.#terms.id(event.operation),
      this.#terms.id(event.effect),
      event.status ?? null,
      this.#terms.id(event.errorSource),
      event.requestId === undefined ? null : escapedName(event.requestId),
      digest,
      line,
    );
  }

  #writeTargets(seq: number, line: string): void {
    const targets: string[] = JSON.parse(line);
    for (let n = 0; n * 2 + 1 < targets.length; n += 1) {
      this.#insertTarget.run(seq, n, this.#terms.id(targets[n * 2]), escapedName(targets[n * 2 + 1]));
    }
  }
}

/**
 * SQLite would make the file for the umask's readers. Only ever makes it: closing a file that SQLite has open, anywhere in
 * this process, would drop its POSIX locks.
 */
function reserve(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'wx', OPEN_MODE));
}

function make(db: DatabaseSync, begin: SegmentBegin): SegmentHead {
  const { head } = begin;
  db.exec('BEGIN IMMEDIATE');
  db.exec(SEGMENT_SCHEMA);
  db.prepare('INSERT INTO segment VALUES (1, ?, ?, ?, ?, ?, ?, NULL)').run(
    begin.gatewayId,
    begin.chain,
    begin.n,
    head.seq + 1,
    head.batch + 1,
    head.link,
  );
  db.exec('COMMIT');
  return {
    ...begin,
    sealed: false,
    firstSeq: head.seq + 1,
    previousLink: head.link,
    events: undefined,
    range: undefined,
  };
}
