import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as it came. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server in the gateway's place that answers what a test wants. */
export interface OddGateway extends AsyncDisposable {
  readonly url: string;
  readonly heard: readonly Heard[];
}

/** Starts one on a free port; `answer` sees each request once its body is whole. */
export async function oddGateway(answer: (res: ServerResponse, heard: Heard) => void): Promise<OddGateway> {
  const heard: Heard[] = [];
  const server = createServer(async (req, res) => {
    const now = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body: await text(req) };
    heard.push(now);
    answer(res, now);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers JSON. */
export function json(res: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
