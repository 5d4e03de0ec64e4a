import type { Checkpoint, SignedCheckpoint, Signer } from '../domain/checkpoint.ts';
import type { Clock } from '../domain/clock.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Head } from './chain.ts';
import { checkpointPlace } from './checkpoint-place.ts';
import { failureText } from './failure-text.ts';

/** Where a chain and its checkpoints are kept. */
export interface CheckpointRoom {
  /** How far the chain of this run has come, of what is durable; undefined before its first batch. */
  head(): (Head & { readonly chain: string }) | undefined;
  /** Keeps a checkpoint beside the chain; throws when it cannot. */
  keep(seq: number, checkpoint: SignedCheckpoint): Promise<void>;
  /** The newest checkpoints of all chains that may still grow; throws when they cannot be read. */
  newest(): Promise<readonly SignedCheckpoint[]>;
}

export interface CheckpointOptions {
  readonly clock: Clock;
  readonly signer: Signer;
  /** Milliseconds from one checkpoint to the next while events come. */
  readonly checkpointMs: number;
  /** Told of each one: the log is a witness, and so is every sink. */
  readonly onCheckpoint: (checkpoint: SignedCheckpoint) => void;
  /** Told, in one line for an operator, when none could be signed or kept. */
  readonly onProblem: (problem: string) => void;
}

const SEEN_MAX = 64;

/** Says every few seconds, signed, how far the chain of this run has come. */
export class Checkpointer {
  readonly #options: CheckpointOptions;
  readonly #room: CheckpointRoom;
  #cancel: () => void;
  #signedSeq = 0;
  #underWay = Promise.resolve();
  #lastProblem: string | undefined;

  constructor(options: CheckpointOptions, room: CheckpointRoom) {
    this.#options = options;
    this.#room = room;
    this.#cancel = this.#later();
  }

  /** Says how far the chain has come, unless it was said; settles when it is kept. Never throws. */
  sign(): Promise<void> {
    this.#underWay = this.#underWay.then(() => this.#sign());
    return this.#underWay;
  }

  /** Signs for the last time, once the chain has come to its end. */
  async close(): Promise<void> {
    this.#cancel();
    await this.sign();
  }

  #later(): () => void {
    return this.#options.clock.after(this.#options.checkpointMs, () => {
      this.#cancel = this.#later();
      void this.sign();
    });
  }

  async #sign(): Promise<void> {
    const { signer, clock, onCheckpoint } = this.#options;
    if ((this.#room.head()?.seq ?? 0) <= this.#signedSeq) return;
    try {
      // A key that cannot be looked for now is no reason not to sign with the one that is there.
      await signer.refresh().catch((error: unknown) => this.#tell(error));
      const newest = await this.#room.newest().catch((error: unknown) => this.#tell(error));
      const others = (newest ?? []).map(({ text }) => checkpointPlace(text));
      const head = this.#room.head();
      if (head === undefined) return;
      const checkpoint: Checkpoint = {
        v: 1,
        chain: head.chain,
        seq: head.seq,
        batch: head.batch,
        link: Buffer.from(head.link).toString('hex'),
        at: clock.epochMs(),
        seen: others.filter(({ chain }) => chain !== '' && chain !== head.chain).slice(0, SEEN_MAX),
      };
      const text = canonicalJson(checkpoint);
      const signed: SignedCheckpoint = { text, ...signer.sign(text) };
      this.#signedSeq = head.seq;
      onCheckpoint(signed);
      await this.#room.keep(head.seq, signed);
      this.#lastProblem = undefined;
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Once for each problem, not each few seconds. */
  #tell(error: unknown): undefined {
    const problem = `a checkpoint of the record: ${failureText(error)}`;
    if (problem !== this.#lastProblem) this.#options.onProblem(problem);
    this.#lastProblem = problem;
    return undefined;
  }
}
