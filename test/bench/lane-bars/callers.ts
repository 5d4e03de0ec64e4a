import { Agent, request } from 'node:http';
import { type SimulatorProcess, spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { type GatewayOptions, type GatewayProcess, startGatewayProcess } from '../contestants/gateway.ts';

/** A simulated Mason that judges, and a whole gateway before it; each in a process of its own. */
export interface Judged extends AsyncDisposable {
  readonly simulator: SimulatorProcess;
  readonly gateway: GatewayProcess;
}

export async function startJudged(
  limit: string,
  latencyMs: number,
  options: Pick<GatewayOptions, 'apps' | 'engine'>,
): Promise<Judged> {
  await using stack = new AsyncDisposableStack();
  const simulator = stack.use(
    await spawnSimulator([
      ...['--limit', limit, '--limit-kind', 'sliding-log', '--latency', String(latencyMs)],
      ...['--key', `${MASON_KEY}=account:owner`, '--keep-requests', '100000', '--keep-alive-ms', '60000'],
    ]),
  );
  const gateway = stack.use(await startGatewayProcess({ ...options, masonUrl: simulator.url, key: MASON_KEY, limit }));
  const rest = stack.move();
  return { simulator, gateway, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** Many callers at once, each on a connection of its own, as patient as the gateway lets them be. */
export class Callers implements Disposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /**
   * The statuses answered; 0 for calls that were cut off.
   *
   * @param path with a query: each call asks something else, or equal ones would share one call
   */
  call(count: number, path: string): Promise<number[]> {
    return Promise.all(Array.from({ length: count }, (_, n) => this.#one(`${path}&n=${n}`)));
  }

  #one(path: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.#token}`, prefer: 'wait=120' };
    return new Promise((resolve) => {
      const req = request(this.#url + path, { agent: this.#agent, headers }, (res) => {
        res.resume();
        res.on('close', () => resolve(res.complete ? (res.statusCode ?? 0) : 0));
      });
      req.on('error', () => resolve(0));
      req.end();
    });
  }

  /** Hangs up on whatever is under way. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
