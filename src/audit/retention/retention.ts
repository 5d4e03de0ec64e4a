import { randomUUIDv7 } from 'node:crypto';
import type { TakenOut } from '../../domain/archive.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Actor, AdminEvent } from '../../domain/event.ts';
import type { Positions } from '../../domain/positions.ts';
import type { AuditRecord } from '../../domain/record.ts';
import { CarefulDate, STEP_MS_MAX } from '../careful-date.ts';
import { every } from '../every.ts';
import { failureText } from '../failure-text.ts';
import { takeHourlyTurn } from '../hourly-turn.ts';
import type { Going, PruneAsked, PrunePlan, RecordPruner, RetentionPolicy, Undelivered } from './record-pruner.ts';

export interface RetentionOptions {
  readonly policy: RetentionPolicy;
  readonly pruner: RecordPruner;
  readonly record: Pick<AuditRecord, 'intend'>;
  readonly positions: Positions;
  readonly clock: Clock;
  /** Chains that somebody who follows the record has not come to the end of. */
  readonly undelivered: () => Promise<readonly Undelivered[]>;
  /** Told, in one line for an operator, of what went, and of what could not go. */
  readonly onPruned: (words: string) => void;
  readonly onProblem: (problem: string) => void;
}

/** What went. */
export interface Pruned extends PrunePlan {
  /** What the record takes on disk after it. */
  readonly bytesAfter: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Keeps the record as long as the policy says, and no longer. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #date: CarefulDate;
  #end: (() => Promise<void>) | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#date = new CarefulDate('retention.date', options.positions, options.clock);
  }

  /** Whether anything ever goes. */
  get isOn(): boolean {
    const { days, bytesMax, teams = {} } = this.#options.policy;
    return days !== undefined || bytesMax !== undefined || Object.keys(teams).length > 0;
  }

  /** Looks once an hour from now on, unless another gateway did. */
  start(): void {
    if (this.isOn) this.#end = every(this.#options.clock, HOUR_MS, () => this.#hour());
  }

  /**
   * What would go if a person asked for it now: by the clock. Changes nothing.
   *
   * @throws GatewayError `store_unavailable`
   */
  async plan(): Promise<PrunePlan> {
    const { pruner, clock } = this.#options;
    return await pruner.plan(await this.#asked(clock.epochMs()));
  }

  /**
   * Takes out what is older or more than the policy allows, by the clock, because a person asks for it. What goes is on record
   * first, an event for each chain.
   *
   * @throws GatewayError `record_unavailable`, then nothing went; `store_unavailable`
   */
  async prune(actor: Actor, requestId: string): Promise<Pruned> {
    return await this.#alone(async () => this.#prune(await this.#date.trustClock(), actor, requestId));
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end?.();
    await this.#underWay;
  }

  /** One after the other. */
  async #alone(prune: () => Promise<Pruned>): Promise<Pruned> {
    const pruning = this.#underWay.then(prune);
    this.#underWay = pruning.catch(() => undefined);
    return await pruning;
  }

  async #prune(date: number, actor: Actor, requestId: string): Promise<Pruned> {
    const { pruner, record, clock } = this.#options;
    const asked = await this.#asked(date);
    const plan = await pruner.plan(asked);
    if (plan.going.length === 0) return { ...plan, bytesAfter: plan.bytes };
    const common = { kind: 'admin' as const, requestId, actor, act: 'audit.prune' };
    const event = (details: AdminEvent['details'], result: AdminEvent['result']): AdminEvent => {
      return { ...common, at: clock.epochMs(), details, result };
    };
    // What went before is said first: whoever is ended in the middle has said it twice, and never not at all.
    for (const taken of plan.saidAgain) await record.intend(event(detailsOf({ ...taken, again: true }), 'done'));
    for (const going of plan.going) await record.intend(event(detailsOf(going), 'intended'));
    const bytesAfter = await pruner.carryOut(asked, plan.going);
    for (const going of plan.going) await record.intend(event(detailsOf(going), 'done'));
    return { ...plan, bytesAfter };
  }

  async #asked(date: number): Promise<PruneAsked> {
    const { policy, undelivered } = this.#options;
    return {
      now: date,
      before: policy.days === undefined ? undefined : date - policy.days * DAY_MS,
      bytesMax: policy.bytesMax,
      teams: Object.entries(policy.teams ?? {}).map(([team, { days }]) => ({ team, before: date - days * DAY_MS })),
      undelivered: await undelivered(),
    };
  }

  async #hour(): Promise<void> {
    const { positions, clock, onPruned, onProblem } = this.#options;
    try {
      if (!(await takeHourlyTurn('retention', positions, clock))) return;
      const date = await this.#date.step();
      if (this.#isClosed) return;
      const daysAhead = Math.floor((clock.epochMs() - date) / DAY_MS);
      if (daysAhead > 0) onProblem(aheadWords(daysAhead));
      const { going, bytes, bytesAfter, heldBack } = await this.#alone(() =>
        this.#prune(date, { kind: 'gateway' }, randomUUIDv7()),
      );
      for (const reason of heldBack) onProblem(`the record is kept for longer than it should be: ${reason}`);
      if (going.length > 0) onPruned(`${goingWords(going)} went from the record, ${bytes - bytesAfter} bytes`);
    } catch (error) {
      // Whatever it is, calls go on, and the next hour tries again.
      onProblem(`the record could not be pruned: ${failureText(error)}`);
    }
  }
}

function aheadWords(days: number): string {
  return (
    `the clock is ${days} days ahead of the date by which retention judges age, which follows by ${STEP_MS_MAX / HOUR_MS} h in ` +
    'an hour: set the clock if it is wrong; if no gateway ran for so long, "mason-gateway audit prune" takes what is due at once'
  );
}

/** What goes, in words. */
function goingWords(going: readonly Going[]): string {
  const count = (taken: TakenOut['taken']): number =>
    going.filter((one) => one.taken === taken).reduce((sum, { events }) => sum + events, 0);
  return `${count('events')} events, and the bytes of ${count('bytes')} more,`;
}

/** Fields that are there, as they stand on record. */
function detailsOf(fields: object): AdminEvent['details'] {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
