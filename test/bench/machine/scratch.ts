import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENDING_MS_MAX = 15_000;

/** A process of the bench's own; ended by its id. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  /** SIGTERM, and SIGKILL when that does not help. */
  end(): Promise<void>;
}

export interface ChildOptions {
  /** The only processor that it may use. */
  readonly core?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
}

const children = new Set<ChildProcess>();
const directories = new Set<string>();

// However the bench ends, nothing of it stays.
process.on('exit', () => {
  for (const child of children) child.kill('SIGTERM');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** A directory that goes away with the bench. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  directories.add(directory);
  return directory;
}

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const { core, env = {}, stdio = ['pipe', 'pipe', 'inherit'] } = options;
  // taskset becomes the command itself, so that the id is the command's.
  const line = core === undefined ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const child = spawn(line[0] as string, line.slice(1), { stdio, env: { PATH: process.env['PATH'], ...env } });
  children.add(child);
  const ended = once(child, 'close').finally(() => children.delete(child));
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const last = setTimeout(() => child.kill('SIGKILL'), ENDING_MS_MAX);
    await ended.catch(() => undefined);
    clearTimeout(last);
  };
  return { pid: child.pid ?? 0, process: child, end, [Symbol.asyncDispose]: end };
}
