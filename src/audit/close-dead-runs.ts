import type { GatewayRun, GatewayRuns } from '../domain/run.ts';
import { type CloseRunRooms, closeRun } from './close-run.ts';
import { failureText } from './failure-text.ts';
import type { OpenedRecord } from './open-record.ts';
import { ulidEpochMs } from './ulid.ts';

export interface CloserRooms extends CloseRunRooms {
  readonly record: CloseRunRooms['record'] & Pick<OpenedRecord, 'archive' | 'chain'>;
  readonly runs: GatewayRuns;
  /** Told, in one line for an operator, what was closed, and what failed. */
  readonly onClosed: (chain: string, unknown: number) => void;
  readonly onProblem: (problem: string) => void;
}

export const LOOK_EVERY_MS = 30_000;
/** A run that did not say for so long that it lives is dead. */
const DEAD_MS = 60_000;
/** A closer that did not say for so long that it goes on is dead too. */
const TAKEN_MS = 60_000;
const RENEW_MS = 10_000;

/**
 * Finds runs that died, and closes them. A run is dead when its row has not changed for a minute by this gateway's monotonic
 * clock, however often it looked: a clock that is wrong, here or there, makes nobody look dead. Where this gateway itself, or
 * the store, was away, it begins to watch anew. Only how long another closer has been at it is told by both clocks: where they
 * differ by a minute, two may close one run, and then each end is written by who comes first, as a rule.
 */
export class DeadRuns {
  readonly #rooms: CloserRooms;
  readonly #watched = new Map<string, { seenAt: number; since: number }>();
  readonly #stopping = new AbortController();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #hasAdopted = false;

  constructor(rooms: CloserRooms) {
    this.#rooms = rooms;
  }

  /** Looks once; never throws. */
  async look(): Promise<void> {
    const { runs, clock, onProblem } = this.#rooms;
    try {
      if (!this.#hasAdopted) await this.#adopt();
      this.#hasAdopted = true;
      const now = clock.now();
      if (now - this.#lookedAt > 2 * LOOK_EVERY_MS) this.#watched.clear();
      this.#lookedAt = now;
      const dead = (await runs.list()).filter((run) => this.#isDead(run, now));
      for (const { chain, seenAt } of dead) {
        if (this.#stopping.signal.aborted) return;
        await this.#close(chain, seenAt);
      }
    } catch (error) {
      this.#watched.clear();
      if (!this.#stopping.signal.aborted) onProblem(`runs that died cannot be closed now: ${failureText(error)}`);
    }
  }

  /** What is being closed is left where it is. */
  stop(): void {
    this.#stopping.abort(new Error('the gateway ends'));
  }

  #isDead({ chain, seenAt, endedAt, closedAt }: GatewayRun, now: number): boolean {
    if (endedAt !== undefined || closedAt !== undefined || chain === this.#rooms.record.chain()) {
      this.#watched.delete(chain);
      return false;
    }
    const watched = this.#watched.get(chain);
    if (watched?.seenAt === seenAt) return now - watched.since >= DEAD_MS;
    this.#watched.set(chain, { seenAt, since: now });
    return false;
  }

  /** Chains of runs that nobody knows, as those of earlier releases: one that lives says so itself. */
  async #adopt(): Promise<void> {
    const { runs, record } = this.#rooms;
    const known = new Set((await runs.list()).map(({ chain }) => chain));
    for (const { chain, gatewayId, run } of await record.archive.chains()) {
      if (!known.has(chain) && gatewayId !== '?') await runs.beat({ chain, gatewayId }, ulidEpochMs(run));
    }
  }

  async #close(chain: string, seenAt: number): Promise<void> {
    const { runs, clock, record, onClosed } = this.#rooms;
    const by = record.chain();
    if (by === undefined) return;
    let renewedAt = Number.NEGATIVE_INFINITY;
    const take = async (): Promise<boolean> => {
      renewedAt = clock.now();
      const at = clock.epochMs();
      return runs.take(chain, by, { seenBefore: seenAt + 1, takenAfter: at - TAKEN_MS, at });
    };
    if (!(await take())) return;
    const unknown = await closeRun(this.#rooms, chain, async () => {
      this.#stopping.signal.throwIfAborted();
      if (clock.now() - renewedAt < RENEW_MS) return;
      if (!(await take())) throw new Error(`${chain} lives, or another gateway closes it`);
    });
    await runs.close(chain, by, clock.epochMs());
    this.#watched.delete(chain);
    onClosed(chain, unknown);
  }
}
