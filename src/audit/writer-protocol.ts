import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import type { UsageDelta } from '../domain/usage.ts';
import type { Head } from './chain.ts';
import type { UsageTally } from './usage-tally.ts';

/** Where a run stands. */
export interface WriterState {
  readonly run: string;
  readonly head: Head;
}

/** Writes the chain of one run, in a thread of its own. */
export interface BatchesWriter<S extends WriterState> {
  /** Counts what is written. */
  readonly tally: UsageTally;
  /**
   * Writes a batch, unless it is there already, and says where the run stands. Batches are numbered from 1; 0 writes
   * nothing and tries whether writing is possible.
   *
   * @throws the store's error: nothing of the batch counts as written, though it may come to light later
   */
  write(batch: number, text: string): S | Promise<S>;
  /**
   * Keeps a checkpoint beside the chain. Where that is not open, nothing is kept: the next checkpoint says all that this one
   * does.
   *
   * @param seq of the event that it stands at
   * @throws the store's error
   */
  keep(seq: number, checkpoint: SignedCheckpoint): void | Promise<void>;
  /**
   * Between batches: what would only make a commit slow. Failures are left to the next write, which meets them too and
   * tells.
   */
  rest(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** What the writer thread is asked: to write one batch, to keep a checkpoint, or to end. Answers come in the same order. */
export type WriterRequest =
  | { readonly batch: number; readonly lines: Uint8Array }
  | { readonly seq: number; readonly checkpoint: SignedCheckpoint }
  | 'close';

/** What it answers. */
export type WriterAnswer<S extends WriterState> =
  | {
      readonly kind: 'written';
      readonly state: S;
      /** Of the calls that ended in it; undefined where only the record knows. */
      readonly usage: readonly UsageDelta[] | undefined;
    }
  | { readonly kind: 'kept' }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'closed' };
