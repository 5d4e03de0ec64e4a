import { Agent, request } from 'undici';
import type { GatewayFleet } from './gateway-fleet.ts';

/** As patient as gateways let callers be. */
const WAIT_SECONDS = 120;

/** How one call ended. */
export interface Ended {
  readonly gateway: number;
  readonly app: string;
  readonly urgency: number;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** 0: it was cut off. */
  readonly status: number;
  /** What a call that was refused heard. */
  readonly message: string | undefined;
  readonly requestId: string;
  /** Milliseconds in the line, as its answer says. */
  readonly queueMs: number;
}

/** Callers of a fleet: each asks again as soon as it is answered, and each call asks something else. */
export class FleetLoad implements AsyncDisposable {
  readonly ended: Ended[] = [];
  readonly #fleet: GatewayFleet;
  readonly #agent = new Agent({ pipelining: 1, connections: null, keepAliveTimeout: 60_000 });
  readonly #callers: Promise<void>[] = [];
  #count = 0;
  #stopped = false;

  constructor(fleet: GatewayFleet) {
    this.#fleet = fleet;
  }

  keepCalling(gateway: number, app: string, callers: number): void {
    for (let n = 0; n < callers; n++) this.#callers.push(this.#callOnAndOn(gateway, app));
  }

  /** The same at each gateway. */
  keepAllBusy(app: string, callersEach: number): void {
    for (const gateway of this.#fleet.gateways.keys()) this.keepCalling(gateway, app, callersEach);
  }

  /** One call; never throws. */
  async call(gateway: number, app: string, urgency = 3): Promise<Ended> {
    const url = `${this.#fleet.gateways[gateway]?.url}/v1/default/device?limit=1&n=${++this.#count}`;
    const token = this.#fleet.tokens.get(app);
    const headers = { authorization: `Bearer ${token}`, prefer: `wait=${WAIT_SECONDS}`, priority: `u=${urgency}` };
    const ended = await request(url, { dispatcher: this.#agent, headers }).then(
      async ({ statusCode, headers: told, body }) => {
        const text = await body.text();
        const queueMs = Number(/queue;dur=([\d.]+)/.exec(String(told['server-timing']))?.[1] ?? Number.NaN);
        const requestId = String(told['request-id']);
        return { status: statusCode, requestId, queueMs, message: statusCode === 200 ? undefined : text };
      },
      (error: unknown) => ({ status: 0, requestId: '', queueMs: Number.NaN, message: String(error) }),
    );
    const whole = { gateway, app, urgency, at: performance.now(), ...ended };
    this.ended.push(whole);
    return whole;
  }

  /** Answers of 200 a second in a time that is over. */
  rate(fromMs: number, toMs: number): number {
    const count = this.ended.filter(({ status, at }) => status === 200 && at >= fromMs && at < toMs).length;
    return (count * 1_000) / (toMs - fromMs);
  }

  /** Calls that were not answered with 200, since an instant. */
  failures(fromMs = 0): Ended[] {
    return this.ended.filter(({ status, at }) => status !== 200 && at >= fromMs);
  }

  /** No new calls; comes back when those under way are answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#agent.close();
  }

  async #callOnAndOn(gateway: number, app: string): Promise<void> {
    while (!this.#stopped) {
      const { status } = await this.call(gateway, app);
      // What fails at once must not fill the memory.
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
