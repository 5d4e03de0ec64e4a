import { GatewayError } from '../../domain/errors.ts';

export interface TransferBounds {
  readonly perTeamMax: number;
  readonly atOnceMax: number;
}

/** Nobody knows when a transfer ends. */
const RETRY_AFTER_MS = 10_000;

/** How many transfers are under way at this gateway, by team: each holds a connection to Mason for as long as it takes. */
export class TransferSlots {
  readonly #bounds: TransferBounds;
  readonly #byTeam = new Map<string, number>();
  #count = 0;

  constructor(bounds: TransferBounds) {
    this.#bounds = bounds;
  }

  /** Under way now. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes a place until it is disposed of.
   *
   * @throws GatewayError `queue_full`: told at once, whoever waits would hold what is scarce
   */
  take(teamId: string): Disposable {
    const own = this.#byTeam.get(teamId) ?? 0;
    const { perTeamMax, atOnceMax } = this.#bounds;
    if (own >= perTeamMax) throw full(`of your team ${own} are under way, and ${perTeamMax} may be`);
    if (this.#count >= atOnceMax) throw full(`at this gateway ${this.#count} are under way, and ${atOnceMax} may be`);
    this.#count++;
    this.#byTeam.set(teamId, own + 1);
    return { [Symbol.dispose]: () => this.#giveBack(teamId) };
  }

  #giveBack(teamId: string): void {
    this.#count--;
    const left = (this.#byTeam.get(teamId) ?? 0) - 1;
    if (left > 0) this.#byTeam.set(teamId, left);
    else this.#byTeam.delete(teamId);
  }
}

function full(why: string): GatewayError {
  return new GatewayError('queue_full', `too many uploads and downloads at once: ${why}`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
