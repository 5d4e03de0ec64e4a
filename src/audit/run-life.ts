import type { Positions } from '../domain/positions.ts';
import { USAGE_KEPT_MS } from '../domain/usage.ts';
import { CarefulDate } from './careful-date.ts';
import { type CloserRooms, DeadRuns, LOOK_EVERY_MS } from './close-dead-runs.ts';
import { every } from './every.ts';
import { failureText } from './failure-text.ts';
import { takeHourlyTurn } from './hourly-turn.ts';
import type { UsageCounter } from './usage-counter.ts';

export interface RunLifeRooms extends CloserRooms {
  readonly gatewayId: string;
  readonly counter: UsageCounter;
  readonly positions: Positions;
}

const BEAT_EVERY_MS = 5_000;
const COUNT_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 3_600_000;
/** How long a run is known after its end, when nothing of it is on record any more. */
const RUN_KEPT_MS = 30 * 86_400_000;
/** So many are forgotten at once; the rest an hour later. */
const FORGOTTEN_MAX = 500;

/**
 * The life of this run, as other gateways and the next one see it: it says that it lives, takes its usage into the store, and says
 * in the end that it ended in order. A run that says nothing more is closed by another.
 */
export class RunLife {
  readonly #rooms: RunLifeRooms;
  readonly #dead: DeadRuns;
  readonly #date: CarefulDate;
  #chain: string | undefined;
  #beatAt = 0;
  #ends: (() => Promise<void>)[] = [];
  #lastProblem: string | undefined;

  constructor(rooms: RunLifeRooms) {
    this.#rooms = rooms;
    this.#dead = new DeadRuns(rooms);
    this.#date = new CarefulDate('usage.date', rooms.positions, rooms.clock);
  }

  /** From now on others know of it. Where the store is away they hear of it later. */
  async begin(): Promise<void> {
    const { clock } = this.#rooms;
    await this.#beat();
    this.#ends.push(
      every(clock, BEAT_EVERY_MS, () => this.#beat()),
      every(clock, COUNT_EVERY_MS, async () => void (await this.#count())),
    );
  }

  /** Looks after runs that died, and after the size of what is kept of usage and runs: for a gateway, which lives long enough. */
  watch(): void {
    const { clock } = this.#rooms;
    const first = Promise.all([this.#dead.look(), this.#prune()]);
    this.#ends.push(
      every(clock, LOOK_EVERY_MS, () => this.#dead.look()),
      every(clock, PRUNE_EVERY_MS, () => this.#prune()),
      async () => void (await first),
    );
  }

  /** Before the record is closed. */
  async stop(): Promise<void> {
    this.#dead.stop();
    await Promise.all(this.#ends.map((end) => end()));
    // While the record can still be read, should it have to be.
    await this.#count();
  }

  /** After the record was closed: it ended in order, unless something is left to do for another. */
  async end(): Promise<void> {
    const { runs, clock } = this.#rooms;
    const chain = this.#chain;
    if ((await this.#count()) && chain !== undefined) {
      await this.#quietly('the end of this run', () => runs.end(chain, clock.epochMs()));
    }
  }

  async #beat(): Promise<void> {
    const { runs, record, clock, gatewayId } = this.#rooms;
    const chain = record.chain();
    if (chain === undefined) return;
    // A clock that was set back must not make it look dead.
    const at = Math.max(clock.epochMs(), this.#beatAt + 1);
    await this.#quietly('the life of this run', async () => {
      await runs.beat({ chain, gatewayId }, at);
      this.#chain = chain;
      this.#beatAt = at;
    });
  }

  async #count(): Promise<boolean> {
    const { counter, record } = this.#rooms;
    let isCounted = false;
    await this.#quietly('usage', async () => {
      isCounted = await counter.flush(record.archive);
    });
    return isCounted;
  }

  async #prune(): Promise<void> {
    const { usage, positions, clock } = this.#rooms;
    await this.#quietly('old usage and runs', async () => {
      // Or the date would be hurried by each of many gateways, and by one that starts again and again.
      if (!(await takeHourlyTurn('usage', positions, clock))) return;
      const date = await this.#date.step();
      await usage.prune('minute', date - USAGE_KEPT_MS.minute);
      await usage.prune('hour', date - USAGE_KEPT_MS.hour);
      await this.#forgetRuns(date);
    });
  }

  async #forgetRuns(date: number): Promise<void> {
    const { runs, record } = this.#rooms;
    const chains = await record.archive.chains();
    // An archive that lacks even this run, or its begin, is not all there is: what comes back would be counted twice.
    if (chains.find(({ chain }) => chain === record.chain())?.firstSeq !== 1) return;
    const kept = new Set(chains.map(({ chain }) => chain));
    const before = date - RUN_KEPT_MS;
    const over = (await runs.list()).filter(
      ({ chain, endedAt, closedAt }) => (endedAt ?? closedAt ?? before) < before && !kept.has(chain),
    );
    if (over.length > 0) await runs.forget(over.slice(0, FORGOTTEN_MAX).map(({ chain }) => chain));
  }

  /** What fails is tried again; it is told once. */
  async #quietly(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.#lastProblem = undefined;
    } catch (error) {
      const problem = `${what}: ${failureText(error)}`;
      if (problem !== this.#lastProblem) this.#rooms.onProblem(problem);
      this.#lastProblem = problem;
    }
  }
}
