import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import type { CheckedBatch, CheckedChain } from './chain-check.ts';
import type { Finding } from './finding.ts';
import type { KeyRing } from './key-ring.ts';
import type { WitnessBook, WitnessPoint } from './witness-book.ts';

/** What is checked, piece by piece, in the order in which it stands: chain for chain, oldest first. */
export type Piece =
  | { readonly kind: 'chain'; readonly chain: CheckedChain }
  | { readonly kind: 'batch'; readonly batch: CheckedBatch }
  /** Behind the batch that it names. */
  | { readonly kind: 'checkpoint'; readonly checkpoint: SignedCheckpoint }
  /** The chain cannot be read any further. */
  | { readonly kind: 'broken'; readonly message: string };

/** A record to be checked: the one of a gateway, or an export of it. It is read twice. */
export interface Evidence {
  /**
   * Looks through it for what later bears on the chains: its signing keys, and what is said of a chain elsewhere in it (the run
   * after it, other gateways' checkpoints).
   */
  prepare(keys: KeyRing, book: WitnessBook, onFinding: (finding: Finding) => void): Promise<void>;
  pieces(onFinding: (finding: Finding) => void): AsyncIterable<Piece>;
  /** Whether a witness saw something that came after this was taken. */
  isYounger(point: WitnessPoint): boolean;
  /** What else than a cut may explain that what a witness saw is not there, in words behind a finding; or nothing. */
  doubt(point: WitnessPoint): string;
  /** What an auditor should know of it, in words. */
  notes(): readonly string[];
}
