import { GatewayError } from '../../src/domain/errors.ts';
import type { LaneCall, LaneSettings } from '../../src/domain/lane.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { SETTINGS, stays } from './stage.ts';
import { type Link, VirtualBudget } from './virtual-budget.ts';

export interface FleetSent {
  readonly gateway: number;
  readonly app: string;
  readonly at: number;
}

/** Several gateways that share one budget, in virtual time. */
export class Fleet {
  readonly clock: VirtualClock;
  readonly budget: VirtualBudget;
  readonly links: Link[];
  readonly lanes: FairLane[];
  readonly sent: FleetSent[] = [];
  readonly refused: { gateway: number; at: number; code: string }[] = [];
  readonly #settings: LaneSettings;

  constructor(gateways: number, settings: Partial<LaneSettings> = {}, oneWayMs = 0.3, lateMs?: () => number) {
    this.#settings = { ...SETTINGS, spreadMs: 10, ...settings };
    this.clock = new VirtualClock(1_000, lateMs);
    this.budget = new VirtualBudget(this.clock);
    this.links = Array.from({ length: gateways }, () => ({ oneWayMs, reach: 'answers' }));
    this.lanes = this.links.map((_, gateway) => this.makeLane(gateway));
  }

  makeLane(gateway: number): FairLane {
    const store = this.budget.storeFor(this.links[gateway] as Link);
    return new FairLane(this.#settings, this.clock, { store, gatewayId: `gateway-${gateway}`, gatewaysExpected: 4 });
  }

  /** One call; true when it got its turn. */
  async call(gateway: number, app = 'app', options: Partial<LaneCall> & { waitMs?: number } = {}): Promise<boolean> {
    const { waitMs = 600_000, ...rest } = options;
    try {
      using place = (this.lanes[gateway] as FairLane).join({
        ...{ appId: app, weight: 1, urgency: 3, deadlineAt: this.clock.now() + waitMs, heldBytes: 10 },
        ...rest,
      });
      (await place.turn(stays)).sent();
      this.sent.push({ gateway, app, at: this.clock.now() });
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.refused.push({ gateway, at: this.clock.now(), code: error.code });
      return false;
    }
  }

  /** Callers who come back 20 ms after each answer, until the lane closes. */
  keepBusy(gateway: number, app: string, callers: number): void {
    for (let i = 0; i < callers; i++) void this.#callAgain(gateway, app);
  }

  /** Calls at once. */
  crowd(gateway: number, app: string, calls: number): void {
    for (let i = 0; i < calls; i++) void this.call(gateway, app);
  }

  instants(from = 0): number[] {
    return this.sent.map(({ at }) => at).filter((at) => at >= from);
  }

  countOf(app: string, from = 0, until = Number.POSITIVE_INFINITY): number {
    return this.sent.filter((one) => one.app === app && one.at >= from && one.at < until).length;
  }

  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
    await this.clock.advance(100);
  }

  async #callAgain(gateway: number, app: string): Promise<void> {
    while (await this.call(gateway, app)) await new Promise<void>((resolve) => this.clock.after(20, resolve));
  }
}

export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}
