import { createHmac, hash, type KeyObject } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Clock } from '../../domain/clock.ts';
import { publicLookup } from '../../mason/connect.ts';
import type { Sink } from './sink.ts';

export interface WebhookSinkOptions {
  /** `https:` */
  readonly url: string;
  /** Shared with the receiver; signs each delivery. */
  readonly secret: KeyObject;
  /** Certificates of those who may sign the receiver's, PEM; the well-known ones where not given. */
  readonly ca?: string | undefined;
  /** Hosts, by name, that may resolve to private addresses. A literal address in the URL names itself. */
  readonly privateHosts: readonly string[];
  /** Milliseconds for a delivery as a whole. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'epochMs'>;
}

const ANSWER_BYTES_MAX = 65_536;

/**
 * Lines of JSON, by POST. Delivered is what was answered with 2xx; redirects are not followed, since what is on record would go
 * wherever the receiver's server says.
 */
export class WebhookSink implements Sink {
  readonly kind = 'webhook';
  readonly #options: WebhookSinkOptions;
  readonly #agent: Agent;

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
    const { ca, privateHosts, timeoutMs } = options;
    this.#agent = new Agent({
      connections: 1,
      pipelining: 1,
      connect: {
        timeout: timeoutMs,
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        lookup: publicLookup(privateHosts),
        ...(ca === undefined ? {} : { ca }),
      },
    });
  }

  async deliver(text: string): Promise<void> {
    const { url, secret, timeoutMs, clock } = this.#options;
    const body = Buffer.from(text, 'latin1');
    const timestamp = String(Math.floor(clock.epochMs() / 1_000));
    const answer = await request(url, {
      method: 'POST',
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'Content-Type': 'application/x-ndjson',
        // The same for the same events, however often they are sent.
        'Gateway-Delivery': hash('sha256', body, 'hex').slice(0, 32),
        'Gateway-Timestamp': timestamp,
        'Gateway-Signature': `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`,
      },
      body,
    });
    await answer.body.dump({ limit: ANSWER_BYTES_MAX, signal: AbortSignal.timeout(timeoutMs) });
    const { statusCode } = answer;
    if (statusCode < 200 || statusCode > 299) throw new Error(`expected 2xx of the receiver, got ${statusCode}`);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
