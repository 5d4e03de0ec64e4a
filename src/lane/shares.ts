import { type BudgetAnswer, LEASE_MS } from './budget-act.ts';
import type { ReadyApp } from './shared-line.ts';
import type { Member, SharedState } from './shared-state.ts';
import { URGENCIES } from './waiter.ts';

/** A round gives each waiting gateway about so many slots, so that asking costs little; */
const SLOTS_PER_ROUND = 14;
/**
 * fewer, down to so many, where an app has few calls waiting for its turns of a round: these are soon at other gateways than
 * the parts say. Some come back within the round;
 */
const SLOTS_PER_ROUND_MIN = 8;
const QUIETEST_TIMES = 1.5;
const FEW_APPS_MAX = 4;
/** but lasts no longer than this, so that a gateway that comes new does not wait long. */
export const ROUND_MS_MAX = 600;

/** An app's calls that wait at any gateway. */
interface AppEverywhere {
  weight: number;
  ready: number;
  /** By urgency. */
  readonly readyAt: number[];
  /** Of those, which part a round serves: all of the most urgent before any of the others. */
  readonly servedAt: number[];
  /** Calls that a round serves. */
  served: number;
}

/** Who has which part of the slots. */
export interface Shares {
  /** Of the members, in their order; 1: it has no call ready, and the whole budget to itself as far as it matters to others. */
  readonly parts: readonly number[];
  /** Sum of the weights of all apps that wait anywhere. */
  readonly weights: number;
  readonly everywhere: ReadonlyMap<string, AppEverywhere>;
  /** Gateways that wait; at least 1. */
  readonly waiting: number;
  /** Slots of a round for all who wait. */
  readonly round: number;
}

/**
 * Parts by apps, not by gateways: an app's turns of a round go to its most urgent calls, wherever they wait, and of equally
 * urgent ones to each gateway by how many wait there.
 */
export function weigh({ members, at, pace }: SharedState): Shares {
  const everywhere = new Map<string, AppEverywhere>();
  let waiting = 0;
  for (const member of members) {
    if (!waits(member, at)) continue;
    waiting++;
    for (const told of member.apps) count(told, everywhere);
  }
  waiting = Math.max(1, waiting);
  let weights = 0;
  for (const { weight } of everywhere.values()) weights += weight;
  const round = Math.min(slotsPerRound(everywhere, waiting) * waiting, Math.floor(ROUND_MS_MAX / pace.spacingMs));
  for (const app of everywhere.values()) serve(app, (Math.max(waiting, round) * app.weight) / weights);
  const parts = members.map((member) => {
    if (!waits(member, at)) return 1;
    let own = 0;
    for (const told of member.apps) {
      const app = everywhere.get(told[0]) as AppEverywhere;
      own += app.weight * partHere(told, app);
    }
    return own / weights;
  });
  return { parts, weights, everywhere, waiting, round };
}

function count([id, ready, weight, urgencies]: ReadyApp, everywhere: Map<string, AppEverywhere>): void {
  const app = everywhere.getOrInsertComputed(id, () => ({
    weight: 0,
    ready: 0,
    readyAt: new Array<number>(URGENCIES).fill(0),
    servedAt: new Array<number>(URGENCIES).fill(0),
    served: 0,
  }));
  app.weight = Math.max(app.weight, weight);
  app.ready += ready;
  for (let i = 0; i < urgencies.length; i += 2) {
    const urgency = urgencies[i] as number;
    app.readyAt[urgency] = (app.readyAt[urgency] as number) + (urgencies[i + 1] as number);
  }
}

function slotsPerRound(everywhere: ReadonlyMap<string, AppEverywhere>, waiting: number): number {
  if (everywhere.size <= FEW_APPS_MAX) return SLOTS_PER_ROUND;
  let quietest = Number.MAX_VALUE;
  for (const { ready } of everywhere.values()) quietest = Math.min(quietest, ready);
  const most = Math.floor((QUIETEST_TIMES * quietest * everywhere.size) / waiting);
  return Math.max(SLOTS_PER_ROUND_MIN, Math.min(SLOTS_PER_ROUND, most));
}

function serve(app: AppEverywhere, slots: number): void {
  let left = slots;
  for (const [urgency, ready] of app.readyAt.entries()) {
    if (ready === 0) continue;
    const served = Math.min(left, ready);
    app.servedAt[urgency] = served / ready;
    app.served += served;
    left -= served;
  }
}

/** Which part of the app's turns is for the calls of this gateway. */
function partHere([, , , urgencies]: ReadyApp, { servedAt, served }: AppEverywhere): number {
  let here = 0;
  for (let i = 0; i < urgencies.length; i += 2) {
    here += (urgencies[i + 1] as number) * (servedAt[urgencies[i] as number] as number);
  }
  return here / served;
}

export function waits({ renewedAt, apps }: Member, now: number): boolean {
  return apps.length > 0 && now - renewedAt <= LEASE_MS;
}

/** What a gateway is told of parts. */
export function sharesOf(
  { members, at }: SharedState,
  me: Member | undefined,
  { parts, weights, everywhere }: Shares,
): Pick<BudgetAnswer, 'part' | 'weights' | 'parts' | 'elsewhere'> {
  if (me === undefined) return { part: 1, weights, parts: [], elsewhere: 0 };
  let elsewhere = 0;
  for (const member of members) {
    if (member !== me && waits(member, at)) for (const [, ready] of member.apps) elsewhere += ready;
  }
  return {
    part: parts[members.indexOf(me)] as number,
    weights,
    parts: me.apps.map((told) => partHere(told, everywhere.get(told[0]) as AppEverywhere)),
    elsewhere,
  };
}
