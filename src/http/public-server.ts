import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '../domain/errors.ts';
import { answerError, answerErrorOnSocket } from './answer.ts';
import { closeGently } from './close-gently.ts';
import { checkRequest } from './request-rules.ts';
import type { RequestTarget } from './request-target.ts';

export interface ServerBounds {
  readonly headersBytesMax: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** How long an answer may lie unread. */
  readonly answerIdleMs: number;
  readonly connectionsMax: number;
}

/** A request that passed {@link checkRequest}, with its target as read there. */
export type Handler = (req: IncomingMessage, res: ServerResponse, target: RequestTarget) => void;

/** Emitted on a request whose body cannot be read to its end, with the {@link GatewayError}; see {@link bodyRefusal}. */
export const MALFORMED = 'malformed';

const refusals = new WeakMap<IncomingMessage, GatewayError>();

/** Why the body of a request cannot be read to its end. It may be known before anybody listens for {@link MALFORMED}. */
export function bodyRefusal(req: IncomingMessage): GatewayError | undefined {
  return refusals.get(req);
}

/** Requests of a connection whose answers are not written to their end, the oldest first. */
type Unanswered = WeakMap<Socket, Set<ServerResponse>>;

/**
 * The server behind every public door. Whatever HTTP itself refuses — parser errors, time-outs, unknown expectations,
 * missing hosts — is answered in our shape here, before any route.
 */
export function createPublicServer(bounds: ServerBounds, handle: Handler): Server {
  const unanswered: Unanswered = new WeakMap();
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    if (isClosing(unanswered, req.socket)) return;
    remember(unanswered, req.socket, res);
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
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    remember(unanswered, req.socket, res);
    answerError(res, new GatewayError('expectation_failed', 'the only "expect" taken is "100-continue"'));
  });
  server.on('connection', closeGently);
  server.on('connect', (_req: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const refusal = new GatewayError('method_not_allowed', 'CONNECT is not served', { allow: ['GET', 'POST'] });
    const last = lastOf(unanswered, socket);
    // Answers come in the order of the requests (RFC 9112 section 9.3.2), also before this one that Node hands out at once.
    if (last === undefined) answerErrorOnSocket(socket, refusal);
    else last.once('close', () => answerErrorOnSocket(socket, refusal));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseOnSocket(error, socket, lastOf(unanswered, socket));
  });
  // Node's one timer of a socket: nothing moved on it for so long. A request that waits for its turn is no reason to end it.
  server.setTimeout(bounds.answerIdleMs, (socket: Socket) => {
    if (socket.writableLength > 0 || lastOf(unanswered, socket) === undefined) socket.destroy();
  });
  return server;
}

function remember(unanswered: Unanswered, socket: Socket, res: ServerResponse): void {
  const own = unanswered.getOrInsertComputed(socket, () => new Set());
  own.add(res);
  res.once('close', () => own.delete(res));
}

/**
 * Whether an answer was given that closes the connection: then nothing more is served on it (RFC 9112 section 9.6), or a
 * change could be made behind a refusal, and nobody would be told. Node calls such an answer `_last`.
 */
function isClosing(unanswered: Unanswered, socket: Socket): boolean {
  if (socket.writableEnded) return true;
  return [...(unanswered.get(socket) ?? [])].some((res) => (res as { _last?: boolean })._last === true);
}

function lastOf(unanswered: Unanswered, socket: Socket): ServerResponse | undefined {
  return [...(unanswered.get(socket) ?? [])].at(-1);
}

function refuseOnSocket(error: NodeJS.ErrnoException, socket: Socket, last: ServerResponse | undefined): void {
  // Refused before: the parser says so again of each piece that still comes.
  if (socket.writableEnded) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalOf(error);
  if (last === undefined) {
    answerErrorOnSocket(socket, refusal);
    return;
  }
  // What came behind cannot be read; the answers to what came before are still due (RFC 9112 section 9.6).
  last.once('close', () => socket.destroySoon());
  if (!last.headersSent) last.setHeader('Connection', 'close');
  if (last.req.complete) return;
  refusals.set(last.req, refusal);
  last.req.emit(MALFORMED, refusal);
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
