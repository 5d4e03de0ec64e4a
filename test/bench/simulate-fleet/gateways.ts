import { FairLane } from '../../../src/lane/fair-lane.ts';
import type { Random } from '../../../src/simulator/random.ts';
import type { EventClock } from './event-clock.ts';
import type { OneRedis } from './one-redis.ts';
import type { FleetOptions } from './options.ts';

/** As the gateway's own settings are when nobody changes them. */
const LINE = { waitingCallsMax: 10_000, waitingBytesMax: 134_217_728, pauseMsMax: 60_000 };
const GATEWAYS_EXPECTED = 4;

/** The lanes of all gateways: made with the first call of a budget to a gateway, as there. */
export class Gateways {
  readonly #options: FleetOptions;
  readonly #clock: EventClock;
  readonly #redis: OneRedis;
  readonly #random: Random;
  /** By budget: the gateways that its calls come to follow each other from the first. */
  readonly #lanes = new Map<number, { first: number; lanes: (FairLane | undefined)[] }>();

  constructor(options: FleetOptions, clock: EventClock, redis: OneRedis, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#redis = redis;
    this.#random = random;
  }

  /** The lane at any of the gateways that the budget's calls come to. */
  laneFor(budget: number): FairLane {
    const { gateways, reach } = this.#options;
    const known = this.#lanes.getOrInsertComputed(budget, () => ({
      first: this.#random.whole(0, gateways - 1),
      lanes: [],
    }));
    const nth = this.#random.whole(0, reach - 1);
    known.lanes[nth] ??= this.#make(budget, (known.first + nth) % gateways);
    return known.lanes[nth];
  }

  lanesOf(budget: number): FairLane[] {
    return this.#lanes.get(budget)?.lanes.filter((lane) => lane !== undefined) ?? [];
  }

  get all(): FairLane[] {
    return [...this.#lanes.keys()].flatMap((budget) => this.lanesOf(budget));
  }

  #make(budget: number, gateway: number): FairLane {
    const { limit, spreadMs, shared } = this.#options;
    const settings = { ...LINE, budgetId: `budget-${budget}`, limit, burst: undefined, spreadMs };
    if (!shared) return new FairLane(settings, this.#clock);
    const store = this.#redis.storeOf(budget);
    return new FairLane(settings, this.#clock, {
      store,
      gatewayId: `gateway-${gateway}`,
      gatewaysExpected: GATEWAYS_EXPECTED,
    });
  }
}
