import type { Readable, Writable } from 'node:stream';
import type { RecordArchive } from '../domain/archive.ts';
import type { SigningKey } from '../domain/checkpoint.ts';
import type { Acts } from '../manage/acts.ts';

/** What the command line needs of the rest of the house; the entry wires it, tests wire their own. */
export interface Rooms<Config> {
  /** @throws Error with `problems`, a line each, when settings are wrong */
  loadConfig(): Config;
  /** What is wrong with the files that the settings name, beside the settings: a certificate that callers would refuse. */
  fileProblems(config: Config): Promise<readonly string[]>;
  /** The settings in force, printable. */
  describeConfig(config: Config): unknown;
  /** Where running gateways may listen for the command line, in the order in which to try. */
  socketPaths(config: Config): Promise<readonly string[]>;
  /** Where browsers reach the gateway: scheme, host and port. */
  publicAddress(config: Config): string;
  /** The value of a variable of the environment that a file refers to; undefined where it is not set, or empty. */
  readVariable(name: string): string | undefined;
  openManagement(config: Config): Promise<{ acts: Acts; close(): Promise<void> }>;
  /** The record as it is kept, to be checked; whether or not a gateway runs. */
  openKeptRecord(
    config: Config,
  ): Promise<AsyncDisposable & { readonly archive: RecordArchive; readonly keys: readonly SigningKey[] }>;
  /** Runs the gateway until it is told to end; gives the exit code. */
  serve(): Promise<number>;
  /** Runs the simulator; gives the exit code. */
  simulate(argv: readonly string[]): Promise<number>;
}

/** Standard input, which may be a terminal. */
export interface Input extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** From now on Ctrl-C does not end the process, but aborts this: for commands that go on and on. */
  untilInterrupted(): AbortSignal;
  /** Milliseconds from one look of `audit tail -f` to the next; 1,000 where not given. */
  readonly lookEveryMs?: number;
}
