import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the record: `<run>-<n>.db`. Its name says only whose turn it is; gateway and chain stand inside. */
export interface SegmentFile {
  readonly path: string;
  /** ULID of the run that wrote it. */
  readonly run: string;
  /** From 1, in the order of the run. */
  readonly n: number;
}

const NAME = /^([0-9A-HJKMNP-TV-Z]{26})-([1-9][0-9]{0,8})\.db$/;

export function segmentPath(directory: string, run: string, n: number): string {
  return join(directory, `${run}-${n}.db`);
}

/**
 * All segments of a directory, newest run first, within a run the newest first. A directory that is not there has none.
 *
 * @throws the file system's error when it cannot be read
 */
export function listSegments(directory: string): SegmentFile[] {
  const files: SegmentFile[] = [];
  for (const name of namesIn(directory)) {
    const match = NAME.exec(name);
    if (match?.[1] !== undefined) files.push({ path: join(directory, name), run: match[1], n: Number(match[2]) });
  }
  return files.sort((a, b) => (a.run === b.run ? b.n - a.n : a.run < b.run ? 1 : -1));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
