import { randomUUIDv7 } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { GatewayError } from '../domain/errors.ts';
import type { Actor } from '../domain/event.ts';
import { answerError, answerJson } from '../http/answer.ts';
import type { ActName, Acts } from '../manage/acts.ts';
import { ACCOUNT_HEADER, ROUTES } from './routes.ts';

/** A thousand leaked tokens fit, with room. */
const BODY_BYTES_MAX = 262_144;

/** Acts that make something new: 201 (RFC 9110 section 15.3.2). */
const CREATING: ReadonlySet<ActName> = new Set(['team.add', 'key.add', 'app.add', 'token.create']);

export interface AdminOptions {
  /** Hears of bugs: of errors that nobody meant, with the request id that the caller was told. */
  readonly onBug: (error: unknown, requestId: string) => void;
}

/**
 * The management API over HTTP, for the Unix socket: whoever reaches it is the operator. It must not be mounted on a listener
 * that others reach.
 */
export function createAdminServer(acts: Acts, options: AdminOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(giveRequestId);
  app.use(refuseOtherMedia);
  app.use(express.json({ limit: BODY_BYTES_MAX, type: 'application/json' }));
  const paths = new Map<string, ActName[]>();
  for (const act of Object.keys(ROUTES) as ActName[]) {
    const { path } = ROUTES[act];
    paths.set(path, [...(paths.get(path) ?? []), act]);
  }
  for (const [path, names] of paths) {
    const route = app.route(path);
    for (const name of names) route[methodOf(name)](perform(acts, name));
    route.all(refuseMethod(names.map((name) => ROUTES[name].method)));
  }
  app.use(refusePath);
  app.use(answerFailure(options));
  return app;
}

function methodOf(name: ActName): 'get' | 'post' | 'patch' | 'delete' {
  return ROUTES[name].method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
}

const giveRequestId: RequestHandler = (_req, res, next) => {
  res.locals['requestId'] = randomUUIDv7();
  res.setHeader('Request-Id', requestIdOf(res.locals));
  next();
};

const refuseOtherMedia: RequestHandler = (req, _res, next) => {
  // False only where there is a body of another type; without one it is null. An empty one is none.
  if (req.headers['content-length'] !== '0' && req.is('application/json') === false) {
    throw new GatewayError(
      'unsupported_media_type',
      `Content-Type: expected application/json, got ${req.headers['content-type'] ?? 'nothing'}`,
    );
  }
  next();
};

function perform(acts: Acts, name: ActName): RequestHandler {
  const act = acts[name];
  return async function performAct(req, res) {
    const answer = await act(actorOf(req), inputOf(req), requestIdOf(res.locals));
    const status = CREATING.has(name) ? 201 : 200;
    answerJson(res, status, answer, { 'Request-Id': requestIdOf(res.locals) });
  };
}

function inputOf(req: Request): Record<string, unknown> {
  const body: unknown = req.body ?? {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new GatewayError('invalid_request', 'body: expected a JSON object, got something else');
  }
  // What the path says wins: it is what the route was chosen by.
  return { ...req.query, ...body, ...req.params };
}

function actorOf(req: Request): Actor {
  const account = req.get(ACCOUNT_HEADER);
  if (account === undefined || !/^[\w.@+\\-]{1,64}$/.test(account)) return { kind: 'operator' };
  return { kind: 'operator', account };
}

function refuseMethod(allow: readonly string[]): RequestHandler {
  return function refuseOtherMethods(req) {
    throw new GatewayError('method_not_allowed', `${req.path}: expected ${allow.join(' or ')}, got ${req.method}`, {
      allow,
    });
  };
}

const refusePath: RequestHandler = (req) => {
  throw new GatewayError('unknown_operation', `the management API has no ${req.path.slice(0, 256)}`);
};

function answerFailure({ onBug }: AdminOptions): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return function answerFailed(error: unknown, _req, res, _next) {
    const meant = asMeant(error);
    if (!(meant instanceof GatewayError)) onBug(error, requestIdOf(res.locals));
    answerError(res, meant, { 'Request-Id': requestIdOf(res.locals) });
  };
}

/** What Express and its body parser refuse carries a status; the rest is as it was thrown. */
function asMeant(error: unknown): unknown {
  if (error instanceof GatewayError || typeof error !== 'object' || error === null || !('status' in error))
    return error;
  switch (error.status) {
    case 413:
      return new GatewayError('payload_too_large', `body: expected at most ${BODY_BYTES_MAX} bytes`);
    case 415:
      return new GatewayError('unsupported_media_type', 'body: expected JSON in UTF-8, not compressed');
    case 400:
      return new GatewayError('invalid_request', 'expected a well-formed path and a JSON body', { cause: error });
    default:
      return error;
  }
}

function requestIdOf(locals: Record<string, unknown>): string {
  return String(locals['requestId']);
}
