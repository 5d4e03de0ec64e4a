import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { SELF_SIGNED } from './raw-certificate.ts';

/** A proxy that ends TLS, as one stands before a gateway; some names lead to pages instead. */
export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  /** `https://<name>:<port>` */
  origin(name: string): string;
  /** From now on what comes for this name goes to a plain HTTP server on this machine. */
  lead(name: string, to: number): void;
  serve(name: string, page: RequestListener): void;
}

export async function startTlsFront(): Promise<TlsFront> {
  const ports = new Map<string, number>();
  const pages = new Map<string, RequestListener>();
  const nameOf = ({ headers }: IncomingMessage): string => (headers.host ?? '').replace(/:\d+$/, '');
  const server = createServer({ ...SELF_SIGNED }, (req, res) => {
    const port = ports.get(nameOf(req));
    const page = pages.get(nameOf(req));
    if (port !== undefined) forward(req, res, port);
    else if (page !== undefined) page(req, res);
    else res.writeHead(404).end();
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const port = ports.get(nameOf(req));
    if (port === undefined) socket.destroy();
    else forwardUpgrade(req, socket, head, port);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: (name) => `https://${name}:${port}`,
    lead: (name, to) => void ports.set(name, to),
    serve: (name, page) => void pages.set(name, page),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function forwarded(req: IncomingMessage): Record<string, string | string[] | undefined> {
  return { ...req.headers, 'x-forwarded-for': req.socket.remoteAddress, 'x-forwarded-proto': 'https' };
}

function forward(req: IncomingMessage, res: ServerResponse, port: number): void {
  const onward = request({ port, host: '127.0.0.1', method: req.method, path: req.url, headers: forwarded(req) });
  onward.on('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  res.on('close', () => onward.destroy());
  req.pipe(onward);
}

function forwardUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, port: number): void {
  const onward = connect(port, '127.0.0.1', () => {
    const lines = Object.entries(forwarded(req)).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    onward.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('error', () => onward.destroy());
}
