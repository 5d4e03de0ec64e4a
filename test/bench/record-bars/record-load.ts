import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { GatewayProcess } from '../contestants/gateway.ts';

/** How one call ended. */
export interface EndedCall {
  readonly isChange: boolean;
  /** Its caller's own id. */
  readonly id: string;
  readonly requestId: string;
  /** 0: it was cut off. */
  readonly status: number;
  readonly message: string;
  /** The process that answered. */
  readonly pid: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

const PAUSE_MS = 10;
/** What fails at once must not fill the memory. */
const FAILED_PAUSE_MS = 50;
const ANSWER_MS_MAX = 20_000;

/** Callers of gateways that come and go. */
export class RecordLoad implements AsyncDisposable {
  readonly ended: EndedCall[] = [];
  readonly #token: string;
  readonly #device: string;
  readonly #agent = new Agent({ pipelining: 1, headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX });
  readonly #callers: Promise<void>[] = [];
  #count = 0;
  #isStopped = false;

  /** @param device that changes are about */
  constructor(token: string, device: string) {
    this.#token = token;
    this.#device = device;
  }

  /** @param gateway the one of this place now; undefined while there is none. */
  keepCalling(gateway: () => GatewayProcess | undefined, isChange: boolean, callers: number): void {
    for (let n = 0; n < callers; n += 1) this.#callers.push(this.#callOnAndOn(gateway, isChange));
  }

  /** One call; never throws. */
  async call({ url, pid }: GatewayProcess, isChange: boolean): Promise<EndedCall> {
    this.#count += 1;
    const id = `c${this.#count}`;
    const path = isChange ? `/v1/default/notify/refresh?n=${id}` : `/v1/default/device?limit=1&n=${id}`;
    const headers = { authorization: `Bearer ${this.#token}`, 'x-request-id': id };
    const change = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ devices: [this.#device] }),
    } as const;
    const answer = await request(url + path, {
      dispatcher: this.#agent,
      ...(isChange ? change : { headers }),
    })
      .then(
        async ({ statusCode, headers: told, body }) => {
          const message = await body.text();
          return { status: statusCode, requestId: String(told['request-id']), message };
        },
        (error: unknown) => ({ status: 0, requestId: '', message: String(error) }),
      )
      .catch((error: unknown) => ({ status: 0, requestId: '', message: String(error) }));
    const ended = { isChange, id, pid, at: performance.now(), ...answer };
    this.ended.push(ended);
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#callers);
    await this.#agent.close();
  }

  async #callOnAndOn(gateway: () => GatewayProcess | undefined, isChange: boolean): Promise<void> {
    while (!this.#isStopped) {
      const there = gateway();
      const status = there === undefined ? 0 : (await this.call(there, isChange)).status;
      await sleep(status === 200 ? PAUSE_MS : FAILED_PAUSE_MS);
    }
  }
}

/** The id of some device. @throws Error when the gateway does not answer with one */
export async function someDevice({ url }: GatewayProcess, token: string): Promise<string> {
  const answer = await fetch(`${url}/v1/default/device?limit=1`, { headers: { authorization: `Bearer ${token}` } });
  const { data } = (await answer.json()) as { data?: { id: string }[] };
  if (data?.[0] === undefined) throw new Error(`expected a list of devices, got ${answer.status}`);
  return data[0].id;
}
