import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE = '24m';
const PIECE = Buffer.alloc(65_536);

/** Moves a directory to a small disk of its own; undefined where nothing may be mounted. */
export function smallDisk(directory: string): Disposable | undefined {
  const before = `${directory}.before`;
  renameSync(directory, before);
  mkdirSync(directory, { mode: 0o700 });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    rmSync(directory, { recursive: true });
    renameSync(before, directory);
    return undefined;
  }
  cpSync(before, directory, { recursive: true, preserveTimestamps: true });
  return { [Symbol.dispose]: () => void execFileSync('umount', ['-l', directory]) };
}

/** Writes until nothing more fits. @returns what makes room again */
export function fillDisk(directory: string): () => Promise<void> {
  const file = join(directory, 'ballast');
  const out = openSync(file, 'w');
  for (let size = PIECE.length; size >= 1; ) {
    try {
      writeSync(out, PIECE, 0, size);
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(out);
  return async () => rmSync(file);
}
