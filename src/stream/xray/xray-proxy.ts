import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'http-proxy-middleware';
import { ownConnections } from '../../mason/own-connections.ts';
import { Attempt, type AttemptParts, type XrayAnswer } from './attempt.ts';
import type { Tunnel } from './tunnel.ts';

export interface XrayProxySettings {
  /** Of Mason. */
  readonly origin: string;
  readonly privateHosts: readonly string[];
  /** From the making of the connection to the head of the answer; and as long again for the body of a refusal. */
  readonly upgradeMs: number;
}

/** A request for a session, ready for the wire: nothing is added to it. */
export interface XrayRequest {
  /** Path and query, the very bytes that were checked. */
  readonly target: string;
  /** Lower-case names, without `host`. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * http-proxy-middleware between callers and Mason, loaded when the first session is asked for. By itself it would hand on
 * every header of the caller's, cookies and credentials too, and to the caller whatever Mason says: so it is given a request
 * that holds exactly what is to be sent, and a {@link Tunnel} in the caller's place; and of its plugins, which log and answer,
 * none.
 */
export class XrayProxy {
  readonly #settings: XrayProxySettings;
  readonly #attempts = new WeakMap<object, Attempt>();
  #loading: Promise<RequestHandler> | undefined;

  constructor(settings: XrayProxySettings) {
    this.#settings = settings;
  }

  /** Settles when it can ask at once: whoever has a turn in the line shall not wait for it. */
  async ready(): Promise<void> {
    await this.#loaded();
  }

  /**
   * Asks once.
   *
   * @param caller its connection
   * @throws SendFailure
   */
  async ask(
    { target, headers }: XrayRequest,
    caller: Socket,
    parts: Omit<AttemptParts, 'answerMs'>,
  ): Promise<XrayAnswer> {
    const handler = await this.#loaded();
    const attempt = new Attempt({ ...parts, answerMs: this.#settings.upgradeMs });
    if (parts.signal.aborted) return attempt.answer;
    this.#attempts.set(parts.tunnel, attempt);
    const request = new IncomingMessage(caller);
    request.method = 'GET';
    request.url = target;
    request.headers = { host: new URL(this.#settings.origin).host, ...headers };
    handler.upgrade(request, asSocket(parts.tunnel), Buffer.alloc(0));
    return attempt.answer;
  }

  #loaded(): Promise<RequestHandler> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<RequestHandler> {
    const { createProxyMiddleware } = await import('http-proxy-middleware');
    const { origin, upgradeMs } = this.#settings;
    return createProxyMiddleware({
      target: origin,
      agent: ownConnections(origin, this.#settings),
      upgradeTimeout: upgradeMs,
      ejectPlugins: true,
      plugins: [
        (server) => {
          server.on('proxyReqWs', (asked, _request, socket) => this.#attempts.get(socket)?.asked(asked));
          server.on('error', (error, _request, socket) => {
            if (socket !== undefined) this.#attempts.get(socket)?.failed(error);
          });
        },
      ],
    });
  }
}

/** All that the library does with it, a {@link Tunnel} can. */
function asSocket(tunnel: Tunnel): Socket {
  return tunnel as unknown as Socket;
}
