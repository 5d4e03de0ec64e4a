import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../domain/errors.ts';
import { answerError, answerErrorOnSocket } from './answer.ts';
import { checkRequest } from './request-rules.ts';
import type { RequestTarget } from './request-target.ts';

export interface ServerBounds {
  readonly headersBytesMax: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
}

/** A request that passed {@link checkRequest}, with its target as read there. */
export type Handler = (req: IncomingMessage, res: ServerResponse, target: RequestTarget) => void;

/** Emitted on a request whose body cannot be read to its end, with the {@link GatewayError}. */
export const MALFORMED = 'malformed';

/**
 * The server behind every public door. Whatever HTTP itself refuses — parser errors, time-outs, unknown expectations,
 * missing hosts — is answered in our shape here, before any route.
 */
export function createPublicServer(bounds: ServerBounds, handle: Handler): Server {
  const open = new WeakMap<Duplex, Set<ServerResponse>>();
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    remember(open, req.socket, res);
    let target: RequestTarget;
    try {
      target = checkRequest(req);
    } catch (error) {
      // What framed this request wrongly may frame the next one wrongly too.
      answerError(res, error, { Connection: 'close' });
      return;
    }
    handle(req, res, target);
  };
  const server = createServer(
    {
      maxHeaderSize: bounds.headersBytesMax,
      headersTimeout: bounds.headersMs,
      requestTimeout: bounds.requestMs,
      keepAliveTimeout: bounds.keepAliveMs,
      connectionsCheckingInterval: Math.min(1_000, bounds.headersMs),
      // Node answers these bare; the rules check them and answer in our shape.
      requireHostHeader: false,
    },
    serve,
  );
  server.maxHeadersCount = 0;
  server.maxConnections = bounds.connectionsMax;
  // The body is asked for ("100 Continue") where it is read, not before it is known that anybody wants it.
  server.on('checkContinue', serve);
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    answerError(res, new GatewayError('expectation_failed', 'the only "expect" taken is "100-continue"'));
  });
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    answerErrorOnSocket(
      socket,
      new GatewayError('method_not_allowed', 'CONNECT is not served', { allow: ['GET', 'POST'] }),
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    refuseOnSocket(error, socket, open.get(socket));
  });
  return server;
}

function remember(open: WeakMap<Duplex, Set<ServerResponse>>, socket: Duplex, res: ServerResponse): void {
  let waiting = open.get(socket);
  if (waiting === undefined) {
    waiting = new Set();
    open.set(socket, waiting);
  }
  const own = waiting;
  own.add(res);
  res.once('close', () => own.delete(res));
}

function refuseOnSocket(error: NodeJS.ErrnoException, socket: Duplex, waiting: Set<ServerResponse> | undefined): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalOf(error);
  const last = waiting === undefined ? undefined : [...waiting].at(-1);
  if (last === undefined) {
    answerErrorOnSocket(socket, refusal);
    return;
  }
  if (last.req.complete) {
    // The bytes behind a whole request are garbage: the request still gets its answer (RFC 9112 section 9.6).
    last.once('close', () => socket.destroy());
    if (!last.headersSent) last.setHeader('Connection', 'close');
    return;
  }
  if (!last.req.emit(MALFORMED, refusal)) answerError(last, refusal, { Connection: 'close' });
}

function refusalOf(error: NodeJS.ErrnoException): GatewayError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new GatewayError('headers_too_large', 'the request line and headers are larger than this server takes');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new GatewayError(
        'payload_too_large',
        'the chunk extensions of the body are larger than this server takes',
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new GatewayError('request_timeout', 'the request did not arrive in time');
    default:
      return new GatewayError(
        'invalid_request',
        'this is not HTTP/1.1 as RFC 9112 has it: the request could not be read',
      );
  }
}
