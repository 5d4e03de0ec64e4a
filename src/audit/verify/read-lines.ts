import { createReadStream } from 'node:fs';

/** Some lines of a file. */
export interface FileBlock {
  readonly lines: readonly FileLine[];
  /** All their bytes. */
  readonly text: string;
}

/** A line of a file. */
export interface FileLine {
  /** Without its line feed; each character is a byte. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** False for a last one without a line feed. */
  readonly isWhole: boolean;
}

const READ_BYTES = 1_048_576;
/** The longest line that a gateway writes is a manifest with the heads of all chains. */
const LINE_BYTES_MAX = 67_108_864;

/**
 * The lines of a file, in pieces of about a megabyte.
 *
 * @throws the file system's error; Error when a line is longer than 64 MiB
 */
export async function* readLines(path: string): AsyncIterable<FileBlock> {
  let rest = '';
  let number = 0;
  for await (const piece of createReadStream(path, { encoding: 'latin1', highWaterMark: READ_BYTES })) {
    const text = rest + String(piece);
    const lines: FileLine[] = [];
    let begin = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', begin)) {
      number += 1;
      lines.push({ text: text.slice(begin, end), number, isWhole: true });
      begin = end + 1;
    }
    rest = text.slice(begin);
    if (rest.length > LINE_BYTES_MAX) throw new Error(`${path}: line ${number + 1} is longer than 64 MiB`);
    if (lines.length > 0) yield { lines, text: text.slice(0, begin) };
  }
  if (rest !== '') yield { lines: [{ text: rest, number: number + 1, isWhole: false }], text: rest };
}
