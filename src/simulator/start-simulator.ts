import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isControl, serveControl } from './control.ts';
import { Front } from './front.ts';
import { DEFAULT_OPTIONS, type SimulatorOptions } from './options.ts';
import { Run } from './run.ts';
import { serveCall } from './serve-call.ts';
import { isExample, serveExample } from './serve-example.ts';
import { serveXray } from './xray/serve-xray.ts';

export interface RunningSimulator {
  /** Without a slash at its end; the API is under `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Tells the example frontend where its gateway is: an origin. */
  showGateway(url: string): void;
  /** Ends all connections at once, whatever is under way. */
  close(): Promise<void>;
}

/** Starts a Mason in this thread. Rejects when the address cannot be listened on. */
export async function startSimulator(given: Partial<SimulatorOptions> = {}): Promise<RunningSimulator> {
  const options = { ...DEFAULT_OPTIONS, ...given };
  let run = new Run(options);
  let { gatewayUrl } = options;

  const note = (
    connection: { id: number; requests: number },
    head: string,
    method: string | null,
    target: string | null,
  ) =>
    run.log.open({
      at: performance.now(),
      method,
      target,
      head,
      connection: connection.id,
      onConnection: connection.requests,
    });

  const front = new Front(options.keepAliveMs, {
    request(request, response, connection, head) {
      if (isControl(request.url ?? '')) {
        const reset = () => {
          run = new Run(options);
          front.resetCounts();
        };
        void serveControl({ run, connections: front.connections, reset }, request, response);
      } else if (isExample(request.url ?? '')) {
        void serveExample(gatewayUrl, request, response);
      } else {
        void serveCall(run, request, response, note(connection, head, request.method ?? null, request.url ?? null));
      }
    },
    upgrade(request, response, connection, head, more) {
      const record = note(connection, head, request.method ?? null, request.url ?? null);
      void serveXray(run, { request, response, tap: connection.tap, more }, record);
    },
    connect(request, connection, head) {
      note(connection, head, request.method ?? null, request.url ?? null).status = 405;
      run.stats.reached();
      run.stats.left(undefined, 405);
    },
    malformed(connection, head, status) {
      run.stats.malformed += 1;
      note(connection, head, null, null).status = status;
    },
    incomplete() {
      run.stats.incomplete += 1;
    },
  });

  const { server } = front;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    showGateway(url) {
      gatewayUrl = url;
    },
    close: () => front.close(),
  };
}
