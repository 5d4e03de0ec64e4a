import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { GatewayError } from '../domain/errors.ts';
import { answerError, answerErrorOnSocket } from './answer.ts';
import { boundBodyTime, hasBody } from './body-time.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { closeGently } from './close-gently.ts';
import { checkRequest } from './request-rules.ts';
import type { RequestTarget } from './request-target.ts';
import { Turns } from './turns.ts';
import { answerUpgrade } from './upgrades.ts';
import { untakenOf } from './watch-reader.ts';

export interface ServerBounds {
  readonly headersBytesMax: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the turn of a request to the end of its body, unless that has a time of its own ({@link freeBodyTime}). */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** How long nothing of an answer that waits to be read may be taken; at most twice as long, where nobody watches more closely. */
  readonly answerIdleMs: number;
  readonly connectionsMax: number;
}

const CHECK_EACH_MS = 200;

/** A request that passed {@link checkRequest}, with its target as read there. */
export type Handler = (req: IncomingMessage, res: ServerResponse, target: RequestTarget) => void;

/** Emitted on a request whose body cannot be read to its end, with the {@link GatewayError}; see {@link bodyRefusal}. */
export const MALFORMED = 'malformed';

const refusals = new WeakMap<IncomingMessage, GatewayError>();

/** Why the body of a request cannot be read to its end. It may be known before anybody listens for {@link MALFORMED}. */
export function bodyRefusal(req: IncomingMessage): GatewayError | undefined {
  return refusals.get(req);
}

/**
 * The server behind every public door. Whatever HTTP itself refuses — parser errors, time-outs, unknown expectations,
 * missing hosts — is answered in our shape here, before any route.
 *
 * @param certificate with one, TLS is spoken, and nothing else
 * @param mayUpgrade whether a request with `Upgrade` may become something else; of all others the wish is ignored (RFC 9110
 * section 7.8)
 */
export function createPublicServer(
  bounds: ServerBounds,
  handle: Handler,
  certificate?: CertificateKeeper,
  mayUpgrade: (req: IncomingMessage) => boolean = () => false,
): Server {
  const turns = new Turns();
  const begin = (req: IncomingMessage, res: ServerResponse): void => {
    let target: RequestTarget;
    try {
      target = checkRequest(req);
    } catch (error) {
      // What framed this request wrongly may frame the next one wrongly too.
      answerError(res, error, { Connection: 'close' });
      return;
    }
    boundBodyTime(req, bounds.requestMs, () => {
      const error = Object.assign(new Error('the body is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      refuseOnSocket(error, req.socket, turns.last(req.socket));
    });
    handle(req, res, target);
  };
  const serve = (req: IncomingMessage, res: ServerResponse): void => turns.serve(req, res, begin);
  const server = listener(
    {
      maxHeaderSize: bounds.headersBytesMax,
      headersTimeout: bounds.headersMs,
      // Node's holds for all requests alike; bodies have theirs in `begin`.
      requestTimeout: 0,
      keepAliveTimeout: bounds.keepAliveMs,
      // Often: whoever is late is refused then, and many at once would hold up everybody else.
      connectionsCheckingInterval: Math.min(CHECK_EACH_MS, bounds.headersMs),
      // Node answers these bare; the rules check them and answer in our shape.
      requireHostHeader: false,
      // Most requests have no body; a stream for each that only ends costs more than reading its target.
      optimizeEmptyRequests: true,
      // One with a body comes on no plain socket; nobody needs it. Behind an answer that is still due the wish is ignored
      // (RFC 9110 section 7.8): from there on Node would let go of the socket on which that answer is written.
      shouldUpgradeCallback: (req) => !hasBody(req) && turns.last(req.socket) === undefined && mayUpgrade(req),
    },
    serve,
    certificate,
  );
  server.maxHeadersCount = 0;
  server.maxConnections = bounds.connectionsMax;
  // The body is asked for ("100 Continue") where it is read, not before it is known that anybody wants it.
  server.on('checkContinue', serve);
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    const refusal = new GatewayError('expectation_failed', 'the only "expect" taken is "100-continue"');
    turns.serve(req, res, () => answerError(res, refusal));
  });
  server.on(certificate === undefined ? 'connection' : 'secureConnection', closeGently);
  server.on('connect', (_req: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const refusal = new GatewayError('method_not_allowed', 'CONNECT is not served', { allow: ['GET', 'POST'] });
    turns.afterLast(socket, () => answerErrorOnSocket(socket, refusal));
  });
  server.on('upgrade', (req: IncomingMessage, socket: Socket, more: Buffer) => {
    begin(req, answerUpgrade(req, socket, more));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseOnSocket(error, socket, turns.last(socket));
  });
  // Node's one timer of a socket: nothing moved on it for so long. A request that waits for its turn is no reason to end it,
  // nor are headers that are still due: those have a time of their own, and a client is told of it.
  server.setTimeout(bounds.answerIdleMs, (socket: Socket) => {
    const isIdle = turns.last(socket) === undefined && socket.bytesWritten > 0;
    if (isIdle) socket.destroy();
    else if (socket.writableLength > 0) void endUnlessRead(socket, bounds.answerIdleMs);
  });
  return server;
}

const untaken = new WeakMap<Socket, { readonly text: string; readonly at: number }>();

/** Node saw nothing move for so long; whoever took a little meanwhile, which only the kernel knows, has as long again. */
async function endUnlessRead(socket: Socket, idleMs: number): Promise<void> {
  const now = { text: await untakenOf(socket, idleMs), at: performance.now() };
  const before = untaken.get(socket);
  // What was seen earlier than this was of another pause.
  const isSamePause = before !== undefined && now.at - before.at < 1.5 * idleMs;
  if (isSamePause && before.text === now.text) socket.destroy();
  else socket.setTimeout(idleMs);
  untaken.set(socket, now);
}

function listener(options: ServerOptions, serve: RequestListener, certificate: CertificateKeeper | undefined): Server {
  if (certificate === undefined) return createServer(options, serve);
  // HTTP/1.1 only: HTTP/2 is a load balancer's to offer. The handshake has the time that headers have.
  const handshake = { ALPNProtocols: ['http/1.1'], handshakeTimeout: options.headersTimeout ?? 0 };
  const server = createTlsServer({ ...options, ...certificate.context, ...handshake }, serve);
  certificate.follow((context) => server.setSecureContext(context));
  return server;
}

function refuseOnSocket(error: NodeJS.ErrnoException, socket: Socket, last: ServerResponse | undefined): void {
  // Refused before: the parser says so again of each piece that still comes.
  if (socket.writableEnded) return;
  // Where no handshake was made there is nothing to answer in: also plain HTTP, which TLS has swallowed by then.
  const isShaking = 'secureConnecting' in socket && socket.secureConnecting === true;
  if (error.code === 'ECONNRESET' || isShaking || !socket.writable) {
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
